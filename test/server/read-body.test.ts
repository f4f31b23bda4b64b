/** What bodies may hold of the memory, and for how long. */
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import { type Body, type BodyReader, createBodyReader } from '../../src/server/read-body.ts';

const limits = { bodyBytes: 1_000_000, heldBytes: 100_000, bodyMilliseconds: 5000, incompletePerAddress: 100 };

interface Sender {
  readonly body: Promise<Body>;
  send(bytes: Buffer | null): Promise<void>;
}

/** Each `send` is one piece as the HTTP parser gives it; `null` is the end. */
function begin(reader: BodyReader, verified = false): Sender {
  const request = new IncomingMessage(new Socket());
  const body = reader.read(request, performance.now(), verified ? undefined : '10.0.0.1');
  return {
    body,
    async send(bytes) {
      request.push(bytes);
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

async function outcome(body: Promise<Body>): Promise<string> {
  const incomplete = new Promise<'incomplete'>((resolve) => setImmediate(() => resolve('incomplete')));
  const done = await Promise.race([body, incomplete]);
  if (done === 'incomplete') return done;
  return done.ok ? 'complete' : done.reason;
}

t.test('a body in many small pieces holds what the pieces take', async (t) => {
  const reader = createBodyReader(limits);
  const dripping = begin(reader);
  for (let count = 0; count < 200; count++) await dripping.send(Buffer.from('x'));
  t.equal(await outcome(dripping.body), 'no-room', '200 pieces of one byte are more than 100,000 bytes');
  const second = begin(reader);
  for (let count = 0; count < 100; count++) await second.send(Buffer.from('x'));
  t.equal(await outcome(second.body), 'incomplete', 'all of it was given back');
  await second.send(null);
  t.equal(await outcome(second.body), 'complete');
  const third = begin(reader);
  for (let count = 0; count < 100; count++) await third.send(Buffer.from('x'));
  t.equal(await outcome(third.body), 'incomplete', 'of a complete body the pieces are gone');
});

t.test('of a complete body its pieces are not kept', async (t) => {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const reader = createBodyReader({ ...limits, bodyBytes: 64e6, heldBytes: 512e6 });
  const before = process.memoryUsage().arrayBuffers;
  const sender = begin(reader);
  for (let count = 0; count < 8; count++) await sender.send(Buffer.alloc(2.5e6, 'x'));
  await sender.send(null);
  const body = await sender.body;
  // V8 frees array buffers on another thread, some time after the collection that found them.
  let kept = Number.POSITIVE_INFINITY;
  for (const end = performance.now() + 5000; kept >= 30e6 && performance.now() < end; ) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    collect();
    kept = process.memoryUsage().arrayBuffers - before;
  }
  t.ok(kept < 30e6, `it is in memory once: ${kept} bytes`);
  t.equal(body.ok && body.bytes.length, 20e6);
  t.ok(sender, 'while its request lives');
});

t.test('a body gives way only where that makes room enough', async (t) => {
  const reader = createBodyReader(limits);
  const complete = begin(reader);
  await complete.send(Buffer.alloc(80_000));
  await complete.send(null);
  t.equal(await outcome(complete.body), 'complete');
  const [empty, small] = [begin(reader), begin(reader)];
  await small.send(Buffer.alloc(5000));
  const large = begin(reader);
  await large.send(Buffer.alloc(30_000));
  t.equal(await outcome(large.body), 'no-room', 'too large beside what is complete');
  t.equal(await outcome(empty.body), 'incomplete', 'so no other gives way for nothing');
  t.equal(await outcome(small.body), 'incomplete');
  const fitting = begin(reader);
  await fitting.send(Buffer.alloc(17_000));
  t.equal(await outcome(fitting.body), 'incomplete');
  t.equal(await outcome(small.body), 'displaced', 'which makes room');
  t.equal(await outcome(empty.body), 'incomplete', 'and this would not');
  const verified = begin(reader, true);
  await verified.send(Buffer.alloc(18_000));
  t.equal(await outcome(fitting.body), 'displaced', 'for a verified client as well');
  t.equal(await outcome(verified.body), 'incomplete');
});
