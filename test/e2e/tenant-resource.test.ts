/** Tenants as objects of a real API server: what it refuses itself, what Bulkhead refuses, and what becomes of the others. */
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import { parseTenant } from '../../src/tenancy/parse-tenant.ts';
import { unlined } from '../../src/tenancy/problem.ts';
import { clusterTest } from '../apiserver/cluster-test.ts';
import type { ControlPlane, Output } from '../apiserver/control-plane.ts';
import {
  type GuardedCluster,
  guard,
  installTenantResource,
  type PersonName,
  tenantObjects,
} from './guarded-cluster.ts';

const apiVersion = 'bulkhead.dev/v1alpha1';
const path = '/apis/bulkhead.dev/v1alpha1/tenants';
const tenant = (name: string, spec: object) => ({ apiVersion, kind: 'Tenant', metadata: { name }, spec });
const gated = (gate: object) => ({ network: { gates: [{ tenant: 'beta', direction: 'egress', ...gate }] } });
const member = (subject: object) => ({ members: [subject] });

/** What the API server refuses by itself, and its word for it; the parser of the files refuses each as well. */
const refusedByTheResource: readonly (readonly [sentence: string, object: object, message: RegExp])[] = [
  [
    'the name of the platform',
    tenant('platform', {}),
    /metadata\.name: .*platform means the team that runs the cluster/,
  ],
  ['a name that is no namespace label', tenant('acme.corp', {}), /metadata\.name: .*should match/],
  ['an unknown mode', tenant('omega', { mode: 'loud' }), /spec\.mode: Unsupported value: "loud"/],
  ['an unknown field', tenant('omega', { mod: 'warn' }), /unknown field "spec\.mod"/],
  [
    'a prefix without its hyphen',
    tenant('omega', { namespaces: { prefix: 'omega' } }),
    /spec\.namespaces\.prefix: .*should match/,
  ],
  [
    'one of several prefixes without its hyphen',
    tenant('omega', { namespaces: { prefixes: ['omega-', 'om'] } }),
    /spec\.namespaces\.prefixes\[1\]: .*should match/,
  ],
  [
    'a whole name that is a prefix',
    tenant('omega', { namespaces: { names: ['omega-'] } }),
    /spec\.namespaces\.names\[0\]: .*should match/,
  ],
  [
    'names that are kept to, and none of them',
    tenant('omega', { namespaces: { prefixes: [], enforcePrefix: true } }),
    /spec\.namespaces\.enforcePrefix: .*lets members create no namespace/,
  ],
  [
    'a limit below zero',
    tenant('omega', { namespaces: { limit: -1 } }),
    /spec\.namespaces\.limit: .*greater than or equal to 0/,
  ],
  [
    'everybody',
    tenant('omega', member({ kind: 'Group', name: 'system:authenticated' })),
    /spec\.members\[0\]: .*is everybody/,
  ],
  ['a pattern', tenant('omega', member({ kind: 'User', name: 'dev-*' })), /spec\.members\[0\]: .*looks like a pattern/],
  [
    'a part of Kubernetes',
    tenant('omega', member({ kind: 'Group', name: 'system:nodes' })),
    /spec\.members\[0\]: .*is part of Kubernetes itself/,
  ],
  [
    'a service account as a user',
    tenant('omega', member({ kind: 'User', name: 'system:serviceaccount:argocd:deployer' })),
    /spec\.members\[0\]: .*is a service account/,
  ],
  [
    'a service account without namespace',
    tenant('omega', member({ kind: 'ServiceAccount', name: 'x' })),
    /spec\.members\[0\]: .*is known by its namespace/,
  ],
  [
    'a group with a namespace',
    tenant('omega', member({ kind: 'Group', name: 'x', namespace: 'y' })),
    /spec\.members\[0\]: .*lives in no namespace/,
  ],
  ['a gate to itself', tenant('beta', gated({})), /spec\.network\.gates: .*leads to the tenant itself/],
  [
    'a range that ends before it begins',
    tenant('omega', gated({ ports: [{ port: 80, endPort: 79 }] })),
    /ports\[0\]: .*endPort is the last port/,
  ],
  [
    'an end without a beginning',
    tenant('omega', gated({ ports: [{ endPort: 79 }] })),
    /ports\[0\]: .*endPort is the last port/,
  ],
  [
    'a date without a time',
    tenant('omega', gated({ expires: '2027-01-31' })),
    /expires: .*is not a time as in RFC 3339/,
  ],
  [
    'the same gate twice',
    tenant('omega', {
      network: {
        gates: [
          { tenant: 'beta', direction: 'egress' },
          { tenant: 'beta', direction: 'egress' },
        ],
      },
    }),
    /spec\.network\.gates: .*opens the same twice/,
  ],
  [
    'more members than anybody lists',
    tenant('omega', { members: Array.from({ length: 129 }, (_, index) => ({ kind: 'User', name: `user-${index}` })) }),
    /spec\.members: Too many: 129: must have at most 128 items/,
  ],
];

