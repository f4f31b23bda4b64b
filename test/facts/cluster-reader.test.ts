import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type ClusterReader, readCluster } from '../../src/facts/cluster-reader.ts';
import { defaultSettings } from '../../src/tenancy/default-settings.ts';
import { type FakeApiServer, startFakeApiServer } from '../client/fake-api-server.ts';

const pods = '/api/v1/pods';

async function reading(t: Test): Promise<{ server: FakeApiServer; reader: ClusterReader }> {
  const server = await startFakeApiServer();
  const path = join(t.testdir(), 'kubeconfig');
  const config = {
    clusters: [{ name: 'fake', cluster: { server: server.url, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'fake', user: {} }],
    contexts: [{ name: 'fake', context: { cluster: 'fake', user: 'fake' } }],
    'current-context': 'fake',
  };
  await writeFile(path, JSON.stringify(config));
  const reader = readCluster({ kind: 'kubeconfig', path });
  t.teardown(async () => {
    reader.close();
    await server.stop();
  });
  for (let index = 0; index < 1_200; index++)
    server.put('pods', { metadata: { name: `pod-${String(index).padStart(4, '0')}`, namespace: 'acme-web' } });
  return { server, reader };
}

t.test('a collection is read page by page, and every object is told once', async (t) => {
  const { server, reader } = await reading(t);
  const told: string[] = [];
  await reader.each(pods, ({ metadata }) => told.push(metadata.name));
  t.equal(told.length, 1_200);
  t.equal(new Set(told).size, 1_200);
  t.equal(server.requests.length, 3, 'in three pages');
  t.ok(server.requests.every(({ method }) => method === 'GET'));
});

t.test('a page that does not come ends it, with what the API server says', async (t) => {
  const { server, reader } = await reading(t);
  server.failNext({ kind: 'status', code: 410, reason: 'Expired' }, ({ query }) => query.has('continue'));
  await t.rejects(
    reader.each(pods, () => {}),
    { message: '/api/v1/pods cannot be listed: 410 Expired says the fake' },
  );
});

t.test('what two GateRequests agree on is read where the settings let tenants agree', async (t) => {
  const { server, reader } = await reading(t);
  const label = 'bulkhead.dev/tenant';
  const object = (kind: string, metadata: { readonly name: string }, spec: object) => ({
    ...{ apiVersion: 'bulkhead.dev/v1alpha1', kind },
    ...{ metadata: { generation: 1, ...metadata }, spec },
  });
  for (const [name, other, direction] of [
    ['acme', 'beta', 'egress'],
    ['beta', 'acme', 'ingress'],
  ] as const) {
    const labels = { [label]: name };
    server.put('tenants', object('Tenant', { name }, {}));
    server.put('namespaces', { metadata: { name: `${name}-web`, labels } });
    const spec = { tenant: other, direction, ports: [{ port: 443 }], expires: '2090-01-01T00:00:00Z' };
    server.put('gaterequests', object('GateRequest', { name: 'gate', ...{ namespace: `${name}-web`, labels } }, spec));
  }
  const silent = { info: () => {}, warn: () => {}, error: () => {} };
  const ports = [{ protocol: 'TCP', first: 443, last: 443 }] as const;
  const asking = { ...defaultSettings, gates: { from: 'tenants', ports, between: undefined } } as const;
  const { tenants } = await reader.tenancy(asking, silent);
  t.match(tenants.get('acme')?.network.gates, [{ tenant: 'beta', direction: 'egress', ports }]);
  const before = server.requests.length;
  t.strictSame((await reader.tenancy(defaultSettings, silent)).tenants.get('acme')?.network.gates, []);
  t.notOk(
    server.requests.slice(before).some(({ path }) => path.endsWith('/gaterequests')),
    'and not elsewhere',
  );
});
