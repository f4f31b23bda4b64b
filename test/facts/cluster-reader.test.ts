import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type ClusterReader, readCluster } from '../../src/facts/cluster-reader.ts';
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
