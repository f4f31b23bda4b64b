/** The short forms of steady.ts and overload.ts. */
import { availableParallelism } from 'node:os';
import t from 'tap';
import { describeOverload, missedOverload, overload } from '../overload.ts';
import { describeSteady, measureSteady, missedSteady } from '../steady.ts';

t.test('reviews that are due are answered, however many there are', async (t) => {
  if (availableParallelism() < 2) {
    t.pass('server and client need a processor each', { skip: 'there is one' });
    return;
  }
  const steady = await measureSteady({ perSecond: 100, blockSeconds: 0.5, blocks: 4, warmUpSeconds: 0.5 });
  // Four blocks are too few to tell what grows.
  const growth = /^memory grew|descriptors more$/;
  t.same(
    missedSteady(steady).filter((one) => !growth.test(one)),
    [],
    describeSteady(steady),
  );
  const overloaded = await overload({ before: 1, overload: 1, after: 1 });
  const speed = /^goodput|^it had not recovered|^the client was late/;
  t.same(
    missedOverload(overloaded).filter((one) => !speed.test(one)),
    [],
    describeOverload(overloaded),
  );
});
