/**
 * Everything that a snapshot says about borders, as plain data for reports. Where engines read the policies differently, what is open in one
 * of the readings counts as open, and the readings in which it is are named.
 */
import { isManagedName } from '../baseline/managed.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import { byName, type Crossing, crossingsOf, joined } from './crossings.ts';
import { createExposure, exposureKey } from './exposure.ts';
import { type GateUse, gateUse } from './gate-use.ts';
import { hypotheticalKind } from './hypothetical.ts';
import { isIsolated, policyUse } from './inventory.ts';
import type { LayerFinding } from './layers/context.ts';
import { layersOf } from './layers/layers.ts';
import { type Group, platformGroup } from './matrix.ts';
import { createParties, type PodClass } from './parties.ts';
import { exemptionsOf, type PictureExemption } from './picture-exemptions.ts';
import { namespacesOf, type PictureNamespace } from './picture-namespaces.ts';
import { differenceOf, noPorts, unionOf } from './port-set.ts';
import { portSummary } from './port-summary.ts';
import { nothingKnown, type Protection } from './protection.ts';
import { countsOf, type ProtectionCounts } from './protection-counts.ts';
import { readingsOf } from './readings.ts';
import { refText, type Snapshot } from './snapshot.ts';
import { crossingsToCome, tenantsToCome } from './to-come.ts';
import { createWorld } from './world.ts';
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

export interface PictureCrossing {
  readonly from: Group;
  readonly to: Group;
  readonly ports: string;
  readonly grants: readonly { readonly kind: string; readonly name: string; readonly ports: string }[];
  /** Ports that nothing grants; empty: none. */
  readonly violation: string;
  /** Two who connect. */
  readonly example: { readonly from: string; readonly to: string };
  /** The other end is a tenant without pods that the rules are about: one that does not exist, `(tenants to come)`, or one by its name. */
  readonly toCome?: true;
  /** The readings in which it is open; left out where it is in all, on the same ports. */
  readonly onlyIn?: readonly { readonly reading: string; readonly ports: string }[];
}

export interface PictureOutside {
  readonly tenant: Group;
  readonly direction: 'ingress' | 'egress';
  readonly addresses: string;
  readonly ports: string;
  readonly state: 'granted' | 'not granted' | 'not proven';
  readonly namespaces: number;
  readonly example: string;
}

/** @param now milliseconds since the epoch */
export function pictureOf(
  snapshot: Snapshot,
  tenancy: Tenancy,
  now: number,
  protection: Protection = nothingKnown,
): Picture {
  const parties = createParties(snapshot.namespaces, snapshot.workloads, tenancy);
  const readings = readingsOf(tenancy.settings.plugin, snapshot.policies);
  const worlds = readings.map((reading) => createWorld(snapshot, parties, tenancy.settings, reading));
  const views = worlds.map((world) => crossingsOf(world, tenancy, now));
  const uses = worlds.map((world) => policyUse(world, snapshot));

  const all = new Map<string, Crossing>();
  for (const { crossings } of views)
    for (const one of crossings) {
      const key = `${one.from} ${one.to}`;
      const known = all.get(key);
      all.set(key, known === undefined ? one : joined(known, one));
    }
  const byKey = views.map((view) => new Map(view.crossings.map((one) => [`${one.from} ${one.to}`, one])));
  const crossings: PictureCrossing[] = [...all.values()].toSorted(byName).map((one) => {
    const seen = byKey.map((own, index) => ({
      reading: readings[index]?.name ?? '',
      ports: portSummary(own.get(`${one.from} ${one.to}`)?.ports ?? []),
    }));
    const isSame = seen.every(({ ports }) => ports === seen[0]?.ports);
    return {
      ...shownOf(one),
      ...(!isSame && { onlyIn: seen.filter(({ ports }) => ports !== '') }),
    };
  });
  for (const one of crossingsToCome(snapshot, parties, readings, tenancy, now).toSorted(byName)) {
    const known = all.get(`${one.from} ${one.to}`);
    // Of a pair that connects already, a row says only what is wrong beyond.
    const more = known === undefined ? noPorts : differenceOf(one.violation, known.violation);
    if (known === undefined) crossings.push({ ...shownOf(one), toCome: true });
    else if (more.length > 0)
      crossings.push({ ...shownOf({ ...one, ports: more, grants: [], violation: more }), toCome: true });
  }

  const outside = new Map<string, PictureOutside & { readonly spaces: Set<string> }>();
  for (const world of worlds) {
    const exposed = createExposure(world, tenancy, now);
    for (const pods of parties.classes) {
      const tenant = nameOf(pods);
      for (const one of exposed(pods)) {
        const key = `${tenant} ${exposureKey(one)}`;
        const known = outside.get(key);
        if (known !== undefined) known.spaces.add(pods.namespace.name);
        else {
          const spaces = new Set([pods.namespace.name]);
          const { direction, addresses, ports, state } = one;
          outside.set(key, {
            ...{ tenant, direction, addresses, ports: portSummary(ports), state, namespaces: 0 },
            ...{ example: whoIs(pods), spaces },
          });
        }
      }
    }
  }
  const listedOutside = [...outside.values()]
    .map(({ spaces, ...one }): PictureOutside => ({ ...one, namespaces: spaces.size }))
    .toSorted((one, other) => (one.tenant < other.tenant ? -1 : one.tenant > other.tenant ? 1 : 0));

  const isOpen = (pods: PodClass, direction: 'ingress' | 'egress'): boolean =>
    worlds.some((world) => !isIsolated(world, pods, direction));
  const namespaces = namespacesOf(parties, uses, isOpen);
  const inside = new Map<string, readonly number[]>();
  for (const view of views)
    for (const [group, ports] of view.inside) inside.set(group, unionOf(inside.get(group) ?? [], ports));

  // Bulkhead's own are in every namespace, whatever it holds.
  const used = uses.flat().filter(({ policy: { ref } }) => !isManagedName(ref.name));
  const selecting = new Set(used.filter(({ pods }) => pods > 0).map(({ policy }) => policy));
  const opening = new Set(used.filter(({ opensNothing }) => !opensNothing).map(({ policy }) => policy));
  const known = new Set(used.map(({ policy }) => policy));
  const read = snapshot.policies.filter((policy) => readings.some(({ reads }) => reads(policy)));
  const counts = countsOf(read, parties, protection);
  return {
    readings: readings.map(({ name }) => name),
    tenants: tenantsOf({ namespaces, crossings, outside: listedOutside, inside, counts, tenancy, protection }),
    crossings,
    namespaces,
    outside: listedOutside,
    gates: gateUse([...all.values()], tenancy, now),
    selectNothing: [...known].filter((one) => !selecting.has(one)).map(({ ref }) => refText(ref)),
    openNothing: [...known].filter((one) => selecting.has(one) && !opening.has(one)).map(({ ref }) => refText(ref)),
    layers: layersOf(snapshot, worlds, tenancy.settings),
    exemptions: exemptionsOf(tenancy, now),
  };
}

