/** `bulkhead lint`: what it finds in files, where, in which formats, and how it ends. */
import { readFileSync } from 'node:fs';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { SaxesParser } from 'saxes';
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import { CannotStart } from '../../src/commands/cannot-start.ts';
import { runCommandLine } from '../../src/commands/command-line.ts';
import { lintTexts } from '../../src/commands/lint-objects.ts';
import { progressOf } from '../../src/commands/progress.ts';
import type { LintFinding } from '../../src/report/lint-report.ts';
import { createWorld } from '../fixtures/world.ts';

const example = [
  '--config',
  'manifests/overlays/example/bulkhead.yaml',
  '--tenants',
  'manifests/overlays/example/tenants',
];

interface Ran {
  readonly code: unknown;
  readonly lines: readonly string[];
  /** Of a command that ends with 2. */
  readonly error: string;
  /** On the standard error. */
  readonly remarks: readonly string[];
}

async function lint(args: readonly string[], input: string | Buffer = ''): Promise<Ran> {
  const lines: string[] = [];
  const remarks: string[] = [];
  const surroundings = {
    print: (line: string) => void lines.push(...line.split('\n')),
    remark: (line: string) => void remarks.push(line),
    environment: {},
    input: new Blob([input]).stream(),
  };
  try {
    const code = await runCommandLine(['lint', ...example, ...args], surroundings);
    return { code, lines, error: '', remarks };
  } catch (error) {
    if (error instanceof CannotStart) return { code: error.code, lines, error: error.message, remarks };
    throw error;
  }
}

async function findingsIn(args: readonly string[], input: string | Buffer = ''): Promise<readonly LintFinding[]> {
  const { lines, error } = await lint([...args, '-o', 'json'], input);
  if (error !== '') throw new Error(error);
  return JSON.parse(lines.join('\n')).findings;
}

/** `CHECK SEVERITY OBJECT FIELD at FILE:LINE:COLUMN` */
const shown = ({ check, severity, object, path, line, column }: LintFinding): string =>
  `${severity} ${check}: ${object} ${path} at ${line}:${column}`;

const piped = async (text: string, ...args: string[]): Promise<readonly string[]> =>
  (await findingsIn(['-', ...args], text)).map(shown);

async function write(t: Test, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = t.testdir();
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return folder;
}

const policy = (peer: string, metadata = 'name: open, namespace: acme-web') => `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { ${metadata} }
spec:
  podSelector: {}
  ingress:
  - from:
    - ${peer}
`;
const open = policy('namespaceSelector: {}');
const closed = `apiVersion: v1
kind: Pod
metadata: { name: own, namespace: acme-web }
spec: { containers: [{ name: web, image: web, resources: { requests: { cpu: 1, memory: 1Gi } } }] }
`;
const found =
  'error cross-tenant-ingress: NetworkPolicy acme-web/open spec.ingress[0].from[0].namespaceSelector at 8:7';

t.test('an object is judged where it is written, and the exit code says whether something is new', async (t) => {
  t.same(await piped(open), [found]);
  t.same(await piped(closed), []);
  t.equal((await lint(['-'], open)).code, 1);
  t.equal((await lint(['-'], closed)).code, 0);
  const list = `kind: List\napiVersion: v1\nitems:\n- ${open.trimEnd().replaceAll('\n', '\n  ')}\n`;
  t.same(await piped(list), [found.replace('8:7', '11:9')]);
  t.same(await piped(JSON.stringify(parse(open))), [found.replace('8:7', '1:157')], 'JSON');
  t.same(await piped(`# \n---\n${closed}---\n${open}`), [found.replace('8:7', '15:7')], 'several documents');
});

