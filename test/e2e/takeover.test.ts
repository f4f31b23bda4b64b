/**
 * Every way that is known to take over a namespace, or to move one to another tenant (TEN-01 to TEN-05, ADM-01): what is
 * written, how it is written, and whose namespace it is. After every attempt the namespace is as it was.
 */
import type { Test } from 'tap';
import type { Output } from '../apiserver/control-plane.ts';
import { type GuardedCluster, guardedTest, type PersonName } from './guarded-cluster.ts';

interface Metadata {
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: unknown[];
}
interface Stored extends Metadata {
  readonly uid?: string;
}
interface Target {
  readonly whose: string;
  readonly namespace: string;
  readonly attacker: PersonName;
}
interface Way {
  readonly how: string;
  attack(cluster: GuardedCluster, target: Target, change: Metadata): Promise<Output>;
}

const targets: readonly Target[] = [
  { whose: 'his own', namespace: 'beta-data', attacker: 'bob' },
  { whose: 'somebody else’s', namespace: 'acme-web', attacker: 'bob' },
  { whose: 'the system’s', namespace: 'kube-system', attacker: 'bob' },
];

/** The uid is real: an ownerReference to nothing would have the garbage collector delete the namespace. */
const changes = (uid: string): readonly (readonly [string, Metadata])[] => [
  ['the tenant label', { labels: { 'bulkhead.dev/tenant': 'gamma' } }],
  ['a reserved annotation', { annotations: { 'scheduler.alpha.kubernetes.io/node-selector': 'pool=theirs' } }],
  [
    'an ownerReference',
    { ownerReferences: [{ apiVersion: 'v1', kind: 'Namespace', name: 'kube-public', uid, controller: true }] },
  ],
];

const merge = (change: Metadata) => JSON.stringify({ metadata: change });

const ways: readonly Way[] = [
  {
    how: 'replace',
    attack: async (cluster, target, change) =>
      cluster.kubectl(target.attacker, ['replace', '-f', '-'], await changed(cluster, target, change)),
  },
  {
    how: 'a merge patch',
    attack: (cluster, { attacker, namespace }, change) =>
      cluster.kubectl(attacker, ['patch', 'namespace', namespace, '--type=merge', '-p', merge(change)]),
  },
  {
    how: 'a JSON patch',
    attack: async (cluster, { attacker, namespace }, change) => {
      const stored = await metadataOf(cluster, namespace);
      const operations = Object.entries(change).map(([field, value]) => ({
        op: 'add',
        path: `/metadata/${field}`,
        value: Array.isArray(value) ? value : { ...stored[field as 'labels' | 'annotations'], ...value },
      }));
      return cluster.kubectl(attacker, [
        'patch',
        'namespace',
        namespace,
        '--type=json',
        '-p',
        JSON.stringify(operations),
      ]);
    },
  },
  {
    how: 'server-side apply',
    attack: (cluster, { attacker, namespace }, change) => {
      const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, ...change } };
      const command = ['apply', '--server-side', '--force-conflicts', '--field-manager=attacker', '-f', '-'];
      return cluster.kubectl(attacker, command, JSON.stringify(object));
    },
  },
  {
    how: 'a patch of the status subresource',
    attack: (cluster, { attacker, namespace }, change) =>
      cluster.kubectl(attacker, [
        'patch',
        'namespace',
        namespace,
        '--subresource=status',
        '--type=merge',
        '-p',
        merge(change),
      ]),
  },
  {
    how: 'the finalize subresource',
    attack: async (cluster, target, change) =>
      cluster.kubectl(
        target.attacker,
        ['replace', '--raw', `/api/v1/namespaces/${target.namespace}/finalize`, '-f', '-'],
        await changed(cluster, target, change),
      ),
  },
];

/** On these the API server itself drops changed ownerReferences before anybody is asked; nothing happens, and nobody refuses. */
const droppedByTheApiServer = ['a patch of the status subresource', 'the finalize subresource'];

