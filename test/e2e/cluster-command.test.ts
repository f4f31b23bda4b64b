/** `npm run cluster`, used as its own last lines say. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import t from 'tap';
import { binariesOrSkip, skipOrFail } from '../apiserver/cluster-test.ts';
import { thriftyGo } from '../apiserver/go-environment.ts';
import { whyUnavailable } from '../apiserver/network-namespace.ts';
import { shellBlocks } from './project-folder.ts';
import { until } from './stand-in-kubelet.ts';

const name = 'a cluster that stays up';
const unavailable = await whyUnavailable();
const binaries = unavailable === undefined ? await binariesOrSkip(name) : undefined;
if (unavailable !== undefined) skipOrFail(name, unavailable);
else if (binaries !== undefined)
  await t.test(name, async (t) => {
    const parent = await mkdtemp(join(tmpdir(), 'bulkhead-cluster-test-'));
    t.teardown(() => rm(parent, { recursive: true, force: true }));
    const folder = join(parent, 'cluster');
    const cluster = start(`--folder=${folder}`, '--bulkhead');
    t.teardown(() => cluster.child.kill('SIGKILL'));
    await until(
      async () => cluster.text().includes('Ctrl-C ends') || cluster.child.exitCode !== null,
      () => `the last line: ${cluster.text()}`,
      150_000,
    );

    const shell = async (person: string, command: string) => {
      const env = {
        PATH: `${folder}/bin:${process.env.PATH}`,
        HOME: parent,
        KUBECONFIG: join(folder, person),
        ...thriftyGo,
      };
      const run = watched(spawn('bash', ['-c', command], { env, stdio: ['ignore', 'pipe', 'pipe'] }));
      return { code: await run.ended, text: run.text() };
    };
    const apply = (file: string) => `kubectl apply -f manifests/examples/objects/${file}.yaml`;

    t.notMatch(cluster.text(), '/../', 'a folder elsewhere is called by its whole path');
    t.match(cluster.text(), `export KUBECONFIG=${folder}/alice`);
    await t.test('its commands are those of the people in it', async (t) => {
      const [made, refused] = [...cluster.text().matchAll(/^ {2}(kubectl apply .*?)(?: +#.*)?$/gm)].map(
        ([, one]) => one,
      );
      t.equal(made, apply('namespace-acme-web'));
      // As they are pasted: the first has made the namespace, and the rights in it are there for the second.
      const both = () => shell('alice', `${made}\n${refused}`);
      const denial = 'allows traffic from other tenants (tenant acme, hard isolation)';
      const first = await both();
      t.match(first, { code: 1, text: 'namespace/acme-web created' });
      t.match(first, { text: denial });
      t.match(await shell('paul', 'kubectl delete namespace acme-web --timeout=60s'), { code: 0 });
      t.match(await both(), { code: 1, text: denial }, 'a namespace that is made again has the rights again');
    });
    await t.test('kubectl shows its node and the pods of Bulkhead as ready', async (t) => {
      t.match(await shell('paul', 'kubectl get nodes'), { code: 0, text: /^stand-in +Ready\b/m });
      t.match(await shell('paul', 'kubectl -n bulkhead-system get pods'), { text: /(?: 1\/1 +Running[\s\S]*){2}/ });
    });
    await t.test('nobody but the platform works in what is not theirs', async (t) => {
      t.match(await shell('bob', apply('pod-web')), { code: 1, text: 'is forbidden' });
      t.match(await shell('alice', 'kubectl -n bulkhead-system get secrets'), { code: 1, text: 'Forbidden' });
      t.match(await shell('paul', 'kubectl -n bulkhead-system get pods'), { code: 0, text: /(?:Running[\s\S]*){2}/ });
    });
    await t.test('a deleted pod of Bulkhead is replaced', async (t) => {
      const running =
        'kubectl -n bulkhead-system get pods --no-headers -o custom-columns=N:.metadata.name,P:.status.phase';
      const [first = ''] = (await shell('admin', running)).text.split(' ');
      t.match(await shell('admin', `kubectl -n bulkhead-system delete pod ${first}`), { code: 0 });
      const twice = async () => {
        const { text } = await shell('admin', running);
        return !text.includes(first) && text.match(/Running/g)?.length === 2;
      };
      await until(twice, 'another pod', 60_000);
    });
    await t.test('a folder is of one cluster, and of nothing else', async (t) => {
      for (const file of ['alice', 'admin'])
        t.equal((await stat(join(folder, file))).mode & 0o77, 0, 'keys are private');
      const second = start(`--folder=${folder}`);
      t.equal(await second.ended, 1);
      t.match(
        second.text(),
        /^a cluster runs with .*: end it with Ctrl-C \(process \d+\), or give another --folder\n$/,
      );
      const other = join(parent, 'other');
      await mkdir(other);
      const third = start(`--folder=${other}`);
      t.equal(await third.ended, 1);
      t.match(third.text(), /other exists and is not a cluster's: remove it, or give another --folder\n$/);
      t.equal((await stat(other)).isDirectory(), true, 'and it stays');
    });
    await t.test('it ends by Ctrl-C, and leaves nothing', async (t) => {
      cluster.child.kill('SIGINT');
      t.equal(await cluster.ended, 0);
      await t.rejects(access(folder), { code: 'ENOENT' });
      await until(async () => (await processesOf(folder)).length === 0, 'its processes to end');
    });
  });

if (unavailable === undefined && binaries !== undefined)
  await t.test('the first denial for a tenant of one’s own, by the commands of the page', async (t) => {
    const parent = await mkdtemp(join(tmpdir(), 'bulkhead-cluster-test-'));
    t.teardown(() => rm(parent, { recursive: true, force: true }));
    const folder = join(parent, 'cluster');
    const begun = performance.now();
    const cluster = start(`--folder=${folder}`);
    t.teardown(() => cluster.child.kill('SIGKILL'));
    await until(
      async () => cluster.text().includes('Ctrl-C ends') || cluster.child.exitCode !== null,
      () => `the last line: ${cluster.text()}`,
      100_000,
    );
    const [install = [], work = []] = await pageBlocks(folder);
    const run = async (lines: readonly string[]) => {
      const env = { PATH: process.env.PATH, HOME: parent, ...thriftyGo };
      const shell = watched(spawn('bash', ['-ec', lines.join('\n')], { env, stdio: ['ignore', 'pipe', 'pipe'] }));
      return { code: await shell.ended, text: shell.text() };
    };
    t.match(await run(install), { code: 0 }, 'it is installed');
    const [enter = '', path = '', create = '', refused = ''] = [install[0], ...work];
    t.match(await run([enter, path, create]), { code: 0, text: 'namespace/delta-web created' });
    // Her rights in a new namespace come a moment after it.
    const answer = () => run([enter, path, refused]);
    await until(async () => (await answer()).text.includes('admission webhook'), 'a refusal by Bulkhead');
    const seconds = (performance.now() - begun) / 1000;
    t.match(await answer(), { code: 1, text: 'Pod delta-web/probe: uses the network of its node (tenant delta' });
    t.ok(seconds <= 180, `${seconds.toFixed(0)} s from npm run cluster to the denial`);
    cluster.child.kill('SIGINT');
    t.equal(await cluster.ended, 0);
  });

/** Of docs/start.md, without the first, which starts the cluster. */
async function pageBlocks(folder: string): Promise<readonly string[][]> {
  const blocks = await shellBlocks('docs/start.md');
  const first = blocks.findIndex(([line]) => line === 'npm run cluster');
  return blocks
    .slice(first + 1, first + 3)
    .map((lines) => lines.map((line) => line.replaceAll('$PWD/.cluster', folder)));
}

/** As people start it: not on the one processor that programs have beside other tests. */
function start(...options: string[]) {
  const { TAP: _, ...env } = process.env;
  const command = ['test/cluster/start.ts', ...options];
  return watched(spawn(process.execPath, command, { env, stdio: ['ignore', 'pipe', 'pipe'] }));
}

function watched(child: ChildProcessByStdio<null, Readable, Readable>) {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const ended = once(child, 'close').then(([code]: (number | null)[]) => code);
  return { child, ended, text: () => text };
}

/** The command lines that name this folder. */
async function processesOf(folder: string): Promise<string[]> {
  const numbers = (await readdir('/proc')).filter((one) => /^\d+$/.test(one));
  const lines = await Promise.all(numbers.map((one) => readFile(`/proc/${one}/cmdline`, 'utf8').catch(() => '')));
  return lines.filter((line) => line.includes(folder));
}
