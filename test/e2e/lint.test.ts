/** `bulkhead lint` beside a real API server with the webhooks: what it says of a file is what kubectl gets for it. */
import { globSync } from 'node:fs';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runCommandLine } from '../../src/commands/command-line.ts';
import type { LintFinding } from '../../src/report/lint-report.ts';
import { networkKindsTest } from '../apiserver/stored-definitions.ts';
import { guard, people } from './guarded-cluster.ts';

const pod = (spec: string, metadata = 'name: web, namespace: acme-web') => `apiVersion: v1
kind: Pod
metadata: { ${metadata} }
spec:
  ${spec}
  containers: [{ name: web, image: web, resources: { requests: { cpu: 1, memory: 1Gi }, limits: { cpu: 1, memory: 1Gi } } }]
`;
const policy = (spec: string, metadata = 'name: web, namespace: acme-web', apiVersion = 'networking.k8s.io/v1') =>
  `apiVersion: ${apiVersion}\nkind: NetworkPolicy\nmetadata: { ${metadata} }\nspec: ${spec}\n`;
const open = '{ podSelector: {}, ingress: [{ from: [{ namespaceSelector: {} }] }] }';
const namespace = (metadata: string) => `apiVersion: v1\nkind: Namespace\nmetadata: { ${metadata} }\n`;
const toBeta = (port: string) =>
  policy(
    `{ podSelector: {}, policyTypes: [Egress], egress: [{ to: [{ namespaceSelector: { matchLabels: { bulkhead.dev/tenant: beta } }, podSelector: { matchLabels: { app: postgres } } }], ports: [{ port: ${port} }] }] }`,
  );
const calico = (kind: string, spec: string) =>
  `apiVersion: projectcalico.org/v3\nkind: ${kind}\nmetadata: { name: web, namespace: acme-web }\nspec: ${spec}\n`;

/** Whether the API server takes the text, and whether Bulkhead warns. */
type Outcome = 'admitted' | 'warned' | 'refused';

const texts: Readonly<Record<string, readonly [Outcome, string]>> = {
  'an open policy': ['refused', policy(open)],
  'an open policy in a list': [
    'refused',
    `kind: List\napiVersion: v1\nitems:\n- ${policy(open).trimEnd().replaceAll('\n', '\n  ')}\n`,
  ],
  'an open policy that calls itself a list of something': [
    'refused',
    `kind: Anything\napiVersion: v1\nitems:\n- ${policy(open).trimEnd().replaceAll('\n', '\n  ')}\n`,
  ],
  'a policy for the own namespace': [
    'warned',
    policy('{ podSelector: {}, ingress: [{ from: [{ podSelector: {} }] }] }'),
  ],
  'an open policy of a version that is not served': ['refused', policy(open, undefined, 'networking.k8s.io/v1beta1')],
  'a field that is not there': ['refused', policy('{ podSelector: {}, ingres: [] }')],
  'an address that is not canonical': [
    'refused',
    policy('{ podSelector: {}, egress: [{ to: [{ ipBlock: { cidr: 010.0.0.0/8 } }] }] }'),
  ],
  'the name of a managed policy': ['refused', policy('{ podSelector: {} }', 'name: bulkhead-own, namespace: acme-web')],
  'the same in a namespace of the platform': ['admitted', policy(open, 'name: bulkhead-own, namespace: ingress-nginx')],
  'an octal port of a gate': ['admitted', toBeta('012470')],
  'the same in hexadecimal': ['admitted', toBeta('0x1538')],
  'a port beside the gate': ['refused', toBeta('12470')],
  'a pod': ['admitted', pod('restartPolicy: Always')],
  'a pod with a name to come': ['admitted', pod('restartPolicy: Always', 'generateName: web-, namespace: acme-web')],
  yes: ['refused', pod('hostNetwork: yes')],
  no: ['admitted', pod('hostNetwork: Off')],
  'yes as text': ['refused', pod('hostNetwork: "yes"')],
  'a label that is no text': [
    'refused',
    pod('restartPolicy: Always', 'name: web, namespace: acme-web, labels: { a: on }'),
  ],
  'a merge': ['refused', pod('<<: { hostNetwork: true }')],
  'a merge before the key': ['admitted', pod('<<: { hostNetwork: true }\n  hostNetwork: false')],
  'a merge behind the key': ['refused', pod('hostNetwork: false\n  <<: { hostNetwork: true }')],
  'a key twice': ['admitted', pod('hostNetwork: true\n  hostNetwork: false')],
  'a key twice in JSON': [
    'admitted',
    '{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"acme-new","name":"acme-newer"}}',
  ],
  'a pod in kube-system': ['admitted', pod('hostNetwork: true', 'name: web, namespace: kube-system')],
  'a workload': [
    'warned',
    `apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web, namespace: acme-web }\nspec: { selector: { matchLabels: { a: b } }, template: { metadata: { labels: { a: b } }, spec: { hostNetwork: true, containers: [{ name: a, image: b }] } } }\n`,
  ],
  'a namespace with a reserved name': ['admitted', namespace('name: acme-new')],
  'a namespace with a name to come': ['admitted', namespace('generateName: acme-')],
  'a namespace of another tenant': ['refused', namespace('name: acme-new, labels: { bulkhead.dev/tenant: beta }')],
  'a reserved name of another tenant': ['refused', namespace('name: beta-new')],
  'an open policy of Calico': [
    'refused',
    calico('NetworkPolicy', '{ selector: all(), ingress: [{ action: Allow, source: { namespaceSelector: all() } }] }'),
  ],
  'a staged policy of Calico': [
    'warned',
    calico(
      'StagedNetworkPolicy',
      '{ selector: all(), ingress: [{ action: Allow, source: { namespaceSelector: all() } }] }',
    ),
  ],
};

