/** Clients that send slowly, or never end a body, block no other client (SRV-17). */
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import t from 'tap';
import { loadClientAuthority } from '../../src/server/client-authority.ts';
import { createClientCheck } from '../../src/server/client-check.ts';
import { webhookLimits } from '../../src/server/webhook-limits.ts';
import { createCertificateAuthority } from '../apiserver/certificates.ts';
import { echo, everything, exchange, open, repliesIn, request, serve, until } from './serving.ts';

/** A connection with a body that is incomplete. */
interface SlowSender {
  readonly socket: TLSSocket;
  /** All that the server sends until it closes the connection. */
  readonly answer: Promise<string>;
}

/** One byte short unless `announced` says otherwise. */
async function startBody(port: number, bytes = 1, options = {}, announced = bytes + 1): Promise<SlowSender> {
  const socket = await open(port, options);
  const answer = everything(socket);
  socket.write(request('POST', '/validate', 'x'.repeat(bytes), { 'Content-Length': String(announced) }));
  return { socket, answer };
}

/** One byte more for each of them, as often as this says. */
function drip(t: { teardown(handler: () => void): void }, senders: readonly SlowSender[], milliseconds: number): void {
  const drips = setInterval(() => {
    for (const { socket } of senders) if (socket.writable) socket.write('x');
  }, milliseconds);
  t.teardown(() => clearInterval(drips));
}

async function statusOf(answer: Promise<string>): Promise<number | undefined> {
  return repliesIn(await answer).at(-1)?.status;
}

const review = (port: number, bytes = 2): Promise<number | undefined> =>
  statusOf(exchange(port, request('POST', '/validate', 'x'.repeat(bytes))));

async function refusedFor(metrics: { registry: { metrics(): Promise<string> } }, reason: string): Promise<number> {
  const [, count] =
    new RegExp(`refused_total\\{reason="${reason}"\\} (\\d+)`).exec(await metrics.registry.metrics()) ?? [];
  return Number(count);
}

t.test('a body has its time from its headers on, and then the connection is closed', async (t) => {
  const { port, metrics } = await serve(t, echo, { bodyMilliseconds: 300 });
  const began = performance.now();
  const slow = await startBody(port, 1, {}, 1000);
  drip(t, [slow], 20);
  const later = new Promise<SlowSender>((resolve, reject) =>
    setTimeout(() => startBody(port).then(resolve, reject), 150),
  );
  const [reply] = repliesIn(await slow.answer);
  t.match(reply, { status: 503, body: /did not arrive in time/ });
  t.equal(reply?.headers.get('retry-after'), '1', 'an API server on a slow network may try again');
  t.equal(reply?.headers.get('connection'), 'close');
  t.ok(performance.now() - began >= 300, 'not before its time is over');
  t.equal(await statusOf((await later).answer), 503, 'one that began later has its own time');
  t.ok(performance.now() - began >= 450);
  t.equal(await refusedFor(metrics, 'slow-body'), 2);
  t.equal(webhookLimits.bodyMilliseconds, 2000, 'which is two seconds');
});

t.test('a body that arrived while the event loop stood still is in time', async (t) => {
  const { port, metrics } = await serve(t, echo, { bodyMilliseconds: 300 });
  const sender = await startBody(port, 1000);
  await new Promise((resolve) => setTimeout(resolve, 50));
  // After this phase of the event loop come the timers.
  await new Promise((resolve) => setImmediate(resolve));
  sender.socket.write('x');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 600);
  t.equal(await statusOf(sender.answer), 200);
  t.equal(await refusedFor(metrics, 'slow-body'), 0);
});

t.test('420 slow senders keep no review of their own address from its answer', async (t) => {
  // However long their connections take to open, none is over before the last has begun.
  const { port, metrics } = await serve(t, echo, { bodyMilliseconds: 300_000, requestMilliseconds: 300_000 });
  const slow = await Promise.all(Array.from({ length: 420 }, () => startBody(port, 1, {}, 1000)));
  drip(t, slow, 100);
  const most = webhookLimits.incompletePerAddress;
  await until(async () => (await refusedFor(metrics, 'displaced')) === slow.length - most);
  for (let count = 0; count < 20; count++) t.equal(await review(port), 200);
  t.match(await metrics.registry.metrics(), 'bulkhead_requests_in_flight 0', 'only what is complete is in flight');
  t.equal(await refusedFor(metrics, 'displaced'), slow.length - most + 1, 'of the others one gave way to the reviews');
  for (const reason of ['overloaded', 'no-room', 'slow-body']) t.equal(await refusedFor(metrics, reason), 0, reason);
  for (const { socket } of slow) socket.destroy();
  await until(async () => (await refusedFor(metrics, 'aborted')) === most - 1);
  t.pass('and each of the rest is counted once');
});

t.test('the oldest incomplete body of an address gives way, and those of other addresses stay', async (t) => {
  const { port, metrics } = await serve(t, echo, { incompletePerAddress: 2 });
  const other = await startBody(port, 1, { localAddress: '127.0.0.9' });
  const [first, second] = [await startBody(port), await startBody(port)];
  const third = await startBody(port);
  const [reply] = repliesIn(await first.answer);
  t.match(reply, { status: 503, body: /took the place of this one/ });
  t.equal(reply?.headers.get('retry-after'), '1', 'an API server behind the same address may try again');
  for (const { socket } of [second, third, other]) socket.write('x');
  for (const { answer } of [second, third, other]) t.equal(await statusOf(answer), 200);
  t.equal(await refusedFor(metrics, 'displaced'), 1);
});

