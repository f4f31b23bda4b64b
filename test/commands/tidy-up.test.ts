import t from 'tap';
import { tidyUpWhenIdle } from '../../src/commands/tidy-up.ts';
import { fakeClock } from '../client/fake-clock.ts';

t.test('memory is given back after the start, and again whenever nobody asks', async (t) => {
  const clock = fakeClock();
  let reviews = 0;
  let collected = 0;
  const collections = () => {
    const count = collected;
    collected = 0;
    return count;
  };
  const stop = tidyUpWhenIdle({ clock, reviews: () => reviews, collect: () => void collected++ });

  reviews = 1;
  clock.advance(4_999);
  t.equal(collections(), 0);
  clock.advance(1);
  t.equal(collections(), 1, 'five seconds after the start, though there was a review');

  clock.advance(29_999);
  t.equal(collections(), 0);
  clock.advance(1);
  t.equal(collections(), 1, '30 s without a review');

  for (let period = 0; period < 3; period++) {
    reviews++;
    clock.advance(30_000);
    t.equal(collections(), 0, 'a review since the last look');
  }
  clock.advance(30_000);
  t.equal(collections(), 1, 'and none since then');

  stop();
  clock.advance(600_000);
  t.equal(collections(), 0, 'it has ended');
  t.same(clock.waits(), []);
});
