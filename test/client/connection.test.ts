import { createServer as createHttpServer } from 'node:http';
import t, { type Test } from 'tap';
import type { Authentication } from '../../src/client/authentication.ts';
import { createConnection } from '../../src/client/connection.ts';
import { type FakeApiServer, startFakeApiServer } from './fake-api-server.ts';
import { fakeClock, until } from './fake-clock.ts';

const never = new AbortController().signal;

async function connected(t: Test, authentication: Partial<Authentication> = {}, at = (url: string) => url) {
  const server: FakeApiServer = await startFakeApiServer();
  const clock = fakeClock();
  const connection = createConnection(
    {
      credentials: async () => ({ server: at(server.url), headers: {}, tls: {} }),
      refused: () => {},
      ...authentication,
    },
    clock,
  );
  t.teardown(async () => {
    connection.close();
    await server.stop();
  });
  return { server, clock, connection };
}

t.test('an answer is its JSON', async (t) => {
  const { server, connection } = await connected(t);
  server.put('namespaces', { metadata: { name: 'acme-web' } });
  const answer = await connection.request('GET', '/api/v1/namespaces/acme-web', { signal: never });
  t.match(answer, { ok: true, body: { metadata: { name: 'acme-web' } } });
  t.match(server.requests[0]?.headers, {
    accept: 'application/json',
    'user-agent': 'bulkhead',
    connection: 'keep-alive',
  });
});

t.test('a body is sent as JSON of the kind that is asked for', async (t) => {
  const { server, connection } = await connected(t);
  server.put('namespaces', { metadata: { name: 'acme-web' } });
  const body = { metadata: { name: 'acme-web', labels: { ä: 'ü' } } };
  const contentType = 'application/apply-patch+yaml';
  await connection.request('PATCH', '/api/v1/namespaces/acme-web?force=true', { body, contentType, signal: never });
  t.same(server.requests[0]?.body, body);
  t.equal(server.requests[0]?.headers['content-type'], contentType);
  t.equal(server.requests[0]?.query.get('force'), 'true');
});

t.test('a request in the name of another says whose, and an answer when it was given', async (t) => {
  const { server, connection } = await connected(t);
  server.put('namespaces', { metadata: { name: 'acme-web' } });
  const as = { user: 'alice', groups: ['a-team', 'b team'] };
  const get = (options: object) =>
    connection.request('GET', '/api/v1/namespaces/acme-web', { signal: never, ...options });
  const answer = await get({ as });
  t.ok(answer.ok && Math.abs(Date.now() - (answer.date ?? 0)) < 60_000, 'the Date header');
  t.match(server.requests[0]?.headers, { 'impersonate-user': 'alice', 'impersonate-group': /^a-team, ?b team$/ });
  await get({ as: { user: 'bob', groups: [] } });
  t.equal(server.requests[1]?.headers['impersonate-group'], undefined);
  await get({});
  t.equal(server.requests[2]?.headers['impersonate-user'], undefined);
  t.match(await get({ as: { user: 'a\r\nb', groups: [] } }), { ok: false, kind: 'broken' }, 'nothing is smuggled in');
});

t.test('a refusal says what the Status says', async (t) => {
  const { server, connection } = await connected(t);
  server.failNext({ kind: 'status', code: 403, reason: 'Forbidden', cause: 'NamespaceTerminating', retryAfter: 2 });
  t.same(await connection.request('GET', '/api/v1/namespaces', { signal: never }), {
    ok: false,
    kind: 'refused',
    status: 403,
    reason: 'Forbidden',
    causes: ['NamespaceTerminating'],
    message: 'Forbidden says the fake',
    retryAfter: 2000,
  });
});

t.test('the API may live under a path, and headers and path are asked for with every request', async (t) => {
  let tokens = 0;
  const { server, connection } = await connected(t, {}, (url) => `${url}/clusters/one/`);
  await connection.request('GET', '/api/v1/namespaces', { signal: never });
  t.equal(server.requests[0]?.path, '/clusters/one/api/v1/namespaces');
  const other = createConnection(
    {
      credentials: async () => ({ server: server.url, headers: { authorization: `Bearer ${++tokens}` }, tls: {} }),
      refused: () => {},
    },
    fakeClock(),
  );
  t.teardown(() => other.close());
  await other.request('GET', '/api/v1/namespaces', { signal: never });
  await other.request('GET', '/api/v1/namespaces', { signal: never });
  t.same(
    server.requests.slice(1).map(({ headers }) => headers.authorization),
    ['Bearer 1', 'Bearer 2'],
  );
});

