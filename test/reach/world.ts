/** A cluster for tests: three tenants, two shared services, ranges of both families. */

import type { PolicyVerdict } from '../../src/kinds/kind.ts';
import { networkPolicy } from '../../src/kinds/network-policy/network-policy.ts';
import { type IpRange, parseCidr } from '../../src/kubernetes/ip-range.ts';
import type { NetworkPolicy } from '../../src/kubernetes/objects.ts';
import type { PortRange } from '../../src/kubernetes/port-range.ts';
import { judgeBorder, type PeerVerdict } from '../../src/reach/border.ts';
import { readNetworkPolicy } from '../../src/reach/dialects/network-policy.ts';
import type { Border } from '../../src/reach/violation.ts';
import { defaultSettings } from '../../src/tenancy/default-settings.ts';
import { reservedIn } from '../../src/tenancy/reserved-names.ts';
import type { ProtectedRange, Settings, SharedService } from '../../src/tenancy/settings.ts';
import { createTenancy, undeclaredTenant } from '../../src/tenancy/tenancy.ts';
import type { Gate, Tenant } from '../../src/tenancy/tenant.ts';

export const label = 'bulkhead.dev/tenant';
export const nameLabel = 'kubernetes.io/metadata.name';
export const now = Date.UTC(2027, 0, 1);

export function range(text: string): IpRange {
  const parsed = parseCidr(text);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.value;
}

export function protect(name: string, text: string, kind: ProtectedRange['kind'] = 'cluster'): ProtectedRange {
  return {
    name,
    text,
    range: range(text),
    kind,
    ...(name === 'node network' && { forwards: true }),
    ...(/^(pod|service|node) network$/.test(name) && { hasIdentity: true }),
  };
}

export function tcp(first: number, last = first): PortRange {
  return { protocol: 'TCP', first, last };
}

export function udp(first: number, last = first): PortRange {
  return { protocol: 'UDP', first, last };
}

export const dns: SharedService = {
  name: 'dns',
  direction: 'egress',
  namespace: 'kube-system',
  podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
  ports: [udp(53), tcp(53)],
  addresses: [range('169.254.20.10/32')],
};

export const ingressController: SharedService = {
  name: 'ingress-controller',
  direction: 'ingress',
  namespace: 'ingress-nginx',
  podSelector: {},
  ports: [],
  addresses: [],
};

export const settings: Settings = {
  docsURL: 'docs',
  enforcement: 'enforce',
  tenantLabel: label,
  platform: {
    identities: [{ kind: 'Group', name: 'platform-admins' }],
    schedulers: [],
    namespaces: new Set(['ingress-nginx', 'default']),
    prefixes: ['kube-'],
    namespaceWriters: [],
    provisioners: [],
    networkAgents: [],
  },
  reservedNamespaceKeys: [],
  reservedPodKeys: [],
  reservedPolicyKeys: [],

  reservedServiceKeys: [],
  reservedRouteKeys: [],
  services: defaultSettings.services,
  rights: defaultSettings.rights,
  routes: defaultSettings.routes,
  allowedValues: new Map(),
  podSecurityDefault: undefined,
  pods: defaultSettings.pods,
  policyKinds: [],
  calicoTiers: defaultSettings.calicoTiers,
  previewModes: defaultSettings.previewModes,
  protectedRanges: [
    protect('pod network', '10.244.0.0/16'),
    protect('pod network', '2001:db8:42::/56'),
    protect('service network', '10.96.0.0/12'),
    protect('node network', '192.168.0.0/20'),
    protect('metadata service', '169.254.0.0/16', 'link-local'),
    protect('metadata service', 'fd00:ec2::254/128', 'metadata'),
  ],
  unlistedFamilies: [],
  sharedServices: [dns, ingressController],
  trustedLabels: new Map(),
  gates: defaultSettings.gates,
};

export function tenant(name: string, network: Partial<Tenant['network']> = {}, prefix?: string): Tenant {
  const closed = undeclaredTenant(name);
  const reserved = reservedIn({ namespaces: { prefix } });
  return { ...closed, reserved, network: { ...closed.network, ...network } };
}

export function gate(other: string, direction: Gate['direction'], ports: readonly PortRange[], expires?: number): Gate {
  return { tenant: other, direction, ports, expires };
}

/** beta: agreed on 5432 out, 80 and 443 in. gamma: only acme has declared its half. delta: that half has expired. */
export const acme = tenant(
  'acme',
  {
    egressRanges: [range('203.0.113.0/24'), range('2001:db8:ffff::/48')],
    gates: [
      gate('beta', 'egress', [tcp(5432), tcp(9000, 9010)]),
      gate('beta', 'ingress', []),
      gate('gamma', 'ingress', []),
      gate('delta', 'ingress', [], now),
    ],
  },
  'acme-',
);
export const beta = tenant(
  'beta',
  { gates: [gate('acme', 'ingress', [tcp(5432)]), gate('acme', 'egress', [tcp(80), tcp(443)], now + 1)] },
  'beta-',
);
export const delta = tenant('delta', { gates: [gate('acme', 'egress', [])] });

export const border: Border = {
  tenant: acme,
  namespace: 'acme-web',
  tenancy: createTenancy(settings, [acme, beta, delta, tenant('gamma'), tenant('not-acme')]),
  now,
  ownerByName: () => 'none',
};

/** The verdicts on a spec as an API server would send it, or as somebody forged it. */
export function judge(spec: unknown, where: Border = border): readonly PolicyVerdict[] {
  const policy: NetworkPolicy = JSON.parse(JSON.stringify({ spec }));
  return networkPolicy.worded(judgeBorder(readNetworkPolicy(policy), where), where);
}

/** `escapes ingress selector spec.ingress[0].from[0].namespaceSelector` */
export function outline({ verdict, direction, kind, path }: PeerVerdict): string {
  return `${verdict} ${direction} ${kind} ${path}`;
}
