import t from 'tap';
import { findEnd } from '../../src/connectivity/endpoints.ts';
import { narrowed } from '../../src/connectivity/narrowed.ts';
import { createParties, type Party } from '../../src/connectivity/parties.ts';
import { readSnapshot } from '../../src/connectivity/read-snapshot.ts';
import type { Snapshot } from '../../src/connectivity/snapshot.ts';
import { createWorld } from '../../src/connectivity/world.ts';
import { readings, tenancy } from './compare.ts';
import { engineReadings, randomWorld } from './random-world.ts';

/** What pods are called, as a class has another number in each. */
function nameOf(party: Party): string {
  return party.kind === 'pod'
    ? party.workloads.map(({ namespace, name }) => `${namespace}/${name}`).join()
    : party.kind;
}

for (const reading of engineReadings)
  t.test(`two ends are connected in what is near them as in the whole snapshot: ${reading}`, async (t) => {
    let [pairs, left] = [0, 0];
    for (let seed = 1; seed <= 25; seed++) {
      const { objects, addresses } = randomWorld(seed, reading);
      const snapshot = readSnapshot(objects, tenancy, { hasPods: true, withBaseline: false });
      const pods = snapshot.workloads.flatMap(({ namespace, name }) => [
        `${namespace}/${name}`,
        `pod/${namespace}/${name}`,
      ]);
      const ends = [
        ...pods.slice(0, 4),
        ...snapshot.namespaces.map(({ name }) => `namespace/${name}`),
        ...['tenant/acme', 'internet', 'node', '10.244.0.1', '10.244.0.0/30', ...addresses],
      ];
      const answer = (near: Snapshot, from: string, to: string): unknown => {
        const parties = createParties(near.namespaces, near.workloads, tenancy);
        const world = createWorld(near, parties, tenancy.settings, readings[reading]);
        const [one, other] = [from, to].map((end) => findEnd(end, 'default', snapshot, parties, tenancy.settings));
        if (one === undefined || other === undefined) return [];
        if ('unknown' in one || 'unknown' in other)
          return [one, other].map((end) => ('unknown' in end ? end.unknown : end.name));
        return one.parties
          .flatMap((source) =>
            other.parties.map((target) => [nameOf(source), nameOf(target), world.connection(source, target).join()]),
          )
          .toSorted();
      };
      for (const from of ends)
        for (const to of ends) {
          const near = narrowed(snapshot, [from, to], 'default', tenancy);
          const [ours, theirs] = [answer(near, from, to), answer(snapshot, from, to)].map((one) => JSON.stringify(one));
          if (ours !== theirs) t.equal(ours, theirs, `${seed}: ${from} > ${to}`);
          pairs++;
          if (near.workloads.length < snapshot.workloads.length) left++;
        }
    }
    t.ok(left > pairs / 4, 'most of a snapshot is left out');
  });
