/** `bulkhead explain` of a real cluster: what it says of stored pods and policies, and that its fix is admitted and opens the connection. */
import { runCommandLine } from '../../src/commands/command-line.ts';
import { networkKindsTest } from '../apiserver/stored-definitions.ts';
import { eventually } from '../soak/observer.ts';
import { guard } from './guarded-cluster.ts';

const tenants = 'manifests/overlays/example/tenants';
const config = 'manifests/overlays/example/bulkhead.yaml';

await networkKindsTest('explain answers for a cluster, and its fix opens what was blocked', async (t, plane) => {
  const cluster = await guard(plane, tenants);
  t.teardown(() => cluster.stop());
  const applied = async (person: Parameters<typeof cluster.kubectl>[0], text: string) => {
    const { code, stderr } = await cluster.kubectl(person, ['apply', '-f', '-'], text);
    t.equal(code, 0, stderr);
  };
  await applied(
    'platform',
    'apiVersion: v1\nkind: Namespace\nmetadata: { name: acme-web, labels: { bulkhead.dev/tenant: acme } }',
  );
  await applied(
    'platform',
    'apiVersion: v1\nkind: Namespace\nmetadata: { name: beta-data, labels: { bulkhead.dev/tenant: beta } }',
  );
  const pod = (namespace: string, name: string, labels: string, ports = '') =>
    `apiVersion: v1\nkind: Pod\nmetadata: { name: ${name}, namespace: ${namespace}, labels: ${labels} }\n` +
    `spec: { containers: [{ name: main, image: example.org/main, resources: { requests: { cpu: 1, memory: 1Gi } }${ports} }] }`;
  await applied('platform', pod('acme-web', 'front', '{ app: web }'));
  await applied(
    'platform',
    pod('beta-data', 'database-0', '{ app: database }', ', ports: [{ name: sql, containerPort: 5432 }]'),
  );
  await applied(
    'platform',
    'apiVersion: v1\nkind: Service\nmetadata: { name: database, namespace: beta-data }\nspec: { selector: { app: database }, ports: [{ port: 15432, targetPort: sql }] }',
  );
  await plane.kubectl(plane.adminKubeconfig, ['apply', '-f', 'manifests/components/roles/auditor.yaml']);
  const bound = await plane.kubectl(plane.adminKubeconfig, [
    ...['create', 'clusterrolebinding', 'explains', '--clusterrole=bulkhead-auditor', '--user=rita'],
  ]);
  t.equal(bound.code, 0, bound.stderr);
  const reader = await plane.kubeconfigFor({ user: 'rita' });
  const explain = async (...args: readonly string[]) => {
    const lines: string[] = [];
    const code = await runCommandLine(
      ['explain', '--tenants', tenants, '--config', config, '--kubeconfig', reader, '-o', 'json', ...args],
      { print: (line) => void lines.push(line), environment: {} },
    );
    return { code, answer: JSON.parse(lines.join('\n')) };
  };

  await eventually('the baselines are there', async () => {
    const { answer } = await explain('acme-web/front', 'svc/beta-data/database:15432');
    return answer.verdict === 'blocked' && answer.remedies.length === 2;
  });
  const before = await explain('acme-web/front', 'svc/beta-data/database:15432');
  t.equal(before.code, 1);
  t.match(before.answer, {
    from: 'Pod acme-web/front',
    to: 'Service beta-data/database',
    remedies: [
      { says: [/^To let it leave acme-web, add a policy/] },
      { says: [/^To let it enter beta-data, add a policy/] },
    ],
    notes: [],
  });
  await applied('alice', before.answer.remedies[0].manifest);
  const half = await explain('acme-web/front', 'svc/beta-data/database:15432');
  t.equal(half.answer.remedies.length, 1, 'one side is open');
  await applied('bob', half.answer.remedies[0].manifest);
  const after = await explain('acme-web/front', 'svc/beta-data/database:15432');
  t.match(after, { code: 0, answer: { verdict: 'open', remedies: [] } });

  await applied(
    'platform',
    JSON.stringify({
      apiVersion: 'policy.networking.k8s.io/v1alpha2',
      kind: 'ClusterNetworkPolicy',
      metadata: { name: 'freeze' },
      spec: {
        tier: 'Admin',
        priority: 1,
        subject: { namespaces: { matchLabels: { 'bulkhead.dev/tenant': 'beta' } } },
        ingress: [{ name: 'all', action: 'Deny', from: [{ namespaces: {} }] }],
      },
    }),
  );
  const frozen = await explain('acme-web/front', 'beta-data/database-0:5432');
  t.equal(frozen.answer.verdict, 'blocked');
  t.match(frozen.answer.remedies[0].says, [/ClusterNetworkPolicy freeze spec\.ingress\[0\]\.from\[0\] denies it/]);
});
