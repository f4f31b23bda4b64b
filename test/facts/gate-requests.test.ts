import t from 'tap';
import type { NamespaceRecord } from '../../src/admission/facts.ts';
import { createGateRequests } from '../../src/facts/gate-requests.ts';
import { createTenants } from '../../src/facts/tenants.ts';
import { settings } from '../baseline/samples.ts';
import { fakeClock } from '../client/fake-clock.ts';

const apiVersion = 'bulkhead.dev/v1alpha1';
const label = 'bulkhead.dev/tenant';
const silent = { info: () => {}, warn: () => {}, error: () => {} };
const ports = [{ protocol: 'TCP', first: 443, last: 443 }] as const;
const asked = { ...settings([]), gates: { from: 'tenants' as const, ports, between: undefined } };

/** Two tenants with a namespace each, of an API server whose reports the test makes. */
function follow() {
  const clock = fakeClock();
  const namespaces = new Map<string, NamespaceRecord>();
  let told = 0;
  let changes = 0;
  let version = 0;
  const tenants = createTenants({
    settings: asked,
    clock,
    log: silent,
    wallClock: () => Date.UTC(2027, 0, 1),
    agree: (settings, isInForce) => requests.agree(settings, isInForce),
    onTenants: () => {},
    onObjects: () => {},
  });
  const requests = createGateRequests({
    clock,
    tenantLabel: () => tenants.current().settings.tenantLabel,
    lookup: (name) => namespaces.get(name),
    onRequests() {
      told++;
      if (tenants.requestsChanged()) changes++;
    },
  });
  const putTenant = (name: string, spec: object = {}) => {
    const metadata = { name, namespace: '', uid: `uid-${name}`, resourceVersion: String(++version) };
    const object = { apiVersion, kind: 'Tenant', metadata: { name, generation: version }, spec };
    tenants.handler.changed({ metadata, object });
  };
  const put = (
    namespace: string,
    tenant: string,
    direction: string,
    more: object = {},
    metadata: object = {},
    name = `to-${tenant}`,
  ) => {
    const owner = namespaces.get(namespace)?.labels[label];
    const meta = { name, namespace, uid: `uid-${namespace}`, resourceVersion: String(++version) };
    const spec = { tenant, direction, ports: [{ port: 443 }], expires: '2027-02-01T00:00:00Z', ...more };
    requests.handler.changed({
      metadata: meta,
      object: { apiVersion, kind: 'GateRequest', metadata: { labels: { [label]: owner }, ...metadata }, spec },
    });
  };
  const own = (name: string, tenant: string, terminating = false) => {
    namespaces.set(name, { name, uid: `uid-of-${name}`, labels: { [label]: tenant }, terminating });
    requests.namespaceChanged(name);
  };
  for (const name of ['acme', 'beta', 'gamma']) putTenant(name);
  own('acme-web', 'acme');
  own('beta-data', 'beta');
  tenants.begin();
  requests.begin();
  const gates = () =>
    tenants
      .current()
      .tenants.get('acme')
      ?.network.gates.map(({ tenant }) => tenant);
  return {
    ...{ clock, tenants, requests, namespaces, put, putTenant, own, gates },
    told: () => told,
    changes: () => changes,
    agreed() {
      put('acme-web', 'beta', 'egress');
      put('beta-data', 'acme', 'ingress');
      clock.advance(1_000);
    },
  };
}

t.test('two requests are a gate of both tenants', async (t) => {
  const { agreed, gates, tenants, changes } = follow();
  t.strictSame(gates(), []);
  agreed();
  t.strictSame(gates(), ['beta']);
  t.match(tenants.current().tenants.get('beta')?.network.gates, [{ tenant: 'acme', direction: 'ingress' }]);
  t.equal(changes(), 1, 'policies are judged again once');
});

const ends: readonly (readonly [sentence: string, end: (world: ReturnType<typeof follow>) => void])[] = [
  [
    'GAT-04: it is withdrawn',
    ({ requests }) => requests.handler.removed({ namespace: 'acme-web', name: 'to-beta', uid: '' }),
  ],
  ['GAT-04: it is being deleted', ({ put }) => put('acme-web', 'beta', 'egress', {}, { deletionTimestamp: 'now' })],
  ['it names another tenant', ({ put }) => put('acme-web', 'gamma', 'egress', {}, {}, 'to-beta')],
  ['it loses its label', ({ put }) => put('acme-web', 'beta', 'egress', {}, { labels: {} })],
  ['GAT-03: its namespace goes to another tenant', ({ own }) => own('acme-web', 'gamma')],
  ['GAT-03: its namespace ends', ({ own }) => own('acme-web', 'acme', true)],
  [
    'GAT-03: its namespace is gone',
    ({ namespaces, requests }) => {
      namespaces.delete('acme-web');
      requests.namespaceChanged('acme-web');
    },
  ],
  [
    'the other tenant is gone',
    ({ tenants }) => tenants.handler.removed({ namespace: '', name: 'beta', uid: 'uid-beta' }),
  ],
  [
    'GAT-05: the platform lists other ports',
    ({ tenants }) =>
      tenants.settingsChanged({ ...asked, gates: { ...asked.gates, ports: [{ ...ports[0], first: 80, last: 80 }] } }),
  ],
  [
    'gates come from the platform alone',
    ({ tenants }) => tenants.settingsChanged({ ...asked, gates: { ...asked.gates, from: 'platform' } }),
  ],
];
for (const [sentence, end] of ends) {
  t.test(`a gate is shut within a second when ${sentence}`, async (t) => {
    const world = follow();
    world.agreed();
    t.strictSame(world.gates(), ['beta']);
    end(world);
    world.clock.advance(1_000);
    t.strictSame(world.gates(), []);
  });
}

t.test('GAT-06: a request that changes all the time is heard of once in a second', async (t) => {
  const { put, clock, told } = follow();
  const before = told();
  for (let index = 0; index < 1_000; index++) {
    put('acme-web', index % 2 === 0 ? 'beta' : 'gamma', 'egress', {}, {}, 'restless');
    clock.advance(10);
  }
  t.ok(told() - before <= 11, `${told() - before} in ten seconds`);
});

t.test('what changes nothing that is open judges no policy again', async (t) => {
  const { put, clock, told, changes, agreed } = follow();
  agreed();
  const before = [told(), changes()] as const;
  put('acme-web', 'beta', 'egress', {}, { annotations: { note: 'new' } });
  put('beta-data', 'gamma', 'egress');
  clock.advance(2_000);
  t.strictSame([told(), changes()], [before[0] + 1, before[1]]);
});

t.test('GAT-06: of a request no more is kept than it says', async (t) => {
  const { put, requests } = follow();
  put('acme-web', 'beta', 'egress', {}, { annotations: { note: 'x'.repeat(100_000) } });
  t.ok(JSON.stringify(requests.object('acme-web/to-beta')).length < 2_000);
});
