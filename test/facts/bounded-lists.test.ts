/** Lists for hints, over a real socket: what is asked for, and each way in which one is given up. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import type { BesideSource } from '../../src/admission/beside.ts';
import { createConnection } from '../../src/client/connection.ts';
import { createBoundedLists } from '../../src/facts/bounded-lists.ts';
import { fakeClock, until } from '../client/fake-clock.ts';

type Answers = (path: string, query: URLSearchParams, response: ServerResponse) => unknown;
type Limits = Parameters<typeof createBoundedLists>[2];

const never = new AbortController().signal;
const first = { apiVersion: 'g/v1', kind: 'First', paths: ['/apis/g/v1/namespaces/acme-web/firsts'] };
const second = {
  apiVersion: 'g/v1',
  kind: 'Second',
  paths: ['/apis/g/v2/namespaces/acme-web/seconds', '/apis/g/v1/namespaces/acme-web/seconds'],
};
const asked: Parameters<BesideSource['list']>[0] = {
  namespace: 'acme-web',
  tenant: 'acme',
  first,
  others: [second],
  isOfMesh: false,
};

/** @param answers what is said to a path; undefined: 404 */
async function lists(t: Test, answers: Answers, limits: Limits = {}) {
  const seen: string[] = [];
  const open = new Set<IncomingMessage>();
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://localhost');
    seen.push(`${url.pathname}${url.searchParams.get('continue') ?? ''}`);
    open.add(request);
    request.once('close', () => open.delete(request));
    const answer = answers(url.pathname, url.searchParams, response);
    if (answer === 'pending') return;
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer ?? { kind: 'Status', code: 404 }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const clock = fakeClock();
  const connection = createConnection(
    { credentials: async () => ({ server: `http://127.0.0.1:${port}`, headers: {}, tls: {} }), refused: () => {} },
    clock,
  );
  t.teardown(() => {
    connection.close();
    server.closeAllConnections();
    server.close();
  });
  return { seen, open, clock, lists: createBoundedLists(connection, clock, limits) };
}

const listOf = (names: readonly string[], next = '', filler = '') => ({
  ...{ kind: 'List', apiVersion: 'g/v1', metadata: { resourceVersion: '7', continue: next } },
  items: names.map((name) => ({ metadata: { name }, ...(filler !== '' && { filler }) })),
});
const isFirst = (path: string) => path.endsWith('/firsts');

t.test('a kind of the whole cluster, but for some of it', async (t) => {
  const asks: string[] = [];
  const { lists: source } = await lists(t, (path, query) => {
    asks.push(`${path} ${query.get('labelSelector')}`);
    return query.get('continue') === null ? listOf(['a'], 'p2') : listOf(['b']);
  });
  const paths = ['/apis/g/v1/firsts'];
  const whole = { namespace: '', tenant: '', others: [], isOfMesh: false };
  const selected = { ...first, paths, labelSelector: encodeURIComponent('made-by!=me') };
  const other = { apiVersion: 'g/v1', kind: 'Other', paths: ['/apis/g/v1/others'] };
  const [found, ofOther] = await Promise.all([
    source.list({ ...whole, first: selected }, never),
    source.list({ ...whole, first: other }, never),
  ]);
  t.match(found, { objects: [{ kind: 'First', metadata: { name: 'a' } }, { metadata: { name: 'b' } }] });
  t.match(ofOther, { objects: [{ kind: 'Other' }, { kind: 'Other' }] }, 'lists of two kinds are not shared');
  const once = [`${paths[0]} made-by!=me`, '/apis/g/v1/others null'];
  t.strictSame(asks.sort(), [...once, ...once].sort());
});

t.test('the first kind, then the others at the first path that is served, page by page', async (t) => {
  const { seen, lists: source } = await lists(t, (path, query) => {
    if (path.includes('/v2/')) return undefined;
    if (isFirst(path)) return query.get('continue') === null ? listOf(['a'], 'p2') : listOf(['b']);
    return listOf(['c']);
  });
  t.strictSame(await source.list(asked, never), {
    objects: [
      { metadata: { name: 'a' }, apiVersion: 'g/v1', kind: 'First' },
      { metadata: { name: 'b' }, apiVersion: 'g/v1', kind: 'First' },
      { metadata: { name: 'c' }, apiVersion: 'g/v1', kind: 'Second' },
    ],
  });
  t.strictSame(seen, [
    '/apis/g/v1/namespaces/acme-web/firsts',
    '/apis/g/v1/namespaces/acme-web/firstsp2',
    '/apis/g/v2/namespaces/acme-web/seconds',
    '/apis/g/v1/namespaces/acme-web/seconds',
  ]);
  seen.length = 0;
  await source.list(asked, never);
  t.notOk(
    seen.some((path) => path.includes('/v2/')),
    'what is not served is not asked for again at once',
  );
  t.match(source.counters(), { listed: 2, skipped: { failed: 0 } });
});

t.test('without any of the first kind the others are not listed, but for a policy of the mesh', async (t) => {
  const { seen, lists: source } = await lists(t, (path) => listOf(isFirst(path) ? [] : ['c']));
  t.strictSame(await source.list(asked, never), { objects: [] });
  t.equal(seen.length, 1);
  t.match(await source.list({ ...asked, isOfMesh: true }, never), { objects: [{ kind: 'Second' }] });
});

t.test('requests of one namespace at the same time share one list', async (t) => {
  const { seen, lists: source } = await lists(t, (path) => listOf(isFirst(path) ? ['a'] : []));
  const all = await Promise.all(Array.from({ length: 200 }, () => source.list(asked, never)));
  t.ok(all.every((one) => 'objects' in one));
  t.ok(seen.length <= 3, `${seen.length} requests`);
});