await clusterTest('tenants as objects', async (t, plane) => {
  await installTenantResource(plane);
  await t.test('what the API server refuses by itself', (t) => refusesByItself(t, plane));
  const config = `${plane.directory}/settings.yaml`;
  await copyFile('manifests/overlays/example/bulkhead.yaml', config);
  let cluster = await guard(plane, tenantObjects, plane.adminKubeconfig, { config });
  t.teardown(() => cluster.stop());
  await t.test('a tenant is there within seconds', (t) => appears(t, cluster));
  await t.test('its status and columns', (t) => shows(t, cluster));
  await t.test('no member writes tenants', (t) => keepsMembersOut(t, cluster));
  await t.test('what does not go together is refused, as from files', (t) => refusesConflicts(t, cluster));
  await t.test('TEN-12: a tenant in use stays, so that no other one comes to its namespaces by its name', (t) =>
    keepsTenantsInUse(t, cluster),
  );
  await t.test('who takes from a tenant what its namespaces need is told', (t) => warns(t, cluster));
  await t.test('a tenant that is being deleted gets no namespace, and stays while it has one', (t) => ends(t, cluster));
  await t.test('a namespace whose tenant is gone is nobody’s, and closed', (t) => closesOrphans(t, cluster));
  await t.test('a bad object does not replace a good one', (t) => keepsTheLastGood(t, cluster));
  await t.test('nor do bad settings, and each tenant says so', (t) => tellsOfSettings(t, cluster, config));
  await cluster.stop();
  cluster = await guard(plane, tenantObjects);
  await t.test('after a restart', (t) => startsAgain(t, cluster));
});

async function refusesByItself(t: Test, plane: ControlPlane): Promise<void> {
  for (const [sentence, object, message] of refusedByTheResource) {
    const { status, body } = await plane.request('POST', `${path}?dryRun=All&fieldValidation=Strict`, object);
    t.ok(status === 422 || status === 400, `${sentence} is refused: ${status}`);
    t.match((body as { message?: string }).message, message, `${sentence}: says why`);
    const parsed = parseTenant({ value: object, locate: unlined('tenant') });
    t.notOk(parsed.ok, `${sentence}: in a file too`);
  }
  const examples = (verb: string) =>
    plane.kubectl(plane.adminKubeconfig, [verb, '-f', 'manifests/overlays/example/tenants']);
  const applied = await examples('apply');
  t.equal(applied.code, 0, `the examples are applied as they are ${applied.stderr}`);
  t.equal(applied.stderr, '', 'without a warning');
  t.match(await examples('delete'), { code: 0 }, 'and are taken away for what follows');
}

async function appears(t: Test, cluster: GuardedCluster): Promise<void> {
  const before = await cluster.kubectl('alice', ['create', 'namespace', 'acme-web']);
  t.match(before.stderr, /is not a member of any tenant/, 'before, alice is nobody');
  succeeded(
    t,
    'the examples',
    await cluster.kubectl('platform', ['apply', '-f', 'manifests/overlays/example/tenants']),
  );
  const created = async () => (await cluster.kubectl('alice', ['create', 'namespace', 'acme-web'])).code === 0;
  await until(created, 'alice to create a namespace');
  const { body } = await cluster.plane.request('GET', '/api/v1/namespaces/acme-web');
  t.match(body, { metadata: { labels: { 'bulkhead.dev/tenant': 'acme' } } }, 'it gets the label of its tenant');
  const policy = '/apis/networking.k8s.io/v1/namespaces/acme-web/networkpolicies/bulkhead-default-deny';
  await until(async () => (await cluster.plane.request('GET', policy)).status === 200, 'the baseline');
}

