/** The recipes of docs/how-to/shared-services.md, together on a real API server: each policy that is admitted, and the one beside it. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { clusterTest } from '../apiserver/cluster-test.ts';
import { guard } from './guarded-cluster.ts';

const page = readFileSync('docs/how-to/shared-services.md', 'utf8');

/** The YAML of the blocks with this word. */
function blocks(word: string): readonly string[] {
  return [...page.matchAll(new RegExp(`^\`\`\`yaml ${word}\\n([^]*?)^\`\`\`$`, 'gm'))].map(([, text = '']) => text);
}

const apiVersion = 'bulkhead.dev/v1alpha1';
const settings = {
  apiVersion,
  kind: 'Settings',
  spec: {
    platform: { identities: [{ kind: 'Group', name: 'platform-team' }] },
    network: {
      ipFamilies: ['IPv4'],
      podCIDRs: ['10.244.0.0/16'],
      serviceCIDRs: ['10.96.0.0/12'],
      nodeCIDRs: ['192.168.0.0/16'],
    },
    sharedServices: blocks('services').flatMap((text) => parse(text)),
  },
};
const tenant = (name: string, network: object = {}) => ({
  apiVersion,
  kind: 'Tenant',
  metadata: { name },
  spec: { members: [{ kind: 'Group', name: `${name}-developers` }], namespaces: { prefix: `${name}-` }, network },
});

await clusterTest('the recipes for shared services do what their page says', async (t, plane) => {
  const folder = join(plane.directory, 'recipes');
  mkdirSync(join(folder, 'tenants'), { recursive: true });
  const config = join(folder, 'settings.yaml');
  writeFileSync(config, stringify(settings));
  const granted = blocks('tenant').map((text) => parse(text));
  t.equal(granted.length, 1);
  writeFileSync(join(folder, 'tenants/acme.yaml'), stringify(tenant('acme', Object.assign({}, ...granted))));
  writeFileSync(join(folder, 'tenants/beta.yaml'), stringify(tenant('beta')));
  const cluster = await guard(plane, join(folder, 'tenants'), plane.adminKubeconfig, { config });
  t.teardown(() => cluster.stop());
  t.match(await cluster.kubectl('alice', ['create', 'namespace', 'acme-web']), { code: 0 });
  t.match(await cluster.kubectl('bob', ['create', 'namespace', 'beta-web']), { code: 0 });

  const nameOf = (text: string): string => parse(text).metadata.name;
  const [admitted, refused] = [blocks('admitted'), blocks('refused')];
  t.strictSame(admitted.map(nameOf), [
    'database-to-kubernetes-api',
    'webhook-from-api-server',
    'shop-from-load-balancer',
    'metrics-from-monitoring',
  ]);
  for (const text of admitted)
    t.match(await cluster.kubectl('alice', ['apply', '-f', '-'], text), { code: 0, stderr: '' }, nameOf(text));

  const reasons: Readonly<Record<string, RegExp>> = {
    'to-every-kubernetes-api':
      /for kubernetes-api write its peers: ipBlock 10\.96\.0\.1\/32 on 443\/TCP and ipBlock 192\.168\.20\.11\/32 on 6443\/TCP/,
    'database-from-nodes':
      /ask the platform to grant 192\.168\.20\.0\/24 on 5432\/TCP \(network\.vouched of tenant acme\), direction ingress: with them/,
    'metrics-from-all-of-monitoring': /opens more of the namespace monitoring than its shared service monitoring/,
  };
  t.strictSame(refused.map(nameOf), Object.keys(reasons));
  for (const text of refused) {
    const stderr = reasons[nameOf(text)];
    t.match(await cluster.kubectl('alice', ['apply', '-f', '-'], text), { code: 1, stderr }, nameOf(text));
  }
  for (const text of admitted.slice(0, 3)) {
    const theirs = text.replace('namespace: acme-web', 'namespace: beta-web');
    const { code, stderr } = await cluster.kubectl('bob', ['apply', '-f', '-'], theirs);
    t.equal(code, 1, `${nameOf(text)} is not for others`);
    t.match(stderr, /covers addresses of the (service|node) network/);
  }
  const nodes = (admitted[2] ?? '').replace('namespace: acme-web', 'namespace: beta-web');
  t.match(await cluster.kubectl('bob', ['apply', '-f', '-'], nodes), {
    stderr:
      /ask the platform to grant 192\.168\.20\.0\/24 on 8443\/TCP \(network\.vouched of tenant beta\), direction ingress: with them comes what they forward, from the internet and from pods of others/,
  });
});
