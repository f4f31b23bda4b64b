import t from 'tap';
import { formatProblem, formatSteps, inReadingOrder, type Problem } from '../../src/tenancy/problem.ts';
import { suggestion } from '../../src/tenancy/suggestion.ts';

const problem: Problem = {
  file: 't.yaml',
  line: 3,
  column: 7,
  path: 'spec.mode',
  reason: 'is missing',
  fix: 'write mode: warn',
};

t.test('a problem is one line that says where, what and how to mend it', async (t) => {
  t.equal(formatProblem(problem), 't.yaml:3:7: spec.mode: is missing; write mode: warn');
  t.equal(formatProblem({ ...problem, fix: '' }), 't.yaml:3:7: spec.mode: is missing');
  t.equal(formatProblem({ ...problem, path: '' }), 't.yaml:3:7: is missing; write mode: warn');
  t.equal(
    formatProblem({ ...problem, file: 'tenant acme', line: 0, column: 0 }),
    'tenant acme: spec.mode: is missing; write mode: warn',
  );
});

t.test('a path reads as in the document', async (t) => {
  t.equal(formatSteps([]), '');
  t.equal(formatSteps(['spec', 'gates', 0, 'ports', 1]), 'spec.gates[0].ports[1]');
  t.equal(formatSteps(['hard', 'requests.cpu']), 'hard["requests.cpu"]');
  t.equal(formatSteps(['a\n\u001b[31m']), '["a\\n\\u001b[31m"]', 'control characters are made visible (SRV-13)');
  t.equal(formatSteps(['x'.repeat(50_000)]).length, 50_000);
  t.equal(formatSteps(['-'.repeat(50_000)]).length, 67, 'what is no plain word is cut');
});

t.test('problems are told in the order in which a person reads', async (t) => {
  const at = (file: string, line: number, column: number) => ({ ...problem, file, line, column });
  const sorted = [at('a', 1, 2), at('a', 2, 1), at('a', 10, 1), at('b', 1, 1)];
  t.strictSame(inReadingOrder(sorted.toReversed()), sorted);
});

t.test('a suggestion explains a slip, and nothing else', async (t) => {
  const words = ['enforce', 'warn', 'audit', 'members', 'namespaces', 'network'];
  const cases: readonly (readonly [written: string, meant: string | undefined])[] = [
    ['enforced', 'enforce'],
    ['ENFORCE', 'enforce'],
    ['wran', undefined],
    ['wan', 'warn'],
    ['namespace', 'namespaces'],
    ['netwrok', 'network'],
    ['quota', undefined],
    ['', undefined],
    ['x'.repeat(100_000), undefined],
  ];
  for (const [written, meant] of cases)
    t.equal(suggestion(written, words), meant, `${written.slice(0, 20)} means ${meant}`);
  t.equal(suggestion('abc', []), undefined);
});
