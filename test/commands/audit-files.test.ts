/** `bulkhead audit` of files: formats, endings, and what it needs. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { runCommandLine } from '../../src/commands/command-line.ts';
import { requirements } from '../../src/picture/requirements.ts';
import { surveyOf } from './stored-cluster.ts';

const config = ['--config', 'manifests/overlays/example/bulkhead.yaml'];
const example = ['--tenants', 'docs/examples/audit/tenants.yaml', ...config];
const cluster = 'docs/examples/audit/cluster.yaml';

async function audit(args: readonly string[], input = '') {
  const lines: string[] = [];
  const code = await runCommandLine(['audit', ...args], {
    print: (line) => void lines.push(line),
    environment: {},
    input: new Blob([input]).stream(),
  });
  return { code, text: lines.join('\n') };
}

t.test('the same answer as a table, JSON, YAML and a page', async (t) => {
  const table = await audit([...example, '-f', cluster]);
  t.equal(table.code, 1);
  t.match(table.text, /^acme +beta +5432\/TCP +gate$/m);
  t.match(
    table.text,
    /^delta +epsilon +every port +VIOLATION +Deployment delta-net\/vpn to Deployment epsilon-web\/web$/m,
  );
  t.notMatch(table.text, /shared service dns/);
  t.match(table.text, /^acme +met +not known +met +not known +not known$/m);
  const wide = await audit([...example, '-f', cluster, '-o', 'wide']);
  t.match(wide.text, /^acme +\(platform\) +53\/TCP, 53\/UDP +shared service dns$/m);
  t.match(
    wide.text,
    /^ {2}delta, no-way-around: partly\. The tenant is in mode audit: findings about its border are not rejected\.$/m,
  );
  t.match(wide.text, /^Checks of encryption: mesh-namespaces, mutual-tls\.$/m);
  const json = await audit([...example, '-f', cluster, '-o', 'json']);
  const document = JSON.parse(json.text);
  t.match(document, { apiVersion: 'bulkhead.dev/v1alpha1', kind: 'AuditReport', hasFindings: true });
  t.strictSame(document.requirements, requirements);
  t.strictSame(parse((await audit([...example, '-f', cluster, '-o', 'yaml'])).text), document);
  t.match((await audit([...example, '-f', cluster, '-o', 'html'])).text, /^<!doctype html>/);
});

t.test('a baseline that is to come counts, unless it is left out', async (t) => {
  const closed = await audit([...example, '-f', '-'], pods('acme-web'));
  t.equal(closed.code, 0, closed.text);
  t.match(closed.text, /^No tenant reaches another one\.$/m);
  const open = await audit([...example, '-f', '-', '--no-baseline'], pods('acme-web', 'beta-web'));
  t.equal(open.code, 1);
  t.match(open.text, /^acme +beta +every port but 5432\/TCP +VIOLATION/m);
});

t.test('an object that would be rejected is evidence against its requirement, in the scope or not', async (t) => {
  const onHost = pods('acme-web').replace('containers: []', 'volumes: [{ hostPath: { path: / } }], containers: []');
  for (const scope of [[], ['-n', 'acme-web'], ['-n', 'acme-data']]) {
    const { text } = await audit([...example, '-f', '-', ...scope, '-o', 'json'], `${onHost}---\n${pods('acme-data')}`);
    const { zeroTrust } = JSON.parse(text).connectivity.tenants.find(({ name }: { name: string }) => name === 'acme');
    const found = zeroTrust.find(({ requirement }: { requirement: string }) => requirement === 'no-way-around');
    t.match(found, { state: 'partly', evidence: [/written now: 1 object by host-path\.$/] }, scope.join(' '));
  }
});

t.test('names of files cannot command a terminal', async (t) => {
  const named = pods('"acme-\\u001b[2J\\u202e"', 'acme-web');
  for (const format of ['table', 'wide', 'json', 'yaml', 'name', 'sarif', 'junit', 'github', 'html']) {
    const { text } = await audit([...example, '-f', '-', '--no-baseline', '-o', format], named);
    t.notMatch(text, /\p{Cf}|\p{Cc}\[|\\u001b|\\e\[|\\u202e/u, format);
  }
});

t.test('a policy of Istio is a finding where the settings have no section for it', async (t) => {
  const policy = JSON.stringify({
    ...{
      apiVersion: 'security.istio.io/v1',
      kind: 'AuthorizationPolicy',
      metadata: { name: 'any', namespace: 'acme-web' },
    },
    spec: { rules: [{}] },
  });
  const bare = join(
    t.testdir({ 'bulkhead.yaml': 'apiVersion: bulkhead.dev/v1alpha1\nkind: Settings\nspec: {}\n' }),
    'bulkhead.yaml',
  );
  const from = [...example.slice(0, 2), '--config', bare, '-f', '-', '-o', 'json'];
  const { code, text } = await audit(from, `${pods('acme-web')}---\n${policy}\n`);
  t.equal(code, 1);
  t.match(text, 'unknown-policy-kind');
});

t.test('what is wrong with the files ends it', async (t) => {
  await t.rejects(audit([...config, '-f', cluster]), { message: /^without tenants / });
  await t.rejects(audit([...example, '-f', cluster, '--context', 'a']), { message: /are for a cluster/ });
  await t.rejects(audit([...example, '-f', join(t.testdirName, 'none.yaml')]), { code: 2, message: /none\.yaml/ });
  const broken = await audit([...example, '-f', '-'], 'kind: [');
  t.equal(broken.code, 2);
  t.match(broken.text, /^not read: /m);
});

t.test('a policy that is not understood is named in every format, and ends it with 2', async (t) => {
  const policy = JSON.stringify({
    ...{ apiVersion: 'cilium.io/v2', kind: 'CiliumNetworkPolicy', metadata: { name: 'odd', namespace: 'acme-web' } },
    spec: { endpointSelector: {}, egress: [{ toGroups: [{ aws: {} }] }] },
  });
  const input = `${pods('acme-web')}---\n${policy}\n`;
  for (const format of ['table', 'wide', 'json', 'yaml', 'name', 'sarif', 'junit', 'github', 'html']) {
    const { code, text } = await audit([...example, '-f', '-', '-o', format], input);
    t.equal(code, 2, format);
    t.match(
      text,
      format === 'name' ? 'ciliumnetworkpolicy/odd' : /CiliumNetworkPolicy acme-web\/odd|acme-web\/odd/,
      format,
    );
  }
  const { text } = await audit([...example, '-f', '-'], input);
  t.match(text, /^No tenant reaches another one, as far as the policies are understood\.$/m);
  t.match(text, /^Not understood: CiliumNetworkPolicy acme-web\/odd spec\.egress\[0\]\.toGroups\[0\]: /m);
});

function pods(...namespaces: readonly string[]): string {
  return namespaces
    .map(
      (namespace) =>
        `apiVersion: v1\nkind: Pod\nmetadata: { name: web, namespace: ${namespace}, labels: { app: web } }\nspec: { containers: [] }\n`,
    )
    .join('---\n');
}

t.test('files that take longer than a second are counted on a terminal, and the line goes again', async (t) => {
  const folder = t.testdir({});
  const one = (file: number, index: number) => `apiVersion: v1
kind: Pod
metadata: { name: pod-${index}, namespace: acme-${file}, labels: { app: web, tier: front } }
spec: { containers: [{ name: web, image: web, ports: [{ name: http, containerPort: 8080 }] }] }
`;
  for (let file = 0; file < 12; file++) {
    const objects = Array.from({ length: 500 }, (_, index) => one(file, index));
    await writeFile(join(folder, `${String(file)}.yaml`), objects.join('---\n'));
  }
  const shown: string[] = [];
  const surroundings = { print: () => {}, environment: {}, progress: (text: string) => void shown.push(text) };
  const from = performance.now();
  await runCommandLine(['audit', ...example, '-f', folder], surroundings);
  // On a machine that reads them within the second, nothing is to be said.
  if (performance.now() - from > 5000) t.match(shown[0], /^\d+ of 12 files$/);
  t.ok(
    shown.every((text) => /^(\d+ of 12 files|\d+ of \d+ parts of the report|)$/.test(text)),
    shown.join(),
  );
  t.equal(shown.at(-1), '');
});

const objects: readonly { readonly path: string; readonly object: Record<string, unknown> & { metadata: object } }[] = [
  {
    path: '/api/v1/namespaces',
    object: {
      ...{ apiVersion: 'v1', kind: 'Namespace' },
      metadata: {
        name: 'acme-web',
        labels: { 'bulkhead.dev/tenant': 'acme', 'io.cilium.k8s.policy.cluster': 'other' },
      },
    },
  },
  {
    path: '/apis/networking.k8s.io/v1/networkpolicies',
    object: {
      ...{ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' },
      metadata: { name: 'open', namespace: 'acme-web', labels: { app: 'shop' } },
      spec: { podSelector: {}, ingress: [{ from: [{ namespaceSelector: {} }] }] },
    },
  },
  {
    path: '/apis/networking.k8s.io/v1/networkpolicies',
    object: {
      ...{ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' },
      metadata: { name: 'to-beta', namespace: 'acme-web' },
      spec: {
        ...{ podSelector: {}, policyTypes: ['Egress'] },
        egress: [{ to: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'beta-db' } } }] }],
      },
    },
  },
  {
    path: '/apis/apps/v1/deployments',
    object: {
      ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'agent', namespace: 'acme-web' } },
      spec: {
        selector: { matchLabels: { app: 'agent' } },
        template: { metadata: { labels: { app: 'agent' } }, spec: { hostPID: true, containers: [] } },
      },
    },
  },
  {
    path: '/api/v1/services',
    object: {
      ...{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: 'acme-web' } },
      spec: { selector: { app: 'web' }, externalIPs: ['192.0.2.7'] },
    },
  },
  {
    path: '/apis/cilium.io/v2/ciliumenvoyconfigs',
    object: {
      ...{ apiVersion: 'cilium.io/v2', kind: 'CiliumEnvoyConfig' },
      ...{ metadata: { name: 'all', namespace: 'acme-web' }, spec: {} },
    },
  },
];
const textOf = (): string => objects.map(({ object }) => JSON.stringify(object)).join('\n---\n');
const spec = (prefix: string) => ({ members: [{ kind: 'User', name: 'alice' }], namespaces: { prefix } });

t.test('files say what would be rejected, as a cluster with the same objects does', async (t) => {
  const tenants = { acme: spec('acme-'), beta: spec('beta-') };
  const byPath: Record<string, { metadata: object }[]> = {};
  for (const { path, object } of objects) byPath[path] = [...(byPath[path] ?? []), structuredClone(object)];
  const beta = { metadata: { name: 'beta-db', labels: { 'bulkhead.dev/tenant': 'beta' } } };
  byPath['/api/v1/namespaces']?.push(beta);
  const discovery = {
    '/apis': { groups: [{ name: 'cilium.io', versions: [{ groupVersion: 'cilium.io/v2' }] }] },
    '/apis/cilium.io/v2': {
      resources: [{ name: 'ciliumenvoyconfigs', kind: 'CiliumEnvoyConfig', namespaced: true, verbs: ['list'] }],
    },
  };
  const { rejected } = await surveyOf({ tenants, objects: byPath, discovery });
  const checks = rejected.map(({ check, names }) => `${check} ${names.join()}`);
  for (const one of [
    /^cross-tenant-ingress NetworkPolicy acme-web\/open/,
    /^cross-tenant-egress .*to-beta/,
    /^host-namespaces Deployment acme-web\/agent/,
    /^service-addresses Service acme-web\/web/,
    /^platform-kinds CiliumEnvoyConfig acme-web\/all/,
    /^reserved-labels Namespace acme-web/,
  ])
    t.ok(
      checks.some((check) => one.test(check)),
      `${one} of ${checks.join('; ')}`,
    );

  const folder = t.testdir({
    'tenants.json': Object.entries(tenants)
      .map(([name, spec]) =>
        JSON.stringify({ apiVersion: 'bulkhead.dev/v1alpha1', kind: 'Tenant', metadata: { name }, spec }),
      )
      .join('\n---\n'),
  });
  const args = ['--tenants', folder, '-f', '-'];
  const json = await audit([...args, '-o', 'json'], textOf());
  t.equal(json.code, 1);
  const document = JSON.parse(json.text);
  t.strictSame(document.rejected, rejected);
  t.match(document, { checksPage: 'docs/checks', observes: false });

  const table = await audit(args, textOf());
  t.match(
    table.text,
    /^cross-tenant-ingress +acme +enforce +in mode enforce +1 +NetworkPolicy acme-web\/open +spec\./m,
  );
  t.match(table.text, /^ {2}host-namespaces: \S/m, 'with the fix');
  t.match(await audit([...args, '-o', 'github'], textOf()), {
    text: /^::error file=<stdin>,line=3,.*title=cross-tenant-ingress::/m,
  });
  t.match((await audit([...args, '-o', 'sarif'], textOf())).text, /"ruleId": ?"service-addresses"/);
  t.match((await audit([...args, '-o', 'junit'], textOf())).text, /host-namespaces/);
  t.match((await audit([...args, '-o', 'name'], textOf())).text, /^service\/web$/m);
  t.match((await audit([...args, '-o', 'html'], textOf())).text, /"check":"platform-kinds","tenant":"acme"/);
});

t.test('files in which nothing would be rejected say so, and what cannot be judged is not read', async (t) => {
  const fine = await audit([...example, '-f', '-'], pods('acme-web'));
  t.match(fine.text, /^Nothing of the files would be rejected if it were written now\.$/m);
  const strange = '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","namespace":"acme-web","labels":{"app":1}}}';
  const found = await audit([...example, '-f', '-'], strange);
  t.equal(found.code, 2);
  t.match(found.text, /^not read: <stdin>:1:1: Pod acme-web\/a cannot be judged: /m);
});