async function shows(t: Test, cluster: GuardedCluster): Promise<void> {
  const settled = async () => (await statusOf(cluster, 'acme')).namespaces === 1;
  await until(settled, 'the status of acme');
  const { observedGeneration, namespaces, conditions, gates } = await statusOf(cluster, 'acme');
  t.match([observedGeneration, namespaces], [1, 1]);
  t.match(conditions, [
    { type: 'Ready', status: 'True', reason: 'InForce', observedGeneration: 1 },
    { type: 'GatesOpen', status: 'True', reason: 'Open', observedGeneration: 1 },
  ]);
  t.strictSame(gates, [{ tenant: 'beta', direction: 'egress', state: 'Open', ports: ['5432/TCP'] }]);
  const { stdout } = await cluster.kubectl('platform', ['get', 'tn']);
  const columns = (line: string) => line.trim().split(/\s+/).slice(0, -1);
  const [header = '', acme = ''] = stdout.split('\n');
  t.strictSame(columns(header), ['NAME', 'MODE', 'ISOLATION', 'PREFIX', 'NAMESPACES', 'GATES', 'READY'], stdout);
  t.strictSame(columns(acme), ['acme', 'enforce', 'hard', 'acme-', '1', 'Open', 'True'], stdout);

  const half = tenant('omega', gated({}));
  const told = await apply(cluster, 'platform', half);
  succeeded(t, 'half a gate', told);
  t.match(told.stderr, /Warning: tenant-document: spec\.network\.gates\[0\]\.tenant /, 'with a warning');
  await until(async () => (await statusOf(cluster, 'omega')).gates?.[0]?.state === 'HalfOpen', 'the half gate');
  succeeded(
    t,
    'and its end',
    await apply(cluster, 'platform', tenant('omega', gated({ expires: '2026-01-01T00:00:00Z' }))),
  );
  await until(async () => (await statusOf(cluster, 'omega')).gates?.[0]?.state === 'Expired', 'the end of the gate');
  succeeded(t, 'without namespaces it goes', await cluster.kubectl('platform', ['delete', 'tn', 'omega']));

  const [before] = await versions(cluster);
  await sleep(4_000);
  t.strictSame(await versions(cluster), [before], 'at rest nothing is written');
}

/** alice may do everything that RBAC knows. */
async function keepsMembersOut(t: Test, cluster: GuardedCluster): Promise<void> {
  const [before] = await versions(cluster);
  const wide = { spec: { network: { egressCIDRs: ['0.0.0.0/0'] } } };
  const json = JSON.stringify([{ op: 'add', path: '/spec/mode', value: 'audit' }]);
  const whole = tenant('acme', { members: [{ kind: 'User', name: 'alice' }], mode: 'audit' });
  const stored = (await cluster.plane.request('GET', `${path}/acme`)).body as { metadata: object };
  const ways: readonly (readonly [how: string, command: readonly string[], stdin?: object])[] = [
    ['create', ['create', '-f', '-'], tenant('alices', {})],
    ['apply', ['apply', '-f', '-'], whole],
    ['server-side apply', ['apply', '--server-side', '--force-conflicts', '-f', '-'], whole],
    ['replace', ['replace', '-f', '-'], { ...stored, spec: whole.spec }],
    ['a merge patch', ['patch', 'tn', 'acme', '--type=merge', '-p', JSON.stringify(wide)]],
    ['a JSON patch', ['patch', 'tn', 'acme', '--type=json', '-p', json]],
    ['a label', ['label', 'tn', 'acme', 'team=web']],
    ['an annotation', ['annotate', 'tn', 'acme', 'note=mine']],
    [
      'a finalizer',
      ['patch', 'tn', 'acme', '--type=merge', '-p', '{"metadata":{"finalizers":["alice.example/stay"]}}'],
    ],
    [
      'the status',
      ['patch', 'tn', 'acme', '--subresource=status', '--type=merge', '-p', '{"status":{"namespaces":0}}'],
    ],
    ['delete', ['delete', 'tn', 'gamma', '--wait=false']],
    ['a collection delete', ['delete', 'tn', '--all', '--wait=false']],
    ['a raw collection delete', ['delete', '--raw', path]],
  ];
  for (const [how, command, stdin] of ways) {
    const { code, stderr } = await cluster.kubectl('alice', command, stdin && JSON.stringify(stdin));
    t.not(code, 0, `alice cannot write tenants by ${how}`);
    t.match(stderr, /tenant-writers/, `${how}: says why`);
    t.notMatch(stderr, /beta-/, `${how}: and nothing of others`);
  }
  t.strictSame(await versions(cluster), [before], 'nothing has changed');
}

