/** The engines: each a Go program of its own, built once, that answers questions for as long as it runs. */
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { thriftyGo } from '../apiserver/go-environment.ts';
import { buildOnce, type GoProgram, type Missing } from '../apiserver/go-program.ts';
import { killGuarded, spawnGuarded } from '../apiserver/guarded-process.ts';
import type { Answer, MatrixAnswer, MatrixQuestion, Question } from './protocol.ts';

const modules = {
  cilium: 'github.com/cilium/cilium',
  cyclonus: 'github.com/mattfenwick/cyclonus',
  calico: 'github.com/projectcalico/calico',
  istio: 'istio.io/istio',
};
export type EngineName = keyof typeof modules;

export function isEngineName(name: string): name is EngineName {
  return Object.hasOwn(modules, name);
}

/** Those that read NetworkPolicy. */
export const engineNames: readonly EngineName[] = ['cilium', 'cyclonus'];

function programOf(name: string, module: string): GoProgram {
  return {
    sources: join(import.meta.dirname, name),
    cacheName: `engine-${name}`,
    name,
    from: { module, title: name },
    stamps: [],
    async complete() {},
  };
}

/** A program that answers each line with a line. */
export interface Judge<Asked, Told> {
  /** Answers come in the order of the questions; several may be under way. */
  ask(question: Asked): Promise<Told>;
  stop(): Promise<void>;
}

export interface Engine extends Judge<Question, readonly Answer[]> {
  readonly name: EngineName;
}

/** Calico's code for selectors, asked about them alone. */
export const startSelectorJudge = <Asked, Told>(): Promise<Judge<Asked, Told> | Missing> =>
  startJudge<Asked, Told>('calico', modules.calico);

/** cyclonus' matcher, asked about every connection between pods. */
export const startMatrixJudge = (): Promise<Judge<MatrixQuestion, MatrixAnswer> | Missing> =>
  startJudge<MatrixQuestion, MatrixAnswer>('cyclonus', modules.cyclonus);

export async function startEngine(name: EngineName): Promise<Engine | Missing> {
  const judge = await startJudge<Question, readonly Answer[]>(name, modules[name]);
  return 'missing' in judge ? judge : { ...judge, name };
}

async function startJudge<Asked, Told>(name: string, module: string): Promise<Judge<Asked, Told> | Missing> {
  const built = await buildOnce(programOf(name, module));
  if ('missing' in built) return built;
  const child = spawnGuarded(join(built.folder, name), [], {
    input: 'pipe',
    env: { ...process.env, ...thriftyGo },
  });
  const { stdin, stdout, stderr } = child;
  if (stdin === null || stdout === null || stderr === null) throw new Error(`${name} has no pipes`);
  const waiting: { resolve(told: Told): void; reject(error: Error): void }[] = [];
  let said = '';
  stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-2_000);
  });
  // Open questions of a dead engine are rejected below.
  stdin.on('error', () => {});
  createInterface({ input: stdout }).on('line', (line) => waiting.shift()?.resolve(JSON.parse(line)));
  let ended = false;
  child.once('close', (code) => {
    ended = true;
    for (const { reject } of waiting.splice(0)) reject(new Error(`${name} ended with code ${code}: ${said}`));
  });
  return {
    async ask(question) {
      if (ended) throw new Error(`${name} has ended: ${said}`);
      return await new Promise<Told>((resolve, reject) => {
        waiting.push({ resolve, reject });
        stdin.write(`${JSON.stringify(question)}\n`);
      });
    },
    stop: () => killGuarded(child),
  };
}

/** All of them, or the reason why one is missing. */
export async function startEngines(names: readonly EngineName[]): Promise<readonly Engine[] | Missing> {
  const engines: Engine[] = [];
  for (const name of names) {
    const engine = await startEngine(name);
    if ('missing' in engine) {
      await Promise.all(engines.map((one) => one.stop()));
      return engine;
    }
    engines.push(engine);
  }
  return engines;
}

if (import.meta.main) {
  const engines = await startEngines(Object.keys(modules).filter(isEngineName));
  if ('missing' in engines) {
    process.stderr.write(`${engines.missing}\n`);
    process.exitCode = 1;
  } else await Promise.all(engines.map((one) => one.stop()));
}
