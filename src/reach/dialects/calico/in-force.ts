/** NetworkPolicy of projectcalico.org/v3 and crd.projectcalico.org/v1 -> what it does in a cluster: order, tier, types and every action. */
import { type FieldPath, field } from '../../../kubernetes/field-path.ts';
import { isGiven, isMap, type JsonMap } from '../../../kubernetes/json.ts';
import type { Policy } from '../../../kubernetes/objects.ts';
import type { Direction } from '../../../tenancy/tenant.ts';
import { mostSteps } from '../../expression/budget.ts';
import { both, type Expression } from '../../expression/expression.ts';
import type { InForce, InForceRule, Unread } from '../../in-force.ts';
import { everyPod, invalid } from '../../model.ts';
import { entityAt, readPeer } from './entity.ts';
import { headOf, tiersOf, typesOf } from './head.ts';
import { namespaceKey, ofEndpoints } from './parse-selector.ts';
import { isDiagnostic, type Place, selectorAt, unprovenAt, within } from './place.ts';
import { isPortless, notPortsOf, readPorts } from './ports.ts';

const actions: ReadonlyMap<unknown, InForceRule['action']> = new Map([
  ['Allow', 'allow'],
  ['Deny', 'deny'],
  ['Pass', 'pass'],
]);

export function calicoInForce(policy: Policy): InForce {
  const { spec: written }: { spec?: unknown } = policy;
  const spec: JsonMap = isMap(written) ? written : {};
  const namespace = policy.metadata?.namespace ?? '';
  const path = field(undefined, 'spec');
  const place: Place = { path, scope: { direction: 'ingress', kind: 'any' }, namespace, steps: mostSteps };
  const unread: Unread[] = headOf(spec, policy.metadata, place).map(unreadOf);
  const [tier] = tiersOf(spec, policy.metadata, place);
  const order = typeof spec.order === 'number' ? spec.order : undefined;
  const selector = selectorAt(spec, 'selector', ofEndpoints, place);
  if (isGiven(spec.serviceAccountSelector) && spec.serviceAccountSelector !== '')
    unread.push(unreadOf(unprovenAt(within(place, 'serviceAccountSelector'), 'selects by labels of accounts', '')));
  const subject =
    selector === undefined || isDiagnostic(selector)
      ? { namespaces: undefined, pods: everyPod }
      : {
          expression: both(
            { key: namespaceKey, test: { op: 'in', values: new Set([namespace]) }, holds: true },
            selector,
          ),
        };
  const rules: InForceRule[] = [];
  // Rules of a direction that `types` leaves out are not in force (felix, PolicyApplies).
  const types = typesOf(spec);
  for (const direction of types) {
    const list = spec[direction];
    if (!Array.isArray(list)) continue;
    for (const [index, rule] of list.entries()) {
      const at: Place = { ...place, path: field(field(path, direction), index), scope: { direction, kind: 'any' } };
      const read = readRule(rule, at, direction);
      if (read === undefined) continue;
      if ('verdict' in read) unread.push(read);
      else rules.push(read);
    }
  }
  return {
    stage: { kind: 'calico', tier: tier?.name ?? 'default', order },
    parts: [{ subject, isolates: types, rules }],
    unread,
  };
}

/** Undefined: it decides nothing, as a rule that logs. */
function readRule(rule: unknown, place: Place, direction: Direction): InForceRule | Unread | undefined {
  if (!isMap(rule)) return unreadOf(invalid(place.scope, place.path, 'is not a rule', ''));
  const action = actions.get(rule.action);
  if (action === undefined || isPortless(rule.protocol)) return undefined;
  const source = entityAt(rule, 'source', place);
  if (isDiagnostic(source)) return unreadOf(source);
  const destination = entityAt(rule, 'destination', place);
  if (isDiagnostic(destination)) return unreadOf(destination);
  const ports = readPorts(rule, source, destination, place);
  if (isDiagnostic(ports)) return unreadOf(ports);
  // Who connects chooses the port that he comes from. So a rule that opens counts for every such port, and one that denies for none.
  if (action === 'deny' && isGiven(source.ports ?? source.notPorts))
    return unreadOf(unprovenAt(within(place, 'source'), 'denies by the port that a connection comes from', ''));
  const not = notPortsOf(rule, destination, place);
  if (isDiagnostic(not)) return unreadOf(not);
  const [remote, other, own, local] =
    direction === 'ingress'
      ? (['source', source, destination, 'destination'] as const)
      : (['destination', destination, source, 'source'] as const);
  const at = within(place, remote);
  const peer = readPeer(other, at);
  if (isDiagnostic(peer)) return peer.verdict === 'nothing' ? undefined : unreadOf(peer);
  const narrowed = readPeer(own, within(place, local));
  if (isDiagnostic(narrowed)) return narrowed.verdict === 'nothing' ? undefined : unreadOf(narrowed);
  // By its own addresses a pod is not known here. So a rule that denies is left out, and one that opens counts for every pod.
  if ('addresses' in narrowed && narrowed.addresses !== undefined && action === 'deny')
    return unreadOf(unprovenAt(within(place, local), 'narrows the rule by addresses of the own pods', ''));
  const pods: Expression | undefined = narrowed.kind === 'expression' ? narrowed.expression : undefined;
  return { action, direction, peer, ports, notPorts: not, path: at.path, ...(pods && { own: pods }) };
}

function unreadOf({ path, direction, verdict, reason }: Unread & { readonly path: FieldPath }): Unread {
  return { path, direction, verdict, reason };
}