await guardedTest('namespaces stay with their tenants', async (t, cluster) => {
  await t.test('nobody takes over a namespace', (t) => takesNothingOver(t, cluster));
  await t.test('nobody leaves anything behind in a name', (t) => leavesNothingBehind(t, cluster));
  await t.test('harmless edits pass', (t) => passesHarmlessEdits(t, cluster));
});

async function takesNothingOver(t: Test, cluster: GuardedCluster): Promise<void> {
  for (const [person, namespace] of [
    ['alice', 'acme-web'],
    ['bob', 'beta-data'],
  ] as const) {
    const { code, stderr } = await cluster.kubectl(person, ['create', 'namespace', namespace]);
    t.equal(code, 0, `${person} creates ${namespace} ${stderr}`);
  }
  const uid = String((await metadataOf(cluster, 'kube-public')).uid);

  let refused = 0;
  for (const target of targets) {
    const before = await trusted(cluster, target.namespace);
    for (const [what, change] of changes(uid)) {
      for (const { how, attack } of ways) {
        const sentence = `${target.attacker} cannot set ${what} of ${target.whose} namespace by ${how}`;
        const { code, stderr } = await attack(cluster, target, change);
        if (code !== 0) {
          refused++;
          t.match(
            stderr,
            /denied the request:[\s\S]*docs\/checks\/(tenant-label-frozen|reserved-labels|foreign-namespace|namespace-owner-references)\.md/,
            sentence,
          );
        } else {
          t.ok(what === 'an ownerReference' && droppedByTheApiServer.includes(how), `${sentence}: it was not refused`);
        }
        t.same(await trusted(cluster, target.namespace), before, `${sentence}: the namespace is as it was`);
      }
    }
  }
  t.ok(refused >= 30, `${refused} attempts were refused`);
  t.comment(`${refused} of ${targets.length * ways.length * 3} attempts were refused by Bulkhead`);

  const taken = await cluster.kubectl('bob', ['label', 'namespace', 'beta-data', 'bulkhead.dev/tenant-']);
  t.match(taken.stderr, 'tenant-label-frozen', 'bob cannot remove the tenant label of his own namespace');
  const deleted = await cluster.kubectl('bob', ['delete', 'namespace', 'acme-web']);
  t.match(deleted.stderr, 'foreign-namespace', 'bob cannot delete somebody else’s namespace');
  const emptied = await cluster.kubectl(
    'bob',
    ['replace', '--raw', '/api/v1/namespaces/beta-data/finalize', '-f', '-'],
    JSON.stringify({ ...(await objectOf(cluster, 'beta-data')), spec: { finalizers: [] } }),
  );
  t.match(emptied.stderr, 'namespace-finalize', 'bob cannot take the finalizer off a namespace that is in use');
}

async function leavesNothingBehind(t: Test, cluster: GuardedCluster): Promise<void> {
  const finalize = async (namespace: string, finalizers: readonly string[]) =>
    cluster.kubectl(
      'bob',
      ['replace', '--raw', `/api/v1/namespaces/${namespace}/finalize`, '-f', '-'],
      JSON.stringify({ ...(await objectOf(cluster, namespace)), spec: { finalizers } }),
    );
  await cluster.kubectl('bob', ['create', 'namespace', 'shared-data']);
  // Something that takes its time to go, and no pod: what the next owner of the name would inherit.
  const trap = { metadata: { name: 'trap', finalizers: ['example.com/later'] }, data: {} };
  const kubeconfig = await cluster.kubeconfig('bob');
  const made = await cluster.plane.request('POST', '/api/v1/namespaces/shared-data/configmaps', trap, { kubeconfig });
  t.equal(made.status, 201);
  const deleted = await cluster.kubectl('bob', ['delete', 'namespace', 'shared-data', '--wait=false']);
  t.equal(deleted.code, 0, deleted.stderr);
  t.match(
    (await finalize('shared-data', [])).stderr,
    'namespace-finalize',
    'a deleted namespace without pods is not let go by a tenant',
  );
  const stuck = await cluster.kubectl('bob', ['create', 'namespace', 'shared-data']);
  t.match(stuck.stderr, 'AlreadyExists', 'so nobody gets the name while something is left');
  const undo = [{ op: 'remove', path: '/metadata/finalizers' }];
  await cluster.kubectl('bob', [
    'patch',
    'configmap',
    'trap',
    '-n',
    'shared-data',
    '--type=json',
    '-p',
    JSON.stringify(undo),
  ]);
  const gone = await cluster.kubectl('platform', ['wait', '--for=delete', 'namespace/shared-data', '--timeout=60s']);
  t.equal(gone.code, 0, `then it ends ${gone.stderr}`);

  const held = await finalize('kube-system', ['kubernetes', 'example.com/stuck']);
  t.match(held.stderr, 'foreign-namespace', 'nobody holds somebody else’s namespace by a finalizer');
}