function shownOf({ from, to, ports, grants, violation, example }: Crossing): PictureCrossing {
  return {
    ...{ from, to, ports: portSummary(ports) },
    grants: grants.map((one) => ({ kind: one.kind, name: one.name, ports: portSummary(one.ports) })),
    violation: portSummary(violation),
    example: { from: whoIs(example.from), to: whoIs(example.to) },
  };
}

interface Seen {
  readonly namespaces: readonly PictureNamespace[];
  readonly crossings: readonly PictureCrossing[];
  readonly outside: readonly PictureOutside[];
  readonly inside: ReadonlyMap<string, readonly number[]>;
  readonly counts: (tenant: string) => ProtectionCounts;
  readonly tenancy: Tenancy;
  readonly protection: Protection;
}

function tenantsOf(seen: Seen): readonly PictureTenant[] {
  const { namespaces, crossings, outside, inside, counts, tenancy, protection } = seen;
  const own = Map.groupBy(namespaces, ({ tenant }) => tenant);
  const against = new Map<string, number>();
  const toCome = new Map<string, number>();
  for (const one of crossings) {
    if (one.violation === '') continue;
    const counts = one.toCome === true ? toCome : against;
    for (const name of [one.from, one.to]) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const byTenant = Map.groupBy(outside, ({ tenant }) => tenant);
  const isAnyToCome = crossings.some((one) => one.from === tenantsToCome || one.to === tenantsToCome);
  const names = new Set([...own.keys(), ...tenancy.tenants.keys(), ...(isAnyToCome ? [tenantsToCome] : [])]);
  return [...names].sort().map((name): PictureTenant => {
    const spaces = own.get(name) ?? [];
    const sum = (count: (one: PictureNamespace) => number) => spaces.reduce((total, one) => total + count(one), 0);
    const states = byTenant.get(name) ?? [];
    const pods = sum((one) => one.pods);
    const facts = {
      ...{
        tenant: name,
        pods,
        open: { ingress: sum((one) => one.open.ingress), egress: sum((one) => one.open.egress) },
      },
      openBoth: sum((one) => one.open.both),
      onNodes: sum((one) => one.onNodes),
      violations: against.get(name) ?? 0,
      toCome: toCome.get(name) ?? 0,
      outside: states.filter(({ state }) => state === 'not granted').length,
      unproven: states.filter(({ state }) => state === 'not proven').length,
      ...counts(name),
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

function nameOf({ namespace: { owner } }: PodClass): Group {
  return owner === 'platform' ? platformGroup : owner.name;
}

/** `Deployment acme-web/front` */
function whoIs({ namespace, workloads: [first] }: PodClass): string {
  if (first?.kind === hypotheticalKind) return first.name;
  return first === undefined ? namespace.name : `${first.kind} ${namespace.name}/${first.name}`;
}
