/** `npm run bundle`: packed, installed into an empty folder without a network, and used there; and as a plugin of kubectl. */
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import t from 'tap';
import { binariesOrSkip } from '../apiserver/cluster-test.ts';
import { startControlPlane } from '../apiserver/control-plane.ts';
import { shellBlocks } from '../e2e/project-folder.ts';

const binaries = await binariesOrSkip('a plugin of kubectl');
const parent = await mkdtemp(join(tmpdir(), 'bulkhead-bundle-'));
t.teardown(() => rm(parent, { recursive: true, force: true }));
const home = join(parent, 'home');
await mkdir(home);

/** Of this machine, without what npm and the test runner tell their children. */
const environment = {
  PATH: [dirname(process.execPath), process.env.PATH].join(':'),
  HOME: process.env.HOME,
};

function run(program: string, programArguments: readonly string[], env: NodeJS.ProcessEnv = {}, cwd = home) {
  // The test runner gives all children options of Node, by which it finds modules another way.
  const without = ['-c', 'unset NODE_OPTIONS; exec "$@"', 'sh'];
  const { status, stdout, stderr } = spawnSync('sh', [...without, program, ...programArguments], {
    cwd,
    env: { ...environment, ...env },
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

const built = run('npm', ['run', 'bundle'], {}, resolve('.'));
const packed = run('npm', ['pack', resolve('bundle'), '--json'], {}, parent);
const [archive] = (await readdir(parent)).filter((name) => name.endsWith('.tgz'));

await t.test('the package is one program, and nothing is installed beside it', async (t) => {
  t.equal(built.status, 0, built.stderr);
  t.equal(packed.status, 0, packed.stderr);
  const [{ files }] = JSON.parse(packed.stdout);
  t.strictSame(files.map(({ path }: { path: string }) => path).sort(), [
    'LICENSE',
    'bulkhead.mjs',
    'bulkhead.mjs.LEGAL.txt',
    'package.json',
  ]);
  t.ok((await stat('bundle/bulkhead.mjs')).size < 2_600_000, 'it has less than 2.6 MB');
  const manifest = JSON.parse(await readFile('bundle/package.json', 'utf8'));
  t.strictSame(
    Object.keys(manifest).filter((key) => /scripts|ependencies/.test(key)),
    [],
    'nothing runs or is fetched',
  );
  t.match(run('npm', ['install', '--offline', '--no-audit', '--no-fund', join(parent, archive ?? '')]), { status: 0 });
  t.strictSame(
    (await readdir(join(home, 'node_modules'))).filter((name) => !name.startsWith('.')),
    ['bulkhead'],
  );
});

await t.test('it does what the program of the checkout does', async (t) => {
  const bulkhead = (...words: string[]) => run(join(home, 'node_modules/.bin/bulkhead'), words);
  t.match(bulkhead('version'), { status: 0, stdout: /^bulkhead \d+\.\d+\.\d+\n/ });
  t.match(bulkhead('--help'), { status: 0, stdout: /\baudit\b/ });
  const wrong = 'apiVersion: bulkhead.dev/v1alpha1\nkind: Settings\nspec:\n  tenantLable: team\n';
  await writeFile(join(home, 'settings.yaml'), wrong);
  const checked = bulkhead(
    'check',
    '--config',
    'settings.yaml',
    '--tenants',
    resolve('manifests/overlays/example/tenants'),
  );
  t.match(checked, { status: 1, stdout: /settings\.yaml:4:3/ });
  const examples = resolve('manifests');
  const overlay = join(examples, 'overlays/example');
  const configured = ['--config', join(overlay, 'bulkhead.yaml'), '--tenants', join(overlay, 'tenants')];
  const linted = bulkhead('lint', ...configured, join(examples, 'examples/objects/policy-open.yaml'));
  t.match(linted, { status: 1, stdout: /policy-open\.yaml:15:11 +error +cross-tenant-ingress/ });
  t.match(bulkhead('lint'), { status: 2, stderr: /lint needs a cluster to look at/ });
  t.match(bulkhead('demo'), { status: 1, stderr: /^bulkhead: the demo shows the examples of the project/ });
});

if (binaries !== undefined)
  await t.test('called kubectl-bulkhead, it is a plugin of kubectl', async (t) => {
    const plane = await startControlPlane({ binaries, controllers: false });
    t.teardown(() => plane.stop());
    const env = {
      PATH: [join(home, '.local/bin'), dirname(binaries.kubectl), environment.PATH].join(':'),
      HOME: home,
      KUBECONFIG: plane.adminKubeconfig,
    };
    const [make = [], inCi = [], plugin = []] = await shellBlocks('docs/how-to/one-file.md');
    t.strictSame(make, ['npm run bundle', 'npm pack ./bundle'], 'as they were made above');
    for (const command of [...inCi, ...plugin])
      t.match(run('bash', ['-c', command], env, resolve('.')), { status: 0 }, command);
    const kubectl = (...words: string[]) => run(binaries.kubectl, words, env);
    t.match(kubectl('bulkhead', 'version'), { status: 0, stdout: /^bulkhead / });
    const examples = [
      '--config',
      'manifests/overlays/example/bulkhead.yaml',
      '--tenants',
      'manifests/overlays/example/tenants',
    ];
    const audited = kubectl('bulkhead', 'audit', ...examples.map((one) => one.replace(/^m/, `${resolve('.')}/m`)));
    const asked = { status: 1, stderr: '', stdout: /^Nothing was checked: no namespace has the label/ };
    t.match(audited, asked, 'it reads the kubeconfig as kubectl does');
    t.match(kubectl('bulkhead', 'audti'), { status: 2, stderr: /audit/ }, 'a mistake is told, with its likely cause');
  });
