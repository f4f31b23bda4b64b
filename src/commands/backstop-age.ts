/** Whether the backstop in a cluster is the one that settings, tenants and exemptions give now. */
import { createHash } from 'node:crypto';
import { backstopOf, type TenantSource } from '../backstop/backstop.ts';
import { excessOf } from '../backstop/limits.ts';
import { canonicalJson } from '../kubernetes/json.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';

export interface StampedBackstop {
  /** In the annotation `bulkhead.dev/backstop` of every document. The same for the same settings, tenants and exemptions. */
  readonly stamp: string;
  readonly documents: readonly object[];
  /** Why the API server would not take them, or would refuse pods because of their cost. */
  readonly excess: readonly string[];
}

/** @param now milliseconds since the epoch: an exemption that has expired is left out */
export function stampedBackstop(
  { settings, tenants, exemptions }: Tenancy,
  from: TenantSource['from'],
  now: number,
): StampedBackstop {
  const source: TenantSource = from === 'objects' ? { from } : { from, tenants: [...tenants.values()] };
  const inForce = [...exemptions.values()].flat().filter(({ expires }) => now < expires);
  const unstamped = canonicalJson(backstopOf(settings, source, inForce));
  const stamp = createHash('sha256').update(unstamped).digest('hex').slice(0, 16);
  const documents = backstopOf(settings, source, inForce, stamp);
  return { stamp, documents, excess: excessOf(documents, inForce) };
}

/**
 * @param stamps the annotations of the policies and bindings with the label `app.kubernetes.io/component: backstop`; undefined: it has none
 * @param stamp the one that the backstop has when it is printed now
 */
export function backstopAge(stamps: readonly (string | undefined)[], stamp: string): 'absent' | 'older' | 'current' {
  if (stamps.length === 0) return 'absent';
  return stamps.every((one) => one === stamp) ? 'current' : 'older';
}
