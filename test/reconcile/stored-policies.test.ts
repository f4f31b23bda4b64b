/** When stored policies are judged again, and where it is reported. What is found: test/admission/stored-policy.test.ts. */
import t, { type Test } from 'tap';
import { createNamespaceStore } from '../../src/admission/namespace-store.ts';
import { createConnection } from '../../src/client/connection.ts';
import type { Log } from '../../src/client/log.ts';
import { kinds } from '../../src/kinds/kinds.ts';
import { createNamespaceEvents } from '../../src/reconcile/namespace-events.ts';
import { createTenancy } from '../../src/tenancy/tenancy.ts';
import type { Mode } from '../../src/tenancy/tenant.ts';
import { type SeenRequest, startFakeApiServer } from '../client/fake-api-server.ts';
import { fakeClock, until } from '../client/fake-clock.ts';
import { gate, label, settings, tcp, tenant } from '../reach/world.ts';

// One kind of policy, so that one reading is under way.
const { createStoredPolicies } = await t.mockImport<typeof import('../../src/reconcile/stored-policies.ts')>(
  '../../src/reconcile/stored-policies.ts',
  {
    '../../src/kinds/kinds.ts': {
      kinds: kinds.filter(({ family, group }) => family !== 'policy' || group === 'networking.k8s.io'),
    },
  },
);

const epoch = Date.UTC(2027, 0, 1);
const day = 86_400_000;
/** By the chance of the fake clock. */
const settled = 900;

interface Agreement {
  readonly open?: boolean;
  /** Milliseconds from the start. */
  readonly expires?: number;
  readonly mode?: Mode;
}

function tenancyOf({ open = true, expires, mode = 'enforce' }: Agreement) {
  const until = expires === undefined ? undefined : epoch + expires;
  const acme = { ...tenant('acme', { gates: [gate('beta', 'egress', [tcp(5432)], until)] }, 'acme-'), mode };
  const beta = tenant('beta', { gates: open ? [gate('acme', 'ingress', [tcp(5432)])] : [] }, 'beta-');
  return createTenancy(settings, [acme, beta]);
}

/** A cluster in which acme's namespaces acme-0 and so on have so many policies, each for the gate to beta. */
async function watched(t: Test, agreement: Agreement, counts: readonly number[] = [1], readOnly = false) {
  const server = await startFakeApiServer();
  const clock = fakeClock();
  const start = clock.now();
  const connection = createConnection(
    { credentials: async () => ({ server: server.url, headers: {}, tls: {} }), refused: () => {} },
    clock,
  );
  let tenancy = tenancyOf(agreement);
  /** Fake time that judging one policy takes. */
  let effort = 0;
  const store = createNamespaceStore(() => tenancy);
  const lines: { readonly level: string; readonly fields: object; readonly message: string }[] = [];
  const at =
    (level: string): Log['info'] =>
    (fields, message) =>
      void lines.push({ level, fields, message });
  const storedPolicies = createStoredPolicies({
    connection,
    clock,
    log: { info: at('info'), warn: at('warn'), error: at('error') },
    wallClock: () => epoch + clock.now() - start,
    tenancy: () => tenancy,
    namespaces: {
      lookup(name) {
        clock.advance(effort);
        return store.lookup(name);
      },
      isKept: (key) => store.isKept(key),
      all: () => store.all(),
    },
    hasDefaultDeny: () => false,
    events: readOnly ? undefined : createNamespaceEvents(connection, clock),
  });
  t.teardown(async () => {
    await storedPolicies.stop();
    connection.close();
    await server.stop();
  });
  const to = [{ namespaceSelector: { matchLabels: { [label]: 'beta' } } }];
  counts.forEach((count, index) => {
    const namespace = `acme-${index}`;
    const labels = { [label]: 'acme' };
    server.put('namespaces', { metadata: { name: namespace, labels } });
    store.set({ name: namespace, uid: `uid-of-${namespace}`, labels, terminating: false });
    for (let one = 0; one < count; one++) {
      const spec = { podSelector: {}, policyTypes: ['Egress'], egress: [{ to, ports: [{ port: 5432 }] }] };
      server.put('networkpolicies', { metadata: { name: `policy-${String(one).padStart(4, '0')}`, namespace }, spec });
    }
  });
  const lists = () => server.requests.filter(({ method, query }) => method === 'GET' && !query.has('continue')).length;
  const done = () => storedPolicies.counters().readings.completed + storedPolicies.counters().readings.failed;
  return {
    ...{ server, clock, storedPolicies, lines, lists, done },
    /** Moves time on to the next timer, and lets the reading that begins then come to its end; gives how long that was. */
    async next(): Promise<number> {
      // The queue plans the reading, and then no Event is on its way.
      await new Promise(setImmediate);
      await until('only the reading waits', () => clock.waits().length === 1);
      const [wait = Number.NaN] = clock.waits();
      const before = done();
      clock.advance(wait);
      await until('a reading is done', () => done() > before);
      return wait;
    },
    change(to: Agreement) {
      tenancy = tenancyOf(to);
      storedPolicies.changed();
    },
    eachTakes(milliseconds: number) {
      effort = milliseconds;
    },
    warned: () => lines.filter(({ level, fields }) => level === 'warn' && 'policy' in fields),
  };
}

