/**
 * What holds without a settings document. What shuts something (reserved names and keys, protected addresses) is added to, never
 * replaced; what opens something (shared services) is replaced, so that the document shows all that is open.
 */

import { builtInKeys } from '../keys/built-in-keys.ts';
import { type IpRange, parseCidr } from '../kubernetes/ip-range.ts';
import { defaultDocsURL } from './docs-page.ts';
import { probeNamespace } from './probe.ts';
import type { ProtectedRange, Settings, SharedService } from './settings.ts';
import type { Subject } from './tenant.ts';

/**
 * Whose word is final on every cluster.
 * - `system:masters`: the API server itself, which makes the first namespaces, and the way out when all else is locked.
 * - Bulkhead's own service account, which puts the managed policies in place.
 * The controllers of Kubernetes are left out on purpose: what the namespace controller and the garbage collector must do passes by the
 * state of the cluster, and whoever creates the pods of every Deployment would carry every tenant's pods past the checks.
 */
export const builtInIdentities: readonly Subject[] = [
  { kind: 'Group', name: 'system:masters' },
  { kind: 'ServiceAccount', namespace: 'bulkhead-system', name: 'bulkhead' },
];

/** The scheduler of Kubernetes, by its certificate. manifests/base keeps its Bindings from the webhook, so that pods are scheduled without Bulkhead. */
export const builtInSchedulers: readonly Subject[] = [{ kind: 'User', name: 'system:kube-scheduler' }];

/** The namespaces that Kubernetes makes by itself, and those of Bulkhead. */
export const builtInNamespaces: readonly string[] = [
  'default',
  'kube-node-lease',
  'kube-public',
  'kube-system',
  'bulkhead-system',
  probeNamespace,
];

/** `kube-` is reserved by Kubernetes ("Namespaces", kubernetes.io), `openshift-` by OpenShift. */
export const builtInPrefixes: readonly string[] = ['bulkhead-', 'kube-', 'openshift-'];

/**
 * Where clouds hand out the credentials of a node: 169.254.169.254 nearly everywhere, 169.254.170.2 and .23 for tasks and pods on AWS,
 * and the addresses of AWS (IPv6), Azure and Alibaba Cloud. Link-local addresses are protected with them: of IPv4, the metadata services
 * lie among them; of IPv6, every interface has one, and neighbours on one link reach each other by it.
 */
export const builtInMetadataRanges: readonly ProtectedRange[] = [
  { text: '169.254.0.0/16', kind: 'link-local' as const, name: 'metadata service' },
  { text: 'fe80::/10', kind: 'cluster' as const, name: 'link-local network' },
  ...[
    '169.254.169.254/32',
    '169.254.170.2/32',
    '169.254.170.23/32',
    'fd00:ec2::254/128',
    'fd00:ec2::23/128',
    '168.63.129.16/32',
    '100.100.100.200/32',
  ].map((text) => ({ text, kind: 'metadata' as const, name: 'metadata service' })),
].map((one) => ({ ...one, range: known(one.text) }));

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
  },
  reservedNamespaceKeys: builtInKeys('namespaces'),
  reservedPodKeys: builtInKeys('pods'),
  reservedPolicyKeys: builtInKeys('policies'),
  allowedValues: new Map(),
  podSecurityDefault: undefined,
  pods: { sysctls: new Set(), runtimeClasses: undefined },
  protectedRanges: builtInMetadataRanges,
  unlistedFamilies: [4, 6],
  sharedServices: builtInServices,
};

function known(text: string): IpRange {
  const parsed = parseCidr(text);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.value;
}
