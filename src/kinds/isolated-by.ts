/** In which directions a policy isolates every pod of its namespace. */
import type { Policy } from '../kubernetes/objects.ts';
import type { Part } from '../reach/in-force.ts';
import { nameKey } from '../reach/model.ts';
import type { Direction } from '../tenancy/tenant.ts';
import type { PolicyKind } from './kind.ts';

const bits = { ingress: 1, egress: 2 } as const;

/** The directions in which the policy isolates every pod of its namespace, a bit for each: 1 is ingress, 2 egress. */
export function isolatedBy({ inForce }: PolicyKind, policy: Policy): number {
  const read = inForce?.(policy);
  if (read === undefined) return 0;
  const { stage, parts } = read;
  // In another tier of Calico what no rule decides may go on, by an object that is not read here.
  if (stage.kind !== 'network' && !(stage.kind === 'calico' && stage.tier === 'default')) return 0;
  return parts.filter(isAboutEveryPod).reduce((sum, { isolates }) => joined(sum, isolates), 0);
}

function joined(sum: number, directions: readonly Direction[]): number {
  return directions.reduce((all, direction) => all | bits[direction], sum);
}

function isAboutEveryPod({ subject }: Part): boolean {
  if (!('expression' in subject)) return subject.namespaces === undefined && subject.pods.size === 0;
  const { expression } = subject;
  if (!('all' in expression)) return false;
  // The own namespace, and selectors that ask for nothing.
  return expression.all.every((one) => ('all' in one ? one.all.length === 0 : 'key' in one && one.key === nameKey));
}
