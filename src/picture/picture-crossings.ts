/** The crossings of a picture: those of all readings together, and those to tenants that are to come. */
import { byName, type Crossing, type Crossings, joined } from '../connectivity/crossings.ts';
import { hypotheticalKind } from '../connectivity/hypothetical.ts';
import type { Group } from '../connectivity/matrix.ts';
import { type Opener, openersOf } from '../connectivity/opened-by.ts';
import type { PodClass } from '../connectivity/parties.ts';
import { differenceOf, noPorts } from '../connectivity/port-set.ts';
import { portSummary } from '../connectivity/port-summary.ts';
import type { Reading } from '../connectivity/readings.ts';

export interface PictureCrossing {
  readonly from: Group;
  readonly to: Group;
  readonly ports: string;
  readonly grants: readonly { readonly kind: string; readonly name: string; readonly ports: string }[];
  /** Ports that nothing grants; empty: none. */
  readonly violation: string;
  /** Two who connect. */
  readonly example: { readonly from: string; readonly to: string };
  /** The rules that let the violation of the example through; left out where there are none. */
  readonly openedBy?: readonly Opener[];
  /** The other end is a tenant without pods that the rules are about: one that does not exist, `(tenants to come)`, or one by its name. */
  readonly toCome?: true;
  /** The readings in which it is open; left out where it is in all, on the same ports. */
  readonly onlyIn?: readonly { readonly reading: string; readonly ports: string }[];
}

/** What is open in one of the readings, by its ends. */
export function joinedCrossings(views: readonly Crossings[]): ReadonlyMap<string, Crossing> {
  const all = new Map<string, Crossing>();
  for (const { crossings } of views)
    for (const one of crossings) {
      const key = `${one.from} ${one.to}`;
      const known = all.get(key);
      all.set(key, known === undefined ? one : joined(known, one));
    }
  return all;
}

/** @param views in the order of the readings */
export function shownCrossings(
  views: readonly Crossings[],
  toCome: readonly Crossing[],
  readings: readonly Reading[],
): readonly PictureCrossing[] {
  const all = joinedCrossings(views);
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
  for (const one of toCome.toSorted(byName)) {
    const known = all.get(`${one.from} ${one.to}`);
    // Of a pair that connects already, a row says only what is wrong beyond.
    const more = known === undefined ? noPorts : differenceOf(one.violation, known.violation);
    if (known === undefined) crossings.push({ ...shownOf(one), toCome: true });
    else if (more.length > 0)
      crossings.push({ ...shownOf({ ...one, ports: more, grants: [], violation: more }), toCome: true });
  }
  return crossings;
}

function shownOf({ from, to, ports, grants, violation, example, violating }: Crossing): PictureCrossing {
  const openedBy = violating === undefined ? [] : openersOf(violating);
  return {
    ...{ from, to, ports: portSummary(ports) },
    grants: grants.map((one) => ({ kind: one.kind, name: one.name, ports: portSummary(one.ports) })),
    violation: portSummary(violation),
    example: { from: whoIs(example.from), to: whoIs(example.to) },
    ...(openedBy.length > 0 && { openedBy }),
  };
}

/** `Deployment acme-web/front` */
export function whoIs({ namespace, workloads: [first] }: PodClass): string {
  if (first?.kind === hypotheticalKind) return first.name;
  return first === undefined ? namespace.name : `${first.kind} ${namespace.name}/${first.name}`;
}