t.test('what the webhook adds is not missing', async (t) => {
  const namespace = 'apiVersion: v1\nkind: Namespace\nmetadata: { name: acme-new }\n';
  const pod =
    'apiVersion: v1\nkind: Pod\nmetadata: { name: web, namespace: acme-new }\nspec: { containers: [{ name: web, image: web }] }\n';
  t.same(await piped(`${pod}---\n${namespace}`), []);
  t.same(await piped(pod.replace('name: web', 'generateName: web-')), []);
  t.same(await piped(namespace.replace('acme-new', 'nobodys')), [
    'error foreign-namespace: Namespace nobodys metadata.labels[bulkhead.dev/tenant] at 3:1',
  ]);
  t.same(await piped(namespace.replace('acme-new', 'nobodys'), '--as-platform'), []);
  t.same(await piped(namespace, '--as', 'bob', '--as-group', 'beta-developers'), [
    'error reserved-prefix: Namespace acme-new metadata.name at 3:19',
  ]);
});

t.test('the author is a member of the tenant, and the subjects of a RoleBinding are who they are', async (t) => {
  const page = readFileSync('docs/checks/foreign-subject.md', 'utf8');
  const [, warned = ''] = /^```yaml warned by acme developer\n([\s\S]*?)^```$/m.exec(page) ?? [];
  const [, admitted = ''] = /^```yaml admitted by acme developer\n([\s\S]*?)^```$/m.exec(page) ?? [];
  const found = ['hint foreign-subject: RoleBinding acme-web/readers subjects[0] at 11:5'];
  t.same(await piped(warned), found);
  t.same(await piped(warned, '--as', 'alice', '--as-group', 'acme-developers'), found);
  t.same(await piped(warned, '--as-platform'), []);
  t.same(await piped(admitted), []);
});

t.test('what an exemption covers is not found', async (t) => {
  const vpn = closed.replace(
    'name: web, image: web',
    'name: vpn, image: r/vpn, securityContext: { capabilities: { add: [NET_ADMIN] } }',
  );
  const expires = '2090-01-01T00:00:00Z';
  const exemption = `apiVersion: bulkhead.dev/v1alpha1
kind: Exemption
metadata: { name: vpn }
spec: { tenant: acme, namespace: acme-web, checks: [network-capabilities], match: { images: [r/vpn] }, reason: tunnel, owner: net, expires: "${expires}" }
`;
  const acme = readFileSync('manifests/overlays/example/tenants/acme.yaml', 'utf8');
  const folder = await write(t, {
    'without/acme.yaml': acme,
    'with/acme.yaml': acme,
    'with/vpn.yaml': exemption,
  });
  const found =
    'error network-capabilities: Pod acme-web/own spec.containers[0].securityContext.capabilities.add[0] at 4:90';
  t.same(await piped(vpn, '--tenants', join(folder, 'without')), [found]);
  t.same(await piped(vpn, '--tenants', join(folder, 'with')), []);
  t.equal((await lint(['-', '--tenants', join(folder, 'with')], vpn)).code, 0);
  t.same(await piped(vpn.replace('r/vpn', 'r/other'), '--tenants', join(folder, 'with')), [
    found.replace('4:90', '4:92'),
  ]);
});

t.test('policies of the platform that share a priority', async (t) => {
  const policy = (name: string, priority: number) => `---
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: { name: ${name} }
spec: { tier: Admin, priority: ${priority}, subject: { namespaces: {} }, ingress: [{ action: Deny, from: [{ namespaces: {} }] }] }
`;
  const hint = (name: string, line: number) =>
    `hint cluster-policy: ClusterNetworkPolicy ${name} spec.priority at ${line}:32`;
  const three = [policy('one', 5), policy('two', 5), policy('three', 6)].join('');
  t.same(await piped(three, '--as-platform'), [hint('one', 5), hint('two', 10)]);
  t.same(await piped(policy('one', 5) + policy('two', 6), '--as-platform'), []);
});

