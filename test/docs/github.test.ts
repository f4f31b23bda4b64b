/** The files of .github lead to what exists. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';

interface Step {
  readonly run?: string;
  readonly uses?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}
interface Workflow {
  readonly jobs: Readonly<Record<string, { readonly steps: readonly Step[] }>>;
}
interface Update {
  readonly 'package-ecosystem': string;
  readonly directories?: readonly string[];
}

t.test('the workflow ends with .ci/run', async (t) => {
  const workflow: Workflow = parse(readFileSync('.github/workflows/ci.yaml', 'utf8'));
  // Behind it, only what it left is kept.
  t.match(workflow.jobs.ci?.steps.findLast(({ run }) => run !== undefined)?.run, / \.ci\/run$/);
  t.ok(existsSync('.ci/run'));
  const checkout = workflow.jobs.ci?.steps.find(({ uses }) => uses?.startsWith('actions/checkout@'));
  t.equal(checkout?.with?.['fetch-depth'], 0, 'test/e2e/upgrade.test.ts finds the version before');
});

t.test('dependabot looks at every Go module', async (t) => {
  const { updates }: { readonly updates: readonly Update[] } = parse(readFileSync('.github/dependabot.yml', 'utf8'));
  const modules = globSync('test/**/go.mod').map((file) => join('/', dirname(file)));
  const watched = updates.find((update) => update['package-ecosystem'] === 'gomod')?.directories;
  t.strictSame(watched, modules.sort());
});
