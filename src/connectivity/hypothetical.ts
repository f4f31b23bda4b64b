/**
 * Example pods, made from the selectors of policies. A policy that opens to "any namespace of another tenant" does so even for
 * namespaces created later. Each example is one pod with the fewest labels that the selector asks for.
 */
import {
  commonDomain,
  contradiction,
  type Domain,
  domainFor,
  freshValue,
  matches,
  type Selector,
  witnessLabels,
} from '../kubernetes/label-selector.ts';
import { namespaceNameLabel } from '../kubernetes/objects.ts';
import { Budget, mostSteps } from '../reach/expression/budget.ts';
import { both, type Expression, isMatched } from '../reach/expression/expression.ts';
import { exampleOf, someTerm } from '../reach/expression/terms.ts';
import type { InForcePeer } from '../reach/in-force.ts';
import { ofNamespace } from '../reach/model.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import type { Snapshot, SnapshotNamespace, SnapshotPolicy, Workload } from './snapshot.ts';

export interface Hypothetical {
  readonly namespaces: readonly SnapshotNamespace[];
  /** None is of a kind that the API has. */
  readonly workloads: readonly Workload[];
  /** Names of those that stand for any. */
  readonly tenants: ReadonlySet<string>;
}

/** In {@link Workload}, where others have the kind of an object. */
export const hypotheticalKind = 'any';

type Labels = ReadonlyMap<string, string>;

/** Whose namespaces are asked for. */
type Whose =
  | { readonly kind: 'tenant'; readonly name: string }
  | { readonly kind: 'others' }
  | { readonly kind: 'none' };

/** Of a selector that lists names or tenants, so many are made. */
const mostOfEach = 16;