/** Not the write of an Event. */
const isList = ({ method }: SeenRequest): boolean => method === 'GET';

const none = { enforce: 0, warn: 0, audit: 0 };

t.test('nothing is read before it begins, and then at once', async (t) => {
  const { storedPolicies, clock, lists, next } = await watched(t, {});
  storedPolicies.changed();
  clock.advance(day);
  t.equal(lists(), 0);
  t.equal(storedPolicies.counters().nonCompliant, undefined, 'nothing is said before it is known');
  storedPolicies.begin();
  await next();
  t.same(storedPolicies.counters().nonCompliant, none);
});

t.test('a gate that is taken back is told, and that it is agreed on again', async (t) => {
  const { storedPolicies, server, next, change, warned } = await watched(t, {});
  storedPolicies.begin();
  await next();
  t.same([storedPolicies.counters().nonCompliant, warned(), server.list('events')], [none, [], []]);
  change({ open: false });
  await next();
  t.same(storedPolicies.counters().nonCompliant, { ...none, enforce: 1 });
  t.match(warned(), [
    {
      fields: {
        ...{
          tenant: 'acme',
          mode: 'enforce',
          namespace: 'acme-0',
          policy: 'policy-0000',
          check: 'cross-tenant-egress',
        },
        path: 'spec.egress[0].to[0].namespaceSelector',
      },
      message: /^a stored policy would be rejected today: spec\.egress/,
    },
  ]);
  await until('the Event is written', () => server.list('events').length > 0);
  t.match(server.get('events', 'bulkhead.policynoncompliant.networkpolicies', 'acme-0'), {
    reason: 'PolicyNonCompliant',
    involvedObject: { kind: 'Namespace', name: 'acme-0' },
    message:
      /^NetworkPolicy policy-0000 would be rejected today: spec\.egress\[0\]\.to\[0\]\.namespaceSelector matches namespaces of tenant "beta", and .*; fix: .* \(cross-tenant-egress\)$/,
  });
  change({});
  await next();
  t.same(storedPolicies.counters().nonCompliant, none);
});

t.test('a gate that expires is told when it does, and not before', async (t) => {
  const { storedPolicies, lists, next, clock } = await watched(t, { expires: 60_000 });
  storedPolicies.begin();
  await next();
  clock.advance(60_000 - settled - 1);
  t.same([lists(), storedPolicies.counters().nonCompliant], [1, none]);
  await next();
  t.same(storedPolicies.counters().nonCompliant, { ...none, enforce: 1 });
});