/** Where lint says something else, as docs/how-to/lint.md has it: kubectl takes the last of two keys, and lint knows no types of fields. */
const otherwise: Readonly<Record<string, Outcome>> = {
  'a key twice': 'refused',
  'a key twice in JSON': 'refused',
  'yes as text': 'admitted',
};

await networkKindsTest('lint says of files what the API server says', async (t, plane) => {
  const cluster = await guard(plane);
  t.teardown(() => cluster.stop());
  const files = join(plane.directory, 'files');
  await mkdir(files);
  for (const name of ['acme-web', 'beta-data', 'ingress-nginx'])
    t.match(await cluster.kubectl('platform', ['create', '-f', '-'], namespaceOf(name)), { code: 0 }, name);
  for (const [name, [, text]] of Object.entries(texts)) await writeFile(join(files, `${name}.yaml`), text);
  const namespaces = join(plane.directory, 'namespaces');
  await mkdir(namespaces);
  const { stdout } = await cluster.kubectl('platform', ['get', 'namespaces', '-o', 'yaml']);
  await writeFile(join(namespaces, 'all.yaml'), stdout);

  // Of several documents, in which a namespace and what is in it come together, a dry run creates none.
  for (const file of globSync('manifests/examples/objects/{policy,pod}-*.yaml'))
    await cp(file, join(files, basename(file)));
  const { user, groups } = people.alice;
  const findings = await lint([
    files,
    '--namespaces',
    namespaces,
    '--as',
    user,
    ...groups.flatMap((one) => ['--as-group', one]),
  ]);
  const written = globSync(`${files}/*`).sort();
  const create = (file: string) => cluster.kubectl('alice', ['create', '--dry-run=server', '-f', file]);
  const answers = await Promise.all(written.map((file, index) => sleep(index * 120).then(() => create(file))));
  const seen: Outcome[] = [];
  for (const [index, answer] of answers.entries()) {
    const file = written[index] ?? '';
    const own = findings.filter((one) => one.file === file);
    const outcome = answer.code !== 0 ? 'refused' : answer.stderr.includes('Warning: ') ? 'warned' : 'admitted';
    seen.push(outcome);
    const name = basename(file, '.yaml');
    const told = { said: own.map(({ check, reason }) => `${check}: ${reason}`), ...answer };
    const [expected = outcome] = texts[name] ?? [];
    t.equal(outcome, expected, `${name}: ${expected}`, told);
    const isWorkload = own.some(({ object }) => object.startsWith('Deployment '));
    const said =
      own.some(({ severity }) => severity === 'error') && !isWorkload
        ? 'refused'
        : own.length > 0
          ? 'warned'
          : 'admitted';
    const wanted = otherwise[name] ?? outcome;
    t.equal(said, wanted, `${name}: lint says ${wanted}`, told);
    if (outcome !== 'refused' || !answer.stderr.includes('Bulkhead')) continue;
    for (const { path, reason } of own)
      t.ok(
        answer.stderr.includes(`\n  ${path}\n`) && answer.stderr.includes(reason),
        `${name}: ${path}, word for word`,
        told,
      );
  }
  t.same([...new Set(seen)].sort(), ['admitted', 'refused', 'warned']);
});

function namespaceOf(name: string): string {
  const [tenant] = name.split('-');
  const labels = tenant === 'ingress' ? {} : { 'bulkhead.dev/tenant': tenant };
  return JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
}

async function lint(args: readonly string[]): Promise<readonly LintFinding[]> {
  const example = 'manifests/overlays/example';
  const words = [
    'lint',
    '--config',
    `${example}/bulkhead.yaml`,
    '--tenants',
    `${example}/tenants`,
    '-o',
    'json',
    ...args,
  ];
  const lines: string[] = [];
  await runCommandLine(words, { print: (line) => void lines.push(line), environment: {} });
  return JSON.parse(lines.join('')).findings;
}
