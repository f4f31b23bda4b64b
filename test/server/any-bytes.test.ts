import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { connect as connectTls } from 'node:tls';
import fc from 'fast-check';
import t from 'tap';
import { createAdmission } from '../../src/admission/admission.ts';
import { echo, everything, exchange, open, repliesIn, request, serve, until } from './serving.ts';

/** Sends the bytes, then says that nothing follows; gives all that comes back. */
async function exchangeAndEnd(port: number, bytes: string | Uint8Array): Promise<string> {
  const socket = await open(port);
  const received = everything(socket);
  socket.end(bytes);
  return received;
}

const statuses = (text: string): number[] => repliesIn(text).map(({ status }) => status);

const isBlank = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 10 || byte === 13);

t.test('every byte string gets an HTTP answer', async (t) => {
  const { port } = await serve(t, echo);
  const anything = fc.uint8Array({ minLength: 1, maxLength: 2000 }).filter((bytes) => !isBlank(bytes));
  const answered = fc.asyncProperty(anything, async (bytes) => {
    return statuses(await exchangeAndEnd(port, bytes)).join() === '400';
  });
  await t.resolves(fc.assert(answered, { numRuns: 150 }));
});

// "a server that is expecting to receive and parse a request-line SHOULD ignore at least one empty line (CRLF) received prior
// to the request-line" (RFC 9112 2.2): blank lines are no request yet, and to say goodbye after them is no mistake.
t.test('blank lines alone get no answer, and the request after them gets its own', async (t) => {
  const { port } = await serve(t, echo);
  const blank = fc.string({ unit: fc.constantFrom('\r', '\n', '\r\n'), minLength: 1, maxLength: 20 });
  const passedOver = fc.asyncProperty(blank, async (lines) => {
    if ((await exchangeAndEnd(port, lines)) !== '') return false;
    const after = lines + request('POST', '/validate', '{}');
    return isBlank(Buffer.from(lines)) && statuses(await exchange(port, after)).join() === '200';
  });
  await t.resolves(fc.assert(passedOver, { numRuns: 50 }));
});

t.test('every request line, header and body gets an HTTP answer, and none leads elsewhere (SRV-02)', async (t) => {
  const { port } = await serve(t, echo);
  const targets = fc.oneof(
    fc.constantFrom('/mutate', '/validate', '/warn', '/', '*', '/mutate/', '//', '/%'),
    fc.webPath(),
    fc.string({ unit: 'binary-ascii' }),
  );
  const headers = fc.dictionary(
    fc.constantFrom(
      'Content-Type',
      'Content-Length',
      'Transfer-Encoding',
      'Expect',
      'Upgrade',
      'Accept-Version',
      '__proto__',
      'constructor',
    ),
    fc.oneof(
      fc.constantFrom('chunked', '100-continue', 'application/json', '-1', '1e3', '99999999999999999999', ''),
      fc.string(),
    ),
  );
  const methods = fc.constantFrom(
    'POST',
    'GET',
    'PUT',
    'DELETE',
    'OPTIONS',
    'HEAD',
    'TRACE',
    'QUERY',
    'PROPFIND',
    'CONNECT',
    'NONE',
  );
  const answered = fc.asyncProperty(methods, targets, headers, fc.string(), async (method, target, headers, body) => {
    const text = await exchangeAndEnd(port, Buffer.from(request(method, target, body, headers), 'latin1'));
    return /^HTTP\/1\.1 [1245]\d\d /.test(text) && !/^location:/im.test(text);
  });
  await t.resolves(fc.assert(answered, { numRuns: 200 }));
});

t.test('every body gets an answer of the admission, within the size that is sent', async (t) => {
  const defects: unknown[] = [];
  const nothing = {
    lookup: () => undefined,
    isFree: () => false,
    fetch: async () => undefined,
    countOwned: () => 0,
    namesOwned: () => new Set<string>(),
    isKept: () => false,
    all: () => [],
    hasPods: async () => false,
  };
  const review = createAdmission({
    tenancy: () => {
      throw new Error('no tenancy is needed for what cannot be read');
    },
    namespaces: nothing,
    onDefect: (error) => defects.push(error),
  });
  const { port } = await serve(t, review);
  const bodies = fc.oneof(
    fc.uint8Array({ maxLength: 500 }),
    fc.json().map((text) => Buffer.from(text)),
  );
  const answered = fc.asyncProperty(bodies, async (body) => {
    const head = request('POST', '/validate', '', { 'Content-Length': String(body.length) });
    const [reply, ...more] = repliesIn(await exchange(port, Buffer.concat([Buffer.from(head), body])));
    return more.length === 0 && reply?.status === 400 && JSON.parse(reply.body).kind === 'Status';
  });
  await t.resolves(fc.assert(answered, { numRuns: 150 }));
  t.same(defects, [], 'none of them is a defect');
});

