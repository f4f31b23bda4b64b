/** The worked cases, and that the command which judges such files can tell right from wrong. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { judgeCases } from './judge-cases.ts';
import { readCases } from './worked-cases.ts';

const text = readFileSync(new URL('./verdicts.json', import.meta.url), 'utf8');
const file = JSON.parse(text);

t.test('the worked verdicts hold', (t) => {
  const { held, differences, notBuilt } = judgeCases(readCases(text));
  for (const id of held) t.pass(id);
  t.same(differences, []);
  t.same([...notBuilt], []);
  t.equal(held.length, file.cases.length);
  t.end();
});

t.test('they hold for another tenant, label and network', (t) => {
  const moved = (part: unknown) =>
    JSON.stringify(part)
      .replaceAll('acme', 'globex')
      .replaceAll('10.244.', '10.7.')
      .replaceAll('10.96.0.0/12', '10.32.0.0/12')
      .replaceAll('2001:db8:42::', '2001:db8:99::');
  const cases = moved(file.cases)
    .replaceAll('"tenant"', '"example.com/owner"')
    .replaceAll('labels.tenant"', 'labels.example.com/owner"');
  const assume = { ...JSON.parse(moved(file.assume)), membershipLabel: 'example.com/owner' };
  const { held, differences } = judgeCases(readCases(JSON.stringify({ assume, cases: JSON.parse(cases) })));
  t.same(differences, []);
  t.equal(held.length, file.cases.length);
  t.end();
});

t.test('every case would be missed', (t) => {
  const others: Readonly<Record<string, string>> = {
    CONTAINED: 'ESCAPES',
    COVERS: 'NOT-COVERS',
    OVERLAP: 'DISJOINT',
    DISJOINT: 'OVERLAP',
    'REJECT-NONCANONICAL': 'ACCEPT',
    CLEAR: 'HITS imds',
  };
  for (const one of file.cases) {
    const wrong = others[one.verdict] ?? (one.verdict.startsWith('HITS') ? 'CLEAR' : 'CONTAINED');
    const cases = [{ ...one, verdict: wrong }];
    const { differences } = judgeCases(readCases(JSON.stringify({ ...file, cases })));
    t.match(differences, [{ id: one.id }], `${one.id} is not ${wrong}`);
  }
  t.end();
});

t.test('a list of ranges that is too long or too short is a difference', (t) => {
  const judged = (input: unknown, verdict: string) => {
    const cases = [{ id: 'X1', engine: 'ipBlock', input, verdict }];
    return judgeCases(readCases(JSON.stringify({ ...file, cases }))).differences.map((difference) => difference.text);
  };
  t.match(judged([{ cidr: '10.0.0.0/8' }], 'HITS podCIDR'), [/^touches serviceCIDR too: spec\.ingress/]);
  t.match(judged([{ cidr: '10.244.0.0/16' }], 'HITS podCIDR,imds'), [/^does not touch imds: spec\.ingress/]);
  t.same(judged([{ cidr: '::/0' }], 'HITS podCIDR6,imds6,nat64imds'), [], 'what NAT64 embeds is not asked for');
  t.match(judged([{ cidr: '::/0' }], 'HITS podCIDR6'), [/^touches .*imds6/], 'what is there as such is');
  t.same(judged([{ cidr: '10.0.0.0/8', except: ['10.0.0.0/9', '10.128.0.0/9'] }], 'CLEAR'), [], 'nothing is left');
  t.match(
    judged([{ cidr: '010.0.0.0/8' }], 'CLEAR'),
    [/^is ESCAPES and should be CLEAR/],
    'corrected, it says 10.0.0.0/8',
  );
  t.match(judged('10.0.0.0/8', 'HITS podCIDR'), [/^is INVALID/], 'a block that is none');
  t.end();
});

t.test('selectors that miss somebody do not cover', (t) => {
  const app = (operator: string, ...values: string[]) => ({ matchExpressions: [{ key: 'app', operator, values }] });
  const judged = (input: unknown, verdict: string) => {
    const cases = [{ id: 'X1', engine: 'k8s.coverage', input, verdict }];
    return judgeCases(readCases(JSON.stringify({ ...file, cases }))).differences.map((difference) => difference.text);
  };
  t.same(judged([app('Exists'), app('NotIn', 'x')], 'COVERS'), []);
  t.same(judged([app('In', 'x'), app('NotIn', 'x', 'y')], 'NOT-COVERS'), []);
  t.match(judged([app('In', 'x'), app('NotIn', 'x', 'y')], 'COVERS'), [/^is NOT-COVERS and should be COVERS/]);
  t.same(judged([{ matchLabels: { app: 'x' } }, {}], 'COVERS'), []);
  t.same(judged([], 'NOT-COVERS'), [], 'no selector covers nobody');
  const wide = Array.from({ length: 17 }, (_, index) => ({
    matchExpressions: [1, 2].map((part) => ({ key: `k${index}-${part}`, operator: 'Exists' })),
  }));
  t.same(judged([...wide, app('Exists'), app('DoesNotExist')], 'UNPROVEN'), [], 'beyond the budget');
  t.end();
});

t.test('names are reserved to the tenant where a condition says so, and only there', (t) => {
  const input = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'acme-prod' } } };
  const one = { id: 'X1', engine: 'k8s.peer', input, verdict: 'CONTAINED' };
  const judged = (written: object) => judgeCases(readCases(JSON.stringify({ ...file, cases: [written] })));
  t.same(judged({ ...one, condition: 'names are reserved' }).differences, []);
  t.match(judged(one).differences, [{ id: 'X1', text: /should be CONTAINED/ }]);
  t.end();
});

/** What the command prints and how it ends. */
function run(t: Test, ...texts: readonly string[]): { code: number | null; out: string; err: string; names: string[] } {
  const folder = t.testdir();
  const names = texts.map((text, index) => {
    const name = join(folder, `${index}.json`);
    writeFileSync(name, text);
    return name;
  });
  const command = new URL('./cases.ts', import.meta.url).pathname;
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...names], { encoding: 'utf8' });
  return { code: status, out: stdout, err: stderr, names };
}

