/** `bulkhead diff`: two sets of files in, changes out, in each format, and how it ends. A real cluster: test/e2e/snapshot-commands.test.ts. */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Ajv } from 'ajv';
import { SaxesParser } from 'saxes';
import t from 'tap';
import { parse } from 'yaml';
import { CannotStart } from '../../src/commands/cannot-start.ts';
import { runCommandLine } from '../../src/commands/command-line.ts';
import type { DiffReport } from '../../src/report/diff-report.ts';

const configuration = [
  ...['--config', 'manifests/overlays/example/bulkhead.yaml'],
  ...['--tenants', 'manifests/overlays/example/tenants'],
];
const [before, after] = ['docs/examples/diff/old', 'docs/examples/diff/new'];

async function diff(args: readonly string[], input = '') {
  const lines: string[] = [];
  const surroundings = {
    print: (line: string) => void lines.push(...line.split('\n')),
    environment: {},
    input: new Blob([input]).stream(),
  };
  try {
    return { code: await runCommandLine(['diff', ...configuration, ...args], surroundings), lines, error: '' };
  } catch (error) {
    if (error instanceof CannotStart) return { code: error.code, lines, error: error.message };
    throw error;
  }
}

const reportOf = async (args: readonly string[], input = ''): Promise<DiffReport> =>
  JSON.parse((await diff([...args, '-o', 'json'], input)).lines.join('\n'));

const deployment = (name: string, namespace = 'acme-web') => `apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name}, namespace: ${namespace} }
spec: { template: { metadata: { labels: { app: ${name} } }, spec: { containers: [] } } }
`;
const policy = (name: string, spec: string) => `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: ${name}, namespace: acme-web }
spec: ${spec}
`;

t.test('--exclude leaves out a folder of files that are not of the change', async (t) => {
  const side = () => ({ 'web.yaml': deployment('web'), node_modules: { 'broken.yaml': 'a: [\n' } });
  const folder = t.testdir({ old: side(), new: side() });
  const [old, now] = [`${folder}/old`, `${folder}/new`];
  t.match(await diff([old, now]), { code: 2, error: /node_modules\/broken\.yaml/ });
  const excluded = [old, now].map((one) => `--exclude=${one}/node_modules`);
  t.equal((await diff([old, now, ...excluded])).code, 0);
});

t.test('a crossing that appears ends with 1, one that goes with 0', async (t) => {
  t.equal((await diff([before, after])).code, 1);
  t.equal((await diff([after, before])).code, 0);
  t.equal((await diff([before, before])).code, 0);
  const { changes } = await reportOf([before, after]);
  t.match(
    changes.map(({ isCrossing, from, to, ports, causes }) => ({ isCrossing, from, to, ports, place: causes[0] })),
    [
      {
        isCrossing: true,
        from: {
          tenant: '(another tenant)',
          tenants: ['(another tenant)'],
          members: ['any pod in a namespace of a tenant other than acme'],
        },
        to: { tenant: 'acme', tenants: ['acme'], members: ['acme-data/StatefulSet/orders'] },
        ports: ['5432/TCP'],
        place: { file: `${after}/policies.yaml`, line: 29, column: 11, policies: ['NetworkPolicy acme-data/orders'] },
      },
      {
        to: { tenant: '(outside)', tenants: ['(outside)'], members: ['203.0.112.0/24'] },
        ports: ['443/TCP'],
        place: { line: 12, path: 'spec.egress[0].to[0].ipBlock' },
      },
    ],
  );
});

t.test('what is not understood of a policy that changes makes the answer incomplete', async (t) => {
  const odd = `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: { name: odd, namespace: acme-web }
spec: { endpointSelector: {}, egress: [{ toGroups: [{ aws: {} }] }] }
`;
  const folder = t.testdir({
    old: { 'a.yaml': deployment('web') },
    new: { 'a.yaml': deployment('web'), 'b.yaml': odd },
    later: { 'a.yaml': deployment('web'), 'b.yaml': odd, 'c.yaml': deployment('other') },
  });
  const found = await diff([`${folder}/old`, `${folder}/new`]);
  t.equal(found.code, 2);
  t.match(
    found.lines.join('\n'),
    /Not understood: CiliumNetworkPolicy acme-web\/odd spec\.egress\[0\]\.toGroups\[0\]: takes/,
  );
  t.match(found.lines.join('\n'), /The answer is not complete/);
  t.match(await reportOf([`${folder}/old`, `${folder}/new`]), {
    isComplete: false,
    unread: [{ field: 'spec.egress[0].toGroups[0]' }],
  });
  t.equal((await diff([`${folder}/new`, `${folder}/later`])).code, 0, 'one that does not change says nothing new');
  const github = await diff([`${folder}/old`, `${folder}/new`, '-o', 'github']);
  t.match(
    github.lines.join('\n'),
    /^::error file=\S*b\.yaml,line=4,col=53,title=not-understood::CiliumNetworkPolicy acme-web\/odd: /m,
    'tools are told too',
  );
});

