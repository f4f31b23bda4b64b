/**
 * What holds without a settings document. What shuts something (reserved names and keys, protected addresses) is added to, never
 * replaced; what opens something (shared services) is replaced, so that the document shows all that is open.
 */

import { builtInKeys } from '../keys/built-in-keys.ts';
import { defaultDocsURL } from './docs-page.ts';
import { metadataRanges } from './metadata-ranges.ts';
import { builtInAgents } from './network-agents.ts';
import { probeNamespace } from './probe.ts';
import type { AllowedDriver, Settings, SharedService } from './settings.ts';
import type { Subject } from './tenant.ts';

/**
 * Identities that are platform identities on every cluster.
 * - `system:masters`: the API server itself, which makes the first namespaces, and the way out when all else is locked.
 * - Bulkhead's own service account, which writes the managed policies.
 * The controllers of Kubernetes are left out on purpose. The state of the cluster admits the writes that the namespace controller and
 * the garbage collector must make. And the controllers create the pods of all tenants, which would then pass all checks.
 */
export const builtInIdentities: readonly Subject[] = [
  { kind: 'Group', name: 'system:masters' },
  { kind: 'ServiceAccount', namespace: 'bulkhead-system', name: 'bulkhead' },
];

/** The scheduler of Kubernetes, by its certificate. manifests/base keeps its Bindings from the webhook, so that pods are scheduled without Bulkhead. */
export const builtInSchedulers: readonly Subject[] = [{ kind: 'User', name: 'system:kube-scheduler' }];

/** The namespaces that Kubernetes makes by itself, those of Bulkhead, and those in which network plugins and meshes have their accounts. */
export const builtInNamespaces: readonly string[] = [
  'default',
  'kube-node-lease',
  'kube-public',
  'kube-system',
  'bulkhead-system',
  probeNamespace,
  ...new Set(
    builtInAgents
      .flatMap(({ subjects }) => subjects.flatMap((one) => (one.kind === 'ServiceAccount' ? [one.namespace] : [])))
      .filter((name) => name !== 'kube-system'),
  ),
];

/** `kube-` is reserved by Kubernetes ("Namespaces", kubernetes.io), `openshift-` by OpenShift. */
export const builtInPrefixes: readonly string[] = ['bulkhead-', 'kube-', 'openshift-'];

/** CoreDNS as kubeadm and most distributions deploy it. */
export const builtInServices: readonly SharedService[] = [
  {
    name: 'dns',
    direction: 'egress',
    namespace: 'kube-system',
    podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
    ports: [
      { protocol: 'UDP', first: 53, last: 53 },
      { protocol: 'TCP', first: 53, last: 53 },
    ],
    addresses: [],
  },
];

/** They mount secrets and certificates, and no file system of others. */
export const builtInDrivers: readonly AllowedDriver[] = ['secrets-store.csi.k8s.io', 'csi.cert-manager.io'].map(
  (driver) => ({ driver, tenants: undefined }),
);

export const defaultTenantLabel = 'bulkhead.dev/tenant';

export const defaultSettings: Settings = {
  docsURL: defaultDocsURL,
  enforcement: 'enforce',
  tenantLabel: defaultTenantLabel,
  platform: {
    identities: builtInIdentities,
    schedulers: builtInSchedulers,
    namespaces: new Set(builtInNamespaces),
    prefixes: builtInPrefixes,
    namespaceWriters: [],
    provisioners: [],
    networkAgents: builtInAgents,
  },
  reservedNamespaceKeys: builtInKeys('namespaces'),
  reservedPodKeys: builtInKeys('pods'),
  reservedPolicyKeys: builtInKeys('policies'),
  reservedServiceKeys: builtInKeys('services'),
  reservedRouteKeys: builtInKeys('routes'),
  allowedValues: new Map(),
  podSecurityDefault: undefined,
  pods: { sysctls: new Set(), runtimeClasses: undefined, csiDrivers: builtInDrivers, tolerations: [], devices: [] },
  policyKinds: [],
  calicoTiers: new Set(['default']),
  previewModes: new Set(['warn']),
  services: {
    judged: true,
    types: undefined,
    loadBalancerClasses: undefined,
    externalNames: 'every',
    loadBalancerSourceRanges: undefined,
    controllers: [],
  },
  rights: { judged: true },
  routes: {
    ...{ judged: true, hosts: 'unreserved', platformHosts: [] },
    ...{ ingressClasses: undefined, gatewayClasses: undefined, gateways: undefined },
  },
  protectedRanges: metadataRanges('all'),
  unlistedFamilies: [4, 6],
  sharedServices: builtInServices,
  trustedLabels: new Map(),
  gates: { from: 'platform', ports: [], between: undefined },
};
