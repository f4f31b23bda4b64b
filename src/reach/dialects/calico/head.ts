/** What a policy of projectcalico.org/v3 says beside its rules: its name, tier and types, and the pods that it is about. */
import { field } from '../../../kubernetes/field-path.ts';
import { excerpt, isGiven, type JsonMap } from '../../../kubernetes/json.ts';
import type { Policy } from '../../../kubernetes/objects.ts';
import type { Direction } from '../../../tenancy/tenant.ts';
import { type Diagnostic, everyPod, type Isolation, type Tier } from '../../model.ts';
import { ofEndpoints, ofServiceAccounts } from './parse-selector.ts';
import { flawIn, type Place, unprovenAt, within, wrong } from './place.ts';
import { selectorAt } from './selector.ts';

const directions = ['ingress', 'egress'] as const;
const typeNames = { ingress: 'Ingress', egress: 'Egress' } as const;
const knownTypes: ReadonlySet<unknown> = new Set(Object.values(typeNames));
const namePath = field(field(undefined, 'metadata'), 'name');
const defaultTier = 'default';

/** Up to 3.31 Calico keeps under such a name what it makes of a NetworkPolicy, or of a ClusterNetworkPolicy (libcalico-go/lib/names). */
const kubernetesPolicies = ['knp.default.', 'kcnp.kube-admin.', 'kcnp.kube-baseline.'] as const;

/** What is wrong with the fields beside the rules. */
export function headOf(spec: JsonMap, metadata: Policy['metadata'], place: Place): readonly Diagnostic[] {
  const wrongs: Diagnostic[] = [...takenName(metadata?.name ?? '', place)];
  const { order, tier, types } = spec;
  if (isGiven(order) && typeof order !== 'number')
    wrongs.push(wrong(within(place, 'order'), `${excerpt(order)} is not a number`, 'write a number'));
  if (isGiven(tier) && typeof tier !== 'string')
    wrongs.push(wrong(within(place, 'tier'), `${excerpt(tier)} is not a tier`, 'write the name of a tier'));
  if (isGiven(types) && !(Array.isArray(types) && types.every((one) => knownTypes.has(one))))
    wrongs.push(
      wrong(within(place, 'types'), `${excerpt(types)} is not a list of types`, 'write Ingress, Egress or both'),
    );
  const { selector, serviceAccountSelector } = spec;
  for (const flaw of [
    flawIn(() => selectorAt(selector, 'selector', ofEndpoints, place)),
    flawIn(() => selectorAt(serviceAccountSelector, 'serviceAccountSelector', ofServiceAccounts, place)),
  ])
    if (flaw !== undefined) wrongs.push(flaw);
  return wrongs;
}

function takenBy(name: string): string | undefined {
  return kubernetesPolicies.find((prefix) => name.startsWith(prefix));
}

function takenName(name: string, { scope }: Place): readonly Diagnostic[] {
  const taken = takenBy(name);
  if (taken === undefined) return [];
  const place: Place = { path: namePath, scope };
  const reason = `is the name by which Calico keeps the policy ${excerpt(name.slice(taken.length))} of Kubernetes, whose place it would take`;
  return [unprovenAt(place, reason, `choose another name, which does not begin with ${taken}`)];
}

/** From 3.29 to 3.31, what comes before the first dot of the name is the tier, whatever `tier` says (TierFromPolicyName). */
export function tiersOf({ tier }: JsonMap, metadata: Policy['metadata'], place: Place): readonly Tier[] {
  const written = typeof tier === 'string' && tier !== '' ? tier : defaultTier;
  const name = metadata?.name ?? '';
  const dot = name.indexOf('.');
  const prefix = name.slice(0, Math.max(0, dot));
  const tiers = [{ name: written, path: within(place, 'tier').path }];
  return dot < 0 || prefix === written || takenBy(name) !== undefined
    ? tiers
    : [...tiers, { name: prefix, path: namePath }];
}

/**
 * Only of a policy for every pod of the namespace it is plain which pods it isolates. "Egress only if there are egress rules and no
 * ingress rules" is the default of `types`. Other tiers than the default one may pass on what no rule decides.
 */
export function isolationOf(spec: JsonMap, tiers: readonly Tier[]): readonly Isolation[] {
  const { selector, serviceAccountSelector } = spec;
  if (tiers.some(({ name }) => name !== defaultTier)) return [];
  const isEvery = (!isGiven(selector) || selector === '' || selector === 'all()') && !isGiven(serviceAccountSelector);
  return isEvery ? [{ pods: everyPod, directions: typesOf(spec) }] : [];
}

/** The directions that a policy is about. */
export function typesOf({ types, ingress, egress }: JsonMap): readonly Direction[] {
  const has = (list: unknown) => Array.isArray(list) && list.length > 0;
  const listed: readonly unknown[] =
    Array.isArray(types) && types.length > 0 ? types : defaultTypes(has(ingress), has(egress));
  return directions.filter((direction) => listed.includes(typeNames[direction]));
}

function defaultTypes(ingress: boolean, egress: boolean): readonly string[] {
  if (!egress) return ['Ingress'];
  return ingress ? ['Ingress', 'Egress'] : ['Egress'];
}
