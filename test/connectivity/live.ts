/** A world that follows a cluster, beside one that is made anew after each event: each pair must be connected on the same ports. */
import { createLive } from '../../src/connectivity/live.ts';
import { matrixOf } from '../../src/connectivity/matrix.ts';
import { node, type Party, unnamedPod } from '../../src/connectivity/parties.ts';
import type { World } from '../../src/connectivity/world.ts';
import { knownRange } from '../../src/kubernetes/ip-range.ts';
import { randomFrom } from '../engines/random.ts';
import { readings, tenancy } from './compare.ts';
import { type EngineReading, randomWorld, type Written } from './random-world.ts';
import { worldOf } from './worlds.ts';

export interface LiveSearch {
  readonly events: number;
  /** How many of each kind: `put Pod`. */
  readonly kinds: ReadonlyMap<string, number>;
  /** The first, in words; undefined: there is none. */
  readonly difference: string | undefined;
}

/** Objects of several worlds with the same names, of which one after the other comes, changes or goes. */
export function searchLive(seed: number, reading: EngineReading, events: number): LiveSearch {
  const random = randomFrom(seed);
  const worlds = [0, 1, 2, 3, 4, 5].map((more) => randomWorld(seed * 31 + more, reading));
  const pool = worlds.flatMap((one) => one.objects);
  const [first] = worlds;
  const present = new Map<string, Written>((first?.objects ?? []).map((one) => [keyOf(one), one]));
  const live = createLive(present.values(), tenancy, readings[reading]);
  const kinds = new Map<string, number>();
  const addresses = worlds.flatMap((one) => one.addresses);
  const outside: readonly Party[] = [
    ...[...new Set(addresses)].map((text): Party => {
      return { kind: 'address', range: knownRange(`${text}/${text.includes(':') ? 128 : 32}`) };
    }),
    ...[...new Set(worlds.flatMap((one) => one.names))].map((name): Party => ({ kind: 'name', name })),
    node,
    unnamedPod,
  ];
  for (let event = 0; event < events; event++) {
    const object = pool[random.below(pool.length)];
    if (object === undefined) throw new Error('no object');
    const known = present.get(keyOf(object));
    const goes = known !== undefined && random.below(2) === 0;
    const says = `${goes ? 'remove' : known === undefined ? 'put' : 'change'} ${object.kind}`;
    kinds.set(says, (kinds.get(says) ?? 0) + 1);
    if (goes) {
      live.remove(known);
      present.delete(keyOf(object));
    } else {
      // As one that comes from a watch: no part of it is an object that was seen before.
      live.put(structuredClone(object));
      present.set(keyOf(object), object);
    }
    const fresh = worldOf([...present.values()], readings[reading], tenancy);
    const difference = differenceOf(live.world, fresh, outside);
    if (difference !== undefined) return { events: event, kinds, difference: `after ${event}, ${says}: ${difference}` };
  }
  return { events, kinds, difference: undefined };
}

function keyOf({ apiVersion, kind, metadata: { namespace, name } }: Written): string {
  return `${apiVersion} ${kind} ${namespace}/${name}`;
}

/** Of the pods by their places, and of all that is outside. */
function partiesOf({ parties }: World, outside: readonly Party[]): ReadonlyMap<string, Party> {
  const pods = parties.classes.flatMap((one) =>
    one.workloads.map(({ namespace, name }) => [`${namespace}/${name}`, one] as const),
  );
  return new Map<string, Party>([...pods, ...outside.map((one, index) => [`outside ${index}`, one] as const)]);
}

function differenceOf(live: World, fresh: World, outside: readonly Party[]): string | undefined {
  const [ours, theirs] = [partiesOf(live, outside), partiesOf(fresh, outside)];
  const names = [...theirs.keys()];
  if ([...ours.keys()].toSorted().join() !== names.toSorted().join()) return `pods ${[...ours.keys()]} for ${names}`;
  for (const from of names)
    for (const to of names) {
      const [source, target] = [ours.get(from), ours.get(to)];
      const [expectedFrom, expectedTo] = [theirs.get(from), theirs.get(to)];
      if (!source || !target || !expectedFrom || !expectedTo) throw new Error(`${from} or ${to} is missing`);
      if (source.kind !== 'pod' && target.kind !== 'pod') continue;
      const found = live.connection(source, target).join();
      const expected = fresh.connection(expectedFrom, expectedTo).join();
      if (found !== expected) return `${from} > ${to}: ${found} for ${expected}`;
    }
  const cells = (world: World) =>
    matrixOf(world)
      .cells.map(({ from, to, ports }) => `${from} ${to} ${ports.join()}`)
      .toSorted()
      .join('\n');
  const [found, expected] = [cells(live), cells(fresh)];
  return found === expected ? undefined : `matrix: ${found} for ${expected}`;
}