t.test('names that no API server takes are refused, as each is printed many times', async (t) => {
  const folder = t.testdir({
    old: { 'a.yaml': deployment('web') },
    new: { 'a.yaml': deployment('w'.repeat(10_000_000)) },
    label: {
      'a.yaml': deployment('web').replace(
        'namespace: acme-web',
        `namespace: acme-web, labels: { app: ${'b'.repeat(400)} }`,
      ),
    },
  });
  for (const [name, length] of [
    ['new', 10_000_000],
    ['label', 400],
  ] as const) {
    const { code, error } = await diff([`${folder}/old`, `${folder}/${name}`]);
    t.equal(code, 2);
    t.ok(error.includes(`a.yaml:3:1: metadata: the Deployment has a name or label of ${length} characters`), error);
    t.ok(error.length < 1000, 'and not printed');
  }
});

t.test('a Service that leads elsewhere is named', async (t) => {
  const service = (app: string, target: number) => `apiVersion: v1
kind: Service
metadata: { name: front, namespace: acme-web }
spec: { selector: { app: ${app} }, ports: [{ port: 80, targetPort: ${target} }] }
`;
  const both = `${deployment('web')}---\n${deployment('other')}---\n`;
  const folder = t.testdir({
    old: { 'a.yaml': both + service('web', 8080) },
    new: { 'a.yaml': both + service('other', 9090) },
  });
  const { code, lines } = await diff([`${folder}/old`, `${folder}/new`]);
  t.equal(code, 0);
  t.ok(
    lines.includes(
      'Service acme-web/front leads elsewhere: selector app=web becomes app=other; 80/TCP to 8080 becomes 80/TCP to 9090; Deployment acme-web/web before, Deployment acme-web/other now.',
    ),
    lines.join('\n'),
  );
  t.match(await reportOf([`${folder}/old`, `${folder}/new`]), { services: [{ service: 'acme-web/front' }] });
  t.notMatch((await diff([`${folder}/new`, `${folder}/new`])).lines.join('\n'), /leads elsewhere/);
});

t.test('a namespace that goes to a tenant takes what is open to it outside along', async (t) => {
  const opened =
    deployment('web', 'shop') +
    '---\n' +
    policy(
      'out',
      '{ podSelector: {}, policyTypes: [Egress], egress: [{ to: [{ ipBlock: { cidr: 198.51.100.0/24 } }], ports: [{ port: 443 }] }] }',
    ).replace('acme-web', 'shop');
  const shop = (labels: string) =>
    `apiVersion: v1\nkind: Namespace\nmetadata: { name: shop, labels: ${labels} }\n---\n${opened}`;
  const folder = t.testdir({ 'old.yaml': shop('{}'), 'new.yaml': shop('{ bulkhead.dev/tenant: acme }') });
  const { changes } = await reportOf([`${folder}/old.yaml`, `${folder}/new.yaml`]);
  t.ok(
    changes.some(
      ({ change, isCrossing, to }) => change === 'gained' && isCrossing && to.members.includes('198.51.100.0/24'),
    ),
  );
});

t.test('a mistake on the command line, and what cannot be read, end with 2', async (t) => {
  for (const args of [[], [before], [before, after, after], ['-f', after, before], ['--prune', before, after]])
    await t.rejects(diff(args), { message: /NEW|-f or -k/ }, args.join(' '));
  t.match(await diff([before, 'no-such-folder']), { code: 2, error: /no-such-folder/ });
  t.match(await diff([before, '-'], 'a: [1'), { code: 2, error: /<stdin>/ });
});

t.test('a policy that is deleted is the cause, at its old place', async (t) => {
  const folder = t.testdir({
    'a.yaml': `${deployment('web')}---\n${policy('deny', '{ podSelector: {}, policyTypes: [Ingress, Egress] }')}`,
  });
  const { changes } = await reportOf(['--no-baseline', folder, '-'], deployment('web'));
  t.ok(changes.some(({ isCrossing, to }) => isCrossing && to.tenant === '(outside)'));
  for (const { causes } of changes)
    t.match(causes, [{ policies: ['NetworkPolicy acme-web/deny'], side: 'old', file: `${folder}/a.yaml`, line: 6 }]);
});