t.test('an expiry that is further away than a timer can be', async (t) => {
  const { storedPolicies, lists, next, clock } = await watched(t, { expires: 60 * day });
  storedPolicies.begin();
  await next();
  for (let days = 0; days < 59; days++) {
    clock.advance(day);
    await new Promise(setImmediate);
    t.ok(
      clock.waits().every((wait) => wait < 2 ** 31),
      'no timer is longer than there can be',
    );
  }
  t.equal(lists(), 1, 'nothing is read on the way');
  clock.advance(day - settled);
  await next();
  t.same(storedPolicies.counters().nonCompliant, { ...none, enforce: 1 });
});

t.test('changes that come together are one reading, and those during it one more', async (t) => {
  const { storedPolicies, lists, done, next, clock, change } = await watched(t, {});
  storedPolicies.begin();
  for (let times = 0; times < 100; times++) {
    change({});
    await new Promise(setImmediate);
    clock.advance(1);
  }
  clock.advance(settled - 100);
  await until('it is asked', () => lists() === 1);
  for (let times = 0; times < 100; times++) change({ open: times % 2 === 1 });
  change({ open: false });
  await until('it is done', () => done() === 1);
  t.equal(lists(), 1, 'one at a time');
  await next();
  t.same(storedPolicies.counters().nonCompliant, { ...none, enforce: 1 });
  clock.advance(60_000);
  t.equal(lists(), 2);
});

t.test('readings take a twentieth of the time, however often something changes', async (t) => {
  const { storedPolicies, next, change, eachTakes } = await watched(t, {}, [10]);
  eachTakes(500);
  storedPolicies.begin();
  await next();
  const took = 10 * 500;
  change({});
  t.equal(await next(), took * 19);
});

t.test('a list that fails is tried again, and what was known stands until then', async (t) => {
  const { storedPolicies, server, lines, next, change } = await watched(t, { open: false });
  storedPolicies.begin();
  await next();
  t.same(storedPolicies.counters().nonCompliant, { ...none, enforce: 1 });
  server.failNext({ kind: 'status', code: 429, reason: 'TooManyRequests', retryAfter: 30 }, isList);
  change({});
  await next();
  t.same(storedPolicies.counters().nonCompliant, { ...none, enforce: 1 });
  t.match(lines.at(-1), {
    level: 'warn',
    fields: { failure: /^429 / },
    message: /could not all be read/,
  });
  server.failNext({ kind: 'truncate' }, isList);
  t.equal(await next(), 30_000, 'no sooner than it asks for');
  t.ok((await next()) < 30_000);
  t.same(storedPolicies.counters().nonCompliant, none);
  t.same(storedPolicies.counters().readings, { completed: 2, failed: 2 });
});

t.test('a list that fails again and again takes no more of the time', async (t) => {
  const { storedPolicies, server, next, eachTakes } = await watched(t, {}, [501]);
  eachTakes(4);
  server.failNext({ kind: 'status', code: 500 }, ({ query }) => query.has('continue'));
  storedPolicies.begin();
  await next();
  t.equal(await next(), 500 * 4 * 19);
});

t.test('half of the pages are no reading', async (t) => {
  const { storedPolicies, server, next, warned } = await watched(t, { open: false }, [600]);
  server.failNext({ kind: 'status', code: 410, reason: 'Expired' }, ({ query }) => query.has('continue'));
  storedPolicies.begin();
  await next();
  t.equal(storedPolicies.counters().nonCompliant, undefined);
  t.ok(warned().length > 0, 'what was seen is told all the same');
  await next();
  t.same(storedPolicies.counters().nonCompliant, { ...none, enforce: 600 });
});