async function refusesConflicts(t: Test, cluster: GuardedCluster): Promise<void> {
  const cases: readonly (readonly [sentence: string, spec: object, message: RegExp])[] = [
    [
      'a prefix under that of another',
      { namespaces: { prefix: 'acme-eu-' } },
      /spec\.namespaces\.prefix\s+acme-eu- lies under acme-, which is reserved to tenant acme\s+fix: choose a prefix/,
    ],
    [
      'a prefix that is taken',
      { namespaces: { prefix: 'beta-' } },
      /beta- is reserved to tenant beta \(tenants\.bulkhead\.dev\/beta\) already/,
    ],
    [
      'names of the platform',
      { namespaces: { prefix: 'kube-' } },
      /kube- lies under kube-, which is reserved to the platform/,
    ],
    [
      'a platform identity',
      member({ kind: 'Group', name: 'platform-team' }),
      /is a platform identity, which may do everything/,
    ],
    [
      'addresses of the cluster',
      { network: { egressCIDRs: ['10.0.0.0/8'] } },
      /reaches into 10\.244\.0\.0\/16, the pod network/,
    ],
    ['no range of addresses', { network: { egressCIDRs: ['203.0.113.7/24'] } }, /spec\.network\.egressCIDRs\[0\]/],
    [
      'no resource',
      { namespaces: { resourceQuota: { hard: { cpus: '4' } } } },
      /is not a resource that a quota can limit/,
    ],
  ];
  for (const [sentence, spec, message] of cases) {
    const { code, stderr } = await apply(cluster, 'platform', tenant('omega', spec), '--dry-run=server');
    t.not(code, 0, `${sentence} is refused`);
    t.match(stderr, message, `${sentence}: says why`);
    t.match(stderr, /docs\/checks\/tenant-document\.md/, `${sentence}: by its check`);
  }
}

async function keepsTenantsInUse(t: Test, cluster: GuardedCluster): Promise<void> {
  const refused = await cluster.kubectl('platform', ['delete', 'tn', 'acme', '--wait=false']);
  t.match(
    refused.stderr,
    /1 namespace of tenant acme would have no owner\s+fix: delete them or change their label first: kubectl get namespaces -l bulkhead\.dev\/tenant=acme/,
  );
  succeeded(t, 'a tenant without namespaces', await cluster.kubectl('platform', ['delete', 'tn', 'gamma']));
}

