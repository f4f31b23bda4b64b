/** A stored policy, judged as if it were written now: gates expire, prefixes and ranges are given up, settings change. */
import { isManaged } from '../baseline/managed.ts';
import { catalogue } from '../checks/catalogue.ts';
import { type Judged, judge } from '../checks/judge.ts';
import type { PolicyKind } from '../kinds/kind.ts';
import { apiVersionsOf } from '../kinds/resource-name.ts';
import type { Policy } from '../kubernetes/objects.ts';
import type { PolicyRequest } from '../kubernetes/review.ts';
import type { Reach } from '../reach/model.ts';
import type { Owner, Tenancy } from '../tenancy/tenancy.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import type { NamespaceSource } from './facts.ts';

/** What a stored policy is judged by. */
export interface State {
  readonly tenancy: Tenancy;
  /** All namespaces are known: an unknown name has no owner. */
  readonly namespaces: Pick<NamespaceSource, 'lookup' | 'isKept'>;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Called for each check that an exemption covers. */
  readonly onExempted?: (exemption: string, check: string) => void;
}

/** @returns the findings that no exemption covers */
export function notExempted(judged: readonly Judged[], { onExempted }: Pick<State, 'onExempted'>): readonly Judged[] {
  return judged.filter(({ check, exemption }) => {
    if (exemption !== undefined) onExempted?.(exemption, check);
    return exemption === undefined;
  });
}

/** A stored policy that would be rejected today. */
export interface NonCompliantPolicy {
  readonly kind: string;
  readonly tenant: Tenant;
  readonly namespace: string;
  readonly name: string;
  /** Those of the checks on the border, in catalogue order. */
  readonly findings: readonly [Judged, ...Judged[]];
}

const protectsOf = new Map(catalogue.map(({ id, protects }) => [id, protects]));
const nobody = { username: '', groups: [] };

/**
 * The very judgement of admission, less what is not about the border. Only how many names of one policy are looked up is not
 * bounded, as who has them is in memory.
 *
 * @param reach what the policy says, where it was read already
 * @returns undefined for a compliant policy, and for those of the platform and of the baseline
 */
export function judgeStoredPolicy(
  kind: PolicyKind,
  policy: Policy,
  state: State,
  reach?: Reach,
): NonCompliantPolicy | undefined {
  const found = judgedPolicy(kind, policy, state, reach);
  const [first, ...others] = found?.judged.filter((one) => !isHint(one)) ?? [];
  if (found === undefined || first === undefined) return undefined;
  const { name = '', namespace = '' } = policy.metadata ?? {};
  return { kind: kind.kind, tenant: found.tenant, namespace, name, findings: [first, ...others] };
}

/** The same with the hints. */
export function judgedPolicy(
  kind: PolicyKind,
  policy: Policy,
  state: State,
  reach?: Reach,
): { readonly tenant: Tenant; readonly judged: readonly Judged[] } | undefined {
  if (isManaged(policy)) return undefined;
  const { tenancy, namespaces, now } = state;
  const { name = '', namespace = '' } = policy.metadata ?? {};
  const ownerByName = (name: string): Owner | 'none' => {
    const record = namespaces.lookup(name);
    return record === undefined ? 'none' : tenancy.ownerByLabels(record.labels);
  };
  const owner = ownerByName(namespace);
  if (owner === 'none' || owner === 'platform') return undefined;
  const request: PolicyRequest = {
    family: 'policy',
    kind: kind.kind,
    resource: `${apiVersionsOf(kind)[0]}/${kind.plural}`,
    uid: '',
    operation: 'CREATE',
    subresource: '',
    name,
    namespace,
    user: nobody,
    dryRun: true,
    object: policy,
    oldObject: undefined,
  };
  const requester = tenancy.requester(nobody, undefined);
  const { isKept } = namespaces;
  const facts = { tenancy, requester, owner, namespaceEmptied: false, reach, ownerByName, isKept, now };
  const judged = notExempted(judge({ family: 'policy', request, facts }), state);
  // A check that fails has no entry: a policy that cannot be judged is non-compliant. What a finding protects goes before what its check does.
  const isOfBorder = ({ check, protects }: Judged): boolean =>
    (protects ?? protectsOf.get(check) ?? 'border') === 'border';
  return { tenant: owner, judged: judged.filter((one) => isOfBorder(one) || isHint(one)) };
}

function isHint({ check, protects }: Judged): boolean {
  return (protects ?? protectsOf.get(check)) === 'intent';
}
