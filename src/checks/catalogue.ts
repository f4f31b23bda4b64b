/**
 * Every check, the most severe first: in this order findings are reported. An id is for ever; see check.ts for what belongs to one.
 */
import { accidentalIsolation } from './accidental-isolation.ts';
import { alreadyAllowed } from './already-allowed.ts';
import type { Check } from './check.ts';
import { chosenNode } from './chosen-node.ts';
import { clusterPolicy } from './cluster-policy.ts';
import { crossTenantEgress } from './cross-tenant-egress.ts';
import { crossTenantIngress } from './cross-tenant-ingress.ts';
import { deadRule } from './dead-rule.ts';
import { egressWithoutDns } from './egress-without-dns.ts';
import { endpointAddresses } from './endpoint-addresses.ts';
import { ephemeralContainers } from './ephemeral-containers.ts';
import { exemptionDocument } from './exemption-document.ts';
import { exemptionWriters } from './exemption-writers.ts';
import { externalName } from './external-name.ts';
import { foreignNamespace } from './foreign-namespace.ts';
import { foreignSubject } from './foreign-subject.ts';
import { gateRequest } from './gate-request.ts';
import { handshake } from './handshake.ts';
import { hostNamespaces } from './host-namespaces.ts';
import { hostNetwork } from './host-network.ts';
import { hostPath } from './host-path.ts';
import { hostPorts } from './host-ports.ts';
import { ipBlock } from './ip-block.ts';
import { leftEndpoints } from './left-endpoints.ts';
import { managedPolicy } from './managed-policy.ts';
import { managedQuota } from './managed-quota.ts';
import { meshHosts } from './mesh-hosts.ts';
import { meshNamespacesGuarded } from './mesh-namespaces.ts';
import { mutualTls } from './mutual-tls.ts';
import { nameServers } from './name-servers.ts';
import { namespaceFinalize } from './namespace-finalize.ts';
import { namespaceLimit } from './namespace-limit.ts';
import { namespaceOwnerReferences } from './namespace-owner-references.ts';
import { networkCapabilities } from './network-capabilities.ts';
import { networkVolumes } from './network-volumes.ts';
import { platformKinds } from './platform-kinds.ts';
import { podAddresses } from './pod-addresses.ts';
import { podBinding } from './pod-binding.ts';
import { podScheduler } from './pod-scheduler.ts';
import { podTenantLabel } from './pod-tenant-label.ts';
import { policyTenantLabel } from './policy-tenant-label.ts';
import { policyWithoutPods } from './policy-without-pods.ts';
import { prefixInUse } from './prefix-in-use.ts';
import { probeHost } from './probe-host.ts';
import { quotaOnBaseline } from './quota-on-baseline.ts';
import { quotaWithoutRequests } from './quota-without-requests.ts';
import { reservedDevices } from './reserved-devices.ts';
import { reservedLabels } from './reserved-labels.ts';
import { reservedPrefix } from './reserved-prefix.ts';
import { routeClasses } from './route-classes.ts';
import { routeHosts } from './route-hosts.ts';
import { routeReferences } from './route-references.ts';
import { routeText } from './route-text.ts';
import { runtimeClass } from './runtime-class.ts';
import { serviceAddresses } from './service-addresses.ts';
import { serviceTypesAllowed } from './service-types.ts';
import { splitPeer } from './split-peer.ts';
import { sysctls } from './sysctls.ts';
import { tenantDocument } from './tenant-document.ts';
import { tenantInUse } from './tenant-in-use.ts';
import { tenantLabelFrozen } from './tenant-label-frozen.ts';
import { tenantLeaving } from './tenant-leaving.ts';
import { tenantNarrowed } from './tenant-narrowed.ts';
import { tenantWriters } from './tenant-writers.ts';
import { tokenKeys } from './token-keys.ts';
import { tolerations } from './tolerations.ts';
import { trustedLabels } from './trusted-labels.ts';
import { unknownPolicyKind } from './unknown-policy-kind.ts';
import { unreservedName } from './unreserved-name.ts';
import { wildcardRole } from './wildcard-role.ts';

export const catalogue: readonly Check[] = [
  handshake,
  tenantWriters,
  tenantDocument,
  tenantInUse,
  tenantNarrowed,
  prefixInUse,
  exemptionWriters,
  exemptionDocument,
  gateRequest,
  foreignNamespace,
  tenantLeaving,
  tenantLabelFrozen,
  trustedLabels,
  reservedPrefix,
  namespaceOwnerReferences,
  namespaceFinalize,
  managedPolicy,
  managedQuota,
  quotaOnBaseline,
  meshNamespacesGuarded,
  platformKinds,
  unknownPolicyKind,
  crossTenantIngress,
  crossTenantEgress,
  ipBlock,
  mutualTls,
  tokenKeys,
  meshHosts,
  policyWithoutPods,
  deadRule,
  clusterPolicy,
  splitPeer,
  accidentalIsolation,
  egressWithoutDns,
  alreadyAllowed,
  endpointAddresses,
  serviceAddresses,
  externalName,
  leftEndpoints,
  serviceTypesAllowed,
  routeHosts,
  routeReferences,
  routeClasses,
  routeText,
  foreignSubject,
  wildcardRole,
  hostNetwork,
  hostNamespaces,
  hostPath,
  networkCapabilities,
  hostPorts,
  probeHost,
  ephemeralContainers,
  chosenNode,
  tolerations,
  podScheduler,
  runtimeClass,
  sysctls,
  nameServers,
  networkVolumes,
  reservedDevices,
  quotaWithoutRequests,
  podBinding,
  podAddresses,
  podTenantLabel,
  policyTenantLabel,
  reservedLabels,
  unreservedName,
  namespaceLimit,
];
