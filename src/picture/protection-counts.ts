/** What protects the pods of each tenant beside network policies, counted. */
import { groupOf, platformGroup } from '../connectivity/matrix.ts';
import type { Parties } from '../connectivity/parties.ts';
import type { SnapshotPolicy } from '../connectivity/snapshot.ts';
import type { Protection } from './protection.ts';
import type { TenantFacts } from './zero-trust.ts';

export type ProtectionCounts = Pick<TenantFacts, 'unread' | 'strict' | 'byIdentity'>;

const none: ProtectionCounts = { unread: 0, strict: 0, byIdentity: 0 };

export function countsOf(
  policies: readonly SnapshotPolicy[],
  { classes, byName }: Parties,
  { mutualTls }: Protection,
): (tenant: string) => ProtectionCounts {
  const counts = new Map<string, { -readonly [Field in keyof ProtectionCounts]: ProtectionCounts[Field] }>();
  const of = (tenant: string) => {
    const known = counts.get(tenant) ?? { ...none };
    counts.set(tenant, known);
    return known;
  };
  let everywhere = 0;
  for (const { ref, inForce } of policies) {
    const owner = byName.get(ref.namespace)?.owner;
    if (ref.namespace === '') everywhere += inForce.unread.length;
    else if (owner !== undefined && owner !== 'platform') of(owner.name).unread += inForce.unread.length;
  }
  if (mutualTls !== undefined)
    for (const pods of classes) {
      const tenant = groupOf(pods);
      if (tenant === platformGroup || !mutualTls.isStrict(pods)) continue;
      const count = pods.workloads.reduce((sum, workload) => sum + workload.pods, 0);
      of(tenant).strict += count;
      if (mutualTls.isByIdentity(pods)) of(tenant).byIdentity += count;
    }
  return (tenant) => {
    const own = counts.get(tenant) ?? none;
    return { ...own, unread: own.unread + everywhere };
  };
}
