/** A program in Go that tests need: built once, into a cache that all of them share. */
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { access, mkdir, open, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { guardFolder, killGuarded, spawnGuarded } from './guarded-process.ts';

/** Why a program is not there, and what to install: one sentence for a person. */
export interface Missing {
  readonly missing: string;
}

/** What was built. */
export interface Built {
  /** Holds the program and what belongs to it. */
  readonly folder: string;
}

export interface GoProgram {
  /** The folder of go.mod, go.sum and the Go files of the program. */
  readonly sources: string;
  /** In place of go.mod, for the same Go files with other modules: a path below `sources` that ends in .mod, with its .sum beside it. */
  readonly moduleFile?: string;
  /** The package of the program, where it is one of a module in go.mod. Default: that of the Go files. */
  readonly package?: string;
  /** Of the folder in the cache. */
  readonly cacheName: string;
  /** Of the file that is built. */
  readonly name: string;
  /** Further programs of the same modules, built beside it: packages of folders below `sources` by the names of their files. */
  readonly beside?: Readonly<Record<string, string>>;
  /** The module whose version in go.mod is told, and what to call it. */
  readonly from: { readonly module: string; readonly title: string };
  /** Variables of the program that get that version. */
  readonly stamps: readonly string[];
  /** Puts beside the program what belongs to it, into its folder. */
  readonly complete: (folder: string) => Promise<void>;
}

/** An owner touches its lock this often; a lock that was not touched for ten times as long has no owner any more. */
const lockBeatInMilliseconds = 2_000;
const staleLockInMilliseconds = 10 * lockBeatInMilliseconds;

/**
 * Building happens once, into `$XDG_CACHE_HOME/bulkhead/<cacheName>/<key>` (default `~/.cache`), and says so on stderr.
 *
 * @throws when the build fails
 */
export async function buildOnce(program: GoProgram): Promise<Built | Missing> {
  const goVersion = await installedGoVersion();
  const needed = await inGoMod(program, /^go (\S+)$/m);
  if (goVersion === undefined || !isAtLeast(goVersion, needed)) {
    const found = goVersion === undefined ? 'no Go was found' : `Go ${goVersion} is too old`;
    return { missing: `${found}: install Go ${needed} or newer` };
  }
  const version = await inGoMod(program, new RegExp(`${program.from.module} (v\\S+)`));
  const cache = cacheFolder(program.cacheName);
  const target = join(cache, await cacheKey(program, [version, goVersion]));
  if (!(await exists(target))) {
    await mkdir(cache, { recursive: true });
    await withLock(`${target}.lock`, async () => {
      if (!(await exists(target))) await build(target, program, version);
    });
  }
  return { folder: target };
}

export function cacheFolder(name: string): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'bulkhead', name);
}

/** Builds into a folder of its own and renames it, so that a folder of the final name is always complete. */
async function build(target: string, program: GoProgram, version: string): Promise<void> {
  const { sources, moduleFile, package: main = '.', name, beside = {}, from, stamps, complete } = program;
  process.stderr.write(
    `# building ${from.title} ${version} for the tests into ${target}: takes minutes, the first time only\n`,
  );
  const temporary = `${target}.${randomBytes(6).toString('hex')}`;
  await mkdir(temporary);
  const guard = guardFolder(temporary);
  try {
    const linkerFlags = ['-s', '-w', ...stamps.map((stamp) => `-X ${stamp}=${version}`)].join(' ');
    const modules = moduleFile === undefined ? [] : [`-modfile=${moduleFile}`];
    const flags = ['-trimpath', '-buildvcs=false', ...modules, '-ldflags', linkerFlags];
    for (const [file, source] of Object.entries({ [name]: main, ...beside }))
      await runGo(sources, ['build', ...flags, '-o', join(temporary, file), source]);
    await complete(temporary);
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    // A second builder that came past a lost lock may have been faster; its folder is as good as ours.
    if (!(await exists(target))) throw error;
  } finally {
    await killGuarded(guard);
  }
}

/** @returns what it wrote to its standard output */
export async function runGo(directory: string, goArguments: readonly string[]): Promise<string> {
  const go = spawnGuarded('go', goArguments, {
    directory,
    env: { ...process.env, CGO_ENABLED: '0', GOWORK: 'off' },
  });
  const printed = { stdout: '', all: '' };
  go.stdout?.on('data', (chunk: Buffer) => {
    printed.stdout += chunk.toString();
  });
  for (const stream of [go.stdout, go.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      printed.all = (printed.all + chunk.toString()).slice(-4_000);
    });
  }
  const code = await new Promise<number | null>((resolve) => go.once('close', resolve));
  await killGuarded(go);
  if (code !== 0) throw new Error(`go ${goArguments[0]} ended with code ${code}:\n${printed.all}`);
  return printed.stdout;
}

/**
 * Runs `work` while holding a lock file; waits for as long as another living process holds it. Should two processes
 * ever believe that they hold it, both build the same thing and one rename wins: that costs time, nothing else.
 */
export async function withLock(path: string, work: () => Promise<void>): Promise<void> {
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

async function cacheKey({ sources, moduleFile = 'go.mod' }: GoProgram, parts: readonly string[]): Promise<string> {
  const hash = createHash('sha256').update(parts.join('\n'));
  const files = (await readdir(sources, { recursive: true })).filter((file) => file.endsWith('.go')).sort();
  for (const file of files) hash.update(await readFile(join(sources, file)));
  for (const file of [moduleFile, moduleFile.replace(/mod$/, 'sum')]) hash.update(await readFile(join(sources, file)));
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

async function inGoMod({ sources, moduleFile = 'go.mod' }: GoProgram, pattern: RegExp): Promise<string> {
  const text = await readFile(join(sources, moduleFile), 'utf8');
  const found = pattern.exec(text)?.[1];
  if (found === undefined) throw new Error(`${moduleFile} has nothing like ${pattern}`);
  return found;
}

/** Compares versions such as 1.26.8 number by number. */
function isAtLeast(version: string, needed: string): boolean {
  return version.localeCompare(needed, 'en', { numeric: true }) >= 0;
}

export async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
