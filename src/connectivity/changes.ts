/**
 * The changes of a comparison. Changes with the same ports and causes are alike. A few of these stay apart, by their tenants and the
 * names of policies. Many become one change, so that there are not as many of them as pairs of tenants.
 */
import type { Cause } from './causes.ts';
import { noPorts, type PortSet, unionOf } from './port-set.ts';
import type { PolicyRef } from './snapshot.ts';

export interface End {
  /** The tenant, the platform, {@link outside}, {@link nodes}, {@link manyTenants} or {@link sameTenant}. */
  readonly group: string;
  /** In order; more than one where the group stands for many. */
  readonly tenants: readonly string[];
  /** Workloads as `acme-web/Deployment/front`, ranges of addresses, names of DNS, `nodes`. */
  readonly members: ReadonlySet<string>;
  /** The members that exist only as an example, such as namespaces created later. */
  readonly hypothetical: ReadonlySet<string>;
}

/** A cause with the policies that are one alike. */
export interface SharedCause extends Omit<Cause, 'policy'> {
  readonly policies: readonly PolicyRef[];
}

export interface Change {
  readonly change: 'gained' | 'lost';
  /** Gained over the border of a tenant: to or from another one, outside, or the platform where no shared service opens it. */
  readonly isCrossing: boolean;
  readonly from: End;
  readonly to: End;
  readonly ports: PortSet;
  /** Empty where there are too many different ones. */
  readonly causes: readonly SharedCause[];
}

/** What is neither a pod nor a node of the cluster. No tenant can have this name. */
export const outside = '(outside)';
/** Nodes other than the pod's own. */
export const nodes = '(nodes)';
/** Each of more tenants than are listed one by one. */
export const manyTenants = '(many tenants)';
/** Beside {@link manyTenants}: of each the same one. */
export const sameTenant = '(the same tenant)';

/** At most so many changes that are alike stay apart. */
export const mostAlike = 32;
/** Of changes that differ in ports or causes, so many are. */
export const mostDifferent = 1000;

/** One that is added. */
export interface Part {
  readonly change: Change['change'];
  readonly isCrossing: boolean;
  readonly from: PartEnd;
  readonly to: PartEnd;
  readonly ports: PortSet;
  readonly causes: readonly Cause[];
}

export interface PartEnd {
  readonly group: string;
  readonly members: readonly string[];
  readonly isHypothetical: boolean;
}

export interface Changes {
  /**
   * @param all those that are so too, of one tenant and with policies of the same names
   * @param isMany they have too many tenants or names to stay apart
   */
  add(part: Part, all?: Alike, isMany?: boolean): void;
  /** Crossings first, then what is gained, then by name. */
  all(): readonly Change[];
}

/** The ends, and the policies of each cause. */
export interface Alike {
  readonly from: readonly PartEnd[];
  readonly to: readonly PartEnd[];
  readonly policies: readonly (readonly PolicyRef[])[];
}

/** Those that are alike. */
interface Kept {
  readonly part: Pick<Part, 'change' | 'isCrossing' | 'causes'>;
  readonly isWithin: boolean;
  ports: PortSet;
  /** Undefined: there are too many. */
  variants: Map<string, Variant> | undefined;
  readonly whole: Variant;
}

interface Variant {
  readonly from: EndInMaking;
  readonly to: EndInMaking;
  /** By cause. */
  readonly policies: readonly Map<string, PolicyRef>[];
}

interface EndInMaking {
  readonly groups: Set<string>;
  readonly members: Set<string>;
  readonly hypothetical: Set<string>;
}

