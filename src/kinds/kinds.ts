/** The one table of kinds: everything that the API server asks Bulkhead about. */
import { binding } from './binding.ts';
import { calicoGroups } from './calico-groups.ts';
import { calicoNetworkPolicy } from './calico-network-policy/calico-network-policy.ts';
import { calicoNetworkSet } from './calico-network-set/calico-network-set.ts';
import { calicoStagedPolicy } from './calico-staged-policy/calico-staged-policy.ts';
import { ciliumNetworkPolicy } from './cilium-network-policy/cilium-network-policy.ts';
import { exemption } from './exemption.ts';
import { gateRequest } from './gate-request.ts';
import { istioAuthorizationPolicy } from './istio-authorization-policy/istio-authorization-policy.ts';
import type { Kind } from './kind.ts';
import { namespace } from './namespace.ts';
import { networkPolicy } from './network-policy/network-policy.ts';
import { pod } from './pod.ts';
import { resourceQuota } from './resource-quota.ts';
import { role, roleBinding } from './rights/access.ts';
import { gatewayKinds } from './routes/gateway-api.ts';
import { ingress } from './routes/ingress.ts';
import { endpointSlice } from './services/endpoint-slice.ts';
import { endpoints } from './services/endpoints.ts';
import { service } from './services/service.ts';
import { tenant } from './tenant.ts';
import { workload } from './workload.ts';

export const kinds: readonly Kind[] = [
  namespace,
  pod,
  binding,
  networkPolicy,
  ciliumNetworkPolicy,
  ...calicoGroups.map(calicoNetworkPolicy),
  ...calicoGroups.map((group) => calicoStagedPolicy('StagedNetworkPolicy', group)),
  ...calicoGroups.map((group) => calicoStagedPolicy('StagedKubernetesNetworkPolicy', group)),
  ...calicoGroups.map(calicoNetworkSet),
  service,
  endpoints,
  endpointSlice,
  ingress,
  ...gatewayKinds,
  role,
  roleBinding,
  istioAuthorizationPolicy,
  resourceQuota,
  tenant,
  exemption,
  gateRequest,
  workload('apps', 'deployments', 'Deployment'),
  workload('apps', 'statefulsets', 'StatefulSet'),
  workload('apps', 'daemonsets', 'DaemonSet'),
  workload('apps', 'replicasets', 'ReplicaSet'),
  workload('batch', 'jobs', 'Job'),
  workload('batch', 'cronjobs', 'CronJob'),
  workload('', 'replicationcontrollers', 'ReplicationController'),
];
