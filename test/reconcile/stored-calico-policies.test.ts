/** A policy that Calico's own API server serves in one group and stores in another is listed, and counted, once. */
import t from 'tap';
import { createNamespaceStore } from '../../src/admission/namespace-store.ts';
import { createConnection } from '../../src/client/connection.ts';
import { kinds } from '../../src/kinds/kinds.ts';
import { createTenancy } from '../../src/tenancy/tenancy.ts';
import { startFakeApiServer } from '../client/fake-api-server.ts';
import { fakeClock, until } from '../client/fake-clock.ts';
import { label, settings, tenant } from '../reach/world.ts';

const { createStoredPolicies } = await t.mockImport<typeof import('../../src/reconcile/stored-policies.ts')>(
  '../../src/reconcile/stored-policies.ts',
  {
    '../../src/kinds/kinds.ts': {
      kinds: kinds.filter(({ plural, group }) => plural === 'networkpolicies' && /calico/.test(group)),
    },
  },
);
const served = '/apis/projectcalico.org/v3/networkpolicies';
const stored = '/apis/crd.projectcalico.org/v1/networkpolicies';

for (const [says, isServed, lists] of [
  ['where Calico serves projectcalico.org', true, [served]],
  ['where it does not', false, [served, stored]],
] as const)
  t.test(says, async (t) => {
    const server = await startFakeApiServer();
    const clock = fakeClock();
    const refused = () => {};
    const credentials = async () => ({ server: server.url, headers: {}, tls: {} });
    const connection = createConnection({ credentials, refused }, clock);
    const tenancy = createTenancy(settings, [tenant('acme', {}, 'acme-')]);
    const namespaces = createNamespaceStore(() => tenancy);
    namespaces.set({ name: 'acme-web', uid: 'u', labels: { [label]: 'acme' }, terminating: false });
    const spec = { selector: 'all()', ingress: [{ action: 'Allow' }] };
    server.put('networkpolicies', { metadata: { name: 'open', namespace: 'acme-web' }, spec });
    if (!isServed) server.failNext({ kind: 'status', code: 404 }, ({ path }) => path === served);
    const log = { info() {}, warn() {}, error() {} };
    const policies = createStoredPolicies({
      ...{
        connection,
        clock,
        log,
        wallClock: () => 0,
        tenancy: () => tenancy,
        namespaces,
        events: undefined,
        hasDefaultDeny: () => false,
      },
    });
    t.teardown(async () => {
      await policies.stop();
      connection.close();
      await server.stop();
    });
    policies.begin();
    await new Promise(setImmediate);
    await until('only the reading waits', () => clock.waits().length === 1);
    clock.advance(clock.waits()[0] ?? 0);
    await until('a reading is done', () => policies.counters().readings.completed === 1);
    t.same(policies.counters().nonCompliant, { enforce: 1, warn: 0, audit: 0 });
    t.strictSame(
      server.requests.map(({ path }) => path),
      lists,
    );
  });
