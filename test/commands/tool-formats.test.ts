/** explain, audit, diff and replay in the formats of tools: SARIF by its schema, JUnit by a parser, annotations, names and a page. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { SaxesParser } from 'saxes';
import t, { type Test } from 'tap';
import { runCommandLine } from '../../src/commands/command-line.ts';
import { saidByAudit } from '../../src/commands/said-findings.ts';
import { printedSaid } from '../../src/commands/tool-formats.ts';
import type { AuditReport } from '../../src/report/audit-report.ts';
import { isToDo, warningsOf } from '../../src/report/audit-result.ts';
import { surveyOf, tenancyOf } from './stored-cluster.ts';

const example = [
  ...['--config', 'manifests/overlays/example/bulkhead.yaml', '--tenants', 'manifests/overlays/example/tenants'],
];
const {
  $schema: _,
  id: __,
  ...schema
} = JSON.parse(
  readFileSync(
    createRequire(import.meta.url).resolve('@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json'),
    'utf8',
  ),
);
// Ajv reads later drafts alone. The schema uses nothing that they have changed.
const validate = new Ajv({ strict: false, unicodeRegExp: false, validateFormats: false }).compile(schema);

async function run(command: string, args: readonly string[], input = '') {
  const lines: string[] = [];
  const surroundings = {
    print: (line: string) => void lines.push(...line.split('\n')),
    environment: {},
    input: new Blob([input]).stream(),
  };
  return {
    code: await runCommandLine([command, ...(args.includes('--tenants') ? [] : example), ...args], surroundings),
    text: lines.join('\n'),
  };
}

async function sarifOf(t: Test, command: string, args: readonly string[], input = '') {
  const { text } = await run(command, [...args, '-o', 'sarif'], input);
  const sarif = JSON.parse(text);
  t.ok(validate(sarif), JSON.stringify(validate.errors));
  return sarif.runs[0].results;
}

function failuresIn(text: string): number {
  let failures = 0;
  const parser = new SaxesParser();
  parser.on('opentag', ({ name }) => {
    if (name === 'failure') failures++;
  });
  parser.write(text).close();
  return failures;
}

const flow = `source_namespace,source,destination_ip,port,protocol,verdict
acme-web,web,203.0.112.10,444,TCP,allowed
`;
const commands: readonly {
  readonly command: string;
  readonly args: readonly string[];
  readonly input?: string;
  readonly check: string;
}[] = [
  {
    command: 'explain',
    args: ['-f', 'docs/examples/application', 'acme-web/front', 'beta-data/database:5432'],
    check: 'blocked-connection',
  },
  {
    command: 'audit',
    args: ['--tenants', 'docs/examples/audit/tenants.yaml', '-f', 'docs/examples/audit/cluster.yaml'],
    check: 'ungranted-crossing',
  },
  { command: 'replay', args: ['-f', 'docs/examples/diff/new', '-'], input: flow, check: 'dropped-flow' },
  { command: 'diff', args: ['docs/examples/diff/old', 'docs/examples/diff/new'], check: 'new-crossing' },
];
for (const { command, args, input, check } of commands)
  t.test(`${command} speaks to tools`, async (t) => {
    const plain = await run(command, args, input);
    t.equal(plain.code, 1);
    const results = await sarifOf(t, command, args, input);
    t.ok(
      results.some(({ ruleId }: { ruleId: string }) => ruleId === check),
      JSON.stringify(results[0]),
    );
    const junit = await run(command, [...args, '-o', 'junit'], input);
    t.ok(failuresIn(junit.text) > 0);
    t.match(junit.text, `<testsuites name="bulkhead ${command}"`);
    const github = await run(command, [...args, '-o', 'github'], input);
    t.match(github.text, new RegExp(`^::error file=.*title=${check}::`, 'm'));
    t.equal(github.code, plain.code);
    const page = await run(command, [...args, '-o', 'html'], input);
    t.match(page.text, /^<!doctype html>/);
    t.match(page.text, "default-src 'none'");
    t.equal((await run(command, [...args, '-o', 'wide'], input)).code, plain.code);
    t.notMatch((await run(command, [...args, '-o', 'name'], input)).text, /\s{2}/);
  });

t.test('what explain and audit find is on the line of the object', async (t) => {
  const args = ['-f', 'docs/examples/application', '-f', 'manifests/examples/objects/policy-to-beta-database.yaml'];
  const mesh = ['-f', 'docs/examples/mesh', 'acme-web/front', 'beta-data/database:5432'];
  t.match(await sarifOf(t, 'explain', [...args, ...mesh]), [
    {
      message: { text: /only-beta.*is blocked on 5432\/TCP.*fix: To let it through at layer 7/ },
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: 'docs/examples/mesh/only-beta.yaml' },
            region: { startLine: 15 },
          },
        },
      ],
    },
  ]);
  const conditional = {
    ...{ apiVersion: 'security.istio.io/v1', kind: 'AuthorizationPolicy' },
    metadata: { namespace: 'beta-data', name: 'no-deletes' },
    spec: { action: 'DENY', rules: [{ to: [{ operation: { methods: ['DELETE'] } }] }] },
  };
  const file = join(t.testdir({ 'no-deletes.yaml': JSON.stringify(conditional) }), 'no-deletes.yaml');
  t.match(
    await sarifOf(t, 'explain', [...args, '-f', file, ...mesh]),
    [{ message: { text: /only-beta.*is blocked on 5432/ } }],
    'what denies some requests alone does not block it',
  );
  t.strictSame(
    await sarifOf(t, 'explain', [...args, 'acme-web/front', 'beta-data/database:5432']),
    [],
    'open is no finding',
  );
});

interface Result {
  readonly message: { readonly text: string };
  readonly locations: readonly [
    {
      readonly physicalLocation: {
        readonly artifactLocation: { readonly uri: string };
        readonly region: { readonly startLine: number; readonly startColumn: number };
      };
    },
  ];
}

t.test('a crossing is on the line of the rule that opens it, in every format', async (t) => {
  const object = (apiVersion: string, kind: string, name: string, spec: string) => {
    const [namespace, own] = name.split('/');
    return `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { namespace: ${namespace}, name: ${own} }\nspec: ${spec}\n`;
  };
  const pods = (name: string) => object('v1', 'Pod', name, '{ containers: [] }');
  const policies = (name: string, spec: string) => object('networking.k8s.io/v1', 'NetworkPolicy', name, spec);
  const to =
    '{ podSelector: {}, policyTypes: [Egress], egress: [{ to: [{ namespaceSelector: {} }], ports: [{ port: 81 }] }] }';
  const from = '{ podSelector: {}, policyTypes: [Ingress], ingress: [{ ports: [{ port: 81 }] }] }';
  const folder = t.testdir({
    'acme.yaml': `${pods('acme-web/front')}---\n${policies('acme-web/to-all', to)}`,
    'beta.yaml': `${pods('beta-data/db')}---\n${policies('beta-data/from-all', from)}`,
    'open.yaml': pods('beta-data/db'),
  });
  const args = (...files: readonly string[]) => files.flatMap((file) => ['-f', join(folder, file)]);
  const of = async (check: string, ...files: readonly string[]) => {
    const all = ['--no-baseline', ...args(...files)];
    const results = (await sarifOf(t, 'audit', all)).filter((one: { ruleId: string }) => one.ruleId === check);
    const { text } = await run('audit', [...all, '-o', 'github']);
    const junit = (await run('audit', [...all, '-o', 'junit'])).text;
    return results.map(({ message, locations: [location] }: Result) => {
      const { artifactLocation, region } = location.physicalLocation;
      const file = decodeURIComponent(artifactLocation.uri).split('/').at(-1);
      t.match(text, `${file},line=${region.startLine},col=${region.startColumn},title=${check}::`);
      t.match(junit, `${file}:${region.startLine}:${region.startColumn}: error ${check}`);
      return `${file}:${region.startLine}:${region.startColumn} ${message.text.replace(/; fix: .*/, '')}`;
    });
  };
  const both =
    'opened by NetworkPolicy beta-data/from-all spec.ingress[0] and NetworkPolicy acme-web/to-all spec.egress[0]';
  const found = await of('ungranted-crossing', 'acme.yaml', 'beta.yaml');
  t.match(found, [
    /^beta\.yaml:9:60 NetworkPolicy beta-data\/from-all: spec\.ingress\[0\] acme reaches beta on 81\/TCP, /,
    /^acme\.yaml:1:1 Pod acme-web\/front beta reaches acme on every port, .*no policy isolates either for this direction$/,
    /^beta\.yaml:9:60 .*\(tenants to come\) reaches beta/,
    /^acme\.yaml:9:67 NetworkPolicy acme-web\/to-all: spec\.egress\[0\]\S+ acme reaches \(tenants to come\)/,
  ]);
  t.equal(found.length, 4);
  t.ok(found[0]?.includes(both), found[0]);
  t.match(await of('ungranted-crossing', 'acme.yaml', 'open.yaml'), [
    /^acme\.yaml:9:67 NetworkPolicy acme-web\/to-all: .* acme reaches beta on 81\/TCP, /,
  ]);
  t.match(await of('ungranted-addresses', 'acme.yaml', 'open.yaml'), [/^acme\.yaml:1:1 Pod acme-web\/front /]);
});

t.test('what makes audit end with 1 is a result in every format', async (t) => {
  const acme = { members: [{ kind: 'User', name: 'alice' }], namespaces: { prefix: 'acme-' } };
  const tenants = { acme };
  const web = { metadata: { name: 'acme-web', labels: { 'bulkhead.dev/tenant': 'acme' } } };
  const clean = await surveyOf({ tenants, objects: { '/api/v1/namespaces': [web] } });
  const connectivity = {
    ...{ readings: [], tenants: [], crossings: [], namespaces: [], outside: [], gates: [], unread: [] },
    ...{ selectNothing: [], openNothing: [], layers: [], exemptions: [] },
  };
  const by = { command: 'audit', written: [], settings: tenancyOf({ tenants }).settings };
  t.notOk(isToDo({ report: clean, problems: [], connectivity }));
  const planted = 'NetworkPolicy acme-web/bulkhead-allow-extra has a name of Bulkhead, and is not of its baseline';
  const lost = { namespace: 'acme-web', tenant: 'acme', mode: 'audit', pods: 1, ingress: 1, egress: 0 };
  const cases: readonly (readonly [Partial<AuditReport>, name: string])[] = [
    [{ planted: [planted] }, 'networkpolicy/bulkhead-allow-extra'],
    [{ planted: ['namespace shop has the label of the probe of Bulkhead'] }, 'namespace/shop'],
    [{ backstop: 'older' }, 'finding/older-backstop'],
    [{ namespaces: 0 }, 'finding/nothing-checked'],
    [{ cutOff: [{ ...lost, losing: 1, names: ['web'] }] }, 'namespace/acme-web'],
    [{ unread: ['/api/v1/pods cannot be listed: 403'] }, 'finding/not-read'],
  ];
  for (const [part, name] of cases) {
    const result = { report: { ...clean, ...part }, problems: [], connectivity };
    t.ok(isToDo(result), name);
    const said = saidByAudit(result);
    const as = (format: Parameters<typeof printedSaid>[0]) => printedSaid(format, said, by).join('\n');
    t.equal(as('name'), name);
    t.equal(JSON.parse(as('sarif')).runs[0].results.length, 1, `${name} in SARIF`);
    t.equal(failuresIn(as('junit')), 1, `${name} in JUnit`);
    t.match(as('github'), /^::error /, `${name} as annotation`);
    if (!('cutOff' in part)) t.equal(warningsOf(result).length, 1, `${name} on the page`);
  }
});
