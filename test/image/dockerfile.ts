/**
 * Carries out a Dockerfile without a Docker engine, as far as ours goes: each stage in a folder of its own, RUN as a process in it.
 * Base images are not fetched: a stage begins empty, and its programs are those of this machine. What is not known here is an error.
 */
import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Image {
  /** The root of the last stage, with what was copied into it. */
  readonly root: string;
  /** What the last stage begins with, arguments filled in. */
  readonly base: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
  readonly user: string;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  /** The folder that holds all stages: to be removed. */
  readonly folder: string;
}

interface Stage extends Omit<Image, 'folder'> {}

const project = fileURLToPath(new URL('../../', import.meta.url));

/** @param searchPath in which the programs of RUN are found */
export async function buildImage(searchPath: string): Promise<Image> {
  const folder = await mkdtemp(join(tmpdir(), 'bulkhead-image-'));
  const admitted = await admittedPaths();
  // BuildKit gives this one to every file.
  const values = new Map([['BUILDPLATFORM', 'linux/amd64']]);
  const stages = new Map<string, Stage>();
  let stage: Stage | undefined;
  for (const { instruction, rest } of await instructions()) {
    const filled = rest.replace(/\$\{(\w+)\}/g, (_, name) => values.get(name) ?? unknown(`\${${name}}`));
    if (instruction === 'ARG') {
      const [name = '', value = ''] = filled.split('=');
      values.set(name, value);
      continue;
    }
    if (instruction === 'FROM') {
      const [base = '', , name = String(stages.size)] = filled.replace(/^--platform=\S+ /, '').split(/ (AS) /);
      const root = join(folder, name);
      await mkdir(root);
      const nothing = { environment: {}, workingDirectory: '/', user: '0:0', entrypoint: [], command: [] };
      stage = { root, base, ...nothing };
      stages.set(name, stage);
      continue;
    }
    if (stage === undefined) return unknown(`${instruction} before FROM`);
    const changed = await carryOut(instruction, filled, stage, { stages, admitted, searchPath });
    for (const [name, one] of stages) if (one === stage) stages.set(name, changed);
    stage = changed;
  }
  return stage === undefined ? unknown('a Dockerfile without FROM') : { ...stage, folder };
}

interface Surroundings {
  readonly stages: ReadonlyMap<string, Stage>;
  readonly admitted: readonly string[];
  readonly searchPath: string;
}

async function carryOut(instruction: string, rest: string, stage: Stage, around: Surroundings): Promise<Stage> {
  switch (instruction) {
    case 'ENV': {
      const [name = '', value = ''] = rest.split('=');
      return { ...stage, environment: { ...stage.environment, [name]: value } };
    }
    case 'WORKDIR':
      await mkdir(join(stage.root, rest), { recursive: true });
      return { ...stage, workingDirectory: rest };
    case 'COPY':
      await copy(rest.split(' '), stage, around);
      return stage;
    case 'RUN': {
      const env = { ...builder(), PATH: around.searchPath, ...stage.environment };
      const cwd = join(stage.root, stage.workingDirectory);
      const { status, stderr, stdout } = spawnSync('sh', ['-c', rest], { cwd, env, encoding: 'utf8' });
      if (status !== 0) throw new Error(`RUN ${rest} ended with ${status}:\n${stdout}${stderr}`);
      return stage;
    }
    case 'USER':
      return { ...stage, user: rest };
    case 'ENTRYPOINT':
      return { ...stage, entrypoint: JSON.parse(rest) };
    case 'CMD':
      return { ...stage, command: JSON.parse(rest) };
    case 'EXPOSE':
      return stage;
    default:
      return unknown(instruction);
  }
}

/** What a builder brings along, such as the way to a registry and npm's cache; not what the test runner has told its processes. */
function builder(): Record<string, string | undefined> {
  const others = Object.entries(process.env).filter(
    ([name]) => !/^(TAP|NODE_OPTIONS|NODE_V8_COVERAGE|_TAP|npm_)/.test(name),
  );
  return Object.fromEntries(others);
}

/** A file goes into the target; of a folder what is in it goes there, as with COPY. */
async function copy(words: readonly string[], stage: Stage, { stages, admitted }: Surroundings): Promise<void> {
  const target = words.at(-1) ?? '';
  const [, from] = /^--from=(\w+)$/.exec(words[0] ?? '') ?? [];
  const origin = from === undefined ? project : (stages.get(from)?.root ?? unknown(`stage ${from}`));
  for (const source of words.slice(from === undefined ? 0 : 1, -1)) {
    const path = join(origin, source);
    const inside = relative(project, path);
    if (from === undefined && !admitted.some((one) => inside === one || inside.startsWith(`${one}/`)))
      throw new Error(`COPY ${source}: .dockerignore keeps it from the builder`);
    const place = join(stage.root, stage.workingDirectory, target);
    const isFolder = (await stat(path)).isDirectory();
    await cp(path, isFolder || !target.endsWith('/') ? place : join(place, basename(source)), { recursive: true });
  }
}

/** Ours is a list of exceptions from everything. */
async function admittedPaths(): Promise<string[]> {
  const lines = (await readFile(join(project, '.dockerignore'), 'utf8'))
    .split('\n')
    .filter((line) => /^[^#]/.test(line));
  const [all, ...exceptions] = lines;
  if (all !== '*' || exceptions.some((line) => !/^![\w./-]+$/.test(line))) return unknown('a pattern in .dockerignore');
  return exceptions.map((line) => line.slice(1));
}

async function instructions(): Promise<{ instruction: string; rest: string }[]> {
  const lines = (await readFile(join(project, 'Dockerfile'), 'utf8')).split('\n');
  return lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, instruction, rest] = /^([A-Z]+) (.+[^\\])$/.exec(line) ?? [];
      return instruction === undefined || rest === undefined ? unknown(line) : { instruction, rest };
    });
}

function unknown(what: string): never {
  throw new Error(`${what} is not known here`);
}
