/**
 * Two snapshots made ready to be compared: pods that may come to exist are added to both, workloads have the same addresses in both, and
 * workloads that look alike on both sides are one body.
 */
import { knownRange } from '../kubernetes/ip-range.ts';
import type { Settings } from '../tenancy/settings.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import { canonical, policyKey } from './fingerprint.ts';
import { type Hypothetical, hypotheticalKind, hypotheticalOf } from './hypothetical.ts';
import { groupOf } from './matrix.ts';
import { createParties, type Parties, type PodClass } from './parties.ts';
import { type Reading, readingsOf } from './readings.ts';
import type { Snapshot, SnapshotAddressSet, SnapshotPolicy, Workload } from './snapshot.ts';
import { createWorld, type World } from './world.ts';

export const sideNames = ['old', 'new'] as const;
export type SideName = (typeof sideNames)[number];

/** Workloads that no policy of either side tells apart. */
export interface Body {
  readonly index: number;
  /** As `acme-web/Deployment/front`. Not empty. */
  readonly workloads: readonly string[];
  readonly isHypothetical: boolean;
  /** Empty where none of them exists. */
  readonly classes: Readonly<Record<SideName, readonly PodClass[]>>;
  /** The tenant, or the platform. Undefined where none of them exists. */
  readonly group: Readonly<Record<SideName, string | undefined>>;
  /** Labels, ports and addresses are the same on both sides, so that the same policies select it. */
  readonly isUnchanged: boolean;
}

export interface Sides {
  readonly bodies: readonly Body[];
  /** By the index of a class. */
  readonly bodiesOf: Readonly<Record<SideName, readonly (readonly Body[])[]>>;
  /** One for each reading; what changes in one of them counts. */
  readonly worlds: readonly (Readonly<Record<SideName, World>> & { readonly reading: Reading })[];
  readonly snapshots: Readonly<Record<SideName, Snapshot>>;
  /** Policies that one side has only, and both versions of those that differ. */
  readonly changed: readonly SnapshotPolicy[];
  readonly changedSets: readonly SnapshotAddressSet[];
}

export function sidesOf(before: Snapshot, after: Snapshot, tenancy: Tenancy): Sides {
  const { plugin } = tenancy.settings;
  const changed = changedPolicies(before, after);
  const extra = hypotheticalOf(changed, [before, after], tenancy);
  const addresses = knownAddresses([before, after]);
  const ready = (snapshot: Snapshot): Snapshot => ({
    ...snapshot,
    namespaces: [...snapshot.namespaces, ...extra.namespaces],
    workloads: [...snapshot.workloads, ...extra.workloads].map((one) => {
      if (one.addresses.length > 0) return one;
      const own = addresses.get(workloadKey(one));
      return own === undefined ? one : { ...one, addresses: own };
    }),
  });
  const snapshots = { old: ready(before), new: ready(after) };
  const parties = {
    old: createParties(snapshots.old.namespaces, snapshots.old.workloads, tenancy),
    new: createParties(snapshots.new.namespaces, snapshots.new.workloads, tenancy),
  };
  const settings = withNetworks(tenancy.settings);
  const readings = readingsOf(plugin, [...before.policies, ...after.policies]);
  const worlds = readings.map((reading) => ({
    reading,
    old: createWorld(snapshots.old, parties.old, settings, reading),
    new: createWorld(snapshots.new, parties.new, settings, reading),
  }));
  const bodies = bodiesIn(parties, extra);
  const bodiesOf = { old: byClass(bodies, 'old'), new: byClass(bodies, 'new') };
  return { bodies, bodiesOf, worlds, snapshots, changed, changedSets: changedSets(before, after) };
}

/**
 * Where the network of pods or nodes is not known, it is in no range that is written for others: otherwise a rule about some address outside
 * would be one about every pod and node. RFC 1112 and RFC 6666 keep these addresses free. A rule about every address of a family still allows
 * them, and one that denies must be about both families.
 */
const freeAddresses = ['240.0.0.1/32', '100::1/128'] as const;

export function withNetworks(settings: Settings): Settings {
  const { protectedRanges } = settings;
  const missing = (['pod network', 'node network'] as const).filter(
    (name) => !protectedRanges.some((one) => one.name === name),
  );
  const made = missing.flatMap((name) =>
    freeAddresses.map((text) => ({ name, range: knownRange(text), text, kind: 'cluster' as const })),
  );
  return { ...settings, protectedRanges: [...protectedRanges, ...made] };
}