/** Of the subjects and peers of these policies. */
export function hypotheticalOf(
  policies: readonly SnapshotPolicy[],
  sides: readonly Snapshot[],
  tenancy: Tenancy,
): Hypothetical {
  const { tenantLabel } = tenancy.settings;
  const existing = new Map(sides.flatMap(({ namespaces }) => namespaces).map((one) => [one.name, one]));
  const inNamespace = Map.groupBy(
    sides.flatMap(({ workloads }) => workloads),
    ({ namespace }) => namespace,
  );
  const namespaces = new Map<string, SnapshotNamespace>();
  const workloads = new Map<string, Workload>();
  const names = new Set<string>();
  /** Tenants that do not exist, and how they are shown. */
  const invented = new Map<string, string>();

  const addPod = (namespace: string, labels: Labels, text: string): void => {
    const workload: Workload = {
      ...{ namespace, kind: hypotheticalKind, name: text, labels: Object.fromEntries(labels) },
      ...{ pods: 0, ports: [], hostNetwork: false, addresses: [] },
    };
    workloads.set(text, workload);
  };
  const addIn = (namespace: string, labels: Labels, isMet: (one: Workload) => boolean): void => {
    if (!existing.has(namespace) || inNamespace.get(namespace)?.some(isMet)) return;
    addPod(namespace, labels, `any pod${withLabels(labels)} in ${namespace}`);
  };
  /** @param tenant undefined: without one */
  const addBeyond = (tenant: string | undefined, wanted: Labels, pods: Labels): void => {
    const labels = new Map(wanted);
    const asked = labels.get(namespaceNameLabel);
    labels.delete(namespaceNameLabel);
    labels.delete(tenantLabel);
    const shown = new Map(asked === undefined ? labels : [[namespaceNameLabel, asked], ...labels]);
    const owner = tenant === undefined ? 'without a tenant' : (invented.get(tenant) ?? `of ${tenant}`);
    const key = JSON.stringify([tenant, [...shown]]);
    let own = namespaces.get(key);
    if (own === undefined) {
      const name = asked ?? freshValue(`any-${namespaces.size}`, (one) => existing.has(one) || names.has(one));
      own = { name, labels: { ...Object.fromEntries(labels), ...(tenant !== undefined && { [tenantLabel]: tenant }) } };
      namespaces.set(key, own);
      names.add(name);
    }
    addPod(own.name, pods, `any pod${withLabels(pods)} in a namespace ${owner}${withLabels(shown)}`);
  };

  const ofSelector = (wanted: Selector, pods: Selector, own: string | undefined): void => {
    if (contradiction(pods) !== undefined || contradiction(wanted) !== undefined) return;
    const labels = witnessLabels(pods);
    const named = wanted.get(namespaceNameLabel);
    if (named?.finite && !named.absent) {
      for (const name of [...named.values].slice(0, mostOfEach))
        if (existing.has(name)) addIn(name, labels, (one) => matches(pods, new Map(Object.entries(one.labels))));
        else {
          const owner = tenancy.reservation(name);
          const rest = new Map(witnessLabels(wanted)).set(namespaceNameLabel, name);
          addBeyond(owner === 'platform' ? undefined : (owner?.name ?? another(own, new Set())), rest, labels);
        }
      return;
    }
    for (const { whose, domain } of owners(own)) {
      const tenant = commonDomain(domainFor(wanted, tenantLabel), domain);
      const narrowed = new Map(wanted).set(tenantLabel, tenant);
      if (contradiction(narrowed) !== undefined) continue;
      const rest = witnessLabels(narrowed);
      // Where nothing is asked of the name, any will do.
      rest.delete(namespaceNameLabel);
      if (whose.kind !== 'others') addBeyond(whose.kind === 'tenant' ? whose.name : undefined, rest, labels);
      else if (tenant.finite) for (const name of [...tenant.values].slice(0, mostOfEach)) addBeyond(name, rest, labels);
      else addBeyond(another(own, tenant.values), rest, labels);
    }
  };

  const ofExpression = (expression: Expression, own: string | undefined): void => {
    const key = `${ofNamespace}${tenantLabel}`;
    for (const { whose, domain } of owners(own)) {
      const test: Expression =
        whose.kind === 'none'
          ? { key, test: { op: 'has' }, holds: false }
          : domain.finite
            ? { key, test: { op: 'in', values: domain.values }, holds: true }
            : {
                all: [
                  { key, test: { op: 'has' }, holds: true },
                  { key, test: { op: 'in', values: domain.values }, holds: false },
                ],
              };
      const budget = new Budget(mostSteps);
      let found: Labels | undefined;
      someTerm(
        both(expression, test),
        (term) => {
          found = exampleOf(term, budget);
          return found !== undefined;
        },
        () => false,
        budget,
      );
      if (found === undefined) continue;
      const [pods, wanted] = [new Map<string, string>(), new Map<string, string>()];
      for (const [label, value] of found)
        if (label.startsWith(ofNamespace)) wanted.set(label.slice(ofNamespace.length), value);
        else pods.set(label, value);
      const written = wanted.get(tenantLabel);
      // The value that stands for any.
      const tenant = whose.kind === 'others' && written?.startsWith('any') ? another(own, domain.values) : written;
      const name = wanted.get(namespaceNameLabel);
      if (name !== undefined && existing.has(name))
        addIn(name, pods, (one) => isMatched(expression, bothLabels(one, existing.get(one.namespace))));
      else addBeyond(tenant, wanted, pods);
    }
  };

  const owners = (own: string | undefined): readonly { readonly whose: Whose; readonly domain: Domain }[] => [
    ...(own === undefined ? [] : [{ whose: { kind: 'tenant', name: own }, domain: among([own]) } as const]),
    {
      whose: { kind: 'others' },
      domain: { absent: false, finite: false, values: new Set(own === undefined ? [] : [own]) },
    },
    { whose: { kind: 'none' }, domain: { absent: true, finite: true, values: new Set() } },
  ];
  const another = (own: string | undefined, excluded: ReadonlySet<string>): string => {
    const base = own === undefined || own.length > 50 ? 'another-tenant' : `not-${own}`;
    const name = freshValue(base, (one) => excluded.has(one) || tenancy.tenants.has(one));
    invented.set(name, own === undefined ? 'of any tenant' : `of a tenant other than ${own}`);
    return name;
  };

  const ofPeer = (peer: InForcePeer, policy: SnapshotPolicy, own: string | undefined): void => {
    if (peer.kind === 'any' || (peer.kind === 'entity' && (peer.entity === 'all' || peer.entity === 'cluster')))
      ofSelector(new Map(), new Map(), own);
    else if (peer.kind === 'expression') ofExpression(peer.expression, own);
    else if (peer.kind === 'selector')
      if (peer.namespaces !== undefined) ofSelector(peer.namespaces, peer.pods, own);
      else ofPods(peer.pods, policy.ref.namespace);
  };
  const ofPods = (pods: Selector, namespace: string): void => {
    if (contradiction(pods) === undefined)
      addIn(namespace, witnessLabels(pods), (one) => matches(pods, new Map(Object.entries(one.labels))));
  };

  for (const policy of policies) {
    const labels = existing.get(policy.ref.namespace)?.labels;
    const owner = labels === undefined ? 'platform' : tenancy.ownerByLabels(labels);
    const own = owner === 'platform' ? undefined : owner.name;
    for (const { subject, rules } of policy.inForce.parts) {
      if ('expression' in subject) ofExpression(subject.expression, own);
      else if (subject.namespaces === undefined) ofPods(subject.pods, policy.ref.namespace);
      else ofSelector(subject.namespaces, subject.pods, own);
      for (const { action, peer } of rules) if (action !== 'deny') ofPeer(peer, policy, own);
    }
  }
  return {
    namespaces: [...namespaces.values()],
    workloads: [...workloads.values()],
    tenants: new Set(invented.keys()),
  };
}

/** As expressions have them. */
function bothLabels({ labels, namespace }: Workload, home: SnapshotNamespace | undefined): Labels {
  const all = new Map(Object.entries(labels));
  for (const [key, value] of Object.entries(home?.labels ?? {})) all.set(`${ofNamespace}${key}`, value);
  return all.set(`${ofNamespace}${namespaceNameLabel}`, namespace);
}

function among(values: readonly string[]): Domain {
  return { absent: false, finite: true, values: new Set(values) };
}

function withLabels(labels: Labels): string {
  return labels.size === 0 ? '' : ` with ${[...labels].map(([key, value]) => `${key}=${value}`).join(',')}`;
}
