import t from 'tap';
import { createRateLimits } from '../../src/client/rate-limits.ts';
import { fakeClock } from './fake-clock.ts';

const limits = { free: 3, first: 2_000, limit: 60_000 };
const key = 'one';

/** Does it whenever it may be done, for so long; the moments, in seconds. */
function doAll(chance: number, minutes: number): number[] {
  const clock = fakeClock(chance);
  const start = clock.now();
  const waits = createRateLimits(limits, clock);
  const moments: number[] = [];
  for (;;) {
    clock.advance(waits.left(key));
    const moment = clock.now() - start;
    if (moment >= minutes * 60_000) return moments;
    moments.push(moment / 1_000);
    waits.begin(key);
  }
}

t.test('three times come one after the other, and then ever longer waits', async (t) => {
  t.same(doAll(0, 2), [0, 0, 0, 1, 3, 7, 15, 31, 61, 91], 'at most eight in the first minute, and two in the next');
  t.same(doAll(0.5, 2), [0, 0, 0, 1.5, 4.5, 10.5, 22.5, 46.5, 91.5], 'fewer where chance makes the waits longer');
  t.equal(doAll(0, 60).length, 8 + 59 * 2, 'and it stays so');
});

t.test('each key waits for itself', async (t) => {
  const waits = createRateLimits({ free: 1, first: 1_000, limit: 1_000 }, fakeClock());
  waits.begin('one');
  t.same([waits.left('one'), waits.left('other')], [750, 0]);
  waits.forget('one');
  t.equal(waits.left('one'), 0);
});

t.test('what was at rest for five minutes begins anew', async (t) => {
  const clock = fakeClock(0);
  const waits = createRateLimits(limits, clock);
  for (let index = 0; index < 3; index++) waits.begin(key);
  t.equal(waits.size(), 1);
  clock.advance(300_000);
  t.equal(waits.size(), 1, 'not yet');
  clock.advance(1_000);
  t.equal(waits.size(), 0);
  waits.begin(key);
  t.equal(waits.left(key), 0, 'the first of three');
  t.equal(waits.size(), 0, 'that it was done is nothing to speak of');
});

t.test('a wait can be shortened, but not to less than was asked for', async (t) => {
  const clock = fakeClock(0);
  const waits = createRateLimits({ free: 1, first: 60_000, limit: 60_000 }, clock);
  t.equal(waits.begin('plain'), 30_000);
  t.equal(waits.begin('asked', 5_000), 30_000);
  t.equal(waits.begin('long', 45_000), 45_000);
  clock.advance(400);
  for (const one of ['plain', 'asked', 'long', 'unknown']) waits.shorten(one, 1_000);
  t.same(
    ['plain', 'asked', 'long', 'unknown'].map((one) => waits.left(one)),
    [600, 4_600, 44_600, 0],
  );
  waits.shorten('plain', 60_000);
  t.equal(waits.left('plain'), 600, 'and never lengthened');
});