async function passesHarmlessEdits(t: Test, cluster: GuardedCluster): Promise<void> {
  const commands: readonly (readonly [PersonName, readonly string[]])[] = [
    ['alice', ['create', 'namespace', 'acme-edited']],
    ['alice', ['label', 'namespace', 'acme-edited', 'team=web']],
    ['alice', ['annotate', 'namespace', 'acme-edited', 'example.org/contact=web@example.org']],
    ['alice', ['label', 'namespace', 'acme-edited', 'team=shop', '--overwrite']],
    ['alice', ['label', 'namespace', 'acme-edited', 'team-']],
    ['alice', ['label', 'namespace', 'acme-edited', 'constructor=mine']],
    ['alice', ['label', 'namespace', 'acme-edited', 'pod-security.kubernetes.io/enforce=restricted']],
    ['platform', ['label', 'namespace', 'acme-edited', 'pod-security.kubernetes.io/enforce=baseline', '--overwrite']],
    ['platform', ['create', 'namespace', 'observability']],
    ['platform', ['label', 'namespace', 'observability', 'name=observability']],
    [
      'alice',
      [
        'patch',
        'namespace',
        'acme-edited',
        '--subresource=status',
        '--type=merge',
        '-p',
        '{"metadata":{"labels":{"team":"web"}}}',
      ],
    ],
    ['alice', ['delete', 'namespace', 'acme-edited', '--wait=false']],
    ['alice', ['create', 'namespace', 'acme-short']],
    ['alice', ['delete', 'namespace', 'acme-short', '--cascade=foreground', '--wait=false']],
  ];
  for (const [person, command] of commands) {
    const { code, stderr } = await cluster.kubectl(person, command);
    t.equal(code, 0, `${person}: kubectl ${command.join(' ')} ${stderr}`);
  }
  // The namespace controller takes the finalizer off without being trusted by name.
  const gone = await cluster.kubectl('platform', ['wait', '--for=delete', 'namespace/acme-edited', '--timeout=40s']);
  t.equal(gone.code, 0, `a deleted namespace ends ${gone.stderr}`);
  const foreground = await cluster.kubectl('platform', [
    'wait',
    '--for=delete',
    'namespace/acme-short',
    '--timeout=60s',
  ]);
  t.equal(foreground.code, 0, `one that is deleted in the foreground, too ${foreground.stderr}`);
}

async function objectOf({ plane }: GuardedCluster, namespace: string): Promise<{ metadata: Stored }> {
  return (await plane.request('GET', `/api/v1/namespaces/${namespace}`)).body as { metadata: Stored };
}

async function metadataOf(cluster: GuardedCluster, namespace: string): Promise<Stored> {
  return (await objectOf(cluster, namespace)).metadata;
}

async function trusted(cluster: GuardedCluster, namespace: string): Promise<Metadata> {
  const { labels, annotations, ownerReferences } = await metadataOf(cluster, namespace);
  return {
    ...(labels && { labels }),
    ...(annotations && { annotations }),
    ...(ownerReferences && { ownerReferences }),
  };
}

async function changed(cluster: GuardedCluster, { namespace }: Target, change: Metadata): Promise<string> {
  const object = await objectOf(cluster, namespace);
  const { labels, annotations } = object.metadata;
  Object.assign(object.metadata, change, {
    labels: { ...labels, ...change.labels },
    annotations: { ...annotations, ...change.annotations },
  });
  return JSON.stringify(object);
}
