import t, { type Test } from 'tap';
import { createConnection } from '../../src/client/connection.ts';
import { createNamespaceEvents } from '../../src/reconcile/namespace-events.ts';
import { startFakeApiServer } from '../client/fake-api-server.ts';
import { fakeClock, until } from '../client/fake-clock.ts';

const web = { name: 'acme-web', uid: 'uid-of-web' };

async function recorder(t: Test) {
  const server = await startFakeApiServer();
  const clock = fakeClock();
  const connection = createConnection(
    { credentials: async () => ({ server: server.url, headers: {}, tls: {} }), refused: () => {} },
    clock,
  );
  const events = createNamespaceEvents(connection, clock);
  t.teardown(async () => {
    await events.stop();
    connection.close();
    await server.stop();
  });
  for (let index = 0; index < 100; index++) server.put('namespaces', { metadata: { name: `n${index}` } });
  server.put('namespaces', { metadata: { name: 'acme-web' } });
  const settled = (sent: number) =>
    until('everything is sent', () => {
      const { written, failed } = events.counters();
      return written + failed >= sent;
    });
  return { server, clock, events, settled };
}

t.test('an Event stands in the namespace that it is about', async (t) => {
  const { server, events, settled } = await recorder(t);
  events.record(web, 'BaselineHealed', 'put back: x');
  await settled(1);
  t.match(server.get('events', 'bulkhead.baselinehealed', 'acme-web'), {
    kind: 'Event',
    involvedObject: { apiVersion: 'v1', kind: 'Namespace', name: 'acme-web', namespace: 'acme-web', uid: 'uid-of-web' },
    reason: 'BaselineHealed',
    message: 'put back: x',
    type: 'Warning',
    source: { component: 'bulkhead' },
    firstTimestamp: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
    lastTimestamp: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
    count: 1,
  });
  t.equal(server.requests[0]?.query.get('fieldManager'), 'bulkhead');
});

t.test('what happens again is counted in the same Event, at most once a minute', async (t) => {
  const { server, clock, events, settled } = await recorder(t);
  for (let times = 0; times < 1000; times++) events.record(web, 'BaselineFailed', 'no');
  await settled(1);
  t.equal(server.requests.length, 1);
  t.same(events.counters(), { written: 1, suppressed: 999, failed: 0 });
  clock.advance(60_000);
  events.record(web, 'BaselineFailed', 'still no');
  await settled(2);
  t.equal(server.list('events').length, 1, 'there is one Event');
  t.match(server.list('events'), [{ message: 'still no', count: 1001 }]);
});

t.test('another reason and another namespace have Events of their own', async (t) => {
  const { server, events, settled } = await recorder(t);
  events.record(web, 'BaselineFailed', 'no');
  events.record(web, 'BaselineHealed', 'yes');
  events.record({ name: 'n1', uid: 'u' }, 'BaselineHealed', 'yes');
  await settled(3);
  t.equal(server.list('events').length, 3);
});

t.test('all of them together are written as often as the bucket gives', async (t) => {
  const { server, clock, events, settled } = await recorder(t);
  const record = (from: number, to: number) => {
    for (let index = from; index < to; index++)
      events.record({ name: `n${index}`, uid: `${index}` }, 'BaselineFailed', 'no');
  };
  record(0, 50);
  await settled(30);
  t.equal(server.requests.length, 30, 'thirty at once');
  clock.advance(5_000);
  record(50, 100);
  await settled(35);
  t.equal(server.requests.length, 35, 'and then one a second');
  t.same(events.counters(), { written: 35, suppressed: 65, failed: 0 });
});

t.test('an Event that is not taken is not tried again', async (t) => {
  const { server, events, settled } = await recorder(t);
  server.failNext({ kind: 'status', code: 403, reason: 'Forbidden' });
  events.record(web, 'BaselineHealed', 'x'.repeat(5_000));
  await settled(1);
  t.same(events.counters(), { written: 0, suppressed: 0, failed: 1 });
  t.match(server.requests[0]?.body, { message: /^x{1000}$/ }, 'a message is as long as the API server takes');
  await events.stop();
  events.record({ name: 'n1', uid: 'u' }, 'BaselineHealed', 'late');
  t.equal(server.requests.length, 1, 'and after the end nothing is sent');
});

t.test('after an hour an Event begins anew, as the API server has forgotten it', async (t) => {
  const { server, clock, events, settled } = await recorder(t);
  events.record(web, 'BaselineHealed', 'one');
  await settled(1);
  clock.advance(3_600_000);
  events.record(web, 'BaselineHealed', 'two');
  await settled(2);
  t.match(server.list('events'), [{ message: 'two', count: 1 }]);
});

t.test('Events of one reason about different things are Events of their own', async (t) => {
  const { server, events, settled } = await recorder(t);
  t.ok(events.record(web, 'ReservedKeyWritten', 'rancher writes a', 'rancher-a'));
  t.ok(events.record(web, 'ReservedKeyWritten', 'olm writes b', 'olm-b'));
  t.notOk(events.record(web, 'ReservedKeyWritten', 'olm writes b', 'olm-b'), 'each at most once a minute');
  await settled(2);
  t.strictSame(
    server
      .list('events')
      .map(({ message }) => message)
      .toSorted(),
    ['olm writes b', 'rancher writes a'],
  );
});

t.test('Events that find no room are not remembered: users choose what they are about', async (t) => {
  const { clock, events } = await recorder(t);
  for (let index = 0; index < 1_000; index++) events.record(web, 'ReservedKeyWritten', 'x', `about-${index}`);
  t.equal(events.counters().suppressed, 970);
  clock.advance(1_000);
  t.ok(events.record(web, 'ReservedKeyWritten', 'x', 'about-999'), 'and are written as soon as there is room');
});
