/** What a policy of projectcalico.org/v3 says beside its rules: its name, tier and types, and the pods that it is about. */
import { field } from '../../../kubernetes/field-path.ts';
import { excerpt, isGiven, type JsonMap } from '../../../kubernetes/json.ts';
import type { Policy } from '../../../kubernetes/objects.ts';
import { type Diagnostic, everyPod, type Isolation } from '../../model.ts';
import { ofEndpoints, ofServiceAccounts } from './parse-selector.ts';
import { isDiagnostic, type Place, selectorAt, unprovenAt, within, wrong } from './place.ts';

const directions = ['ingress', 'egress'] as const;
const typeNames = { ingress: 'Ingress', egress: 'Egress' } as const;

/** Up to 3.31 Calico keeps under such a name what it makes of a NetworkPolicy, or of a ClusterNetworkPolicy (libcalico-go/lib/names). */
const kubernetesPolicies = ['knp.default.', 'kcnp.kube-admin.', 'kcnp.kube-baseline.'] as const;

/** What is wrong with the fields beside the rules. */
export function headOf(spec: JsonMap, metadata: Policy['metadata'], place: Place): readonly Diagnostic[] {
  const wrongs: Diagnostic[] = [...wrongName(metadata?.name ?? '', place)];
  const { order, tier, types } = spec;
  if (isGiven(order) && typeof order !== 'number')
    wrongs.push(wrong(within(place, 'order'), `${excerpt(order)} is not a number`, 'write a number'));
  if (isGiven(tier) && tier !== 'default' && tier !== '')
    wrongs.push(
      unprovenAt(
        within(place, 'tier'),
        `${excerpt(tier)} is a tier that decides before the platform's policies`,
        'write tier: default',
      ),
    );
  const isType = (one: unknown) => directions.some((direction) => typeNames[direction] === one);
  if (isGiven(types) && !(Array.isArray(types) && types.every(isType)))
    wrongs.push(
      wrong(within(place, 'types'), `${excerpt(types)} is not a list of types`, 'write Ingress, Egress or both'),
    );
  for (const one of [
    selectorAt(spec, 'selector', ofEndpoints, place),
    selectorAt(spec, 'serviceAccountSelector', ofServiceAccounts, place),
  ])
    if (one !== undefined && isDiagnostic(one)) wrongs.push(one);
  return wrongs;
}

/** From 3.29 to 3.31, what comes before the first dot is the tier, whatever `tier` says (TierFromPolicyName). */
function wrongName(name: string, { scope }: Place): readonly Diagnostic[] {
  const place: Place = { path: field(field(undefined, 'metadata'), 'name'), scope, namespace: '', steps: 0 };
  const taken = kubernetesPolicies.find((prefix) => name.startsWith(prefix));
  if (taken !== undefined)
    return [
      unprovenAt(
        place,
        `is the name by which Calico keeps the policy ${excerpt(name.slice(taken.length))} of Kubernetes, whose place it would take`,
        `choose a name that does not begin with ${taken}`,
      ),
    ];
  const [tier = '', ...rest] = name.split('.');
  if (rest.length === 0 || tier === 'default') return [];
  return [
    unprovenAt(
      place,
      `begins with ${excerpt(`${tier}.`)}, so some versions of Calico put it into that tier`,
      'choose a name without a dot',
    ),
  ];
}

/**
 * Only of a policy for every pod of the namespace it is plain which pods it isolates. "Egress only if there are egress rules and no
 * ingress rules" is the default of `types`.
 */
export function isolationOf({
  selector,
  serviceAccountSelector,
  types,
  ingress,
  egress,
}: JsonMap): readonly Isolation[] {
  const isEvery = (!isGiven(selector) || selector === '' || selector === 'all()') && !isGiven(serviceAccountSelector);
  if (!isEvery) return [];
  const has = (list: unknown) => Array.isArray(list) && list.length > 0;
  const listed = Array.isArray(types) && types.length > 0 ? types : defaultTypes(has(ingress), has(egress));
  return [{ pods: everyPod, directions: directions.filter((direction) => listed.includes(typeNames[direction])) }];
}

function defaultTypes(ingress: boolean, egress: boolean): readonly string[] {
  if (!egress) return ['Ingress'];
  return ingress ? ['Ingress', 'Egress'] : ['Egress'];
}