t.test('what was mended or deleted is seen within ten minutes', async (t) => {
  const { storedPolicies, server, next, lists, clock } = await watched(t, { open: false }, [1, 1]);
  storedPolicies.begin();
  await next();
  t.same(storedPolicies.counters().nonCompliant, { ...none, enforce: 2 });
  server.remove('networkpolicies', 'policy-0000', 'acme-0');
  t.equal(await next(), 600_000);
  t.same(storedPolicies.counters().nonCompliant, { ...none, enforce: 1 });
  server.remove('networkpolicies', 'policy-0000', 'acme-1');
  t.equal(await next(), 600_000);
  t.same(storedPolicies.counters().nonCompliant, none);
  clock.advance(day);
  t.equal(lists(), 3, 'and then nothing is read any more');
});

t.test('many are told once, and so many that they can be read', async (t) => {
  const { storedPolicies, server, next, warned, lines } = await watched(t, { open: false }, [1, 3, 150]);
  storedPolicies.begin();
  await next();
  t.equal(warned().length, 100);
  t.match(lines.at(-1), { fields: { policies: 154, nonCompliant: 154, notShown: 54 } });
  await until('three Events are written', () => server.list('events').length === 3);
  const messages = server.list('events').map(({ message }) => String(message).slice(0, 58));
  t.same(messages, [
    'NetworkPolicy policy-0000 would be rejected today: spec.eg',
    'NetworkPolicy policy-0000 (and 2 more policies) would be r',
    'NetworkPolicy policy-0000 (and 149 more policies) would be',
  ]);
  t.equal(await next(), 600_000);
  t.equal(warned().length, 100, 'not again');
});

for (const [mode, events] of [
  ['warn', 1],
  ['audit', 0],
] as const) {
  t.test(`in mode ${mode} the platform is told, and the tenant ${events === 0 ? 'is not' : 'too'}`, async (t) => {
    const { storedPolicies, next, warned } = await watched(t, { open: false, mode });
    storedPolicies.begin();
    await next();
    t.same(storedPolicies.counters().nonCompliant, { ...none, [mode]: 1 });
    t.match(warned(), [{ fields: { mode } }]);
    await until('Events are sent', () => storedPolicies.counters().events?.written === events);
  });
}

t.test('where nothing may be written, nothing is', async (t) => {
  const { storedPolicies, server, next } = await watched(t, { open: false }, [1], true);
  storedPolicies.begin();
  await next();
  const { isolation, ...counters } = storedPolicies.counters();
  t.same(counters, {
    nonCompliant: { ...none, enforce: 1 },
    crossing: { ingress: 0, egress: 1 },
    readings: { completed: 1, failed: 0 },
    events: undefined,
  });
  t.ok(server.requests.every(({ method }) => method === 'GET'));
});

t.test('how far namespaces are isolated is known once all were read', async (t) => {
  const { storedPolicies, next, server } = await watched(t, {}, [1, 0, 1]);
  t.equal(storedPolicies.counters().isolation(), undefined);
  const deny = { podSelector: {}, policyTypes: ['Ingress'] };
  server.put('networkpolicies', { metadata: { name: 'deny', namespace: 'acme-2' }, spec: deny });
  storedPolicies.begin();
  t.equal(storedPolicies.counters().isolation(), undefined);
  await next();
  // Policies for the gate select every pod in one direction.
  t.same(storedPolicies.counters().isolation(), { both: 1, ingress: 0, egress: 1, none: 1 });
  t.same(storedPolicies.counters().crossing, { ingress: 0, egress: 0 }, 'the gate is agreed on');
});

t.test('it ends in the middle of a reading', async (t) => {
  const { storedPolicies, server, clock, lists } = await watched(t, {});
  server.failNext({ kind: 'silence' });
  storedPolicies.begin();
  await until('the reading is planned', () => clock.waits().length === 1);
  clock.advance(settled);
  await until('it is asked', () => lists() === 1);
  await storedPolicies.stop();
  storedPolicies.changed();
  clock.advance(day);
  t.equal(lists(), 1);
  t.same(clock.waits(), []);
});