async function warns(t: Test, cluster: GuardedCluster): Promise<void> {
  const acme = { members: [{ kind: 'Group', name: 'acme-developers' }], namespaces: { prefix: 'acme-', limit: 20 } };
  const rows: readonly (readonly [sentence: string, spec: object, warnings: readonly string[]])[] = [
    ['nothing is taken', acme, []],
    ['the members', { namespaces: acme.namespaces }, ['spec.members is empty: only their own service accounts still']],
    [
      'the prefix, and the limit',
      { ...acme, namespaces: { limit: 0 } },
      [
        'spec.namespaces.prefix no longer covers 1 namespace: once deleted, others may take its name',
        'spec.namespaces.limit is below the 1 existing namespace, which stays; new ones are rejected',
      ],
    ],
  ];
  for (const [sentence, spec, warnings] of rows) {
    const { code, stderr } = await apply(cluster, 'platform', tenant('acme', spec), '--dry-run=server');
    t.equal(code, 0, `${sentence}: it is admitted ${stderr}`);
    const lines = stderr.split('\n').filter((line) => /tenant-narrowed: (?!fix: )/.test(line));
    t.equal(lines.length, warnings.length, `${sentence}: ${stderr}`);
    for (const [index, warning] of warnings.entries())
      t.ok(lines[index]?.startsWith(`Warning: tenant-narrowed: ${warning}`), `${sentence}: ${warning}`);
  }
}

async function ends(t: Test, cluster: GuardedCluster): Promise<void> {
  const finalizer = (...finalizers: string[]) => ['--type=merge', '-p', JSON.stringify({ metadata: { finalizers } })];
  const omega = tenant('omega', { members: [{ kind: 'User', name: 'carol' }] });
  succeeded(t, 'omega', await apply(cluster, 'platform', omega));
  const create = (...flags: string[]) => cluster.kubectl('carol', ['create', 'namespace', 'late', ...flags]);
  await until(async () => (await create('--dry-run=server')).code === 0, 'carol to be a member');
  const patched = await cluster.kubectl('platform', ['patch', 'tn', 'omega', ...finalizer('example.org/backup')]);
  succeeded(t, 'a finalizer', patched);
  succeeded(t, 'without namespaces', await cluster.kubectl('platform', ['delete', 'tn', 'omega', '--wait=false']));
  await until(async () => (await create('--dry-run=server')).code !== 0, 'the deletion to be known');
  t.match((await create()).stderr, /tenant omega is being deleted[\s\S]*docs\/checks\/tenant-leaving\.md/);
  const late = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'late', labels: labelOf('omega') } };
  t.match((await apply(cluster, 'platform', late)).stderr, /tenant-leaving/, 'nor does the platform give it one');

  // As if it had been created in the same instant.
  await unguarded(t, cluster, async () => {
    await until(async () => (await apply(cluster, 'platform', late)).code === 0, 'the namespace to pass');
  });
  const letGo = (...flags: string[]) => cluster.kubectl('platform', ['patch', 'tn', 'omega', ...finalizer(), ...flags]);
  await until(async () => (await letGo('--dry-run=server')).code !== 0, 'the namespace to be known');
  t.match(
    (await letGo()).stderr,
    /metadata\.finalizers\s+1 namespace of tenant omega would have no owner\s+fix: delete them or change their label/,
  );
  const taken = await cluster.kubectl('platform', ['label', 'namespace', 'late', 'bulkhead.dev/tenant-']);
  succeeded(t, 'the namespace is taken away', taken);
  await until(async () => (await letGo()).code === 0, 'omega to go');
  t.equal((await cluster.plane.request('GET', `${path}/omega`)).status, 404, 'it is gone');

  succeeded(t, 'another', await apply(cluster, 'platform', tenant('omega', {})));
  const foreground = ['delete', 'tn', 'omega', '--cascade=foreground', '--timeout=20s'];
  succeeded(t, 'the garbage collector can finish', await cluster.kubectl('platform', foreground));
}

