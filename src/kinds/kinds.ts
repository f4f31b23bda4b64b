/** The one table of kinds: everything that the API server asks Bulkhead about. */
import { binding } from './binding.ts';
import { calicoNetworkPolicy } from './calico-network-policy/calico-network-policy.ts';
import { calicoNetworkSet } from './calico-network-set/calico-network-set.ts';
import { calicoStagedPolicy } from './calico-staged-policy/calico-staged-policy.ts';
import { ciliumNetworkPolicy } from './cilium-network-policy/cilium-network-policy.ts';
import { exemption } from './exemption.ts';
import { gateRequest } from './gate-request.ts';
import type { Kind } from './kind.ts';
import { namespace } from './namespace.ts';
import { networkPolicy } from './network-policy/network-policy.ts';
import { pod } from './pod.ts';
import { resourceQuota } from './resource-quota.ts';
import { tenant } from './tenant.ts';
import { workload } from './workload.ts';

export const kinds: readonly Kind[] = [
  namespace,
  pod,
  binding,
  networkPolicy,
  ciliumNetworkPolicy,
  calicoNetworkPolicy('projectcalico.org', 'v3'),
  calicoNetworkPolicy('crd.projectcalico.org', 'v1'),
  calicoStagedPolicy('StagedNetworkPolicy', 'projectcalico.org', 'v3'),
  calicoStagedPolicy('StagedNetworkPolicy', 'crd.projectcalico.org', 'v1'),
  calicoStagedPolicy('StagedKubernetesNetworkPolicy', 'projectcalico.org', 'v3'),
  calicoStagedPolicy('StagedKubernetesNetworkPolicy', 'crd.projectcalico.org', 'v1'),
  calicoNetworkSet('projectcalico.org', 'v3'),
  calicoNetworkSet('crd.projectcalico.org', 'v1'),
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
