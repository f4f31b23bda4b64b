/**
 * Everything that a snapshot says about borders, as plain data for reports. Where engines read the policies differently, what is open in one
 * of the readings counts as open, and the readings in which it is are named.
 */
import { isManagedName } from '../baseline/managed.ts';
import { crossingsOf } from '../connectivity/crossings.ts';
import type { LayerFinding } from '../connectivity/layers/context.ts';
import { layersOf } from '../connectivity/layers/layers.ts';
import { type Group, platformGroup } from '../connectivity/matrix.ts';
import { createParties, type PodClass } from '../connectivity/parties.ts';
import { unionOf } from '../connectivity/port-set.ts';
import { portSummary } from '../connectivity/port-summary.ts';
import { readingsOf } from '../connectivity/readings.ts';
import { covers, type ReportScope } from '../connectivity/report-scope.ts';
import { refText, type Snapshot } from '../connectivity/snapshot.ts';
import { crossingsToCome, tenantsToCome } from '../connectivity/to-come.ts';
import { partsUnread, setsUnread, type UnreadPart } from '../connectivity/unread.ts';
import { createWorld } from '../connectivity/world.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import { type GateUse, gateUse } from './gate-use.ts';
import { isIsolated, policyUse } from './inventory.ts';
import { joinedCrossings, type PictureCrossing, shownCrossings } from './picture-crossings.ts';
import { exempting, exemptionsOf, type PictureExemption } from './picture-exemptions.ts';
import { namespacesOf, type PictureNamespace } from './picture-namespaces.ts';
import { outsideOf, type PictureOutside } from './picture-outside.ts';
import { nothingKnown, type Protection } from './protection.ts';
import { countsOf, type ProtectionCounts } from './protection-counts.ts';
import { type Assessment, assess } from './zero-trust.ts';

/** Its fields are the JSON of `connectivity` in `bulkhead audit -o json`. */
export interface Picture {
  /** The names of the engines whose readings were asked. */
  readonly readings: readonly string[];
  readonly tenants: readonly PictureTenant[];
  readonly crossings: readonly PictureCrossing[];
  readonly namespaces: readonly PictureNamespace[];
  readonly outside: readonly PictureOutside[];
  readonly gates: readonly GateUse[];
  /** `KIND NAMESPACE/NAME` of policies that select no pods. */
  readonly selectNothing: readonly string[];
  /** Of those whose allow rules all name peers that do not exist. */
  readonly openNothing: readonly string[];
  /** Where network policies and policies of a mesh contradict each other. */
  readonly layers: readonly LayerFinding[];
  /** Those in force, in the order of their ends. */
  readonly exemptions: readonly PictureExemption[];
  /** Parts of policies that are not understood: more may be open or denied. */
  readonly unread: readonly UnreadPart[];
}

export interface PictureTenant {
  /** `(platform)`: the namespaces without a tenant; `(tenants to come)`: those that do not exist, where rules open to them. */
  readonly name: Group;
  /** Undefined: no such tenant is declared, or it is the platform. */
  readonly mode?: string;
  readonly namespaces: number;
  readonly pods: number;
  /** Ports that are open inside; empty: none. */
  readonly inside: string;
  /** Empty for the platform. */
  readonly zeroTrust: readonly Assessment[];
}

/**
 * @param now   milliseconds since the epoch
 * @param scope what is reported; everything counts
 * @param onPart called before each of its parts: how many are made, of how many
 */
export function pictureOf(
  snapshot: Snapshot,
  tenancy: Tenancy,
  now: number,
  protection: Protection = nothingKnown,
  scope?: ReportScope,
  onPart: (done: number, all: number) => void = () => {},
): Picture {
  const parties = createParties(snapshot.namespaces, snapshot.workloads, tenancy);
  const readings = readingsOf(tenancy.settings.plugin, snapshot.policies);
  const worlds = readings.map((reading) => createWorld(snapshot, parties, tenancy.settings, reading));
  const parts = worlds.length + (worlds.length + 3) * (scope === undefined ? 1 : 2) + 1;
  let done = 0;
  const part = <Made>(make: () => Made): Made => {
    onPart(done++, parts);
    return make();
  };
  const uses = worlds.map((world) => part(() => policyUse(world, snapshot)));

  const isOpen = (pods: PodClass, direction: 'ingress' | 'egress'): boolean =>
    worlds.some((world) => !isIsolated(world, pods, direction));
  const draw = (scope?: ReportScope) => {
    const views = worlds.map((world) => part(() => crossingsOf(world, tenancy, now, scope)));
    const toCome = part(() => crossingsToCome(snapshot, parties, readings, tenancy, now, scope));
    const classes = parties.classes.filter((pods) => scope === undefined || covers(scope, pods));
    return {
      views,
      crossings: shownCrossings(views, toCome, readings),
      outside: part(() => outsideOf(worlds, classes, tenancy, now)),
      namespaces: part(() => namespacesOf(parties, uses, isOpen, scope)),
    };
  };
  const { views, ...drawn } = draw();
  const inside = new Map<string, readonly number[]>();
  for (const view of views)
    for (const [group, ports] of view.inside) inside.set(group, unionOf(inside.get(group) ?? [], ports));

  // Bulkhead's own are in every namespace, whatever it holds.
  const used = uses.flat().filter(({ policy: { ref } }) => !isManagedName(ref.name));
  const selecting = new Set(used.filter(({ pods }) => pods > 0).map(({ policy }) => policy));
  const opening = new Set(used.filter(({ opensNothing }) => !opensNothing).map(({ policy }) => policy));
  const known = new Set(used.map(({ policy }) => policy));
  const read = snapshot.policies.filter((policy) => readings.some(({ reads }) => reads(policy)));
  const [counts, exemptions] = [countsOf(read, parties, protection), exemptionsOf(tenancy, now)];
  const whole: Picture = {
    readings: readings.map(({ name }) => name),
    tenants: tenantsOf({ ...drawn, inside, counts, exemptions, tenancy, protection }),
    ...drawn,
    gates: gateUse([...joinedCrossings(views).values()], tenancy, now),
    selectNothing: [...known].filter((one) => !selecting.has(one)).map(({ ref }) => refText(ref)),
    openNothing: [...known].filter((one) => selecting.has(one) && !opening.has(one)).map(({ ref }) => refText(ref)),
    layers: part(() => layersOf(snapshot, worlds, tenancy.settings)),
    exemptions,
    unread: [...partsUnread(read, readings), ...setsUnread(snapshot.sets, readings)],
  };
  if (scope === undefined) return whole;
  const { views: _, ...own } = draw(scope);
  return reportedOf({ ...whole, ...own }, scope);
}

