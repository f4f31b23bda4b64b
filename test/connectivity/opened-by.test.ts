/** What opens a crossing is looked for where it is shown, and no further than the first rule of each end. */
import t from 'tap';
import { crossingsOf } from '../../src/connectivity/crossings.ts';
import { openersOf } from '../../src/connectivity/opened-by.ts';
import { createParties } from '../../src/connectivity/parties.ts';
import { readSnapshot } from '../../src/connectivity/read-snapshot.ts';
import { readingsOf } from '../../src/connectivity/readings.ts';
import { createWorld, type Decision, type World } from '../../src/connectivity/world.ts';
import { namespace, plainTenancy, pod, policy } from './worlds.ts';

const ports = [...Array(20).keys()].map((index) => 1000 + index);
const open = {
  ...{ podSelector: {}, policyTypes: ['Ingress', 'Egress'], egress: [{}] },
  ingress: ports.map((port) => ({ from: [{ namespaceSelector: {} }], ports: [{ port }] })),
};
const snapshot = readSnapshot(
  ['acme', 'beta'].flatMap((name) => [
    ...[namespace(`${name}-web`, name), pod(`${name}-web/front`), policy(`${name}-web/open`, open)],
  ]),
  plainTenancy,
  { hasPods: true, withBaseline: false },
);

t.test('nothing is looked for until it is shown, and then two rules are read', async (t) => {
  const parties = createParties(snapshot.namespaces, snapshot.workloads, plainTenancy);
  const [reading] = readingsOf(plainTenancy.settings.plugin, snapshot.policies);
  if (reading === undefined) throw new Error('no reading');
  const plain = createWorld(snapshot, parties, plainTenancy.settings, reading);
  const seenBy: Decision[] = [];
  const world: World = {
    ...plain,
    allowed: (pods, direction, peer, seen) =>
      plain.allowed(
        ...([pods, direction, peer] as const),
        seen &&
          ((decision) => {
            seenBy.push(decision);
            return seen(decision);
          }),
      ),
  };
  const { crossings } = crossingsOf(world, plainTenancy, 0);
  t.equal(crossings.length, 2);
  t.equal(seenBy.length, 0);
  for (const { violating } of crossings) {
    seenBy.length = 0;
    if (violating === undefined) throw new Error('no violation');
    t.match(openersOf(violating), [{ path: 'spec.ingress[0].from[0].namespaceSelector' }, { path: 'spec.egress[0]' }]);
    t.equal(seenBy.length, 2);
  }
});
