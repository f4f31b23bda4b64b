import t, { type Test } from 'tap';
import { TooManyWait } from '../../src/admission/facts.ts';
import { createConnection } from '../../src/client/connection.ts';
import { createFairRequests } from '../../src/client/fair-requests.ts';
import { trustedFor } from '../../src/client/freshness.ts';
import { createIsolatedNamespaces } from '../../src/facts/isolated-namespaces.ts';
import { startFakeApiServer } from '../client/fake-api-server.ts';
import { fakeClock } from '../client/fake-clock.ts';

const web = { name: 'acme-web', uid: 'uid-of-web' };
const never = new AbortController().signal;

const deny = { podSelector: {}, policyTypes: ['Ingress', 'Egress'] };
function policy(uid: string, spec: object) {
  const labels = { 'app.kubernetes.io/managed-by': 'bulkhead' };
  const annotations = { 'bulkhead.dev/namespace-uid': uid };
  return { metadata: { name: 'bulkhead-default-deny', namespace: 'acme-web', labels, annotations }, spec };
}

async function isolatedNamespaces(t: Test) {
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
  const state = { staleness: 0 };
  const wanted: string[] = [];
  const isolated = createIsolatedNamespaces(
    createFairRequests(connection, clock),
    () => state.staleness <= trustedFor,
    (name) => wanted.push(name),
    clock,
  );
  return { server, clock, state, wanted, isolated };
}

t.test('a namespace is isolated while the watch says so', async (t) => {
  const { isolated, server } = await isolatedNamespaces(t);
  t.equal(isolated.isIsolated(web), false, 'nothing is known');
  isolated.set('acme-web', 'uid-of-web');
  t.equal(isolated.isIsolated(web), true);
  isolated.set('acme-web', undefined);
  t.equal(isolated.isIsolated(web), false, 'the policy is gone');
  t.same(server.requests, [], 'nobody was asked');
});

t.test('what is known of a namespace does not count for the next one of its name', async (t) => {
  const { isolated } = await isolatedNamespaces(t);
  isolated.set('acme-web', 'uid-of-the-old-one');
  t.equal(isolated.isIsolated(web), false);
  const waited = isolated.whenIsolated(web, never);
  isolated.set('acme-web', 'uid-of-the-old-one');
  t.equal(isolated.counters().waiting, 1, 'nor does it end a wait');
  isolated.set('acme-web', 'uid-of-web');
  t.equal(await waited, true, 'its own policy does');
});

t.test('memory does not count when the watch was not heard for three seconds', async (t) => {
  const { isolated, state, wanted } = await isolatedNamespaces(t);
  isolated.set('acme-web', 'uid-of-web');
  state.staleness = 3_000;
  t.equal(isolated.isIsolated(web), true);
  state.staleness = 3_001;
  t.equal(isolated.isIsolated(web), false);
  t.equal(await isolated.whenIsolated(web, never), false, 'there is no use in waiting for what was told already');
  t.same(wanted, []);
});

t.test('where nothing happens, a namespace that is new is waited for all the same', async (t) => {
  const { isolated, state } = await isolatedNamespaces(t);
  state.staleness = 60_000;
  isolated.set('acme-web', 'uid-of-the-old-one');
  const waited = isolated.whenIsolated(web, never);
  isolated.set('acme-web', 'uid-of-web');
  t.equal(await waited, true);
});