/** Tenants are shown as a whole, each that has something there. */
function reportedOf(picture: Picture, scope: ReportScope): Picture {
  const { crossings, namespaces, tenants, gates, exemptions, layers } = picture;
  const spaces = new Set(namespaces.map(({ name }) => name));
  const isAnyToCome = crossings.some((one) => one.from === tenantsToCome || one.to === tenantsToCome);
  const named = new Set([...namespaces.map(({ tenant }) => tenant), ...(isAnyToCome ? [tenantsToCome] : [])]);
  const has = (object: string): boolean => scope.hasObject(object);
  return {
    ...picture,
    tenants: tenants.filter(({ name }) => named.has(name)),
    gates: gates.filter(({ from, to }) => named.has(from) || named.has(to)),
    selectNothing: picture.selectNothing.filter(has),
    openNothing: picture.openNothing.filter(has),
    layers: layers.filter(({ object, otherObject = '' }) => has(object) || has(otherObject)),
    exemptions: exemptions.filter(({ namespace }) => spaces.has(namespace)),
  };
}

interface Seen {
  readonly namespaces: readonly PictureNamespace[];
  readonly crossings: readonly PictureCrossing[];
  readonly outside: readonly PictureOutside[];
  readonly inside: ReadonlyMap<string, readonly number[]>;
  readonly counts: (tenant: string) => ProtectionCounts;
  readonly exemptions: readonly PictureExemption[];
  readonly tenancy: Tenancy;
  readonly protection: Protection;
}

function tenantsOf(seen: Seen): readonly PictureTenant[] {
  const { namespaces, crossings, outside, inside, counts, exemptions, tenancy, protection } = seen;
  const own = Map.groupBy(namespaces, ({ tenant }) => tenant);
  const against = new Map<string, number>();
  const toCome = new Map<string, number>();
  for (const one of crossings) {
    if (one.violation === '') continue;
    const counts = one.toCome === true ? toCome : against;
    for (const name of [one.from, one.to]) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const byTenant = Map.groupBy(outside, ({ tenant }) => tenant);
  const rejected = Map.groupBy(protection.rejected, ({ tenant }) => tenant);
  const isAnyToCome = crossings.some((one) => one.from === tenantsToCome || one.to === tenantsToCome);
  const names = new Set([...own.keys(), ...tenancy.tenants.keys(), ...(isAnyToCome ? [tenantsToCome] : [])]);
  return [...names].sort().map((name): PictureTenant => {
    const spaces = own.get(name) ?? [];
    const sum = (count: (one: PictureNamespace) => number) => spaces.reduce((total, one) => total + count(one), 0);
    const states = byTenant.get(name) ?? [];
    const pods = sum((one) => one.pods);
    const facts = {
      ...{ tenant: name, pods },
      open: { ingress: sum((one) => one.open.ingress), egress: sum((one) => one.open.egress) },
      openBoth: sum((one) => one.open.both),
      onNodes: sum((one) => one.onNodes),
      violations: against.get(name) ?? 0,
      toCome: toCome.get(name) ?? 0,
      outside: states.filter(({ state }) => state === 'not granted').length,
      unproven: states.filter(({ state }) => state === 'not proven').length,
      ...counts(name),
      exempted: exempting(exemptions, name, namespaces, tenancy),
      rejected: rejected.get(name) ?? [],
    };
    const tenant = tenancy.tenants.get(name);
    return {
      name,
      ...(tenant !== undefined && tenancy.declares(tenant) && { mode: tenant.mode }),
      ...{ namespaces: spaces.length, pods, inside: portSummary(inside.get(name) ?? []) },
      zeroTrust: name === platformGroup || name === tenantsToCome ? [] : assess(facts, tenancy, protection),
    };
  });
}