t.test('a workload is judged by the pods that come of it', async (t) => {
  const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: acme-web }
spec:
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      hostNetwork: yes
      containers: [{ name: web, image: web, resources: { requests: { cpu: 1, memory: 1Gi } } }]
`;
  t.same(await piped(deployment), [
    'error host-network: Deployment acme-web/web spec.template.spec.hostNetwork at 9:20',
  ]);
});

t.test('the owner of a namespace is known, or that is a finding', async (t) => {
  const nowhere = policy('namespaceSelector: {}', 'name: open');
  t.same(await piped(nowhere), ['error missing-namespace: NetworkPolicy open metadata.namespace at 3:1']);
  t.same(await piped(nowhere, '-n', 'acme-web'), [found]);
  const unknown = policy('podSelector: {}', 'name: open, namespace: somewhere');
  t.same(await piped(unknown), ['error unknown-namespace: NetworkPolicy somewhere/open metadata.namespace at 3:36']);
  const folder = await write(t, {
    'namespaces/all.yaml':
      'apiVersion: v1\nkind: Namespace\nmetadata: { name: somewhere, labels: { bulkhead.dev/tenant: acme } }\n',
  });
  const listed = ['--namespaces', join(folder, 'namespaces')];
  t.same(await piped(closed.replace('acme-web', 'somewhere'), ...listed), []);
  const taken =
    'apiVersion: v1\nkind: Namespace\nmetadata: { name: somewhere, labels: { bulkhead.dev/tenant: beta } }\n';
  t.same(
    await piped(`${taken}---\n${policy('namespaceSelector: {}', 'name: open, namespace: somewhere')}`, ...listed),
    [
      'error tenant-label-frozen: Namespace somewhere metadata.labels[bulkhead.dev/tenant] at 3:61',
      'error cross-tenant-ingress: NetworkPolicy somewhere/open spec.ingress[0].from[0].namespaceSelector at 12:7',
    ],
    'a file does not give a namespace to another tenant',
  );
  const twice = taken.replace('somewhere', 'elsewhere');
  t.same(await piped(`${twice}---\n${twice.replace('beta', 'acme')}`), [
    'error tenant-label-frozen: Namespace elsewhere metadata.labels[bulkhead.dev/tenant] at 7:61',
  ]);
  const nobodys = 'apiVersion: v1\nkind: Namespace\nmetadata: { name: nobodys }\n';
  const inside = await findingsIn(['-'], `${nobodys}---\n${policy('podSelector: {}', 'name: a, namespace: nobodys')}`);
  t.match(inside, [
    { check: 'foreign-namespace' },
    { check: 'unknown-namespace', fix: /^correct the Namespace first/ },
  ]);
  t.match((await lint(['-'], closed)).lines.join('\n'), /Owner taken from the reserved name.*: acme-web\./);
});

t.test('no spelling takes an object past the judgement', async (t) => {
  const pod = (text: string) => `apiVersion: v1\nkind: Pod\n${text}`;
  const hostile = pod('metadata: { name: web, namespace: acme-web }\nspec: { hostNetwork: true }\n');
  const checks = async (text: string) => (await findingsIn(['-'], text)).map(({ check }) => check);
  t.same(await checks(hostile.replace('true', 'on')), ['host-network']);
  t.same(await checks(hostile.replace('{ hostNetwork: true }', '{ <<: { hostNetwork: true } }')), ['host-network']);
  t.same(await checks(`kind: Anything\napiVersion: v1\nitems: [${JSON.stringify(parse(hostile))}]`), ['host-network']);
  t.same(await checks(`a: b\n---\n${hostile}`), ['host-network']);
  t.same(await checks(open.replace('networking.k8s.io/v1', 'networking.k8s.io/v1beta1')), ['not-understood']);
  t.same(await checks(hostile.replace('apiVersion: v1', 'apiVersion: /v1')), ['not-understood']);
  t.same(await checks(open.replace('name: open', 'labels: { a: 1 }, name: open')), ['not-understood']);
  t.same(await checks(hostile.replace('namespace: acme-web', 'namespace: [acme-web]')), ['missing-namespace']);
  const cilium = (kind: string, metadata: string) =>
    `apiVersion: cilium.io/v2\nkind: ${kind}\nmetadata: { name: c${metadata} }\nspec: {}\n`;
  t.same(await checks(cilium('CiliumClusterwideNetworkPolicy', '')), ['platform-kinds']);
  t.same(await checks(cilium('CiliumClusterwideNetworkPolicy', ', namespace: acme-web')), ['platform-kinds']);
  t.same(await checks(cilium('CiliumInventedPolicy', ', namespace: acme-web')), ['unknown-policy-kind']);
  t.same(await checks(cilium('ciliumnetworkpolicy', ', namespace: acme-web')), ['not-understood']);
  t.same(await checks('apiVersion: bulkhead.dev/v1alpha1\nkind: Tenant\nmetadata: { name: mine }\nspec: {}\n'), [
    'tenant-writers',
  ]);
});

t.test('documents of Bulkhead are judged as objects of the API server', async (t) => {
  const request = readFileSync('docs/gate-request-example.yaml', 'utf8');
  t.same(await piped(request, '-n', 'acme-web'), ['error gate-request: GateRequest acme-web/to-beta-database  at 1:1']);
  const folder = await write(t, {
    'settings.yaml': `${readFileSync('manifests/overlays/example/bulkhead.yaml', 'utf8')}  gates:\n    from: tenants\n    ports: [{ protocol: TCP, port: 5432, endPort: 5439 }]\n    between: [{ tenants: [acme, beta] }]\n`,
  });
  const [found] = await piped(request, '-n', 'acme-web', '--config', join(folder, 'settings.yaml'));
  t.match(found, /^hint gate-request: GateRequest acme-web\/to-beta-database /, 'nothing mirrors it');
  const tenant = 'apiVersion: bulkhead.dev/v1alpha1\nkind: Tenant\nmetadata: { name: mine }\nspec: { mood: good }\n';
  t.same(await piped(tenant, '--as-platform'), ['error tenant-document: Tenant mine spec.mood at 4:15']);
});

t.test('files and folders: what is judged, what is not, and what cannot be read', async (t) => {
  const folder = await write(t, {
    'all/open.yaml': open,
    'all/deep/er/closed.yml': closed,
    'all/.hidden/open.yaml': open,
    'all/.hidden.yml': closed,
    'all/node_modules/open.json': '{"apiVersion":"v1","kind":"List","items":[]}',
    'all/notes.txt': open,
    'all/values.yaml': 'replicas: 1\n',
    'all/service.json': '{"apiVersion":"v1","kind":"Secret","metadata":{"name":"web"}}',
    'all/broken.yaml': 'a: [\n',
    'all/template.yaml': 'kind: {{ .Values.kind }}\n',
  });
  const all = join(folder, 'all');
  await symlink('..', join(all, 'deep', 'loop'));
  await symlink('open.yaml', join(all, 'again.yaml'));
  await writeFile(join(all, 'binary.yaml'), Buffer.from([0xff, 0xfe, 0, 1]));
  const { code, lines } = await lint([all]);
  const text = lines.join('\n').replaceAll(`${all}/`, '');
  t.equal(code, 1);
  t.match(text, /^\.hidden\/open\.yaml:8:7 +error +cross-tenant-ingress/m, 'kubectl apply -R reads it');
  t.match(text, /^again\.yaml:8:7 +error +cross-tenant-ingress +NetworkPolicy acme-web\/open +spec\.ingress/m);
  t.match(text, /^binary\.yaml +error +unreadable/m);
  t.match(text, /^broken\.yaml:2:1 +error +unreadable/m);
  t.match(text, /^template\.yaml:1:8 +error +unreadable/m);
  t.match(text, /fix: render templates first, as with: helm template CHART \| bulkhead lint -/);
  t.match(
    text,
    /^4 objects in 10 files: 5 errors\.\nNot judged: 1 object of other kinds, 1 document without an object\.$/m,
  );
  t.match(await lint([join(folder, 'none.yaml')]), { code: 2, error: /none\.yaml: does not exist/ });
  t.match(await lint([join(all, 'notes.txt')]), { code: 1 }, 'a file that is named is read, whatever its name is');
  t.match(await lint([join(folder, 'no\u001b[31m\nne.yaml')]), {
    code: 2,
    error: /no\uFFFD\[31m\uFFFDne\.yaml: does not exist/,
  });
  const partly = await lint([join(folder, 'none.yaml'), join(all, 'open.yaml')]);
  t.match(partly, { code: 2 });
  t.match(partly.lines.join('\n'), /cross-tenant-ingress/, 'the others are judged');
  const twice = await lint(['manifests/overlays/example']);
  t.match(twice.lines.join('\n'), /files of the configuration/, 'settings and tenants are not judged');
});

t.test('--exclude leaves out a folder and says so; no other name and no link hides anything', async (t) => {
  const folder = await write(t, {
    'all/closed.yaml': closed,
    'all/node_modules/samples/broken.yaml': 'a: [\n',
  });
  const all = join(folder, 'all');
  const vendored = join(all, 'node_modules');
  t.match(await lint([all]), { code: 1, remarks: [] }, 'every folder is read');
  t.match(await lint([all, '--exclude', vendored]), { code: 0, remarks: [`excluded: ${vendored}`] });
  t.match(await lint([all, '--exclude', `${all}/web/../node_modules/`]), { code: 0 }, 'however it is written');
  t.match(await lint([all, '--exclude', 'node_modules']), { code: 1, remarks: [] }, 'below the working directory');
  t.match(await lint([vendored, '--exclude', vendored]), { code: 1, remarks: [] }, 'what is named itself is read');
  await mkdir(join(all, 'web', 'node_modules'), { recursive: true });
  await writeFile(join(all, 'web', 'node_modules', 'open.yaml'), open);
  const below = await lint([all, '--exclude', vendored]);
  t.match(below.lines.join('\n'), /web\/node_modules\/open\.yaml:8:7 +error/, 'a folder of that name elsewhere');
  await symlink('../node_modules/samples', join(all, 'web', 'linked'));
  const linked = await lint([all, '--exclude', vendored]);
  t.match(linked.lines.join('\n'), /web\/linked\/broken\.yaml:2:1 +error +unreadable/, 'a link that leads into it');
});

t.test('a mounted ConfigMap is reported by the path that stays', async (t) => {
  const folder = await write(t, { '..2026_11_30/open.yaml': open });
  await symlink('..2026_11_30', join(folder, '..data'));
  await symlink('..data/open.yaml', join(folder, 'open.yaml'));
  t.same(
    (await findingsIn([folder])).map(({ file }) => file),
    [join(folder, 'open.yaml')],
  );
});

t.test('inside of namespaces of the platform the API server does not ask, and nothing is judged', async (t) => {
  const named = (namespace: string) => policy('namespaceSelector: {}', `name: bulkhead-x, namespace: ${namespace}`);
  const text = ['kube-system', 'bulkhead-system', 'ingress-nginx'].map(named).join('---\n');
  t.same((await lint(['-'], text)).lines, [
    '0 objects in 1 file: nothing found.',
    'Not judged: 3 objects in namespaces of the platform.',
  ]);
  const folder = await write(t, { 'all.yaml': 'apiVersion: v1\nkind: Namespace\nmetadata: { name: acme-old }\n' });
  t.same(await piped(named('acme-old'), '--namespaces', folder), [], 'it exists and has no tenant label');
  t.same(
    (await findingsIn(['-'], named('acme-old'))).map(({ check }) => check),
    ['managed-policy', 'cross-tenant-ingress'],
    'it does not exist: it will get the label',
  );
});

t.test('kinds that came later: staged policies, clusters of a mesh, policies of the platform', async (t) => {
  const text = readFileSync('test/commands/lint-kinds.yaml', 'utf8');
  t.same(await piped(text), [
    'hint cross-tenant-ingress: StagedNetworkPolicy acme-web/staged spec.ingress[0].source.namespaceSelector at 8:34',
    'hint cross-tenant-ingress: StagedKubernetesNetworkPolicy acme-web/staged spec.ingress[0].from[0].namespaceSelector at 15:24',
    'error platform-kinds: StagedGlobalNetworkPolicy staged kind at 18:7',
    'error cross-tenant-ingress: CiliumNetworkPolicy acme-web/mesh spec.ingress[0].fromEndpoints[0] at 27:31',
    'error platform-kinds: ClusterNetworkPolicy open kind at 30:7',
  ]);
  t.same(
    (await piped(text, '--as-platform')).at(-1),
    'hint cluster-policy: ClusterNetworkPolicy open spec.ingress[0].from[0] at 36:38',
  );
});

t.test('large input is judged in time, or refused', async (t) => {
  const labels = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`bulkhead.dev/x${index}`, 'x']));
  const pod = { ...parse(closed), metadata: { name: 'many', namespace: 'acme-web', labels } };
  const findings = await findingsIn(['-'], JSON.stringify(pod, null, 1));
  t.ok(
    findings.length === 5000 && findings.every(({ line }, index) => line === index + 8),
    `${findings.length} findings`,
  );
  const items = Array.from({ length: 20_000 }, () => ({ apiVersion: 'v1', kind: 'Secret' }));
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  t.match((await lint(['-'], list)).lines.at(-1), /^Not judged: 20000 objects of other kinds\.$/);
  t.match((await lint(['-'], Buffer.alloc(33 * 1024 * 1024, ' '))).lines.join('\n'), /is larger than 32 MiB/);
});

t.test('what takes long says how far it is, from the first second on', async (t) => {
  const shown: string[] = [];
  let now = 0;
  const onProgress = progressOf({ progress: (text) => void shown.push(text) }, () => now);
  const context = { tenancy: createWorld().tenancy, listed: new Map(), author: 'member' as const };
  const files = Array.from({ length: 10 }, (_, index) => ({ path: `${index}.yaml`, text: `${closed}---\n${closed}` }));
  await lintTexts(files, {
    ...context,
    defaultNamespace: undefined,
    onProgress(...done) {
      now += 100;
      onProgress(...done);
    },
  });
  t.same(shown.slice(0, 3), ['10 of 10 files', '2 of 20 objects', '4 of 20 objects']);
  t.equal(shown.length, 11);
  const told: string[] = [];
  const surroundings = { print: () => {}, environment: {}, progress: (text: string) => void told.push(text) };
  await runCommandLine(['lint', ...example, 'manifests/examples/objects/policy-open.yaml'], surroundings);
  t.same(told, [''], 'the line is taken away');
});

t.test('mistakes on the command line', async (t) => {
  await t.rejects(runCommandLine(['lint', '-'], { print: () => {}, environment: {} }), { message: /--tenants DIR/ });
  t.match(await lint([]), { code: 2, error: /^lint needs a cluster to look at: give --kubeconfig FILE/ });
  await t.rejects(lint(['--as-platform']), {
    message: /^--as, --as-group, --as-platform and --namespaces are for files/,
  });
  await t.rejects(lint(['-', '--context', 'a']), { message: /^--kubeconfig and --context are for a cluster/ });
  await t.rejects(lint(['-', '--as', 'alice', '--as-platform']), { message: /goes with neither/ });
  await t.rejects(lint(['-', '-o', 'pdf']), { message: /--output is one of table, wide, json/ });
  t.match(await lint(['-', '--baseline', join(t.testdir(), 'none')]), { code: 2, error: /--write-baseline/ });
  t.match(await runLintWith(['--tenants', join(t.testdir(), 'none')]), { code: 2 });
});

async function runLintWith(args: readonly string[]): Promise<{ code: unknown }> {
  try {
    return { code: await runCommandLine(['lint', '-', ...args], { print: () => {}, environment: {} }) };
  } catch (error) {
    return { code: error instanceof CannotStart ? error.code : error };
  }
}

t.test('a baseline: only what is new fails, wherever lines and rules have moved', async (t) => {
  const folder = await write(t, { 'open.yaml': open });
  const [file, baseline] = [join(folder, 'open.yaml'), join(folder, 'baseline.json')];
  t.match(await lint([file, '--write-baseline', baseline]), { code: 0 });
  const again = async (text: string) => {
    await writeFile(file, text);
    const { code, lines } = await lint([file, '--baseline', baseline]);
    return `${code} ${lines.join(' ')}`;
  };
  t.match(await again(open), /^0 1 object in 1 file: nothing found\. Baseline: 1 known, 0 gone\./);
  t.match(await again(`# moved\n\n${open}`), /^0 /, 'other lines');
  const before = open.replace('  - from:', '  - from: [{ podSelector: {} }]\n  - from:');
  t.match(await again(before), /^0 /, 'another place in the list');
  await writeFile(join(folder, 'moved.yaml'), open);
  t.match(await lint([join(folder, 'moved.yaml'), '--baseline', baseline]), { code: 0 }, 'another file');
  t.match(await again(`${open}  - from:\n    - namespaceSelector: {}\n`), /^1 /, 'the same rule once more');
  t.match(await again(open.replace('{}\n  ingress', '{}\n  policyTypes: [Ingress]\n  ingress')), /^0 /);
  t.match(
    await again(open.replace('namespaceSelector: {}', 'ipBlock: { cidr: 0.0.0.0/0 }')),
    /^1 .*1 gone/,
    'another peer',
  );
  t.match(await again(`${open}    ports: [{ port: 443 }]\n`), /^1 /, 'another rule around the peer');
  t.match(await again(closed), /^0 .*nothing found\. Baseline: 0 known, 1 gone\./);
  const narrow = open.replace('podSelector: {}', 'podSelector: { matchLabels: { app: web } }');
  await writeFile(file, narrow);
  await lint([file, '--write-baseline', baseline]);
  t.match(await again(narrow), /^0 /);
  t.match(
    await again(narrow.replace('ingress:', 'egress: [{ to: [{ podSelector: {} }] }]\n  ingress:')),
    /^0 /,
    'a rule beside it',
  );
  t.match(await again(open), /^1 .*1 gone/, 'the same rule for more pods');
  const whole = (priority: number) =>
    `apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: { name: c }\nspec: { priority: ${priority} }\n`;
  await writeFile(file, whole(1));
  await lint([file, '--write-baseline', baseline]);
  t.match(await again(whole(1).replace('name: c', 'name: c, labels: { a: b }')), /^0 /);
  t.match(await again(whole(2)), /^1 .*1 gone/, 'other content of a kind that tenants may not write');
  const broken = open.replace('networking.k8s.io/v1', 'networking.k8s.io/v1beta1');
  await writeFile(file, broken);
  await lint([file, '--write-baseline', baseline]);
  t.match(
    await again(broken.replace('namespaceSelector', 'podSelector')),
    /^1 .*1 gone/,
    'other content that is not understood',
  );
  await writeFile(baseline, '{"kind":"LintBaseline","findings":[{"fingerprint":"x"}]}');
  t.match(await lint([file, '--baseline', baseline]), { code: 2, error: /a fingerprint and a count/ });
});

