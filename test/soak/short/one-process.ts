/** The short forms of what runs in this process: race.ts, latency.ts, watch.ts, scale.ts and audit.ts. */
import t from 'tap';
import { clusterTest } from '../../apiserver/cluster-test.ts';
import { describeAudit, measureAudit, missedAudit } from '../audit.ts';
import { guardCrowd, withoutControllers } from '../crowd.ts';
import { describeLatency, measureLatency, missedLatency } from '../latency.ts';
import { describeRace, missedRace, race } from '../race.ts';
import { describeScale, measureScale, missedScale } from '../scale.ts';
import { describeWatch, missedWatch, watchThroughFaults } from '../watch.ts';

await clusterTest(
  'no pod is faster than the policy that closes its namespace, and what is deleted or opened is healed',
  async (t, plane) => {
    const cluster = await guardCrowd(plane);
    t.teardown(() => cluster.stop());
    const raced = await race(cluster, 25);
    t.same(missedRace(raced, 25), [], describeRace(raced));
    const measured = await measureLatency(cluster, 8);
    t.same(missedLatency(measured), [], describeLatency(measured));
  },
  withoutControllers,
);

await clusterTest(
  'what is known of a cluster is what the cluster has, whatever lies between',
  async (t, plane) => {
    const wanted = { changes: 800, kills: 1, faults: 2 };
    const result = await watchThroughFaults(plane, { ...wanted, seed: 4, seconds: 120 });
    t.same(missedWatch(result, wanted), [], describeWatch(result));
  },
  withoutControllers,
);

t.test('a large cluster is known whole, and nothing is written to one that is as it should be', async (t) => {
  const result = await measureScale({ few: 20, many: 600, restMilliseconds: 500 });
  t.same(missedScale(result), [], describeScale(result));
});

t.test('an audit finds something in each of many pods', async (t) => {
  const result = await measureAudit(20, 1_200);
  t.same(missedAudit(result), [], describeAudit(result));
});
