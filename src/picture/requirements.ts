/** The five requirements of zero trust (docs/zero-trust.md), each with the checks that enforce a part of it. */

export interface Requirement {
  readonly id: RequirementId;
  readonly title: string;
  /** Ids, in the order of the catalogue (checks/catalogue.ts). A check may be of several requirements. */
  readonly checks: readonly string[];
}

export type RequirementId = 'enforced' | 'identity' | 'explicit' | 'no-way-around' | 'encryption';

export const requirements: readonly Requirement[] = [
  {
    id: 'enforced',
    title: 'Every connection is enforced',
    checks: [
      ...['tenant-in-use', 'tenant-label-frozen', 'managed-policy', 'quota-on-baseline', 'platform-kinds'],
      ...['unknown-policy-kind', 'host-network', 'network-capabilities', 'host-ports', 'reserved-devices'],
    ],
  },
  {
    id: 'identity',
    title: 'Identity rests on cryptographic proof',
    checks: ['mesh-namespaces', 'mutual-tls', 'token-keys'],
  },
  {
    id: 'explicit',
    title: 'Only what is allowed explicitly',
    checks: [
      ...['gate-request', 'platform-kinds', 'unknown-policy-kind', 'cross-tenant-ingress', 'cross-tenant-egress'],
      ...['ip-block', 'token-keys', 'mesh-hosts', 'endpoint-addresses', 'service-addresses', 'external-name'],
      ...['left-endpoints', 'service-types', 'route-hosts', 'route-references', 'route-classes', 'route-text'],
      ...['probe-host', 'name-servers', 'network-volumes'],
    ],
  },
  {
    id: 'no-way-around',
    title: 'Workloads cannot get around it',
    checks: [
      ...['handshake', 'tenant-writers', 'tenant-document', 'exemption-writers', 'exemption-document'],
      ...['foreign-namespace', 'tenant-leaving', 'tenant-label-frozen', 'trusted-labels', 'reserved-prefix'],
      ...['namespace-owner-references', 'namespace-finalize', 'managed-policy'],
      ...['host-network', 'host-namespaces', 'host-path', 'network-capabilities', 'host-ports', 'probe-host'],
      ...['ephemeral-containers', 'chosen-node', 'tolerations', 'pod-scheduler', 'runtime-class', 'sysctls'],
      ...['reserved-devices', 'pod-binding', 'pod-addresses', 'pod-tenant-label', 'policy-tenant-label'],
      ...['reserved-labels', 'unreserved-name'],
    ],
  },
  { id: 'encryption', title: 'Traffic is encrypted', checks: ['mesh-namespaces', 'mutual-tls'] },
];