async function closesOrphans(t: Test, cluster: GuardedCluster): Promise<void> {
  const orphan = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'orphan', labels: labelOf('omega') } };
  await unguarded(t, cluster, async () => {
    await until(async () => (await apply(cluster, 'platform', orphan)).code === 0, 'the namespace to pass');
  });
  // kubectl would try ten times, as it does what is refused for now.
  const first = { metadata: { name: 'first' }, spec: { containers: [{ name: 'web', image: 'web' }] } };
  const kubeconfig = await cluster.kubeconfig('platform');
  t.match(
    await cluster.plane.request('POST', '/api/v1/namespaces/orphan/pods', first, { kubeconfig }),
    { status: 503, text: /no pod is admitted before it/ },
    'no pod comes into it',
  );
  for (const command of [
    ['label', 'namespace', 'orphan', 'team=web'],
    ['label', 'namespace', 'orphan', 'bulkhead.dev/tenant=acme', '--overwrite'],
    ['delete', 'namespace', 'orphan', '--wait=false'],
  ]) {
    const { stderr } = await cluster.kubectl('alice', command);
    t.match(stderr, /docs\/checks\/(foreign-namespace|managed-policy)\.md/, command.join(' '));
  }
  const open = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'open', namespace: 'orphan' },
    spec: { podSelector: {}, ingress: [{ from: [{ namespaceSelector: { matchLabels: labelOf('acme') } }] }] },
  };
  t.match((await apply(cluster, 'alice', open)).stderr, /cross-tenant-ingress/, 'nobody opens it');
  succeeded(t, 'the platform ends it', await cluster.kubectl('platform', ['delete', 'namespace', 'orphan']));
}

/** What happens while the webhook is not asked: the registrations are taken away for a moment. */
async function unguarded(t: Test, cluster: GuardedCluster, meanwhile: () => Promise<void>): Promise<void> {
  const { plane } = cluster;
  const registrations = await plane.kubectl(plane.adminKubeconfig, [
    ...['get', 'validatingwebhookconfigurations', '-o', 'json'],
  ]);
  for (const { kind, metadata } of JSON.parse(registrations.stdout).items)
    succeeded(t, 'unregistered', await plane.kubectl(plane.adminKubeconfig, ['delete', kind, metadata.name]));
  await meanwhile();
  for (const item of JSON.parse(registrations.stdout).items) {
    const { name } = item.metadata;
    succeeded(t, 'registered', await apply(cluster, 'platform', { ...item, metadata: { name } }));
  }
  const refused = async () =>
    (await cluster.kubectl('carol', ['create', 'namespace', 'asked', '--dry-run=server'])).code;
  await until(async () => (await refused()) !== 0, 'the webhook to be asked again');
}

function labelOf(tenant: string): Record<string, string> {
  return { 'bulkhead.dev/tenant': tenant };
}

async function keepsTheLastGood(t: Test, cluster: GuardedCluster): Promise<void> {
  const bad = { namespaces: { prefix: 'acme-' }, network: { egressCIDRs: ['nowhere'] }, mode: 'audit' };
  t.equal(await cluster.readyz(), '[+]ready ok\nreadyz check passed\n');
  succeeded(t, 'its namespace', await cluster.kubectl('platform', ['create', 'namespace', 'bulkhead-system']));
  await unguarded(t, cluster, async () => {
    const applied = async () => (await apply(cluster, 'platform', tenant('acme', bad))).code === 0;
    await until(applied, 'the bad object to pass');
    await apply(cluster, 'platform', tenant('omega', { namespaces: { prefix: 'beta-omega-' } }));
  });

  const ready = async (name: string) => (await statusOf(cluster, name)).conditions?.[0];
  await until(async () => (await ready('acme'))?.status === 'False', 'acme not to be ready');
  t.match(await ready('acme'), {
    reason: 'Invalid',
    message: /spec\.network\.egressCIDRs\[0\]: .*\nuntil this is corrected the version before stays in force$/,
  });
  await until(async () => (await ready('omega'))?.status === 'False', 'omega not to be ready');
  t.match(await ready('omega'), {
    reason: 'Conflict',
    message:
      /beta-omega- lies under beta-, which is reserved to tenant beta.*\nuntil this is corrected no user acts for the tenant/,
  });
  t.equal(
    await cluster.readyz(),
    '[+]ready ok\n[!]Tenant objects: 2 that are not in force as written; their status says why\nreadyz check passed\n',
  );
  const events = async () =>
    (
      await cluster.kubectl('platform', [
        ...['get', 'events', '-n', 'bulkhead-system', '--field-selector', 'reason=ConfigurationRejected'],
        ...['-o', 'jsonpath={range .items[*]}{.message}{"\\n"}{end}'],
      ])
    ).stdout;
  for (const text of [
    'Tenant acme: spec.network.egressCIDRs[0]: ',
    'Tenant omega: spec.namespaces.prefix: beta-omega- lies',
  ])
    await until(async () => (await events()).includes(text), `an Event to say ${text}`);
  succeeded(t, 'acme goes on as before', await cluster.kubectl('alice', ['create', 'namespace', 'acme-next']));
  const open = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'open', namespace: 'acme-web' },
  };
  const spec = { podSelector: {}, ingress: [{}] };
  await until(async () => {
    const { stderr } = await apply(cluster, 'alice', { ...open, spec }, '--dry-run=server');
    return /cross-tenant-ingress/.test(stderr);
  }, 'acme to be held to its mode enforce, not audit');
  const other = tenant('gamma', { members: [{ kind: 'Group', name: 'gamma-developers' }] });
  succeeded(t, 'and others change meanwhile', await apply(cluster, 'platform', other));
  await until(async () => (await ready('gamma'))?.status === 'True', 'gamma to be ready');
}