t.test('500 policies of 1 MiB: the list ends early, and the namespace is left alone for a minute', async (t) => {
  let sent = 0;
  const filler = 'x'.repeat(1024 * 1024);
  const {
    seen,
    clock,
    lists: source,
  } = await lists(t, (path, query) => {
    if (!isFirst(path)) return listOf([]);
    sent++;
    t.ok(Number(query.get('limit')) <= 25, 'pages are small');
    return listOf(
      Array.from({ length: 25 }, (_, index) => `p${index}`),
      'more',
      filler,
    );
  });
  t.strictSame(await source.list(asked, never), { skipped: 'large' });
  t.equal(sent, 1);
  t.strictSame(await source.list(asked, never), { skipped: 'large' });
  t.equal(seen.length, 1, 'it is not asked again');
  t.match(
    await source.list({ ...asked, namespace: 'beta-data', tenant: 'beta' }, never),
    { skipped: 'large' },
    'this one holds as much',
  );
  clock.advance(60_001);
  await source.list(asked, never);
  t.equal(seen.length, 3, 'after a minute it is');
});

t.test('an API server that answers late: the caller goes on, and the list ends', async (t) => {
  const { open, clock, lists: source } = await lists(t, () => 'pending');
  const caller = new AbortController();
  const waiting = source.list(asked, caller.signal);
  await until('it is asked', () => open.size === 1);
  caller.abort();
  t.strictSame(await waiting, { skipped: 'late' });
  const joined = source.list(asked, never);
  t.equal(open.size, 1, 'the next one joins');
  clock.advance(1_001);
  t.strictSame(await joined, { skipped: 'late' });
  await until('the request is ended', () => open.size === 0);
  t.strictSame(await source.list(asked, AbortSignal.abort()), { skipped: 'late' });
});

t.test('one tenant has two lists at a time, all have six, and others are told at once', async (t) => {
  const { lists: source } = await lists(t, () => 'pending');
  const ask = (tenant: string, namespace: string) =>
    source.list({ ...asked, tenant, namespace }, AbortSignal.timeout(200));
  const waiting = [ask('acme', 'a1'), ask('acme', 'a2')];
  t.strictSame(await ask('acme', 'a3'), { skipped: 'busy' });
  for (const [index, tenant] of ['b', 'c', 'd', 'e'].entries()) waiting.push(ask(tenant, `n${index}`));
  t.strictSame(await ask('f', 'f1'), { skipped: 'busy' });
  const alive = setTimeout(() => {}, 5_000);
  t.strictSame(
    new Set((await Promise.all(waiting)).map((one) => ('skipped' in one ? one.skipped : ''))),
    new Set(['late']),
  );
  clearTimeout(alive);
});

t.test('a tenant that writes without a pause: its lists end, and those of others go on', async (t) => {
  const filler = 'x'.repeat(100_000);
  const {
    seen,
    clock,
    lists: source,
  } = await lists(t, (path) => listOf(isFirst(path) ? ['a'] : [], '', filler), {
    bytesPerSecondOfOneTenant: 50_000,
  });
  const results: string[] = [];
  for (let index = 0; index < 10; index++) {
    const found = await source.list({ ...asked, namespace: `n${index}` }, never);
    results.push('skipped' in found ? found.skipped : 'listed');
  }
  t.strictSame(results.slice(0, 2), ['listed', 'listed']);
  t.strictSame(new Set(results.slice(3)), new Set(['often']));
  const before = seen.length;
  t.match(await source.list({ ...asked, namespace: 'beta-data', tenant: 'beta' }, never), { objects: [{}] });
  t.ok(seen.length > before);
  clock.advance(10_000);
  t.match(await source.list(asked, never), { objects: [{}] }, 'after a while it lists again');
});

t.test('a tenant whose comparisons cost much time waits, and others do not', async (t) => {
  const { clock, lists: source } = await lists(t, (path) => listOf(isFirst(path) ? ['a'] : []));
  t.ok(source.hasTime('acme'));
  source.charge('acme', 150, undefined);
  t.notOk(source.hasTime('acme'));
  t.ok(source.hasTime('beta'));
  clock.advance(501);
  t.ok(source.hasTime('acme'));
  for (const tenant of ['a', 'b', 'c', 'd']) source.charge(tenant, 99, undefined);
  t.notOk(source.hasTime('beta'), 'all of them together have an end, too');
  await source.list(asked, never);
  source.charge('acme', 1, 'large');
  t.strictSame(source.skip('often'), { skipped: 'often' });
  t.match(source.counters(), { listed: 0, skipped: { large: 1, often: 1 } }, 'what was not compared is counted so');
});

t.test('what is refused or no list fails, and nothing rejects', async (t) => {
  const odd: readonly Answers[] = [
    (_, __, response) => {
      response.writeHead(403).end('{}');
      return 'pending';
    },
    (_, __, response) => {
      response.writeHead(200).end('{"items":[{"a":1}');
      return 'pending';
    },
    (_, __, response) => {
      response.destroy();
      return 'pending';
    },
    () => ({ kind: 'Pod' }),
    (path) => (isFirst(path) ? listOf(['a']) : { items: 7 }),
  ];
  for (const answers of odd) {
    const { lists: source } = await lists(t, answers);
    t.strictSame(await source.list(asked, never), { skipped: 'failed' });
    t.equal(source.counters().skipped.failed, 1);
  }
});