t.test('the command counts what holds and what is not built', (t) => {
  const later = [
    { id: 'Z1', engine: 'calico.selector', input: 'all()', verdict: 'ESCAPES' },
    { id: 'Z2', engine: '__proto__', input: null, verdict: 'n/a' },
  ];
  const { code, out, err, names } = run(t, JSON.stringify({ ...file, cases: [...file.cases, ...later] }));
  t.equal(err, '');
  t.equal(code, 0);
  const count = file.cases.length;
  t.equal(
    out,
    `${names[0]}: ${count} of ${count + 2} cases hold, 0 differ, 2 belong to engines that are not built yet (calico.selector 1, __proto__ 1)\n`,
  );
  t.end();
});

t.test('the command prints each difference with its id, in each file', (t) => {
  const wrong = { ...file.cases[0], verdict: 'CONTAINED' };
  const { code, out, names } = run(t, JSON.stringify({ ...file, cases: [wrong] }), text);
  t.equal(code, 1);
  t.match(
    out,
    `${names[0]}: ${wrong.id} is ESCAPES and should be CONTAINED: spec.ingress[0].from[0].namespaceSelector`,
  );
  t.match(out, `${names[0]}: 0 of 1 cases hold, 1 differ`);
  t.match(out, `${names[1]}: ${file.cases.length} of ${file.cases.length} cases hold`);
  t.end();
});

t.test('a file that cannot be read is said in a sentence, and the others are judged', (t) => {
  const { assume, cases } = file;
  const table: readonly [string, RegExp][] = [
    ['{', /it is not JSON/],
    ['[]', /it is not a map with assume and a list of cases/],
    [JSON.stringify({ cases }), /it is not a map with assume and a list of cases/],
    [JSON.stringify({ assume, cases: {} }), /it is not a map with assume and a list of cases/],
    [JSON.stringify({ assume, cases: [7] }), /cases\[0\] is not a map/],
    [JSON.stringify({ assume, cases: [{ ...cases[0], verdict: undefined }] }), /cases\[0\] has no verdict/],
    [JSON.stringify({ assume, cases: [{ ...cases[0], id: '' }] }), /cases\[0\] has no id/],
    [JSON.stringify({ assume, cases: [{ ...cases[0], engine: 7 }] }), /cases\[0\] has no engine/],
    [JSON.stringify({ assume, cases: [{ id: 'A', engine: 'b', verdict: 'c' }] }), /cases\[0\] has no input/],
    [JSON.stringify({ assume: { ...assume, tenant: undefined }, cases }), /assume has no tenant/],
    [JSON.stringify({ assume: { ...assume, podCIDRs: 'all' }, cases }), /assume\.podCIDRs is not a list of addresses/],
    [JSON.stringify({ assume: { ...assume, nodeCIDRs: [7] }, cases }), /assume\.nodeCIDRs is not a list of addresses/],
    [
      JSON.stringify({ assume: { ...assume, podCIDRs: ['10.1.2.3/8'] }, cases }),
      /assume\.podCIDRs: .*; write 10\.0\.0\.0\/8/,
    ],
  ];
  for (const [written, reason] of table) t.throws(() => readCases(written), reason);
  const { code, out, err, names } = run(t, '{', text);
  t.equal(code, 2);
  t.match(err, new RegExp(`^${names[0]} cannot be read: it is not JSON: .*\n$`));
  t.match(out, `${names[1]}: ${file.cases.length} of ${file.cases.length} cases hold`);
  const none = run(t);
  t.equal(none.code, 2);
  t.equal(none.err, 'No file is given: npm run cases -- FILE...\n');
  t.end();
});

t.test('whatever stands in a case gets an answer', (t) => {
  const engines = [...new Set(file.cases.map((one: { engine: string }) => one.engine)), 'k8s.overlap', 'k8s.coverage'];
  const inputs = [
    null,
    7,
    'text',
    [],
    [null],
    [7],
    {},
    [{}],
    { from: 7 },
    { ports: 7 },
    { ports: [null] },
    { ingress: 7 },
  ];
  const cases = engines.flatMap((engine) =>
    inputs.map((input, index) => ({ id: `${engine} ${index}`, engine, input, verdict: 'NO SUCH VERDICT' })),
  );
  const { differences } = judgeCases(readCases(JSON.stringify({ ...file, cases })));
  t.equal(differences.length, cases.length, 'a verdict that is none never holds');
  t.end();
});
