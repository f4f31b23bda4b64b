import t, { type Test } from 'tap';
import type { NamespaceRecord } from '../../src/admission/facts.ts';
import { createConnection } from '../../src/client/connection.ts';
import { decodeObject } from '../../src/client/decode.ts';
import { createFairRequests } from '../../src/client/fair-requests.ts';
import { trustedFor } from '../../src/client/freshness.ts';
import { createNamespaceSource, namespaceRecord } from '../../src/facts/namespaces.ts';
import { startFakeApiServer } from '../client/fake-api-server.ts';
import { fakeClock } from '../client/fake-clock.ts';

const never = new AbortController().signal;
const remembered: NamespaceRecord = { name: 'acme-web', uid: 'u', labels: {}, terminating: false };

async function source(t: Test, staleness = 0) {
  const clock = fakeClock();
  const server = await startFakeApiServer();
  const connection = createConnection(
    { credentials: async () => ({ server: server.url, headers: {}, tls: {} }), refused: () => {} },
    clock,
  );
  t.teardown(async () => {
    connection.close();
    await server.stop();
  });
  const memory = {
    record: remembered,
    lookup: (name: string) => (name === remembered.name ? memory.record : undefined),
    countOwned: (tenant: string) => (tenant === 'acme' ? 7 : 0),
    namesOwned: (tenant: string) => new Set(tenant === 'acme' ? ['acme-web'] : []),
    isKept: (key: string) => key === 'kept',
    all: () => [remembered],
  };
  const propagatedAt = clock.now() - 60_000 - trustedFor;
  const reservations = {
    hadPropagated: (name: string, tenant: string, time: number) =>
      name.startsWith('acme-') && tenant === 'acme' && time >= propagatedAt,
  };
  const requests = createFairRequests(connection, clock);
  const watch = { staleness: () => staleness, isCurrent: () => staleness <= trustedFor };
  return {
    server,
    clock,
    memory,
    namespaces: createNamespaceSource(memory, watch, reservations, requests, clock),
  };
}

t.test('what is looked up comes from memory', async (t) => {
  const { server, namespaces } = await source(t);
  t.equal(namespaces.lookup('acme-web'), remembered);
  t.equal(namespaces.lookup('other'), undefined);
  t.equal(namespaces.countOwned('acme'), 7);
  t.strictSame([...namespaces.namesOwned('acme')], ['acme-web']);
  t.strictSame([...namespaces.all()], [remembered]);
  t.same(server.requests, [], 'without any request');
});

t.test('which namespaces have a label is known for five minutes', async (t) => {
  const after = async (milliseconds: number, key: string) => (await source(t, milliseconds)).namespaces.isKept(key);
  t.equal(await after(300_000, 'kept'), true);
  t.equal(await after(300_000, 'other'), false);
  t.equal(await after(300_001, 'kept'), false);
  t.equal(await after(Number.POSITIVE_INFINITY, 'kept'), false, 'and not before the first list');
});

t.test('memory does not count when the watch was not heard for three seconds', async (t) => {
  t.equal((await source(t, 3_000)).namespaces.lookup('acme-web'), remembered);
  t.equal((await source(t, 3_001)).namespaces.lookup('acme-web'), undefined);
});

t.test('a name is free where all namespaces are known, and it was long reserved', async (t) => {
  const rows: readonly [sentence: string, staleness: number, name: string, tenant: string, free: boolean][] = [
    ['there is none of this name', 0, 'acme-new', 'acme', true],
    ['the watch was heard a minute ago, and the reservation had propagated then', 60_000, 'acme-new', 'acme', true],
    ['the watch was last heard when another tenant could still create it', 60_001, 'acme-new', 'acme', false],
    ['not everything was listed yet', Number.POSITIVE_INFINITY, 'acme-new', 'acme', false],
    ['there is a namespace of this name', 0, 'acme-web', 'acme', false],
    ['it is not reserved', 0, 'new-web', 'acme', false],
    ['it is reserved for another tenant', 0, 'acme-new', 'beta', false],
  ];
  for (const [sentence, staleness, name, tenant, free] of rows) {
    const { server, namespaces } = await source(t, staleness);
    t.equal(namespaces.isFree(name, tenant), free, sentence);
    t.same(server.requests, [], `${sentence}: without any request`);
  }
});

t.test('a live answer that says the same makes memory count for three seconds more', async (t) => {
  const { server, clock, memory, namespaces } = await source(t, 60_000);
  server.put('namespaces', { metadata: { name: 'acme-web', uid: 'u' } });
  await namespaces.fetch('acme-web', never);
  clock.advance(3_000);
  t.equal(namespaces.lookup('acme-web'), remembered);
  memory.record = { ...remembered };
  t.equal(namespaces.lookup('acme-web'), undefined, 'what the watch has told since then is not what was confirmed');
  memory.record = remembered;
  clock.advance(1);
  t.equal(namespaces.lookup('acme-web'), undefined);
});