t.test('after 401 the credentials are read anew, once', async (t) => {
  let refusals = 0;
  const { server, connection } = await connected(t, { refused: () => void refusals++ });
  server.failNext({ kind: 'status', code: 401, reason: 'Unauthorized' });
  t.match(await connection.request('GET', '/api/v1/namespaces', { signal: never }), { ok: true });
  t.equal(refusals, 1);
  server.failNext({ kind: 'status', code: 401, reason: 'Unauthorized' });
  server.failNext({ kind: 'status', code: 401, reason: 'Unauthorized' });
  t.match(await connection.request('GET', '/api/v1/namespaces', { signal: never }), { ok: false, status: 401 });
  t.equal(refusals, 3);
});

t.test('what keeps an answer from coming is a value', async (t) => {
  const { server, clock, connection } = await connected(t);
  await t.test('a reset', async (t) => {
    server.failNext({ kind: 'reset' });
    t.match(await connection.request('GET', '/api/v1/namespaces', { signal: never }), {
      ok: false,
      kind: 'broken',
      message: /ECONNRESET|hang up/,
    });
  });
  await t.test('an answer that is cut off', async (t) => {
    server.failNext({ kind: 'truncate' });
    const answer = await connection.request('GET', '/api/v1/namespaces', { signal: never });
    t.match(answer, { ok: false, kind: 'broken', message: 'aborted' });
  });
  await t.test('silence', async (t) => {
    const seen = server.requests.length;
    server.failNext({ kind: 'silence' });
    const waiting = connection.request('GET', '/api/v1/namespaces', { signal: never });
    await until('the request is there', () => server.requests.length > seen);
    clock.advance(30_000);
    t.match(await waiting, { ok: false, kind: 'broken', message: 'no answer within 30 s' });
  });
  await t.test('the signal', async (t) => {
    const seen = server.requests.length;
    const controller = new AbortController();
    server.failNext({ kind: 'silence' });
    const waiting = connection.request('GET', '/api/v1/namespaces', { signal: controller.signal });
    await until('the request is there', () => server.requests.length > seen);
    controller.abort(new Error('half of the deadline is over'));
    t.match(await waiting, { ok: false, message: 'half of the deadline is over' });
    t.match(await connection.request('GET', '/api/v1/namespaces', { signal: controller.signal }), {
      ok: false,
      kind: 'broken',
    });
  });
  await t.test('credentials that cannot be read', async (t) => {
    const broken = createConnection(
      {
        credentials: async () => {
          throw new Error('the kubeconfig /nowhere cannot be used');
        },
        refused: () => {},
      },
      clock,
    );
    t.match(await broken.request('GET', '/api/v1/namespaces', { signal: never }), {
      ok: false,
      kind: 'broken',
      message: 'the kubeconfig /nowhere cannot be used',
    });
  });
  await t.test('an address where nobody listens', async (t) => {
    const closed = createHttpServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const address = closed.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    await new Promise((resolve) => closed.close(resolve));
    const nobody = createConnection(
      { credentials: async () => ({ server: `http://127.0.0.1:${port}`, headers: {}, tls: {} }), refused: () => {} },
      clock,
    );
    t.match(await nobody.request('GET', '/', { signal: never }), { ok: false, message: /ECONNREFUSED/ });
  });
  t.same(clock.waits(), [], 'no timer is left');
});

t.test('a kept connection that was closed meanwhile costs nothing', async (t) => {
  const { server, connection } = await connected(t);
  t.match(await connection.request('GET', '/api/v1/namespaces', { signal: never }), { ok: true });
  server.failNext({ kind: 'reset' });
  t.match(await connection.request('GET', '/api/v1/namespaces', { signal: never }), { ok: true });
  t.equal(server.requests.length, 3);
});

t.test('connections are kept and used again', async (t) => {
  const sockets = new Set<unknown>();
  const server = createHttpServer((request, response) => {
    sockets.add(request.socket);
    response.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const connection = createConnection(
    { credentials: async () => ({ server: `http://127.0.0.1:${port}`, headers: {}, tls: {} }), refused: () => {} },
    fakeClock(),
  );
  for (let index = 0; index < 20; index++) await connection.request('GET', '/', { signal: never });
  t.equal(sockets.size, 1);
  connection.close();
  await new Promise((resolve) => server.close(resolve));
});
