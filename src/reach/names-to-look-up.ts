import { domainFor, type Selector } from '../kubernetes/label-selector.ts';
import { namespaceNameLabel } from '../kubernetes/objects.ts';
import type { Expression } from './expression/expression.ts';
import { isLiteral } from './identity/glob.ts';
import { type IdentityPeer, nameKey, type Reach } from './model.ts';
import { mostLookedUp, possibleNames } from './namespace-name.ts';
import type { Border } from './violation.ts';

/**
 * The names whose owners must be known before the policy is judged, each once. None when they are more than
 * {@link mostLookedUp}: such a policy is not proven, whatever their owners. Where the tenant label is pinned to the tenant, names
 * prove nothing more.
 */
export function namesToLookUp(reach: Reach, border: Omit<Border, 'ownerByName' | 'now'>): readonly string[] {
  const asked = new Set<string>();
  for (const { action, subject, peer } of reach.rules) {
    if (action === 'deny') continue;
    if (subject.namespaces !== undefined) addNames(asked, subject.namespaces, border);
    if (peer.kind === 'selector' && peer.namespaces !== undefined) addNames(asked, peer.namespaces, border);
    if (peer.kind === 'identity') addCallers(asked, peer, border);
    if (peer.kind === 'expression') addWritten(asked, peer.expression, border);
    if (asked.size > mostLookedUp) return [];
  }
  return asked.size === 0 ? none : [...asked];
}

const none: readonly string[] = [];

/** Stops when they are too many. */
function addNames(asked: Set<string>, namespaces: Selector, border: Omit<Border, 'ownerByName' | 'now'>): void {
  const { tenant, tenancy } = border;
  const { absent, finite, values } = domainFor(namespaces, tenancy.settings.tenantLabel);
  if (!absent && finite && values.size === 1 && values.has(tenant.name)) return;
  addReserved(asked, possibleNames(domainFor(namespaces, namespaceNameLabel)) ?? [], border);
}

/** The names that an expression asks for. */
function addWritten(asked: Set<string>, expression: Expression, border: Omit<Border, 'ownerByName' | 'now'>): void {
  if ('all' in expression) for (const one of expression.all) addWritten(asked, one, border);
  else if ('any' in expression) for (const one of expression.any) addWritten(asked, one, border);
  else if (expression.key === nameKey && expression.holds && expression.test.op === 'in')
    addReserved(asked, expression.test.values, border);
}

function addReserved(
  asked: Set<string>,
  names: Iterable<string>,
  { tenant, tenancy, namespace }: Omit<Border, 'ownerByName' | 'now'>,
): void {
  for (const name of names) {
    const owner = name === namespace ? undefined : tenancy.reservation(name);
    if (owner === undefined || owner === 'platform' || owner.name !== tenant.name) continue;
    asked.add(name);
    if (asked.size > mostLookedUp) return;
  }
}

/** By name, a policy of a mesh names its own namespace most of all, and those of tenants with a gate, too. */
function addCallers(
  asked: Set<string>,
  { all }: IdentityPeer,
  { tenant, tenancy, namespace: own }: Omit<Border, 'ownerByName' | 'now'>,
): void {
  for (const list of all)
    for (const { products } of list)
      for (const { namespace } of products) {
        if (namespace === own || asked.has(namespace) || !isLiteral(namespace)) continue;
        const owner = tenancy.reservation(namespace);
        if (owner === undefined || owner === 'platform') continue;
        if (owner.name !== tenant.name && !tenant.network.gates.some((gate) => gate.tenant === owner.name)) continue;
        asked.add(namespace);
        if (asked.size > mostLookedUp) return;
      }
}