t.test('each range that is gained or lost is a line, and long lists end with their number', async (t) => {
  const out = (ports: readonly string[], except = ['203.0.112.64/26']) =>
    policy(
      'out',
      `{ podSelector: {}, policyTypes: [Egress], egress: [{ to: [{ ipBlock: { cidr: 203.0.112.0/24, except: [${except}] } }], ports: [${ports}] }] }`,
    );
  const port = (first: number, last = first) => `{ port: ${first}, endPort: ${last} }`;
  const folder = t.testdir({
    'old.yaml': deployment('web'),
    'new.yaml': `${deployment('web')}---\n${out([port(80), port(443), port(8000, 8100)])}`,
    'turned.yaml': `${out([port(8000, 8100), port(443), port(80)], ['203.0.112.96/27', '203.0.112.64/27'])}---\n${deployment('web')}`,
    'many.yaml': `${deployment('web')}---\n${out([...Array(30).keys()].map((index) => port(1000 + 2 * index)))}`,
  });
  const linesOf = async (file: string, kind: string, ...more: readonly string[]) =>
    (await diff([`${folder}/old.yaml`, `${folder}/${file}`, ...more])).lines
      .filter((line) => line.startsWith(kind))
      .map((line) => line.split(/ {2,}/).slice(0, 4).join(' | '));
  const ranges = ['203.0.112.0/26', '203.0.112.128/25'];
  const expected = ranges.flatMap((range) =>
    ['80/TCP', '443/TCP', '8000-8100/TCP'].map(
      (ports) => `crossing | acme: acme-web/Deployment/web | (outside): ${range} | ${ports}`,
    ),
  );
  t.strictSame(await linesOf('new.yaml', 'crossing'), expected);
  t.strictSame(await linesOf('turned.yaml', 'crossing'), expected, 'in the same order');
  const lost = (await diff([`${folder}/new.yaml`, `${folder}/old.yaml`])).lines.filter((one) => one.startsWith('lost'));
  t.equal(lost.length, expected.length);
  const many = await linesOf('many.yaml', 'crossing');
  t.equal(many.length, 21);
  t.equal(many[20], 'crossing | and 40 more ranges of this change: -o json has all');
  t.equal((await linesOf('many.yaml', 'crossing', '-o', 'wide')).length, 60);
  const { changes } = await reportOf([`${folder}/old.yaml`, `${folder}/many.yaml`]);
  t.match(changes, [{ to: { members: ranges } }]);
  t.equal(changes[0]?.ports.length, 30, 'JSON has all');
  const github = await diff([`${folder}/old.yaml`, `${folder}/many.yaml`, '-o', 'github']);
  t.match(github.lines, [/ opens 1000\/TCP, .*1018\/TCP and 20 more port ranges from /]);
});

t.test('the order of the files and of their documents does not count', async (t) => {
  const rules = ['beta-data', 'acme-data'].map((name) =>
    policy(
      `to-${name}`,
      `{ podSelector: {}, policyTypes: [Egress], egress: [{ to: [{ namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: ${name} } } }, { ipBlock: { cidr: 203.0.112.0/24 } }] }] }`,
    ),
  );
  const all = [
    ...rules,
    deployment('web'),
    deployment('api'),
    deployment('db', 'beta-data'),
    deployment('db', 'acme-data'),
  ];
  const folder = t.testdir({ 'old.yaml': deployment('web') });
  const said = async (documents: readonly string[]) =>
    (await diff(['--no-baseline', `${folder}/old.yaml`, '-'], documents.join('---\n'))).lines;
  const lines = await said(all);
  t.ok(lines.length > 8, lines.join('\n'));
  t.strictSame(await said(all.toReversed()), lines);
});

t.test('a crossing is on a line of the new files: of the rule, of what closed it, or of the workload', async (t) => {
  const closing = policy('deny', '{ podSelector: {}, policyTypes: [Ingress, Egress] }');
  const wider = policy('deny', '{ podSelector: { matchLabels: { app: other } }, policyTypes: [Ingress, Egress] }');
  const folder = t.testdir({
    'old.yaml': `${closing}---\n${deployment('web')}`,
    'wider.yaml': `${deployment('web')}---\n${wider}`,
    'gone.yaml': deployment('web'),
  });
  const placesOf = async (file: string) => {
    const { lines } = await diff(['--no-baseline', `${folder}/old.yaml`, `${folder}/${file}`, '-o', 'github']);
    t.ok(lines.length > 0, file);
    return [...new Set(lines.map((line) => line.replace(/^.*file=[^,]*\/([^,/]+),line=(\d+),.*$/, '$1:$2')))];
  };
  t.strictSame(await placesOf('wider.yaml'), ['wider.yaml:6'], 'the policy that selects less');
  t.strictSame(await placesOf('gone.yaml'), ['gone.yaml:1'], 'the workload, as the policy is gone');
});

