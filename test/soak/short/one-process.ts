/** The short forms of test/soak: they assert what must never be, and nothing about speed. */
import { availableParallelism } from 'node:os';
import t, { type Test } from 'tap';
import { clusterTest } from '../../apiserver/cluster-test.ts';
import { describeAudit, measureAudit, missedAudit } from '../audit.ts';
import { guardCrowd, withoutControllers } from '../crowd.ts';
import { describeLatency, measureLatency, missedLatency } from '../latency.ts';
import { describeOverload, missedOverload, overload } from '../overload.ts';
import { describeRace, missedRace, race } from '../race.ts';
import { describeScale, measureScale, missedScale } from '../scale.ts';
import { describeSteady, measureSteady, missedSteady } from '../steady.ts';
import { describeWatch, missedWatch, watchThroughFaults } from '../watch.ts';

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
    const result = await watchThroughFaults(plane, { ...wanted, seed: 4, seconds: 120 });
    nothingMissed(t, missedWatch(result, wanted), describeWatch(result));
  },
  withoutControllers,
);

t.test('a large cluster is known whole, and nothing is written to one that is as it should be', async (t) => {
  const result = await measureScale({ few: 20, many: 600, restMilliseconds: 500 });
  nothingMissed(t, missedScale(result), describeScale(result));
});

t.test('an audit finds something in each of many pods', async (t) => {
  const result = await measureAudit(20, 1_200);
  nothingMissed(t, missedAudit(result), describeAudit(result));
});

t.test('reviews that are due are answered, however many there are', async (t) => {
  if (availableParallelism() < 2) {
    t.pass('server and client need a processor each', { skip: 'there is one' });
    return;
  }
  const steady = await measureSteady({ perSecond: 100, blockSeconds: 0.5, blocks: 4, warmUpSeconds: 0.5 });
  // Four blocks are too few to tell what grows.
  const growth = /^memory grew|descriptors more$/;
  nothingMissed(
    t,
    missedSteady(steady).filter((one) => !growth.test(one)),
    describeSteady(steady),
  );
  const overloaded = await overload({ before: 1, overload: 1, after: 1 });
  const speed = /^goodput|^it had not recovered|^the client was late/;
  nothingMissed(
    t,
    missedOverload(overloaded).filter((one) => !speed.test(one)),
    describeOverload(overloaded),
  );
});
