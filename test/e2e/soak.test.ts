/** The short forms of test/soak: they assert what must never be, and nothing about speed. */
import t, { type Test } from 'tap';
import { clusterTest } from '../apiserver/cluster-test.ts';
import { guardCrowd, withoutControllers } from '../soak/crowd.ts';
import { describeLatency, measureLatency, missedLatency } from '../soak/latency.ts';
import { describeRace, missedRace, race } from '../soak/race.ts';
import { describeScale, measureScale, missedScale } from '../soak/scale.ts';
import { describeWatch, missedWatch, watchThroughFaults } from '../soak/watch.ts';

function nothingMissed(t: Test, missed: readonly string[], figures: string): void {
  t.same(missed, [], figures);
}

await clusterTest(
  'no pod is faster than the policy that closes its namespace, and what is deleted or opened is healed',
  async (t, plane) => {
    const cluster = await guardCrowd(plane);
    t.teardown(() => cluster.stop());
    const raced = await race(cluster, 25);
    nothingMissed(t, missedRace(raced, 25), describeRace(raced));
    const measured = await measureLatency(cluster, 8);
    nothingMissed(t, missedLatency(measured), describeLatency(measured));
  },
  withoutControllers,
);

await clusterTest(
  'what is known of a cluster is what the cluster has, whatever lies between',
  async (t, plane) => {
    const wanted = { changes: 800, kills: 1, faults: 2 };
    const result = await watchThroughFaults(plane, { ...wanted, seed: 4 });
    nothingMissed(t, missedWatch(result, wanted), describeWatch(result));
  },
  withoutControllers,
);

t.test('a large cluster is known whole, and nothing is written to one that is as it should be', async (t) => {
  const result = await measureScale({ few: 20, many: 600, restMilliseconds: 500 });
  nothingMissed(t, missedScale(result), describeScale(result));
});