t.test('what does not come in time is cut off, with an answer', async (t) => {
  const { port, metrics } = await serve(t, echo, { requestMilliseconds: 200 });
  const cases: [what: string, bytes: string][] = [
    ['half a request line', 'POST /vali'],
    ['headers without end', 'POST /validate HTTP/1.1\r\nHost: localhost\r\n'],
    ['half a body', request('POST', '/validate', '{"a":', { 'Content-Length': '100' })],
    [
      'chunks without end',
      'POST /validate HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n',
    ],
    [
      'a body that was allowed and never came',
      request('POST', '/validate', '', { 'Content-Length': '5', Expect: '100-continue' }),
    ],
  ];
  const replies = await Promise.all(cases.map(async ([, bytes]) => exchange(port, bytes)));
  for (const [index, [what]] of cases.entries()) {
    t.match(repliesIn(replies[index] ?? '').at(-1), { status: 408, body: /did not arrive in time/ }, `${what}: 408`);
  }
  const counted = async () => (await metrics.registry.metrics()).includes('refused_total{reason="aborted"} 3');
  const end = performance.now() + 5000;
  await until(async () => performance.now() > end || counted());
  t.ok(await counted(), 'those that had begun a body are counted');
  t.match(await metrics.registry.metrics(), 'bulkhead_requests_in_flight 0', 'and none was in flight');
});

t.test('a body that drips is cut off as well', async (t) => {
  const { port } = await serve(t, echo, { requestMilliseconds: 200 });
  const socket = await open(port);
  const received = everything(socket);
  socket.write(request('POST', '/validate', '', { 'Content-Length': '1000000' }));
  const drip = setInterval(() => socket.writable && socket.write('x'), 10);
  t.same(statuses(await received), [408]);
  clearInterval(drip);
});

t.test('a body that is too large is not kept, and the connection is of use again when it has passed', async (t) => {
  const { port } = await serve(t, echo, { bodyBytes: 100_000 });
  const socket = await open(port);
  const received = everything(socket);
  const body = 'x'.repeat(3_000_000);
  socket.write(request('POST', '/validate', body, { Connection: 'keep-alive' }));
  socket.write(request('POST', '/validate', '{}'));
  t.same(statuses(await received), [413, 200]);
});

t.test('requests that are sent without waiting are answered in their order', async (t) => {
  const { port } = await serve(t, echo);
  const keep = { Connection: 'keep-alive' };
  const replies = repliesIn(
    await exchange(
      port,
      [
        request('POST', '/mutate', 'a', keep),
        request('GET', '/none', '', keep),
        request('POST', '/validate', 'abc'),
      ].join(''),
    ),
  );
  t.same(
    replies.map(({ status }) => status),
    [200, 404, 200],
  );
  t.same(JSON.parse(replies[2]?.body ?? ''), { phase: 'validate', bytes: 3 });
});

t.test('what is not TLS is closed (SRV-11)', async (t) => {
  const { port } = await serve(t, echo, { requestMilliseconds: 200 });
  for (const bytes of ['GET / HTTP/1.1\r\n\r\n', '\x16\x03\x01\xff\xff', '']) {
    await sentPlainly(port, bytes);
    t.pass(`${JSON.stringify(bytes)} does not hold a connection`);
  }
  t.same(statuses(await exchange(port, request('POST', '/validate', '{}'))), [200], 'and the next one is served');
});

t.test('a handshake with anything changed in it is closed or served, and harms nobody else (SRV-11)', async (t) => {
  const { port } = await serve(t, echo, { requestMilliseconds: 200 });
  const hello = await clientHello();
  const change = fc.array(fc.tuple(fc.nat(hello.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
  const changes = fc.array(fc.tuple(change, fc.integer({ min: 1, max: hello.length })), {
    minLength: 40,
    maxLength: 40,
  });
  const ended = fc.asyncProperty(changes, async (all) => {
    const closed = all.map(([bytes, length]) => {
      const changed = Buffer.from(hello.subarray(0, length));
      for (const [at, value] of bytes) if (at < length) changed[at] = value;
      return sentPlainly(port, changed);
    });
    await Promise.all(closed);
    return statuses(await exchange(port, request('POST', '/validate', '{}'))).join() === '200';
  });
  await t.resolves(fc.assert(ended, { numRuns: 5 }));
});

/** The first bytes of a TLS client. */
async function clientHello(): Promise<Buffer> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  const client = connectTls({ port: typeof address === 'object' ? (address?.port ?? 0) : 0, host: '127.0.0.1' });
  client.on('error', () => {});
  const [socket] = await once(listener, 'connection');
  const [bytes] = await once(socket, 'data');
  client.destroy();
  socket.destroy();
  listener.close();
  return bytes;
}

/** Sends bytes without TLS, and waits until the server closes the connection. */
function sentPlainly(port: number, bytes: string | Uint8Array): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => {});
  socket.resume();
  socket.write(bytes);
  return new Promise((resolve) => socket.on('close', () => resolve()));
}
