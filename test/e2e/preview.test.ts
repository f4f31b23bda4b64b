/** A member of a tenant in mode warn reads from kubectl what an update of a policy opens and closes. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { clusterTest } from '../apiserver/cluster-test.ts';
import { guard } from './guarded-cluster.ts';

const policy = (port: number, app: string) =>
  JSON.stringify({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'db', namespace: 'acme-web' },
    spec: {
      podSelector: { matchLabels: { app: 'db' } },
      policyTypes: ['Ingress'],
      ingress: [{ from: [{ podSelector: { matchLabels: { app } } }], ports: [{ port }] }],
    },
  });

await clusterTest('an update of a policy says what it opens and closes, in mode warn', async (t, plane) => {
  const folder = join(plane.directory, 'tenants');
  await mkdir(folder);
  const acme = await readFile('manifests/overlays/example/tenants/acme.yaml', 'utf8');
  await writeFile(join(folder, 'acme.yaml'), acme.replace(/^spec:$/m, 'spec:\n  mode: warn'));
  const cluster = await guard(plane, folder);
  t.teardown(() => cluster.stop());
  const made = await cluster.kubectl('alice', ['create', 'namespace', 'acme-web']);
  t.equal(made.code, 0, made.stderr);
  const apply = (stdin: string) => cluster.kubectl('alice', ['apply', '-f', '-'], stdin);
  const first = await apply(policy(5432, 'web'));
  t.equal(first.code, 0, first.stderr);
  t.notMatch(first.stderr, /preview/, 'nothing was there before');
  const port = await apply(policy(5433, 'web'));
  t.equal(port.code, 0);
  t.strictSame(
    port.stderr.trim().split('\n'),
    [
      'Warning: preview: opens 5433/TCP from pods with app=web of this namespace to pods with app=db',
      'Warning: preview: closes 5432/TCP from pods with app=web of this namespace to pods with app=db',
    ],
    'an update',
  );
  const labelled = await cluster.kubectl('alice', ['-n', 'acme-web', 'label', 'networkpolicy', 'db', 'team=a']);
  t.equal(labelled.stderr, '', 'a spec that stays is not compared');
});