export function workloadKey({ namespace, kind, name }: Workload): string {
  return kind === hypotheticalKind ? name : `${namespace}/${kind}/${name}`;
}

/** Those that one side has only, and both versions of those that differ. */
function changedPolicies(before: Snapshot, after: Snapshot): readonly SnapshotPolicy[] {
  const known = new Map(before.policies.map((one) => [policyKey(one), one]));
  const changed: SnapshotPolicy[] = [];
  for (const policy of after.policies) {
    const key = policyKey(policy);
    const old = known.get(key);
    known.delete(key);
    if (old === undefined) changed.push(policy);
    else if (old !== policy && canonical(old.inForce) !== canonical(policy.inForce)) changed.push(old, policy);
  }
  return [...changed, ...known.values()];
}

/** Both versions of those that differ. */
function changedSets({ sets: old = [] }: Snapshot, { sets = [] }: Snapshot): readonly SnapshotAddressSet[] {
  const known = new Set(old.map(canonical));
  const fresh = new Set(sets.map(canonical));
  return [...sets.filter((one) => !known.has(canonical(one))), ...old.filter((one) => !fresh.has(canonical(one)))];
}

/** What a cluster says of a workload counts for the files too. */
function knownAddresses(snapshots: readonly Snapshot[]): ReadonlyMap<string, Workload['addresses']> {
  const known = new Map<string, Workload['addresses']>();
  for (const { workloads } of snapshots)
    for (const one of workloads) if (one.addresses.length > 0) known.set(workloadKey(one), one.addresses);
  return known;
}

function bodiesIn(parties: Readonly<Record<SideName, Parties>>, extra: Hypothetical): readonly Body[] {
  const units = new Map<string, Record<SideName, Set<PodClass>>>();
  for (const side of sideNames)
    for (const one of parties[side].classes)
      for (const workload of one.workloads) {
        const key = workloadKey(workload);
        const unit = units.get(key) ?? { old: new Set(), new: new Set() };
        units.set(key, unit);
        unit[side].add(one);
      }
  const indices = (classes: ReadonlySet<PodClass>) => [...classes].map(({ index }) => index).join();
  const alike = Map.groupBy(units, ([, unit]) => `${indices(unit.old)} ${indices(unit.new)}`);
  const ofEvery = createLook();
  const hypothetical = new Set(extra.workloads.map(workloadKey));
  const group = (one: PodClass | undefined): string | undefined =>
    one && (extra.tenants.has(groupOf(one)) ? anotherTenant : groupOf(one));
  return [...alike.values()].map((members, index): Body => {
    const classes = { old: [...(members[0]?.[1].old ?? [])], new: [...(members[0]?.[1].new ?? [])] };
    const workloads = members.map(([key]) => key);
    const isHypothetical = workloads.every((key) => hypothetical.has(key));
    return {
      ...{ index, workloads, isHypothetical, classes },
      group: { old: group(classes.old[0]), new: group(classes.new[0]) },
      isUnchanged: classes.old.map(ofEvery).join() === classes.new.map(ofEvery).join(),
    };
  });
}

/** The group of pods in namespaces that some tenant may have. No tenant can have this name. */
export const anotherTenant = '(another tenant)';

/** A number for all that policies see of pods. */
function createLook(): (pods: PodClass) => number {
  const numbers = new Map<string, number>();
  const ofNamespaces = new Map<PodClass['namespace'], string>();
  const textOf = (labels: PodClass['labels']): string => JSON.stringify([...labels].sort(byKey));
  return ({ namespace, labels, ports, addresses }) => {
    const home = ofNamespaces.get(namespace) ?? textOf(namespace.labels);
    ofNamespaces.set(namespace, home);
    const own = addresses.map(({ first, last }) => `${first}-${last}`).join();
    const key = `${home} ${textOf(labels)} ${ports.length === 0 ? '' : JSON.stringify(ports)} ${own}`;
    const number = numbers.get(key) ?? numbers.size;
    numbers.set(key, number);
    return number;
  };
}

function byKey([one]: readonly [string, string], [other]: readonly [string, string]): number {
  return one < other ? -1 : 1;
}

function byClass(bodies: readonly Body[], side: SideName): readonly (readonly Body[])[] {
  const found: Body[][] = [];
  for (const body of bodies)
    for (const { index } of body.classes[side]) {
      const own = found[index];
      if (own === undefined) found[index] = [body];
      else own.push(body);
    }
  return found;
}
