import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { access, mkdir, open, readFile, rename, rm, stat, symlink, utimes } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { guardFolder, killGuarded, spawnGuarded } from './guarded-process.ts';

/** Absolute paths of the programs of a control plane. */
export interface Binaries {
  readonly etcd: string;
  readonly kubeApiServer: string;
  readonly kubectl: string;
  /** Not part of the envtest convention, so a folder given by KUBEBUILDER_ASSETS may lack it. */
  readonly kubeControllerManager: string | undefined;
}

/** Why there are no binaries, and what to install: one sentence for a person. */
export interface Missing {
  readonly missing: string;
}

const sourceDirectory = import.meta.dirname;
const sources = ['main.go', 'go.mod', 'go.sum'];
const links = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kubectl'];

/** An owner touches its lock this often; a lock that was not touched for ten times as long has no owner any more. */
const lockBeatInMilliseconds = 2_000;
const staleLockInMilliseconds = 10 * lockBeatInMilliseconds;

/**
 * The programs of `KUBEBUILDER_ASSETS`, or else the ones built from the Go program beside this file. Building happens
 * once, into `$XDG_CACHE_HOME/bulkhead/apiserver/<key>` (default `~/.cache`), and says so on stderr.
 *
 * @throws when KUBEBUILDER_ASSETS names a folder without the programs, and when the build fails
 */
export async function findBinaries(): Promise<Binaries | Missing> {
  const assets = process.env.KUBEBUILDER_ASSETS;
  if (assets) return await binariesOfAssets(resolve(assets));

  const goVersion = await installedGoVersion();
  const needed = await neededGoVersion();
  if (goVersion === undefined || !isAtLeast(goVersion, needed)) {
    const found = goVersion === undefined ? 'no Go was found' : `Go ${goVersion} is too old`;
    return {
      missing: `${found}: install Go ${needed} or newer, or set KUBEBUILDER_ASSETS to a folder with etcd, kube-apiserver and kubectl`,
    };
  }
  const kubernetesVersion = await pinnedKubernetesVersion();
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'bulkhead', 'apiserver');
  const target = join(cache, await cacheKey([kubernetesVersion, goVersion]));
  if (!(await exists(target))) {
    await mkdir(cache, { recursive: true });
    await withLock(`${target}.lock`, async () => {
      if (!(await exists(target))) await build(target, kubernetesVersion);
    });
  }
  return await binariesIn(target);
}

async function binariesOfAssets(directory: string): Promise<Binaries> {
  const binaries = await binariesIn(directory);
  for (const path of [binaries.etcd, binaries.kubeApiServer, binaries.kubectl]) {
    await access(path, constants.X_OK).catch(() => {
      const advice = 'put the programs of one Kubernetes version there, or unset it to have them built with Go';
      throw new Error(`KUBEBUILDER_ASSETS is ${directory}, where no program ${basename(path)} is: ${advice}`);
    });
  }
  return binaries;
}

async function binariesIn(directory: string): Promise<Binaries> {
  const controllerManager = join(directory, 'kube-controller-manager');
  return {
    etcd: join(directory, 'etcd'),
    kubeApiServer: join(directory, 'kube-apiserver'),
    kubectl: join(directory, 'kubectl'),
    kubeControllerManager: (await exists(controllerManager)) ? controllerManager : undefined,
  };
}

/** Builds into a folder of its own and renames it, so that a folder of the final name is always complete. */
async function build(target: string, kubernetesVersion: string): Promise<void> {
  process.stderr.write(
    `# building Kubernetes ${kubernetesVersion} for the tests into ${target}: takes minutes, the first time only\n`,
  );
  const temporary = `${target}.${randomBytes(6).toString('hex')}`;
  await mkdir(temporary);
  const guard = guardFolder(temporary);
  try {
    // Without the stamps the programs call themselves v0.0.0, and kubectl warns about version skew.
    const stamps = ['k8s.io/component-base/version.gitVersion', 'k8s.io/client-go/pkg/version.gitVersion'];
    const linkerFlags = ['-s', '-w', ...stamps.map((stamp) => `-X ${stamp}=${kubernetesVersion}`)].join(' ');
    await runGo([
      ...['build', '-trimpath', '-buildvcs=false', '-ldflags', linkerFlags],
      ...['-o', join(temporary, 'control-plane'), '.'],
    ]);
    for (const link of links) await symlink('control-plane', join(temporary, link));
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    // A second builder that came past a lost lock may have been faster; its folder is as good as ours.
    if (!(await exists(target))) throw error;
  } finally {
    await killGuarded(guard);
  }
}

async function runGo(goArguments: readonly string[]): Promise<void> {
  const go = spawnGuarded('go', goArguments, {
    directory: sourceDirectory,
    env: { ...process.env, CGO_ENABLED: '0', GOWORK: 'off' },
  });
  let output = '';
  for (const stream of [go.stdout, go.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-4_000);
    });
  }
  const code = await new Promise<number | null>((resolve) => go.once('close', resolve));
  await killGuarded(go);
  if (code !== 0) throw new Error(`go ${goArguments[0]} ended with code ${code}:\n${output}`);
}

/**
 * Runs `work` while holding a lock file; waits for as long as another living process holds it. Should two processes
 * ever believe that they hold it, both build the same thing and one rename wins: that costs time, nothing else.
 */
async function withLock(path: string, work: () => Promise<void>): Promise<void> {
  while (!(await createLock(path))) {
    const age = await ageInMilliseconds(path);
    if (age !== undefined && age > staleLockInMilliseconds) await rm(path, { force: true });
    else await sleep(200);
  }
  const beat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => {});
  }, lockBeatInMilliseconds);
  try {
    await work();
  } finally {
    clearInterval(beat);
    await rm(path, { force: true });
  }
}

async function createLock(path: string): Promise<boolean> {
  try {
    await (await open(path, 'wx')).close();
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

async function ageInMilliseconds(path: string): Promise<number | undefined> {
  try {
    return Date.now() - (await stat(path)).mtimeMs;
  } catch {
    return undefined;
  }
}

async function cacheKey(parts: readonly string[]): Promise<string> {
  const hash = createHash('sha256').update(parts.join('\n'));
  for (const source of sources) hash.update(await readFile(join(sourceDirectory, source)));
  return hash.digest('hex').slice(0, 16);
}

async function installedGoVersion(): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)('go', ['env', 'GOVERSION'], { cwd: '/' });
    return stdout.trim().replace(/^go/, '');
  } catch {
    return undefined;
  }
}

async function neededGoVersion(): Promise<string> {
  return await inGoMod(/^go (\S+)$/m);
}

async function pinnedKubernetesVersion(): Promise<string> {
  return await inGoMod(/k8s\.io\/kubernetes (v\S+)/);
}

async function inGoMod(pattern: RegExp): Promise<string> {
  const text = await readFile(join(sourceDirectory, 'go.mod'), 'utf8');
  const found = pattern.exec(text)?.[1];
  if (found === undefined) throw new Error(`go.mod has nothing like ${pattern}`);
  return found;
}

/** Compares versions such as 1.26.8 number by number. */
function isAtLeast(version: string, needed: string): boolean {
  return version.localeCompare(needed, 'en', { numeric: true }) >= 0;
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}

if (import.meta.main) {
  const found = await findBinaries();
  if ('missing' in found) {
    process.stderr.write(`${found.missing}\n`);
    process.exitCode = 1;
  } else {
    process.stdout.write(`${join(found.etcd, '..')}\n`);
  }
}
