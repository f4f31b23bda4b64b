import t from 'tap';
import type { Answer, Connection, Options } from '../../src/client/connection.ts';
import { broken } from '../../src/client/failure.ts';
import { createTenants, type Tenants } from '../../src/facts/tenants.ts';
import { isMap } from '../../src/kubernetes/json.ts';
import type { GateStatus } from '../../src/reconcile/gate-status.ts';
import { statusOf, type TenantStatus } from '../../src/reconcile/tenant-status.ts';
import { createTenantStatusWriter } from '../../src/reconcile/tenant-status-writer.ts';
import type { Problem } from '../../src/tenancy/problem.ts';
import { settings } from '../baseline/samples.ts';
import { fakeClock } from '../client/fake-clock.ts';

const apiVersion = 'bulkhead.dev/v1alpha1';
const start = Date.UTC(2026, 10, 21);
const silent = { info: () => {}, warn: () => {}, error: () => {} };

/** The Tenant objects of an API server: each replica is told of them, and writes their status. */
function createWorld() {
  const clock = fakeClock();
  const wallClock = () => start + clock.now() - 1_000;
  const objects = new Map<string, { uid: string; generation: number; spec: object; status: unknown }>();
  const requests: { path: string; body: unknown }[] = [];
  const faults: Answer[] = [];
  const owned = new Map<string, number>();
  const events: { reason: string; message: string; about: string | undefined }[] = [];
  /** Whether the API server takes Events. */
  const eventsAre = { left: false };
  const rejected: Problem[] = [];
  const replicas: { tenants: Tenants; writer: ReturnType<typeof createTenantStatusWriter> }[] = [];
  let version = 1;

  const tell = (tenants: Tenants, name: string) => {
    const object = objects.get(name);
    if (object === undefined) return;
    const { uid, generation, spec, status } = object;
    const metadata = { name, uid, generation, creationTimestamp: '2026-11-21T00:00:00Z' };
    tenants.handler.changed({
      metadata: { name, namespace: '', uid, resourceVersion: String(++version) },
      object: { apiVersion, kind: 'Tenant', metadata, spec, status },
    });
  };
  const tellAll = (name: string) => {
    for (const { tenants } of replicas) tell(tenants, name);
  };
  const setStatus = (name: string, status: unknown) => {
    const object = objects.get(name);
    if (object !== undefined) objects.set(name, { ...object, status });
    tellAll(name);
  };

  /** @param chance where in the spread of times this replica stands */
  function startReplica(chance: number, given = settings([])) {
    const own = { ...clock, random: () => chance };
    const connection: Connection = {
      async request(_method, path, { body }: Options) {
        requests.push({ path, body });
        const fault = faults.shift();
        if (fault !== undefined) return fault;
        const [, name = ''] = /\/tenants\/([^/]+)\/status\?/.exec(path) ?? [];
        setStatus(name, isMap(body) ? body.status : undefined);
        return { ok: true, body: {} };
      },
      open: () => Promise.reject(new Error('nobody watches here')),
      close() {},
    };
    const tenants = createTenants({
      settings: given,
      clock: own,
      log: silent,
      wallClock,
      onTenants: () => {},
      onObjects: () => writer.changed(),
    });
    const countOwned = (name: string) => owned.get(name) ?? 0;
    const writer = createTenantStatusWriter({
      connection,
      clock: own,
      log: silent,
      wallClock,
      tenants,
      countOwned,
      borderOf: () => undefined,
      rejectedSettings: () => rejected,
      home: () => ({ name: 'bulkhead-system', uid: 'uid-home' }),
      events: {
        record(_home, reason, message, about) {
          if (!eventsAre.left) events.push({ reason, message, about });
          return !eventsAre.left;
        },
      },
    });
    replicas.push({ tenants, writer });
    for (const name of objects.keys()) tell(tenants, name);
    tenants.begin();
    writer.begin();
    return { tenants, writer };
  }

  /** Lets time pass in small steps, and what goes on meanwhile with it. */
  async function pass(milliseconds: number) {
    for (let passed = 0; passed < milliseconds; passed += 100) {
      clock.advance(100);
      for (let turn = 0; turn < 4; turn++) await Promise.resolve();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  return {
    clock,
    requests,
    faults,
    owned,
    events,
    eventsAre,
    rejected,
    startReplica,
    pass,
    setStatus,
    put(name: string, spec: object, uid = `uid-${name}`) {
      objects.set(name, { uid, generation: ++version, spec, status: objects.get(name)?.status });
      tellAll(name);
    },
    status: (name: string) => objects.get(name)?.status as TenantStatus | undefined,
    changed() {
      for (const { writer } of replicas) writer.changed();
    },
  };
}

const gate = (tenant: string, direction: string, more: object = {}) => ({
  network: { gates: [{ tenant, direction, ...more }] },
});
const tcp = (port: number, endPort = port) => ({ protocol: 'TCP', port, endPort });

const gates: readonly (readonly [sentence: string, acme: object, beta: object | undefined, state: GateStatus])[] = [
  [
    'both declare it',
    gate('beta', 'egress'),
    gate('acme', 'ingress'),
    { tenant: 'beta', direction: 'egress', state: 'Open' },
  ],
  [
    'what is open is what both name',
    gate('beta', 'egress', { ports: [tcp(1, 100), tcp(443)] }),
    gate('acme', 'ingress', { ports: [tcp(80, 200)] }),
    { tenant: 'beta', direction: 'egress', state: 'Open', ports: ['80-100/TCP'] },
  ],
  [
    'one names every port',
    gate('beta', 'ingress'),
    gate('acme', 'egress', { ports: [tcp(443)] }),
    { tenant: 'beta', direction: 'ingress', state: 'Open', ports: ['443/TCP'] },
  ],
  [
    'the ports have nothing in common',
    gate('beta', 'egress', { ports: [tcp(443)] }),
    gate('acme', 'ingress', { ports: [tcp(80)] }),
    { tenant: 'beta', direction: 'egress', state: 'Mismatched' },
  ],
  [
    'the other declares nothing',
    gate('beta', 'egress'),
    {},
    { tenant: 'beta', direction: 'egress', state: 'HalfOpen' },
  ],
  [
    'the other declares the same direction',
    gate('beta', 'egress'),
    gate('acme', 'egress'),
    { tenant: 'beta', direction: 'egress', state: 'HalfOpen' },
  ],
  ['there is no other', gate('beta', 'egress'), undefined, { tenant: 'beta', direction: 'egress', state: 'HalfOpen' }],
  [
    'this half has expired',
    gate('beta', 'egress', { expires: '2026-11-20T00:00:00Z' }),
    gate('acme', 'ingress'),
    { tenant: 'beta', direction: 'egress', state: 'Expired' },
  ],
  [
    'the other half has expired',
    gate('beta', 'egress'),
    gate('acme', 'ingress', { expires: '2026-11-20T00:00:00Z' }),
    { tenant: 'beta', direction: 'egress', state: 'Expired' },
  ],
];

for (const [sentence, acme, beta, state] of gates) {
  t.test(`a gate: ${sentence}`, async (t) => {
    const { startReplica, put } = createWorld();
    put('acme', acme);
    if (beta !== undefined) put('beta', beta);
    const { tenants } = startReplica(0);
    const verdict = tenants.verdict('acme');
    const status = verdict && statusOf(verdict, tenants.current(), 0, undefined, start);
    t.strictSame(status?.gates, [state]);
    const isOpen = state.state === 'Open';
    t.match(
      status?.conditions.find(({ type }) => type === 'GatesOpen'),
      {
        status: isOpen ? 'True' : 'False',
        reason: state.state,
        message: isOpen ? 'every gate is open' : `${state.direction} with ${state.tenant} is ${state.state}`,
      },
      'the condition says the same',
    );
  });
}

t.test('what is refused is an Event of the namespace of Bulkhead, once for each state', async (t) => {
  const { startReplica, put, pass, events, eventsAre, changed } = createWorld();
  put('acme', { namespaces: { prefix: 'acme-' } });
  startReplica(0);
  await pass(400);
  t.strictSame(events, [], 'nothing is refused');
  eventsAre.left = true;
  put('acme', { namespaces: { prefix: 'acme-' }, mode: 'loud' });
  await pass(1_000);
  t.strictSame(events, [], 'there were too many Events');
  eventsAre.left = false;
  changed();
  await pass(2_000);
  t.match(events, [
    {
      reason: 'ConfigurationRejected',
      message:
        'Tenant acme: spec.mode: "loud" is not one of enforce, warn, audit\nuntil this is corrected the version before stays in force',
      about: /^[0-9a-f]{16}$/,
    },
  ]);
  t.equal(events.length, 1);
  changed();
  await pass(2_000);
  t.equal(events.length, 1, 'it was written');
  put('acme', { namespaces: { prefix: 'acme-' } });
  await pass(2_000);
  put('acme', { namespaces: { prefix: 'acme-' }, mode: 'loud' });
  await pass(2_000);
  t.equal(events.length, 2, 'it is refused again');
});

t.test('settings that are not in force are a condition of each tenant', async (t) => {
  const { startReplica, put, pass, status, rejected, changed } = createWorld();
  put('acme', { namespaces: { prefix: 'acme-' } });
  startReplica(0);
  await pass(400);
  const types = () => status('acme')?.conditions.map(({ type }) => type);
  t.strictSame(types(), ['Ready']);
  const place = { file: 'bulkhead.yaml', line: 7, column: 3 };
  rejected.push({ ...place, path: 'spec.docsUrl', reason: 'is no field', fix: 'did you mean docsURL?' });
  changed();
  await pass(2_000);
  t.match(status('acme')?.conditions, [
    { type: 'Ready', status: 'True' },
    {
      type: 'SettingsAccepted',
      status: 'False',
      reason: 'Rejected',
      message:
        'the settings that were read last are not in force (1 problem, the first at bulkhead.yaml:7:3), and the ones before stay; the Event ConfigurationRejected in bulkhead-system says more',
    },
  ]);
  rejected.pop();
  changed();
  await pass(2_000);
  t.strictSame(types(), ['Ready'], 'they are in force');
});

t.test('a tenant that is in force says so', async (t) => {
  const { startReplica, put, pass, owned, status, requests } = createWorld();
  owned.set('acme', 3);
  startReplica(0);
  put('acme', { mode: 'warn' });
  await pass(400);
  t.match(status('acme'), {
    observedGeneration: 2,
    namespaces: 3,
    conditions: [
      {
        type: 'Ready',
        status: 'True',
        observedGeneration: 2,
        reason: 'InForce',
        lastTransitionTime: /^2026-11-21T00:/,
      },
    ],
    gates: [],
  });
  t.match(requests, [
    {
      path: '/apis/bulkhead.dev/v1alpha1/tenants/acme/status?fieldManager=bulkhead&force=true',
      body: { apiVersion, kind: 'Tenant', metadata: { name: 'acme', uid: 'uid-acme' } },
    },
  ]);
});

t.test('what is refused says why, and what holds meanwhile', async (t) => {
  const { startReplica, put, pass, status } = createWorld();
  put('acme', { namespaces: { prefix: 'acme-' } });
  startReplica(0);
  await pass(400);
  put('acme', { namespaces: { prefix: 'acme-' }, mode: 'loud' });
  put('beta', { namespaces: { prefix: 'acme-web-' } });
  await pass(1_000);
  t.match(status('acme')?.conditions, [
    {
      status: 'False',
      reason: 'Invalid',
      message:
        'spec.mode: "loud" is not one of enforce, warn, audit\nuntil this is corrected the version before stays in force',
    },
  ]);
  t.match(status('beta')?.conditions, [
    {
      status: 'False',
      reason: 'Conflict',
      message:
        'spec.namespaces.prefix: acme-web- lies under acme-, which is reserved to tenant acme; choose a prefix that shares no names\nuntil this is corrected no user acts for the tenant, and its namespaces stay isolated',
    },
  ]);
});

t.test('the moment of the last transition stays while the status does', async (t) => {
  const { startReplica, put, pass, owned, status, changed } = createWorld();
  put('acme', {});
  startReplica(0);
  await pass(400);
  const since = status('acme')?.conditions[0].lastTransitionTime;
  await pass(5_000);
  owned.set('acme', 1);
  changed();
  await pass(1_000);
  t.match(status('acme'), { namespaces: 1, conditions: [{ lastTransitionTime: since }] });
  put('acme', { mode: 'loud' });
  await pass(1_000);
  t.not(status('acme')?.conditions[0].lastTransitionTime, since);
});

t.test('what one replica has written no other writes, and at rest none does', async (t) => {
  const { startReplica, put, pass, requests } = createWorld();
  for (let index = 0; index < 20; index++) put(`tenant-${index}`, {});
  for (const chance of [0, 0.5, 0.99]) startReplica(chance);
  await pass(4_000);
  t.equal(requests.length, 20, 'each status is written once');
  await pass(1_200_000);
  t.equal(requests.length, 20, 'and never again');
});

t.test('replicas that see a tenant differently do not write against each other', async (t) => {
  const { startReplica, put, pass, requests } = createWorld();
  put('acme', { namespaces: { prefix: 'acme-' } });
  const plain = settings([]);
  startReplica(0);
  startReplica(0.9, { ...plain, platform: { ...plain.platform, prefixes: ['acme-'] } });
  await pass(200_000);
  t.equal(requests.length, 2, 'each has said what it sees, once');
  await pass(1_800_000);
  t.ok(requests.length <= 2 + 2 * 7, `then at most once in five minutes: ${requests.length} in half an hour`);
});

t.test('a status that somebody has replaced is put right after a while', async (t) => {
  const { startReplica, put, pass, setStatus, status, requests } = createWorld();
  put('acme', {});
  startReplica(0);
  await pass(400);
  setStatus('acme', { namespaces: 99 });
  await pass(100_000);
  t.equal(requests.length, 1);
  await pass(600_000);
  t.match(status('acme'), { namespaces: 0 });
  t.equal(requests.length, 2);
});

t.test('a gate that expires is told in time', async (t) => {
  const { startReplica, put, pass, status } = createWorld();
  put('acme', gate('beta', 'egress', { expires: '2026-11-21T00:01:00Z' }));
  put('beta', gate('acme', 'ingress'));
  startReplica(0);
  await pass(30_000);
  t.match(status('acme')?.gates, [{ state: 'Open' }]);
  await pass(31_000);
  t.match(status('acme')?.gates, [{ state: 'Expired' }]);
  t.match(status('beta')?.gates, [{ state: 'Expired' }]);
});

t.test('however many tenants there are, a replica writes twenty times a second', async (t) => {
  const { startReplica, put, pass, requests } = createWorld();
  for (let index = 0; index < 100; index++) put(`tenant-${index}`, {});
  startReplica(0);
  await pass(1_300);
  t.ok(requests.length >= 8 && requests.length <= 21, `${requests.length} in a second`);
  await pass(20_000);
  t.equal(requests.length, 100);
});

t.test('what fails is tried again; what is gone is not', async (t) => {
  const { startReplica, put, pass, faults, requests, status } = createWorld();
  const refused = (code: number): Answer => ({
    ok: false,
    kind: 'refused',
    status: code,
    reason: '',
    causes: [],
    message: 'no',
    retryAfter: 0,
  });
  put('acme', {});
  faults.push(refused(500), broken('reset'));
  const { writer } = startReplica(0.5);
  await pass(3_000);
  t.match(status('acme'), { conditions: [{ status: 'True' }] });
  t.match(writer.counters(), { written: 1, failed: 2 });
  faults.push(refused(404));
  put('acme', { mode: 'warn' });
  await pass(3_000);
  t.equal(requests.length, 4);
  t.match(writer.counters(), { written: 1, failed: 2 });
});

t.test('after the end nothing is written any more', async (t) => {
  const { startReplica, put, pass, requests } = createWorld();
  const { writer } = startReplica(0);
  put('acme', {});
  await writer.stop();
  await pass(5_000);
  t.strictSame(requests, []);
});
