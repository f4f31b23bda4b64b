/** The same as `compare`, of pods: every pair of bodies is asked about, changed or not. */
import { type Change, createChanges } from '../../src/connectivity/changes.ts';
import { compareOutside } from '../../src/connectivity/compare-outside.ts';
import { comparePair } from '../../src/connectivity/compare-pair.ts';
import { sidesOf } from '../../src/connectivity/sides.ts';
import type { Snapshot } from '../../src/connectivity/snapshot.ts';
import type { Tenancy } from '../../src/tenancy/tenancy.ts';

export function compareExhaustively(before: Snapshot, after: Snapshot, tenancy: Tenancy): readonly Change[] {
  const sides = sidesOf(before, after, tenancy);
  const changes = createChanges();
  for (const worlds of sides.worlds) {
    for (const from of sides.bodies)
      for (const to of sides.bodies) for (const part of comparePair(from, to, worlds, tenancy)) changes.add(part);
    compareOutside(sides, worlds, { peers: () => 'all' }, tenancy.settings, changes);
  }
  return changes.all();
}