export function createChanges(): Changes {
  const kept = new Map<string, Kept>();
  const keptFor = (part: Part): Kept => {
    const key = shapeOf(part, part.ports, part.causes);
    let one = kept.get(key);
    if (one !== undefined) return one;
    const isFull = kept.size >= mostDifferent;
    const shape = isFull ? shapeOf(part, noPorts, []) : key;
    one = kept.get(shape);
    if (one === undefined) {
      const { change, isCrossing, from, to } = part;
      const causes = isFull ? [] : part.causes;
      const variants = isFull ? undefined : new Map<string, Variant>();
      const [ports, isWithin] = [part.ports, from.group === to.group];
      one = { part: { change, isCrossing, causes }, isWithin, ports, variants, whole: emptyVariant(causes) };
      kept.set(shape, one);
    }
    one.ports = unionOf(one.ports, part.ports);
    return one;
  };
  return {
    add(part, all = aloneOf(part), isMany = false) {
      const one = keptFor(part);
      const { causes } = part;
      const key = JSON.stringify([part.from.group, part.to.group, causes.map(({ policy }) => policy?.name)]);
      if (isMany) one.variants = undefined;
      if (one.variants !== undefined && !one.variants.has(key)) {
        if (one.variants.size >= mostAlike) one.variants = undefined;
        else one.variants.set(key, emptyVariant(causes));
      }
      join(one.whole, all);
      const variant = one.variants?.get(key);
      if (variant !== undefined) join(variant, all);
    },
    all: () =>
      [...kept.values()]
        .flatMap((one) => [...(one.variants?.values() ?? [one.whole])].map((variant) => changeOf(one, variant)))
        .map((change) => ({ change, key: keyOf(change) }))
        .sort((one, other) => rank(one.change) - rank(other.change) || (one.key < other.key ? -1 : 1))
        .map(({ change }) => change),
  };
}

function changeOf({ part, ports, isWithin }: Kept, { from, to, policies }: Variant): Change {
  const causes = part.causes.map(({ policy: _, ...cause }, index) => ({
    ...cause,
    policies: [...(policies[index]?.values() ?? [])].sort(byPlace),
  }));
  const source = endOf(from, manyTenants);
  const target = endOf(to, isWithin ? sameTenant : manyTenants);
  return { ...part, ports, from: source, to: target, causes };
}

function endOf({ groups, members, hypothetical }: EndInMaking, many: string): End {
  const tenants = [...groups].sort();
  const [first = ''] = tenants;
  return { group: tenants.length === 1 ? first : many, tenants, members, hypothetical };
}

function byPlace(one: PolicyRef, other: PolicyRef): number {
  if (one.namespace !== other.namespace) return one.namespace < other.namespace ? -1 : 1;
  return one.name < other.name ? -1 : 1;
}

function rank({ isCrossing, change }: Change): number {
  return isCrossing ? 0 : change === 'gained' ? 1 : 2;
}

function emptyVariant(causes: readonly Cause[]): Variant {
  const end = (): EndInMaking => ({ groups: new Set(), members: new Set(), hypothetical: new Set() });
  return { from: end(), to: end(), policies: causes.map(() => new Map()) };
}

export function aloneOf({ from, to, causes }: Part): Alike {
  return { from: [from], to: [to], policies: causes.map(({ policy }) => (policy === undefined ? [] : [policy])) };
}

function join(variant: Variant, { from, to, policies }: Alike): void {
  for (const one of from) joinEnd(variant.from, one);
  for (const one of to) joinEnd(variant.to, one);
  for (const [index, refs] of policies.entries())
    for (const ref of refs) variant.policies[index]?.set(`${ref.namespace}/${ref.name}`, ref);
}

function joinEnd({ groups, members, hypothetical }: EndInMaking, part: PartEnd): void {
  groups.add(part.group);
  for (const one of part.members) {
    members.add(one);
    if (part.isHypothetical) hypothetical.add(one);
  }
}

/** The key of changes that are alike: without names of policies and tenants. Other groups, such as addresses, keep their names. */
function shapeOf({ change, isCrossing, from, to }: Part, ports: PortSet, causes: readonly Cause[]): string {
  const kindOf = ({ group }: PartEnd): string => (group.startsWith('(') ? group : 'tenant');
  const why = causes.map(({ kind, side, direction, policy, path }) => [kind, side, direction, policy?.kind, path]);
  return JSON.stringify([change, isCrossing, kindOf(from), kindOf(to), from.group === to.group, ports, why]);
}

function keyOf({ change, isCrossing, from, to, ports, causes }: Change): string {
  const why = causes.map(({ kind, side, direction, policies: [first], path }) =>
    [kind, side, direction, first?.kind, first?.name, path].join(' '),
  );
  return JSON.stringify([change, isCrossing, from.group, to.group, ports, why]);
}
