/** The short forms of test/soak: they assert what must never be, and nothing about speed. */
import { clusterTest } from '../apiserver/cluster-test.ts';
import { guardCrowd, withoutControllers } from '../soak/crowd.ts';
import { describeLatency, measureLatency } from '../soak/latency.ts';
import { describeRace, race } from '../soak/race.ts';
import { describeWatch, watchThroughFaults } from '../soak/watch.ts';

await clusterTest(
  'no pod is faster than the policy that closes its namespace',
  async (t, plane) => {
    const cluster = await guardCrowd(plane);
    t.teardown(() => cluster.stop());
    const raced = await race(cluster, 25);
    t.same(raced.violations, [], describeRace(raced));

    const measured = await measureLatency(cluster, 8);
    t.equal(measured.whole.filter(Number.isFinite).length, measured.namespaces, 'every namespace gets its baseline');
    t.ok(measured.healed.length > 0, 'and what was deleted or opened was healed');
    t.comment(describeLatency(measured));
  },
  withoutControllers,
);

await clusterTest(
  'what is known of a cluster is what the cluster has, whatever lies between',
  async (t, plane) => {
    const result = await watchThroughFaults(plane, { changes: 800, kills: 1, seed: 4 });
    t.same(result.violations, [], describeWatch(result));
    t.comment(describeWatch(result));
  },
  withoutControllers,
);
