/**
 * The border as kubectl shows it, and what no case of test/fixtures can say: what is stored, what is sent to subresources, and what is
 * very large. The cases themselves are sent to an API server by fixtures.test.ts.
 */
import type { Test } from 'tap';
import { clusterTest } from '../apiserver/cluster-test.ts';
import { eventually } from '../soak/observer.ts';
import { type GuardedCluster, guard, type PersonName } from './guarded-cluster.ts';

interface Sent {
  readonly says: string;
  readonly person: PersonName;
  readonly object: { readonly kind: string; readonly metadata: { readonly name: string; readonly namespace?: string } };
}
interface Admitted extends Sent {
  /** The tenant whose label the stored object carries. */
  readonly tenant?: string;
}
interface Refused extends Sent {
  readonly check: string;
  readonly path: string;
  readonly witness?: RegExp;
}

const label = 'bulkhead.dev/tenant';
const pod = (name: string, namespace: string, spec: object = {}, metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace, ...metadata },
  spec: { containers: [{ name: 'main', image: 'busybox' }], ...spec },
});
const policy = (name: string, namespace: string, spec: object) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name, namespace },
  spec: { podSelector: {}, policyTypes: ['Ingress'], ...spec },
});
const from = (...peers: object[]) => ({ ingress: [{ from: peers }] });
const namespace = (name: string, metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, ...metadata },
});

const admitted: readonly Admitted[] = [
  {
    says: 'a policy for the own namespace',
    person: 'bob',
    object: policy('own', 'beta-data', from({ podSelector: {} })),
    tenant: 'beta',
  },
  { says: 'an ordinary pod', person: 'bob', object: pod('plain', 'beta-data'), tenant: 'beta' },
  {
    says: 'a member of two tenants who says which',
    person: 'dora',
    object: namespace('shop', { labels: { [label]: 'beta' } }),
    tenant: 'beta',
  },
  { says: 'a member of two tenants, by prefix', person: 'dora', object: namespace('acme-two'), tenant: 'acme' },
  {
    says: 'a namespace that the platform makes for a tenant',
    person: 'platform',
    object: namespace('made-for', { labels: { [label]: 'gamma' } }),
    tenant: 'gamma',
  },
  { says: 'a namespace of the platform', person: 'platform', object: namespace('logging') },
  {
    says: 'a policy of the platform for every namespace',
    person: 'platform',
    object: policy('all', 'default', from({ namespaceSelector: {} })),
  },
  {
    says: 'a pod of the platform on the network of its node',
    person: 'platform',
    object: pod('agent', 'default', { hostNetwork: true }),
  },
];

const refused: readonly Refused[] = [
  {
    says: 'a policy for every namespace',
    person: 'bob',
    object: policy('all', 'beta-data', from({ namespaceSelector: {} })),
    check: 'cross-tenant-ingress',
    path: 'spec.ingress[0].from[0].namespaceSelector',
    witness: /bulkhead\.dev\/tenant=not-beta/,
  },
  {
    says: 'a pod on the network of its node',
    person: 'bob',
    object: pod('node', 'beta-data', { hostNetwork: true }),
    check: 'host-network',
    path: 'spec.hostNetwork',
  },
  {
    says: 'a name that is reserved to another tenant',
    person: 'bob',
    object: namespace('acme-three'),
    check: 'reserved-prefix',
    path: 'metadata.name',
  },
];

await clusterTest(
  'the border on a real API server',
  async (t, plane) => {
    const cluster = await guard(plane);
    t.teardown(() => cluster.stop());
    for (const name of ['beta-data', 'beta-edge']) {
      const { code, stderr } = await cluster.kubectl('bob', ['create', 'namespace', name]);
      t.equal(code, 0, `bob creates ${name} ${stderr}`);
    }
    await t.test('it holds for what kubectl sends', (t) => holds(t, cluster));
    await t.test('subresources and deletions are no way around', (t) => holdsForSubresources(t, cluster));
    await t.test('what goes wrong at the edge is said, not swallowed', (t) => saysWhatGoesWrong(t, cluster));
  },
  // Nothing ends here, and beta has no quota that would have to be counted.
  { controllers: false },
);

async function holds(t: Test, cluster: GuardedCluster): Promise<void> {
  const create = (person: PersonName, object: object, ...flags: string[]) =>
    cluster.kubectl(person, ['create', ...flags, '-f', '-'], JSON.stringify(object));
  for (const { says, person, object, tenant } of admitted) {
    const dry = await create(person, object, '--dry-run=server');
    const real = await create(person, object);
    t.strictSame([dry.code, real.code], [0, 0], `${says} is admitted ${real.stderr}`);
    t.equal(await labelOf(cluster, object), tenant, `${says}: carries ${tenant ?? 'no tenant'}`);
  }
  for (const { says, person, object, check, path, witness } of refused) {
    const dry = await create(person, object, '--dry-run=server');
    const { code, stderr } = await create(person, object);
    t.equal(code, 1, `${says} is refused`);
    t.strictSame([dry.code, dry.stderr], [code, stderr], `${says}: the dry-run says the same`);
    t.ok(stderr.startsWith('Error from server (Forbidden): '), `${says}: it is a Forbidden`);
    t.match(stderr, `\n  ${path}\n    `, `${says}: says where`);
    t.match(stderr, '\n    fix: ', `${says}: says how to fix it`);
    t.match(stderr, `\n    ${check}, docs/checks/${check}.md\n`, `${says}: names the check`);
    t.match(stderr, '\n1 finding', `${says}: and nothing else is wrong`);
    if (witness) t.match(stderr, witness, `${says}: shows a witness`);
  }
}