/** Names that a person can choose, and that end an annotation, a line, an attribute or the colours of a terminal. */
const hostileName = 'x\u001b[31m%0A::error file=y::z\r\n"><![CDATA[]]>&\u202e\uFFFF';
const hostile = JSON.stringify({
  ...parse(open),
  metadata: { name: hostileName, namespace: 'acme-web', labels: { [hostileName]: 'x' } },
});

t.test('no format lets a name out of its place', async (t) => {
  for (const format of ['table', 'wide', 'json', 'yaml', 'name', 'sarif', 'junit', 'github']) {
    const { lines } = await lint(['-', '-o', format], hostile);
    t.notMatch(lines.join('\n'), /(?!\n)[\p{Cc}\p{Cf}]/u, `${format}: no control character`);
  }
  const { lines } = await lint(['-', '-o', 'github'], hostile);
  t.equal(lines.length, 1, 'one line for one finding');
  t.match(
    lines[0],
    /^::error file=<stdin>,line=1,col=\d+,title=cross-tenant-ingress::NetworkPolicy acme-web\/x.*%250A::error/,
  );
  const folder = await write(t, { 'a,b:c%0A\n::d.yaml': open });
  const [line] = (await lint([folder, '-o', 'github'])).lines;
  t.match(line, /\/a%2Cb%3Ac%250A\uFFFD%3A%3Ad\.yaml,line=8,col=7,title=/);
});

