import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import tap from 'tap';
import { binariesOrSkip } from './cluster-test.ts';
import { startControlPlane } from './control-plane.ts';

/** Starts a control plane and then does what the test says, without ever stopping it. */
const careless = (then: string, options = '{}'): string => `
  import { startControlPlane } from '${new URL('control-plane.ts', import.meta.url)}';
  const plane = await startControlPlane(${options});
  ${then}
`;

const quick = '{ controllers: false }';

/** How a program ends: with SIGKILL once a process of this command line is seen, or with an exit code of its own. */
const endings: readonly [sentence: string, program: string, end: { killWhen: RegExp } | { code: number }][] = [
  ['is killed while the API server starts', careless(''), { killWhen: /^\S+\/kube-apiserver / }],
  [
    'is killed while kubectl runs',
    careless("await plane.kubectl(plane.adminKubeconfig, ['get', 'namespaces', '--watch'])"),
    { killWhen: /^\S+\/kubectl .* --watch/ },
  ],
  ['throws', careless("throw new Error('a bug')", quick), { code: 1 }],
  ['calls process.exit', careless('process.exit(7)', quick), { code: 7 }],
  ['forgets to stop it', careless('', quick), { code: 0 }],
];

const binaries = await binariesOrSkip('a control plane leaves nothing behind');
if (binaries !== undefined) {
  await tap.test('two control planes side by side know nothing of each other', async (t) => {
    const options = { binaries, controllers: false };
    const [first, second] = await Promise.all([startControlPlane(options), startControlPlane(options)]);
    t.teardown(() => Promise.all([first.stop(), second.stop()]));
    t.not(first.port, second.port);
    t.not(first.directory, second.directory);
    const path = '/api/v1/namespaces/default/configmaps';
    for (const plane of [first, second]) {
      const configMap = { metadata: { name: 'url' }, data: { url: plane.url } };
      t.match(await plane.request('POST', path, configMap), { status: 201 });
    }
    for (const plane of [first, second]) {
      t.match(await plane.request('GET', `${path}/url`), { status: 200, body: { data: { url: plane.url } } });
    }
    t.match(await first.kubectl(first.adminKubeconfig, [`--server=${second.url}`, 'get', 'configmaps']), {
      code: 1,
      stderr: 'certificate signed by unknown authority',
    });
    await first.stop();
    t.match(await second.request('GET', `${path}/url`), { status: 200 }, 'when one stops, the other goes on');
  });

  await tap.test('after stop no process and no folder is left, not even of a kubectl that still runs', async (t) => {
    const plane = await startControlPlane({ binaries });
    const watch = plane.kubectl(plane.adminKubeconfig, ['get', 'namespaces', '--watch']);
    let running = new Set<string>();
    await until(async () => {
      const lines = await processesOf(plane.directory);
      running = new Set(lines.map((line) => basename(line.split(' ')[0] ?? '')));
      // A moment earlier it is still the shell that guards it.
      return running.has('kubectl');
    });
    const programs = ['etcd', 'kube-apiserver', 'kubectl', ...(plane.controllers ? ['kube-controller-manager'] : [])];
    t.strictSame(
      programs.filter((program) => !running.has(program)),
      [],
      'all are seen to run before',
    );
    await plane.stop();
    t.match(await watch, { code: -1 });
    await until(async () => (await processesOf(plane.directory)).length === 0);
    t.notOk((await readdir(dirname(plane.directory))).includes(basename(plane.directory)));
    await plane.stop();
  });

  for (const [sentence, program, end] of endings) {
    await tap.test(`no process and no folder is left when the program that started it ${sentence}`, async (t) => {
      // A folder of the test's own for temporary files: whatever is in there, or names it, is of this control plane.
      const temporary = t.testdir();
      const env = { ...process.env, TMPDIR: temporary };
      const child = spawn(process.execPath, ['--input-type=module', '-e', program], { env, stdio: 'ignore' });
      const ended = once(child, 'exit');
      if ('killWhen' in end) {
        await until(async () => (await processesOf(temporary)).some((line) => end.killWhen.test(line)));
        child.kill('SIGKILL');
      }
      t.strictSame(await ended, 'killWhen' in end ? [null, 'SIGKILL'] : [end.code, null]);
      await until(async () => (await processesOf(temporary)).length === 0);
      t.strictSame(await readdir(temporary), []);
    });
  }
}

/** The command lines of all processes that name this folder: programs and guards alike. */
async function processesOf(directory: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-ww', '-o', 'args='], { maxBuffer: 2 ** 26 });
  return stdout.split('\n').filter((line) => line.includes(directory));
}

/** Waits for what happens in another process; the test's timeout is the limit. */
async function until(happened: () => Promise<boolean>): Promise<void> {
  while (!(await happened())) await sleep(20);
}
