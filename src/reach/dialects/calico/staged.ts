/**
 * StagedNetworkPolicy and StagedKubernetesNetworkPolicy of projectcalico.org/v3 and crd.projectcalico.org/v1 -> Reach of the policy that
 * each becomes (ConvertStagedPolicyToEnforced). It isolates no pod yet.
 */
import { field } from '../../../kubernetes/field-path.ts';
import { excerpt, isGiven, isMap } from '../../../kubernetes/json.ts';
import type { Policy } from '../../../kubernetes/objects.ts';
import { invalid, type Reach } from '../../model.ts';

const becomes: ReadonlySet<unknown> = new Set(['', 'Set', 'Learn']);
/** `Delete` takes the policy of that name away, and what is ignored is not enforced. */
const opensNothing: ReadonlySet<unknown> = new Set(['Delete', 'Ignore']);

/** The policy that it becomes; undefined: none. */
export function enforcedBy(policy: Policy): Policy | undefined {
  const { spec }: { spec?: unknown } = policy;
  if (!isMap(spec)) return undefined;
  const { stagedAction, ...enforced } = spec;
  if (isGiven(stagedAction) && !becomes.has(stagedAction)) return undefined;
  return Object.assign({ ...policy }, { spec: enforced });
}

/** @param read how the policy is read that it becomes */
export function readStaged(policy: Policy, read: (policy: Policy) => Reach): Reach {
  const { spec }: { spec?: unknown } = policy;
  if (!isMap(spec)) return { ...read(policy), isolates: [] };
  const { stagedAction, ...enforced } = spec;
  const { rules, diagnostics, tiers = [] } = read(Object.assign({ ...policy }, { spec: enforced }));
  if (!isGiven(stagedAction) || becomes.has(stagedAction)) return { rules, isolates: [], diagnostics, tiers };
  const unreadable = diagnostics.filter(({ verdict }) => verdict === 'invalid');
  if (opensNothing.has(stagedAction))
    return { rules: [], isolates: [], diagnostics: unreadable.map((one) => ({ ...one, rulesBefore: 0 })) };
  const path = field(field(undefined, 'spec'), 'stagedAction');
  const reason = `${excerpt(stagedAction)} is not a staged action of Calico`;
  const wrong = invalid({ direction: 'ingress', kind: 'any' }, path, reason, 'write Set, Delete, Learn or Ignore');
  return { rules, isolates: [], diagnostics: [{ ...wrong, rulesBefore: 0 }, ...diagnostics] };
}
