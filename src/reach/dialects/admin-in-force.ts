/** ClusterNetworkPolicy, AdminNetworkPolicy and BaselineAdminNetworkPolicy -> what they do in a cluster. */
import { field } from '../../kubernetes/field-path.ts';
import type { InForce, InForcePeer, InForceRule, Part, Unread } from '../in-force.ts';
import { type AdminPeer, readAdminPolicy } from './admin-policy.ts';

const actions = { accept: 'allow', deny: 'deny', pass: 'pass' } as const;
/** The only object of v1alpha1 in its tier has none. */
const onlyPriority = 0;

export function adminInForce(kind: string, object: unknown): InForce {
  const { tier, priority = onlyPriority, subject, isDead, rules } = readAdminPolicy(kind, object);
  const unread: Unread[] = [];
  const read: InForceRule[] = [];
  for (const { direction, action: written, peers, ports } of rules) {
    // The API says that a Deny or Pass rule with a peer that is not understood denies all.
    const action = peers.some(({ peer }) => peer.kind === 'unknown') ? 'deny' : written;
    for (const { path, peer } of peers) {
      const at = field(undefined, path);
      const is = peerOf(peer);
      if (is !== undefined) read.push({ action: actions[action], direction, peer: is, ports, path: at });
      else if (peer.kind === 'other')
        unread.push({ path: at, direction, verdict: 'unproven', reason: 'selects nodes or names, which are not read' });
    }
  }
  const { namespaces, pods } = subject;
  const part: Part = { subject: { namespaces, pods }, isolates: [], rules: read };
  const parts = isDead ? [] : [part];
  return { stage: { kind: tier === 'Admin' ? 'admin' : 'baseline', priority }, parts, unread };
}

/** Undefined: the peer matches no pod, or is not understood; a denial of it then denies nothing here. */
function peerOf(peer: AdminPeer): InForcePeer | undefined {
  switch (peer.kind) {
    case 'pods':
      return {
        kind: 'selector',
        namespaces: peer.namespaces,
        pods: peer.pods,
        ...(peer.byNamespace && { byNamespace: true }),
      };
    case 'everybody':
    case 'unknown':
      return { kind: 'any' };
    case 'networks':
      return peer.addresses.length === 0 ? undefined : { kind: 'ipBlock', addresses: peer.addresses };
    default:
      return undefined;
  }
}
