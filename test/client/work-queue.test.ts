import t from 'tap';
import { createWorkQueue, RetryLater } from '../../src/client/work-queue.ts';
import { fakeClock } from './fake-clock.ts';

/** A queue whose work ends when the test says so. */
function controlled(concurrency: number) {
  const clock = fakeClock();
  const started: string[] = [];
  const failures: [string, number][] = [];
  const running = new Map<string, { end(rest?: number): void; fail(error: Error): void }>();
  const queue = createWorkQueue(
    concurrency,
    clock,
    (key) => {
      started.push(key);
      return new Promise((resolve, reject) => running.set(key, { end: resolve, fail: reject }));
    },
    (key, _error, wait) => failures.push([key, wait]),
  );
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  return {
    clock,
    started,
    failures,
    queue,
    async end(key: string, rest?: number) {
      running.get(key)?.end(rest);
      await turn();
    },
    async fail(key: string, error = new Error('no')) {
      running.get(key)?.fail(error);
      await turn();
    },
  };
}

t.test('a key that waits is taken once', async (t) => {
  const { queue, started, end } = controlled(1);
  for (const key of ['a', 'b', 'b', 'b', 'c']) queue.add(key);
  t.same(started, ['a'], 'one at a time');
  t.equal(queue.size(), 3);
  await end('a');
  await end('b');
  await end('c');
  t.same(started, ['a', 'b', 'c'], 'in the order in which they came');
  t.equal(queue.size(), 0);
});

t.test('a key that is being worked on is taken once more, and never twice at once', async (t) => {
  const { queue, started, end } = controlled(8);
  for (const key of ['a', 'a', 'a']) queue.add(key);
  t.same(started, ['a']);
  await end('a');
  t.same(started, ['a', 'a']);
  await end('a');
  t.same(started, ['a', 'a']);
});

t.test('different keys are worked on at once, up to the limit', async (t) => {
  const { queue, started, end } = controlled(2);
  for (const key of ['a', 'b', 'c']) queue.add(key);
  t.same(started, ['a', 'b']);
  await end('b');
  t.same(started, ['a', 'b', 'c']);
});

t.test('failures of a key are waited out, ever longer, and forgotten when it succeeds', async (t) => {
  const { queue, clock, failures, fail, end, started } = controlled(1);
  queue.add('a');
  for (let index = 0; index < 16; index++) {
    await fail('a');
    clock.advance(30_000);
  }
  t.same(
    failures.map(([, wait]) => wait),
    [2.5, 5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 10240, 20480, 30000, 30000],
    'half of the doubled 5 ms for a chance of 0.5, and no more than half of a minute',
  );
  await end('a');
  queue.add('a');
  await fail('a');
  t.same(failures.at(-1), ['a', 2.5]);
  t.equal(started.length, 18);
});

t.test('one that fails does not hold up the others', async (t) => {
  const { queue, started, fail } = controlled(1);
  queue.add('a');
  queue.add('b');
  await fail('a');
  t.same(started, ['a', 'b']);
});

t.test('adding a key that waits after a failure does not shorten the wait', async (t) => {
  const { queue, clock, started, fail } = controlled(1);
  queue.add('a');
  queue.add('a');
  await fail('a', new RetryLater('busy', 5_000));
  queue.add('a');
  clock.advance(4_999);
  t.same(started, ['a']);
  clock.advance(1);
  t.same(started, ['a', 'a'], 'the wait that was asked for');
});

t.test('a stop waits for what is in hand, and takes nothing more', async (t) => {
  const { queue, clock, started, fail, end } = controlled(2);
  for (const key of ['a', 'b', 'c']) queue.add(key);
  await fail('a');
  t.same(started, ['a', 'b', 'c']);
  const stopped = queue.stop();
  let over = false;
  void stopped.then(() => {
    over = true;
  });
  await end('b');
  t.equal(over, false, 'c is in hand');
  await end('c');
  await stopped;
  queue.add('d');
  clock.advance(1_000);
  t.same(started, ['a', 'b', 'c']);
  t.same(clock.waits(), [], 'no timer is left');
});

t.test('a key for which there is more to do later rests, and is taken before that when it is added', async (t) => {
  const { queue, clock, started, failures, end } = controlled(1);
  queue.add('a');
  await end('a', 5_000);
  t.equal(queue.size(), 1);
  clock.advance(4_999);
  t.same(started, ['a']);
  clock.advance(1);
  t.same(started, ['a', 'a']);
  await end('a', 5_000);
  queue.add('a');
  t.same(started, ['a', 'a', 'a'], 'at once');
  await end('a', 5_000);
  queue.expedite('a');
  t.same(started, ['a', 'a', 'a', 'a'], 'also when it is expedited');
  queue.add('a');
  await end('a', 5_000);
  t.equal(started.length, 5, 'and what was added meanwhile does not wait either');
  await end('a');
  t.same([queue.size(), clock.waits(), failures], [0, [], []], 'no timer is left, and none of it is a failure');
});

t.test('a stop leaves nothing that rests', async (t) => {
  const { queue, clock, end } = controlled(2);
  for (const key of ['a', 'b']) queue.add(key);
  await end('a', 5_000);
  const stopped = queue.stop();
  await end('b', 5_000);
  await stopped;
  t.same(clock.waits(), []);
});

t.test('an expedited key is taken before the others', async (t) => {
  const { queue, started, end } = controlled(1);
  for (const key of ['a', 'b', 'c', 'd']) queue.add(key);
  queue.expedite('d');
  queue.expedite('a');
  queue.expedite('new');
  queue.add('d');
  t.equal(queue.size(), 5, 'also one that was not in the queue');
  for (const key of ['a', 'd', 'new', 'a', 'b', 'c']) await end(key);
  t.same(started, ['a', 'd', 'new', 'b', 'c', 'a'], 'one that was being worked on is taken once more');
});

t.test('how long the first has been waiting', async (t) => {
  const { queue, clock, end, fail } = controlled(1);
  t.equal(queue.longestWait(), 0);
  queue.add('a');
  clock.advance(100);
  queue.add('b');
  clock.advance(50);
  t.equal(queue.longestWait(), 150);
  await fail('a');
  t.equal(queue.longestWait(), 150, 'a failure does not begin the wait anew');
  clock.advance(5);
  await end('b');
  await end('a');
  t.equal(queue.longestWait(), 0);
});

t.test('work that waits for nothing leaves time to others', async (t) => {
  const clock = fakeClock();
  const keys = Array.from({ length: 200 }, (_, index) => `n${index}`);
  const done: string[] = [];
  // Each takes a millisecond of the processor, and nobody else is asked for anything.
  const queue = createWorkQueue(
    8,
    clock,
    async (key) => {
      clock.advance(1);
      done.push(key);
      return undefined;
    },
    () => {},
  );
  for (const key of keys) queue.add(key);
  const longest = { slice: 0 };
  while (done.length < keys.length) {
    const before = done.length;
    await new Promise((resolve) => setImmediate(resolve));
    longest.slice = Math.max(longest.slice, done.length - before);
  }
  t.ok(longest.slice <= 10, `${longest.slice} of ${keys.length} in one slice`);
  t.same(done, keys, 'in their order');
});