t.test('SARIF is valid, and has the line of each finding', async (t) => {
  const schema = JSON.parse(
    readFileSync(
      createRequire(import.meta.url).resolve('@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json'),
      'utf8',
    ),
  );
  const isUri = (text: string) => URL.canParse(text);
  const isReference = (text: string) => URL.canParse(text, 'file:///') && /^[\x21-\x7e]*$/.test(text);
  // Ajv reads later drafts alone. The schema uses nothing that they have changed.
  const { $schema: _, id: __, ...later } = schema;
  const formats = { uri: isUri, 'uri-reference': isReference, 'date-time': /^\d{4}-/ };
  const validate = new Ajv({ strict: false, allErrors: true, unicodeRegExp: false, formats }).compile(later);
  const folder = await write(t, { 'a b\u00e9.yaml': open, 'broken.yaml': 'a: [', 'closed.yaml': closed });
  const baseline = join(folder, 'baseline.json');
  await lint([join(folder, 'broken.yaml'), '--write-baseline', baseline]);
  for (const [args, input] of [
    [[folder], ''],
    [['-'], hostile],
    [['-'], closed],
    [[folder, '--baseline', baseline], ''],
    [['manifests/examples/objects'], ''],
  ] as const) {
    const { lines } = await lint([...args, '-o', 'sarif'], input);
    const log = JSON.parse(lines.join('\n'));
    t.ok(validate(log), args.join(' '), { errors: validate.errors });
  }
  t.notOk(validate({ version: '2.1.0', runs: [{ tool: {} }] }), 'the schema refuses what is none');
  const { lines } = await lint(['manifests/examples/objects/policy-open.yaml', '-o', 'sarif']);
  const [{ results, tool }] = JSON.parse(lines.join('\n')).runs;
  t.match(results, [
    {
      ruleId: 'cross-tenant-ingress',
      level: 'error',
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: 'manifests/examples/objects/policy-open.yaml', uriBaseId: '%SRCROOT%' },
            region: { startLine: 15, startColumn: 11 },
          },
        },
      ],
    },
  ]);
  t.equal(tool.driver.rules[results[0].ruleIndex].id, 'cross-tenant-ingress');
});