t.test('an answer does not end the connection of a body that gave way', async (t) => {
  const { port } = await serve(t, echo, { incompletePerAddress: 1 });
  const socket = await open(port);
  t.teardown(() => socket.destroy());
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  socket.write(request('POST', '/validate', '{', { 'Content-Length': '2', Connection: 'keep-alive' }));
  await until(() => exchange(port, request('POST', '/validate', '{}')).then(() => text !== ''));
  socket.write('}');
  socket.write(request('POST', '/validate', '{}', { Connection: 'keep-alive' }));
  await until(() => text.includes('"bytes":2'));
  t.strictSame(
    repliesIn(text).map(({ status }) => status),
    [503, 200],
    'the rest is thrown away, and the next request is reviewed',
  );
});

t.test('the memory for bodies is not kept by those that are slow', async (t) => {
  const { port, metrics } = await serve(t, echo, { heldBytes: 10_000 });
  const [first, second] = [await startBody(port, 4000), await startBody(port, 4000)];
  t.equal(await review(port, 9000), 200, 'what is new and quick has room');
  t.equal(await statusOf(first.answer), 503, 'of the oldest');
  t.equal(await refusedFor(metrics, 'displaced'), 2, 'and of as many as it takes');
  t.equal(await statusOf(second.answer), 503);
  t.equal(await refusedFor(metrics, 'no-room'), 0);
});

t.test('a client whose certificate is verified never gives way', async (t) => {
  const platform = createCertificateAuthority('platform');
  const folder = t.testdir({ 'ca.crt': platform.certificate });
  const authority = await loadClientAuthority(join(folder, 'ca.crt'), Date.now());
  const limits = { incompletePerAddress: 1, heldBytes: 12_000, bodyMilliseconds: 5000 };
  const { port, metrics } = await serve(t, echo, limits, 0, createClientCheck(authority, []));
  const { certificate, key } = platform.issueClient('kube-apiserver', []);
  const verified = { cert: certificate, key };
  const bodies = [await startBody(port, 4000, verified), await startBody(port, 4000, verified)];
  const unverified = await startBody(port, 4000);
  t.equal(await statusOf(unverified.answer), 401, 'without one, a body is not read at all');
  const third = await startBody(port, 4000, verified);
  t.equal(await statusOf(third.answer), 503, 'where there is no room for its body, it is the new one that waits');
  t.equal(await refusedFor(metrics, 'no-room'), 1);
  for (const { socket } of bodies) socket.write('x');
  for (const { answer } of bodies) t.equal(await statusOf(answer), 200, 'what it has begun is reviewed');
  t.equal(await refusedFor(metrics, 'displaced'), 0);
});

t.test('a body that goes nowhere is not waited for, and nothing of it is kept', async (t) => {
  const platform = createCertificateAuthority('platform');
  const folder = t.testdir({ 'ca.crt': platform.certificate });
  const authority = await loadClientAuthority(join(folder, 'ca.crt'), Date.now());
  const servers = [
    ['anybody may ask', await serve(t, echo)],
    ['clients are checked', await serve(t, echo, {}, 0, createClientCheck(authority, []))],
  ] as const;
  const wrong = [
    ['POST', '/', 404],
    ['POST', '/nothing', 404],
    ['PUT', '/validate', 405],
    ['GET', '/validate', 405],
  ] as const;
  const announced = [
    { 'Content-Length': '1040000' },
    { 'Content-Length': '1040000', 'Content-Type': 'application/json' },
    { 'Content-Length': '30000000' },
  ];
  for (const [which, { port }] of servers) {
    for (const [method, target, status] of wrong) {
      for (const headers of announced) {
        const began = performance.now();
        const text = await exchange(port, request(method, target, '{"a":', headers));
        const [reply, ...more] = repliesIn(text);
        const what = `${method} ${target}, ${JSON.stringify(headers)}, ${which}`;
        t.equal(reply?.status, status, what);
        t.equal(reply?.headers.get('connection'), 'close', 'what else comes of the body is no request');
        t.same(more, []);
        t.ok(performance.now() - began < webhookLimits.requestMilliseconds / 2, 'at once');
      }
    }
  }
});

t.test('a body of no readable type is not waited for either', async (t) => {
  const { port } = await serve(t, echo);
  const headers = { 'Content-Length': '1040000', 'Content-Type': 'not a type' };
  const [reply] = repliesIn(await exchange(port, request('POST', '/nothing', '{', headers)));
  t.equal(reply?.status, 415);
  t.equal(reply?.headers.get('connection'), 'close');
});

t.test('a body in chunks that goes nowhere is no request either', async (t) => {
  const { port } = await serve(t, echo);
  const inside = request('POST', '/validate', '{}');
  const head = 'POST /nothing HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n';
  const chunked = `${head}${inside.length.toString(16)}\r\n${inside}\r\n`;
  t.strictSame(
    repliesIn(await exchange(port, chunked)).map(({ status }) => status),
    [404],
  );
});
