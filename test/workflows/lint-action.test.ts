/** The action around `bulkhead lint`: its inputs are those that its script takes, and the script does what the action says. */
import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { parse, stringify } from 'yaml';
import { skipOrFail } from '../apiserver/cluster-test.ts';
import { findActionlint } from './actionlint.ts';

const folder = '.github/actions/lint';
const { inputs, runs } = parse(await readFile(`${folder}/action.yml`, 'utf8'));
const [step] = runs.steps;

const found = await findActionlint();
if ('missing' in found) skipOrFail('a linter reads a workflow with the action', found.missing);
else
  await t.test('a linter reads a workflow with the action', async (t) => {
    // A repository of its own: the linter looks for actions beside workflows.
    const repository = await mkdtemp(join(tmpdir(), 'bulkhead-action-'));
    t.teardown(() => rm(repository, { recursive: true }));
    await mkdir(join(repository, '.git'));
    await mkdir(join(repository, '.github/workflows'), { recursive: true });
    await cp('.github/actions', join(repository, '.github/actions'), { recursive: true });
    const lint = async (values: Record<string, string>) => {
      const uses = { uses: './.github/actions/lint', with: values };
      const workflow = { on: 'push', jobs: { lint: { 'runs-on': 'ubuntu-24.04', steps: [uses] } } };
      await writeFile(join(repository, '.github/workflows/lint.yaml'), stringify(workflow));
      return spawnSync(join(found.folder, 'actionlint'), ['-no-color'], { cwd: repository, encoding: 'utf8' });
    };
    t.match(await lint({ files: 'manifests', tenants: 'tenants', sarif: 'lint.sarif' }), { status: 0, stdout: '' });
    t.match(await lint({ files: 'manifests' }), { status: 1, stdout: /"tenants"/ }, 'an input that is required');
    t.match(await lint({ files: 'manifests', tenants: 'tenants', file: 'x' }), { status: 1, stdout: /"file"/ });
  });

t.test('no input becomes code, and each reaches the script', async (t) => {
  t.notMatch(step.run, /\$\{\{/);
  const script = await readFile(`${folder}/lint.sh`, 'utf8');
  for (const [name, expression] of Object.entries<string>(step.env)) {
    t.match(script, `$${name}`, `${name} is read`);
    const [, input] = /^\$\{\{ inputs\.([a-z-]+) \}\}$/.exec(expression) ?? [];
    t.ok(name === 'ACTION' || Object.hasOwn(inputs, input ?? ''), expression);
  }
  t.equal(Object.keys(step.env).length, Object.keys(inputs).length + 1);
});

/** As the runner runs the step. */
function run(values: Record<string, string>) {
  const defaults = Object.fromEntries(Object.keys(step.env).map((name) => [name, '']));
  const examples = 'manifests/overlays/example';
  const env = {
    PATH: process.env.PATH,
    ...defaults,
    TENANTS: `${examples}/tenants`,
    CONFIG: `${examples}/bulkhead.yaml`,
    ACTION: folder,
    ...values,
  };
  return spawnSync('bash', ['-c', 'unset NODE_OPTIONS; exec "$ACTION/lint.sh"'], { env, encoding: 'utf8' });
}

t.test('it annotates, writes SARIF, and fails where something is new', async (t) => {
  const open = 'manifests/examples/objects/policy-open.yaml';
  const annotation =
    /^::error file=manifests\/examples\/objects\/policy-open\.yaml,line=15,col=11,title=cross-tenant-ingress::/;
  t.match(run({ FILES: open }), { status: 1, stdout: annotation });
  t.match(run({ FILES: 'manifests/examples/objects/pod-web.yaml' }), { status: 0, stdout: '' });
  const sarif = join(t.testdir(), 'lint.sarif');
  t.match(run({ FILES: `${open}\n manifests/examples/objects/pod-web.yaml`, SARIF: sarif }), {
    status: 1,
    stdout: annotation,
  });
  t.match(JSON.parse(await readFile(sarif, 'utf8')), { version: '2.1.0' });
  t.match(run({ FILES: 'none.yaml', SARIF: sarif }), { status: 2, stderr: /none\.yaml: does not exist/ });
  const hostile = join(t.testdir(), 'a;b$(exit)*.yaml');
  await writeFile(hostile, await readFile(open));
  t.match(run({ FILES: hostile }), { status: 1, stdout: /title=cross-tenant-ingress/ }, 'a name is a name');
  t.match(run({ FILES: '--as-platform' }), { status: 2, stderr: /--as-platform: does not exist/ }, 'and no option');
  const files = t.testdir({ node_modules: { 'broken.yaml': 'a: [' }, old: { 'broken.yaml': 'a: [' } });
  t.match(run({ FILES: files }), { status: 1, stdout: /title=unreadable/ });
  const excluded = { EXCLUDE: `${files}/node_modules ${files}/old` };
  t.match(run({ FILES: files, ...excluded }), { status: 0, stderr: /excluded: .*node_modules, .*old$/m });
});