t.test('every format says the same, and can be read', async (t) => {
  const of = async (format: string) => (await diff([before, after, '-o', format])).lines.join('\n');
  t.same(parse(await of('yaml')), JSON.parse(await of('json')));
  t.equal(await of('name'), 'networkpolicy/orders\nnetworkpolicy/web-to-the-internet');
  const schema = JSON.parse(
    readFileSync(
      createRequire(import.meta.url).resolve('@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json'),
      'utf8',
    ),
  );
  // Ajv reads later drafts alone. The schema uses nothing that they have changed.
  const { $schema: _, id: __, ...later } = schema;
  const validate = new Ajv({ strict: false, unicodeRegExp: false, validateFormats: false }).compile(later);
  const sarif = JSON.parse(await of('sarif'));
  t.ok(validate(sarif), JSON.stringify(validate.errors));
  t.match(sarif.runs[0].results, [
    { ruleId: 'new-crossing', locations: [{ physicalLocation: { region: { startLine: 29 } } }] },
    { ruleId: 'new-crossing', locations: [{ physicalLocation: { region: { startLine: 12 } } }] },
  ]);
  const seen: string[] = [];
  const parser = new SaxesParser();
  parser.on('opentag', ({ name }) => void seen.push(String(name)));
  parser.write(await of('junit')).close();
  t.equal(seen.filter((name) => name === 'failure').length, 2);
  t.match(await of('github'), /^::error file=.*line=29,col=11,title=new-crossing::NetworkPolicy acme-data\/orders/);
});

t.test('hostile names reach no terminal and no annotation', async (t) => {
  const name = JSON.stringify('w\u001b[31m\u202e::error::,%0A\n<script>');
  const hostile = [
    deployment(name),
    policy(
      name,
      '{ podSelector: {}, policyTypes: [Egress], egress: [{ to: [{ ipBlock: { cidr: 203.0.113.9/32 } }] }] }',
    ),
    policy('__proto__', '{ podSelector: {}, policyTypes: [Egress], egress: [{ to: [{ namespaceSelector: {} }] }] }'),
    deployment('constructor'),
  ].join('---\n');
  for (const format of ['table', 'wide', 'json', 'yaml', 'name', 'sarif', 'junit', 'github']) {
    const { lines, code } = await diff([before, '-', '-o', format], hostile);
    t.equal(code, 1, format);
    t.notMatch(lines.join('\n'), /[\p{Cf}\p{Cs}]|\p{Cc}\[/u, format);
    if (format === 'github')
      for (const line of lines) t.match(line, /^::error file=[^:]*,line=\d+,col=\d+,title=new-crossing::/);
  }
});

t.test('policies about requests that differ are named, as they are not compared', async (t) => {
  const dir = t.testdir({ old: {}, new: {} });
  const rules = (method: string) => `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: reads, namespace: acme-web }
spec: { rules: [{ to: [{ operation: { methods: [${method}] } }] }] }
`;
  const http = (path: string) => `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: { name: http, namespace: acme-web }
spec:
  endpointSelector: {}
  ingress: [{ fromEndpoints: [{}], toPorts: [{ ports: [{ port: '80', protocol: TCP }], rules: { http: [{ path: ${path} }] } }] }]
`;
  const write = (side: string, ...objects: readonly string[]) =>
    writeFileSync(`${dir}/${side}/all.yaml`, [deployment('web'), ...objects].join('---\n'));
  write('old', rules('GET'), http('/a'));
  write('new', rules('POST'), http('/b'));
  const { code, lines } = await diff([`${dir}/old`, `${dir}/new`]);
  t.equal(code, 0);
  t.match(
    lines.join('\n'),
    /Not compared: what policies say of requests\. AuthorizationPolicy acme-web\/reads is changed, CiliumNetworkPolicy acme-web\/http is changed\./,
  );
  t.strictSame((await reportOf([`${dir}/old`, `${dir}/old`])).layer7, []);
  write('new', http('/a'));
  t.match((await reportOf([`${dir}/old`, `${dir}/new`])).layer7, [
    { policy: 'AuthorizationPolicy acme-web/reads', change: 'removed' },
  ]);
});

t.test('no field of a file hides a workload', async (t) => {
  const labels = { app: 'db' };
  const metadata = { name: 'db', namespace: 'beta-data' };
  const spec = { containers: [{ name: 'main', image: 'registry.example/db' }] };
  const made = { template: { metadata: { labels }, spec } };
  const owned = (owner: object) => ({
    ...metadata,
    labels,
    ownerReferences: [{ apiVersion: 'v1', uid: '7', ...owner }],
  });
  const open = [
    ['beta-data', 'in', { podSelector: { matchLabels: labels }, policyTypes: ['Ingress'], ingress: [{}] }],
    ['acme-web', 'out', { podSelector: {}, policyTypes: ['Egress'], egress: [{}] }],
  ].map(([namespace, name, spec]) => ({
    ...{ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { namespace, name }, spec },
  }));
  const web = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'acme-web', labels: { app: 'web' } },
    spec,
  };
  const cases: Readonly<Record<string, readonly object[]>> = {
    'a Deployment': [{ apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: made }],
    'one with an owner': [
      { apiVersion: 'apps/v1', kind: 'Deployment', metadata: owned({ kind: 'ConfigMap', name: 'a' }), spec: made },
    ],
    'a Pod of a maker that no file holds': [
      { apiVersion: 'v1', kind: 'Pod', metadata: owned({ kind: 'ReplicaSet', name: 'db-5d', controller: true }), spec },
    ],
    'a Pod of a maker that makes others': [
      { apiVersion: 'v1', kind: 'Pod', metadata: owned({ kind: 'Deployment', name: 'web', controller: true }), spec },
      {
        ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'beta-data' } },
        spec: { template: { metadata: { labels: { app: 'web' } }, spec } },
      },
    ],
    'two that make each other': ['db', 'twin'].map((name, at) => ({
      ...{ apiVersion: 'apps/v1', kind: 'ReplicaSet', spec: made },
      metadata: { ...owned({ kind: 'ReplicaSet', name: at === 0 ? 'twin' : 'db', controller: true }), name },
    })),
    'a Pod that says it has ended': [
      { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, labels }, spec, status: { phase: 'Succeeded' } },
    ],
    'a kind that is not known': [{ apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout', metadata, spec: made }],
    'one that makes Jobs': [
      { apiVersion: 'batch.example/v1', kind: 'Nightly', metadata, spec: { jobTemplate: { spec: made } } },
    ],
  };
  for (const [says, objects] of Object.entries(cases)) {
    const list = (items: readonly object[]) => JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
    const folder = t.testdir({ 'old.json': list([...open, web]), 'new.json': list([...open, web, ...objects]) });
    const { changes } = await reportOf([`${folder}/old.json`, `${folder}/new.json`]);
    const reaches = changes.some(
      ({ isCrossing, from, to }) =>
        isCrossing && from.members.includes('acme-web/Pod/web') && to.members.some((one) => one.endsWith('/db')),
    );
    t.ok(reaches, says);
  }
});