async function holdsForSubresources(t: Test, cluster: GuardedCluster): Promise<void> {
  const patch = (what: string, name: string, change: object, ...flags: string[]) => [
    ...['patch', what, name, '-n', 'beta-data', '--type=merge', ...flags],
    ...['-p', JSON.stringify(change)],
  ];
  const attempts: readonly (readonly [does: string, check: string, command: readonly string[], stdin?: object])[] = [
    [
      'relabels through pods/status',
      'pod-tenant-label',
      patch('pod', 'plain', { metadata: { labels: { [label]: 'acme' } } }, '--subresource=status'),
    ],
    [
      'sets a reserved annotation through pods/status',
      'reserved-labels',
      patch(
        'pod',
        'plain',
        { metadata: { annotations: { 'cni.projectcalico.org/ipAddrs': '["10.244.9.9"]' } } },
        '--subresource=status',
      ),
    ],
    [
      'relabels through a Binding (ADM-02)',
      'pod-binding',
      ['create', '--raw', '/api/v1/namespaces/beta-data/pods/plain/binding', '-f', '-'],
      {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name: 'plain', labels: { role: 'db' } },
        target: { kind: 'Node', name: 'n1' },
      },
    ],
    [
      'edits a managed policy',
      'managed-policy',
      patch('networkpolicy', 'bulkhead-default-deny', { spec: { podSelector: { matchLabels: { no: 'pod' } } } }),
    ],
    [
      'edits a managed policy by server-side apply',
      'managed-policy',
      ['apply', '--server-side', '--force-conflicts', '-f', '-'],
      policy('bulkhead-default-deny', 'beta-data', {}),
    ],
  ];
  const door = '/apis/networking.k8s.io/v1/namespaces/beta-data/networkpolicies/bulkhead-default-deny';
  // The baseline is put in place from the watch, a moment after the namespace.
  await eventually('it has its baseline', async () => (await cluster.plane.request('GET', door)).status === 200);
  for (const [does, check, command, stdin] of attempts) {
    const { code, stderr } = await cluster.kubectl('bob', command, stdin && JSON.stringify(stdin));
    t.not(code, 0, `whoever ${does} is refused`);
    t.match(stderr, `${check}, docs/checks/${check}.md`, `whoever ${does} hears of ${check}`);
  }
  const { spec } = (await cluster.plane.request('GET', door)).body as { readonly spec: unknown };
  t.same(spec, { podSelector: {}, policyTypes: ['Ingress', 'Egress'] }, 'the closed door is as it was');
}

async function saysWhatGoesWrong(t: Test, cluster: GuardedCluster): Promise<void> {
  const many = Array.from({ length: 60 }, () => ({ namespaceSelector: {} }));
  const tooMany = JSON.stringify(policy('many', 'beta-edge', from(...many)));
  const { stderr } = await cluster.kubectl('bob', ['create', '-f', '-'], tooMany);
  t.match(stderr, /60 findings, \d+ of them not shown/, 'every finding is counted');
  t.ok(Buffer.byteLength(stderr) < 4096 + 512, 'and the message stays short');

  const kubeconfig = await cluster.kubeconfig('bob');
  const post = (path: string, object: object) => cluster.plane.request('POST', path, object, { kubeconfig });
  const generated = await post('/api/v1/namespaces', { metadata: { generateName: 'beta-gen-' } });
  t.equal(generated.status, 201, 'a generated name works');
  t.match(JSON.stringify(generated.body), '"bulkhead.dev/tenant":"beta"', 'and the namespace is labelled');

  const big = pod('big', 'beta-edge', {}, { annotations: { 'example.org/notes': 'x'.repeat(250_000) } });
  const stored = await post('/api/v1/namespaces/beta-edge/pods', big);
  t.equal(stored.status, 201, 'a pod as large as annotations may be');
  const peers = Array.from({ length: 900 }, (_, index) => ({
    podSelector: {
      matchExpressions: [
        {
          key: `k${index}`,
          operator: 'In',
          values: Array.from({ length: 30 }, (_, value) => `${'v'.repeat(50)}${value}`),
        },
      ],
    },
  }));
  const wide = policy('huge', 'beta-edge', from(...peers));
  t.ok(JSON.stringify(wide).length > 1_300_000, 'a policy above the usual body limit of web servers');
  const path = '/apis/networking.k8s.io/v1/namespaces/beta-edge/networkpolicies';
  const created = await post(path, wide);
  t.equal(created.status, 201, `a policy of more than a megabyte is judged: ${created.text.slice(0, 300)}`);
  const updated = await cluster.plane.request(
    'PATCH',
    `${path}/huge`,
    { metadata: { labels: { touched: 'yes' } } },
    { kubeconfig, contentType: 'application/merge-patch+json' },
  );
  t.equal(updated.status, 200, 'and its update, which carries it twice');
}

async function labelOf(cluster: GuardedCluster, { kind, metadata: { name, namespace } }: Sent['object']) {
  const where = namespace === undefined ? [] : ['-n', namespace];
  const { stdout } = await cluster.kubectl('platform', ['get', kind, name, ...where, '-o', 'json']);
  return JSON.parse(stdout).metadata.labels?.[label];
}
