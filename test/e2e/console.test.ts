/** Every console block of README and docs does what it shows, on a real API server, in the order of the page. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import t from 'tap';
import { findBinaries } from '../apiserver/binaries.ts';
import { clusterTest } from '../apiserver/cluster-test.ts';
import { consoleCommands, matchesExpected } from '../docs/console-blocks.ts';

/** Commands that install, or that run these very tests: CI runs them itself, as a person would. */
const runByCi: ReadonlyMap<string, string> = new Map([
  ['npm ci', 'npm ci'],
  ['npm test', 'npm test'],
  ['npm run test:unit', 'npm test'],
  ['npm run test:e2e', 'npm test'],
  ['npm run bench', 'npm run bench -- --smoke'],
]);

t.test('what is not executed here is executed by CI', async (t) => {
  const ci = readFileSync('.ci/run', 'utf8');
  for (const [command, inCi] of runByCi)
    t.match(ci, new RegExp(`^(must |step |)${inCi}`, 'm'), `${command} is part of ${inCi}`);
});

const commands = consoleCommands().filter(({ command }) => !runByCi.has(command));

await clusterTest('every console block prints what it shows', async (t, plane) => {
  t.ok(commands.length > 0, `${commands.length} commands were found`);
  for (const one of commands) {
    // `npm ci && ...`: the first half has been done by whoever runs this.
    const command = one.command.replace(/^npm ci && /, '');
    const output = await run(command, plane.adminKubeconfig, `${plane.directory}/kubectl-cache`);
    t.ok(matchesExpected(output, one.expected), `${one.page}:${one.line}: ${command}`, {
      wanted: one.expected.join('\n'),
      found: output.join('\n'),
    });
  }
});

async function run(command: string, kubeconfig: string, cache: string): Promise<string[]> {
  const binaries = await findBinaries();
  if ('missing' in binaries) throw new Error(binaries.missing);
  const path = [binaries.kubectl.replace(/\/[^/]*$/, ''), 'node_modules/.bin', process.env.PATH].join(':');
  const child = spawn('bash', ['-c', `${command} 2>&1`], {
    env: { ...process.env, PATH: path, KUBECONFIG: kubeconfig, KUBECACHEDIR: cache },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  await once(child, 'close');
  // What npm says before it runs a script is npm's.
  return text
    .split('\n')
    .filter((line) => !/^(> |npm (warn|notice))/.test(line))
    .map((line) => line.trimEnd());
}