t.test('a live answer counts as of the moment of the question', async (t) => {
  const { server, clock, namespaces } = await source(t, 60_000);
  server.put('namespaces', { metadata: { name: 'acme-web', uid: 'u' } });
  const answer = namespaces.fetch('acme-web', never);
  clock.advance(2_000);
  await answer;
  clock.advance(1_001);
  t.equal(namespaces.lookup('acme-web'), undefined);
});

t.test('a live answer that says something else does not make memory count', async (t) => {
  const rows: readonly [sentence: string, metadata: object][] = [
    ['another namespace of that name', { uid: 'v' }],
    ['other labels', { uid: 'u', labels: { a: 'b' } }],
    ['it is on its way out', { uid: 'u', deletionTimestamp: '2026-01-01T00:00:00Z' }],
  ];
  for (const [sentence, metadata] of rows) {
    const { server, namespaces } = await source(t, 60_000);
    server.put('namespaces', { metadata: { name: 'acme-web', ...metadata } });
    t.not(await namespaces.fetch('acme-web', never), undefined);
    t.equal(namespaces.lookup('acme-web'), undefined, sentence);
  }
  const { namespaces } = await source(t, 60_000);
  t.equal(await namespaces.fetch('acme-web', never), undefined);
  t.equal(namespaces.lookup('acme-web'), undefined, 'there is none');
});

t.test('one live request tells what a namespace is', async (t) => {
  const { server, namespaces } = await source(t);
  server.put('namespaces', { metadata: { name: 'acme-web', labels: { a: 'b' } } });
  t.same(await namespaces.fetch('acme-web', never), {
    name: 'acme-web',
    uid: 'uid-1',
    labels: { a: 'b' },
    terminating: false,
  });
  t.equal(await namespaces.fetch('other', never), undefined, 'there is none of that name');
  t.equal(server.requests.length, 2);
});

t.test('what cannot be known is an error, not an answer', async (t) => {
  const { server, namespaces } = await source(t);
  server.failNext({ kind: 'status', code: 500, reason: 'InternalError' });
  await t.rejects(namespaces.fetch('acme-web', never), {
    message: 'namespace acme-web cannot be read: 500 InternalError says the fake',
  });
  server.failNext({ kind: 'text', text: '{}' });
  await t.rejects(namespaces.fetch('acme-web', never), { message: /the answer is not a Namespace/ });
  server.failNext({ kind: 'text', text: '{}' });
  await t.rejects(namespaces.hasPods('acme-web', never), { message: /the answer is not a list/ });
  const over = AbortSignal.abort(new Error('no time left'));
  await t.rejects(namespaces.fetch('acme-web', over), { message: 'namespace acme-web cannot be read: no time left' });
  await t.rejects(namespaces.hasPods('acme-web', over), {
    message: 'the pods of acme-web cannot be read: no time left',
  });
});

t.test('whether pods are left is asked live, of the newest state', async (t) => {
  const { server, namespaces } = await source(t);
  t.equal(await namespaces.hasPods('acme-web', never), false);
  server.put('pods', { metadata: { name: 'web', namespace: 'acme-web' } });
  t.equal(await namespaces.hasPods('acme-web', never), true);
  const [request] = server.requests;
  t.equal(request?.path, '/api/v1/namespaces/acme-web/pods');
  t.same([...(request?.query ?? [])], [['limit', '1']], 'no resourceVersion, which would allow an old one');
});

t.test('a name cannot leave its place in the path', async (t) => {
  const { server, namespaces } = await source(t);
  await t.resolves(namespaces.fetch('a/pods?limit=1', never));
  t.equal(server.requests[0]?.path, '/api/v1/namespaces/a%2Fpods%3Flimit%3D1');
});

t.test('of a namespace its name, uid, labels and end are kept', async (t) => {
  const table: readonly [string, unknown, Partial<NamespaceRecord>][] = [
    ['no labels', {}, { labels: {}, terminating: false }],
    ['null labels', { labels: null }, { labels: {} }],
    [
      'labels of the names that objects have',
      { labels: JSON.parse('{"__proto__":"a","constructor":"b"}') },
      { labels: JSON.parse('{"__proto__":"a","constructor":"b"}') },
    ],
    ['being deleted', { deletionTimestamp: '2026-01-01T00:00:00Z' }, { terminating: true }],
    ['not being deleted', { deletionTimestamp: null }, { terminating: false }],
  ];
  for (const [name, fields, expected] of table) {
    const metadata = { name: 'acme-web', uid: 'u', resourceVersion: '1', ...(fields as object) };
    const object = decodeObject({ metadata });
    if (object === undefined) throw new Error('a Namespace is an object');
    const record = namespaceRecord(object);
    for (const [field, value] of Object.entries(expected)) t.same(Object(record)[field], value, `${name}: ${field}`);
    t.equal(record.uid, 'u');
  }
});