t.test('what a controller makes of an object among the files is not counted again', async (t) => {
  const controller = (kind: string, name: string) => ({ ownerReferences: [{ kind, name, controller: true }] });
  const namespace = 'beta-data';
  const template = (labels: object) => ({ template: { metadata: { labels }, spec: { containers: [] } } });
  const made = { app: 'db', 'pod-template-hash': '5d' };
  const items = [
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { namespace, name: 'db' }, spec: template({ app: 'db' }) },
    {
      ...{ apiVersion: 'apps/v1', kind: 'ReplicaSet', spec: template(made) },
      metadata: { namespace, name: 'db-5d', ...controller('Deployment', 'db') },
    },
    {
      ...{ apiVersion: 'v1', kind: 'Pod', spec: { containers: [] } },
      metadata: { namespace, name: 'db-5d-x7k2p', labels: made, ...controller('ReplicaSet', 'db-5d') },
    },
  ];
  const folder = t.testdir({ 'all.json': JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) });
  t.equal((await reportOf([`${folder}/all.json`, `${folder}/all.json`])).workloads, 1);
});

t.test('a namespace that takes the name of another tenant is said, unless it was there before', async (t) => {
  const text = `apiVersion: v1
kind: Namespace
metadata: { name: beta-data, labels: { bulkhead.dev/tenant: acme } }
`;
  const folder = t.testdir({ 'old.yaml': deployment('web'), 'new.yaml': `${deployment('web')}---\n${text}` });
  const { code, lines } = await diff([`${folder}/old.yaml`, `${folder}/new.yaml`]);
  t.equal(code, 2);
  t.match(lines.join('\n'), /Namespace beta-data has the label bulkhead\.dev\/tenant=acme, .* reserved to beta/);
  t.equal((await diff([`${folder}/new.yaml`, `${folder}/new.yaml`])).code, 0);
});
