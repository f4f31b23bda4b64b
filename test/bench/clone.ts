/**
 * `npm run bench:clone`: how long a newcomer waits from `git clone` until the demo prints its first denial. Cloned is the last commit of this
 * checkout, and npm has an empty cache of its own; `-- --npm-cache FOLDER` gives it another. Ends with 1 when the bound is broken.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const mostSeconds = 20;
/** As the README has them. */
const steps = 'npm ci && npm run demo';
const denial = 'denied the request';

/** Without what npm sets for this very script. */
const surroundings = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('npm_')));

/** @param text `1m2.340000s` */
function secondsOf(text: string): number {
  const [minutes, seconds] = text.split('m');
  return Number(minutes) * 60 + Number.parseFloat(seconds ?? '');
}

const project = join(import.meta.dirname, '../..');
const { values } = parseArgs({ options: { 'npm-cache': { type: 'string' } } });
const folder = await mkdtemp(join(tmpdir(), 'bulkhead-clone-'));
try {
  const cache = values['npm-cache'] === undefined ? join(folder, 'npm-cache') : resolve(values['npm-cache']);
  const begun = performance.now();
  const since = (): number => (performance.now() - begun) / 1_000;
  const clone = join(folder, 'bulkhead');
  const cloned = spawnSync('git', ['clone', '--quiet', `file://${project}`, clone], { stdio: 'inherit' });
  if (cloned.status !== 0) throw new Error('git clone failed');
  const afterClone = since();
  const child = spawn('sh', ['-c', `${steps} && times`], {
    cwd: clone,
    env: { ...surroundings, npm_config_cache: cache },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  let afterInstall = Number.NaN;
  let afterDenial = Number.NaN;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
    if (Number.isNaN(afterInstall) && printed.includes('> node src/main.ts demo')) afterInstall = since();
    if (Number.isNaN(afterDenial) && printed.includes(denial)) afterDenial = since();
  });
  const [code]: (number | null)[] = await once(child, 'close');
  if (code !== 0) throw new Error(`${steps} ended with ${code}:\n${printed}`);
  if (Number.isNaN(afterDenial)) throw new Error(`the demo printed no denial:\n${printed}`);
  const kept = afterDenial <= mostSeconds;
  // `times` prints user and system time of the shell, and in the second line those of its children.
  const spent = printed.trim().split('\n').at(-1)?.split(' ').map(secondsOf) ?? [];
  process.stdout.write(
    `cloned after ${afterClone.toFixed(1)} s, installed after ${afterInstall.toFixed(1)} s, ` +
      `first denial after ${afterDenial.toFixed(1)} s of at most ${mostSeconds}: ${kept ? 'kept' : 'BROKEN'} ` +
      `(processor time ${spent.reduce((sum, one) => sum + one, 0).toFixed(1)} s, load ${loadavg()[0]?.toFixed(1)})\n`,
  );
  if (!kept) process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