t.test('JUnit is read by an XML parser: a case for each object, and a failure where something is new', async (t) => {
  const elements = async (args: readonly string[], input: string) => {
    const { lines } = await lint([...args, '-o', 'junit'], input);
    const seen: { name: string; attributes: Record<string, string> }[] = [];
    const parser = new SaxesParser();
    parser.on('opentag', ({ name, attributes }) => void seen.push({ name, attributes: { ...attributes } }));
    parser.on('error', (error) => t.fail(error.message));
    parser.write(lines.join('\n')).close();
    return seen;
  };
  const seen = await elements(['-'], `${open}---\n${closed}`);
  t.same(
    seen.map(({ name }) => name),
    ['testsuites', 'testsuite', 'testcase', 'failure', 'testcase'],
  );
  t.match(seen[1]?.attributes, { tests: '2', failures: '1', errors: '0' });
  t.match(seen[3]?.attributes, { type: 'cross-tenant-ingress', message: /matches namespaces of every tenant/ });
  t.equal((await elements(['-'], hostile)).filter(({ name }) => name === 'failure').length, 1);
  t.same((await elements(['-'], 'a: [')).map(({ name }) => name).at(-1), 'failure', 'a file that cannot be read');
});

t.test("names, YAML, and the tenant's mode", async (t) => {
  t.same((await lint(['-', '-o', 'name'], `${open}---\n${closed}`)).lines, ['networkpolicy.networking.k8s.io/open']);
  const yaml = parse((await lint(['-', '-o', 'yaml'], open)).lines.join('\n'));
  const json = JSON.parse((await lint(['-', '-o', 'json'], open)).lines.join('\n'));
  t.same(yaml, json);
  t.match(json, {
    kind: 'LintReport',
    hasFindings: true,
    objects: 1,
    files: 1,
    findings: [{ docs: 'docs/checks/cross-tenant-ingress.md' }],
  });
  const folder = await write(t, {
    'acme.yaml':
      'apiVersion: bulkhead.dev/v1alpha1\nkind: Tenant\nmetadata: { name: acme }\nspec: { mode: warn, namespaces: { prefix: acme- } }\n',
  });
  const print = () => {};
  const run = (...args: string[]) =>
    runCommandLine(['lint', '-', '--tenants', folder, ...args], {
      print,
      environment: {},
      input: new Blob([open]).stream(),
    });
  t.equal(await run(), 1, 'in mode warn it is a warning');
  t.equal(await run('--allow-warnings'), 0);
});