t.test('a live answer that says the same makes memory count for three seconds more', async (t) => {
  const { isolated, clock, server, state } = await isolatedNamespaces(t);
  server.put('namespaces', { metadata: { name: 'acme-web' } });
  server.put('networkpolicies', policy('uid-of-web', deny));
  state.staleness = 60_000;
  t.equal(await isolated.fetchIsolated(web, never), true);
  t.equal(isolated.isIsolated(web), false, 'what the watch has not told is not remembered');
  isolated.set('acme-web', 'uid-of-web');
  const answer = isolated.fetchIsolated(web, never);
  clock.advance(1_000);
  t.equal(await answer, true);
  clock.advance(2_000);
  t.equal(isolated.isIsolated(web), true, 'as of the moment of the question');
  t.equal(isolated.isIsolated({ name: 'acme-web', uid: 'uid-of-the-next-one' }), false);
  clock.advance(1);
  t.equal(isolated.isIsolated(web), false);
  await isolated.fetchIsolated(web, never);
  isolated.set('acme-web', 'uid-of-web');
  t.equal(isolated.isIsolated(web), false, 'what the watch has told since then is not what was confirmed');
  server.remove('networkpolicies', 'bulkhead-default-deny', 'acme-web');
  t.equal(await isolated.fetchIsolated(web, never), false);
  t.equal(isolated.isIsolated(web), false, 'an answer that says something else confirms nothing');
});

t.test('a wait ends with what it waits for, or with its signal, and leaves nothing behind', async (t) => {
  const { isolated, wanted } = await isolatedNamespaces(t);
  const ended = new AbortController();
  const patient = isolated.whenIsolated(web, never);
  const impatient = isolated.whenIsolated(web, ended.signal);
  const elsewhere = isolated.whenIsolated({ name: 'acme-data', uid: 'd' }, ended.signal);
  t.same(wanted, ['acme-web', 'acme-web', 'acme-data'], 'the reconciler hears who is waited for');
  t.equal(isolated.counters().waiting, 3);
  ended.abort();
  t.same([await impatient, await elsewhere], [false, false]);
  t.equal(isolated.counters().waiting, 1);
  isolated.set('acme-web', 'uid-of-web');
  t.equal(await patient, true);
  t.same(isolated.counters(), { waiting: 0, held: { isolated: 1, ended: 2, refused: 0 } });
  t.equal(await isolated.whenIsolated(web, never), true, 'an isolated namespace is not waited for');
  t.equal(await isolated.whenIsolated({ name: 'acme-data', uid: 'd' }, ended.signal), false, 'nor by whom has no time');
  t.equal(isolated.counters().held.isolated, 1);
});

t.test('as many wait as may', async (t) => {
  const { isolated } = await isolatedNamespaces(t);
  const ended = new AbortController();
  const waits: Promise<boolean>[] = [];
  for (let index = 0; index < 16; index++) waits.push(isolated.whenIsolated(web, ended.signal));
  await t.rejects(isolated.whenIsolated(web, ended.signal), TooManyWait, 'sixteen for one namespace');
  for (let index = 0; index < 48; index++)
    waits.push(isolated.whenIsolated({ name: `n${index}`, uid: 'x' }, ended.signal));
  await t.rejects(isolated.whenIsolated({ name: 'other', uid: 'x' }, ended.signal), TooManyWait, 'sixty-four in all');
  t.equal(isolated.counters().held.refused, 2);
  ended.abort();
  await Promise.all(waits);
  const again = isolated.whenIsolated(web, never);
  isolated.set('acme-web', 'uid-of-web');
  t.equal(await again, true, 'and when they have gone, others may');
});

t.test('one live request tells whether it is isolated', async (t) => {
  const { isolated, server } = await isolatedNamespaces(t);
  t.equal(await isolated.fetchIsolated(web, never), false, 'there is no policy');
  server.put('namespaces', { metadata: { name: 'acme-web' } });
  server.put('networkpolicies', policy('uid-of-web', deny));
  t.equal(await isolated.fetchIsolated(web, never), true);
  server.put('networkpolicies', policy('uid-of-the-old-one', deny));
  t.equal(await isolated.fetchIsolated(web, never), false, 'of another namespace');
  server.put('networkpolicies', policy('uid-of-web', { ...deny, ingress: [{}] }));
  t.equal(await isolated.fetchIsolated(web, never), false, 'it lets somebody in');
  server.failNext({ kind: 'status', code: 403, reason: 'Forbidden' });
  await t.rejects(isolated.fetchIsolated(web, never), {
    message: 'the default-deny policy of acme-web cannot be read: 403 Forbidden says the fake',
  });
});