async function tellsOfSettings(t: Test, cluster: GuardedCluster, file: string): Promise<void> {
  const good = await readFile(file, 'utf8');
  const accepted = async () => {
    const { conditions = [] } = await statusOf(cluster, 'beta');
    return conditions.find(({ type }) => type === 'SettingsAccepted');
  };
  t.equal(await accepted(), undefined);
  await writeFile(file, good.replace('spec:', 'spec:\n  enforcement: sometimes'));
  await until(async () => (await accepted()) !== undefined, 'the condition');
  t.match(await accepted(), {
    status: 'False',
    reason: 'Rejected',
    message:
      /^the settings that were read last are not in force \(1 problem, the first at .*:\d+:\d+\), and the ones before stay/,
  });
  await writeFile(file, good);
  await until(async () => (await accepted()) === undefined, 'the condition to go');
}

async function startsAgain(t: Test, cluster: GuardedCluster): Promise<void> {
  const stranger = await cluster.kubectl('alice', ['create', 'namespace', 'acme-third']);
  t.match(
    stranger.stderr,
    /is not a member of any tenant/,
    'what is bad has no version before any more, and is closed',
  );
  const taken = await cluster.kubectl('bob', ['create', 'namespace', 'acme-third']);
  t.match(taken.stderr, /reserved-prefix/, 'its names are still its own');
  succeeded(t, 'mended', await cluster.kubectl('platform', ['apply', '-f', 'manifests/overlays/example/tenants']));
  const created = async () => (await cluster.kubectl('alice', ['create', 'namespace', 'acme-third'])).code === 0;
  await until(created, 'alice to be a member again');
  await until(async () => (await statusOf(cluster, 'acme')).conditions?.[0]?.status === 'True', 'acme to be ready');
  t.equal((await statusOf(cluster, 'beta')).conditions?.[0]?.status, 'True', 'the others never were anything else');
}

interface Status {
  readonly observedGeneration?: number;
  readonly namespaces?: number;
  readonly conditions?: readonly {
    readonly type: string;
    readonly status: string;
    readonly reason: string;
    readonly message: string;
  }[];
  readonly gates?: readonly { readonly state: string }[];
}

async function statusOf({ plane }: GuardedCluster, name: string): Promise<Status> {
  const { body } = await plane.request('GET', `${path}/${name}`);
  return (body as { status?: Status }).status ?? {};
}

/** Names and versions of all tenants, in one text. */
async function versions({ plane }: GuardedCluster): Promise<string[]> {
  const { stdout } = await plane.kubectl(plane.adminKubeconfig, [
    ...['get', 'tn', '-o', 'jsonpath={range .items[*]}{.metadata.name}={.metadata.resourceVersion} {end}'],
  ]);
  return [stdout];
}

function apply(cluster: GuardedCluster, person: PersonName, object: object, ...flags: string[]): Promise<Output> {
  return cluster.kubectl(person, ['apply', ...flags, '-f', '-'], JSON.stringify(object));
}

function succeeded(t: Test, what: string, { code, stderr }: Output): void {
  t.equal(code, 0, `${what} ${stderr}`);
}

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    if (await holds()) return;
    await sleep(100);
  }
  throw new Error(`ten seconds were not enough for ${what}`);
}
