/** Policies of the platform that share a priority: which of them counts first is not defined (policy.networking.k8s.io, spec.priority). Pure. */
import { commonDomain, domainFor, type Selector } from '../kubernetes/label-selector.ts';
import type { AdminPolicy } from './dialects/admin-policy.ts';

/** The highest of v1alpha2. */
const lastPriority = 1000;

type Ranked = Pick<AdminPolicy, 'tier' | 'priority' | 'subject' | 'isDead'>;

/** Whether both come at once for some pod. A BaselineAdminNetworkPolicy has no priority, as there is only one. */
export function areTied(one: Ranked, other: Ranked): boolean {
  if (one.priority === undefined || one.priority !== other.priority || one.tier !== other.tier) return false;
  if (one.isDead || other.isDead) return false;
  return meet(one.subject.namespaces, other.subject.namespaces) && meet(one.subject.pods, other.subject.pods);
}

/**
 * The next priority that none of these has, after it or else before it.
 *
 * @returns undefined where all are taken
 */
export function freePriority(priority: number, taken: ReadonlySet<unknown>): number | undefined {
  for (let next = priority + 1; next <= lastPriority; next++) if (!taken.has(next)) return next;
  for (let next = priority - 1; next >= 0; next--) if (!taken.has(next)) return next;
  return undefined;
}

/** Whether something may be selected by both. */
function meet(one: Selector, other: Selector): boolean {
  for (const [key, domain] of one) {
    const { absent, finite, values } = commonDomain(domain, domainFor(other, key));
    if (!absent && finite && values.size === 0) return false;
  }
  return true;
}
