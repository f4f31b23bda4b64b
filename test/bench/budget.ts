/** The instructions that one request may cost, and those that it cost when they were last written down: budget.json. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { instructionsPerRequest } from './instructions.ts';
import {
  calicoValidate,
  ciliumValidate,
  istioValidate,
  podMutate,
  policyValidate,
  type Scenario,
  serviceValidate,
} from './scenarios.ts';

export interface Budget {
  /** By which the figures were counted: another version of V8 compiles to other instructions. */
  readonly node: string;
  readonly architecture: string;
  readonly instructions: Readonly<Record<string, number>>;
}

/** Whatever was written down: no more than this. */
const bounds: readonly { readonly scenario: Scenario; readonly most: number }[] = [
  { scenario: podMutate, most: 1_250_000 },
  { scenario: policyValidate, most: 750_000 },
  { scenario: ciliumValidate, most: 750_000 },
  { scenario: calicoValidate, most: 750_000 },
  { scenario: istioValidate, most: 750_000 },
  { scenario: serviceValidate, most: 750_000 },
];

/** Two runs of the same code differ by less than half a hundredth on a machine that does nothing else. */
const tolerance = 0.02;

const file = join(import.meta.dirname, 'budget.json');

/** More at once wait for a processor, and what a server does by the clock then counts for fewer requests: six at once count a tenth more. */
const atOnce = 2;

/** Of the production configuration with ten namespaces, log line and metrics included; one process a scenario. */
export async function countInstructions(): Promise<Budget> {
  const left = bounds.values();
  const counted = new Map<string, number>();
  const count = async (): Promise<void> => {
    for (const { scenario } of left) {
      const found = await instructionsPerRequest({ file: 'bulkhead-server.ts', argument: 10 }, scenario);
      counted.set(scenario.name, Math.round(found));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, count));
  const instructions = Object.fromEntries(bounds.map(({ scenario: { name } }) => [name, counted.get(name) ?? 0]));
  return { node: process.versions.node, architecture: process.arch, instructions };
}

export async function readBudget(): Promise<Budget> {
  return JSON.parse(await readFile(file, 'utf8'));
}

export async function writeBudget(budget: Budget): Promise<void> {
  await writeFile(file, `${JSON.stringify(budget, undefined, 2)}\n`);
}

/** The lower count of each scenario. */
export function lower(one: Budget, other: Budget): Budget {
  const instructions = Object.entries(one.instructions).map(([name, count]): [string, number] => [
    name,
    Math.min(count, other.instructions[name] ?? count),
  ]);
  return { ...one, instructions: Object.fromEntries(instructions) };
}

export interface Verdict {
  /** One for each scenario, and one more where the two cannot be compared. */
  readonly lines: readonly string[];
  readonly kept: boolean;
}

export function compareWithBudget(counted: Budget, written: Budget): Verdict {
  const lines: string[] = [];
  let kept = true;
  const comparable = counted.architecture === written.architecture;
  if (!comparable) lines.push(`budget.json is of ${written.architecture}: here only the bounds count`);
  else if (counted.node !== written.node) {
    lines.push(`budget.json was counted by Node ${written.node}, this is ${counted.node}: npm run bench -- --update`);
    kept = false;
  }
  for (const { scenario, most } of bounds) {
    const own = counted.instructions[scenario.name] ?? Number.NaN;
    const before = written.instructions[scenario.name] ?? Number.NaN;
    const change = own / before - 1;
    // Written so that a figure that is missing keeps nothing.
    const within = own <= most && (!comparable || change <= tolerance);
    kept &&= within;
    const hint = comparable && change < -tolerance ? '; cheaper: npm run bench -- --update' : '';
    const difference = `${change < 0 ? '' : '+'}${(change * 100).toFixed(2)} %`;
    lines.push(
      `${scenario.name.padEnd(36)}${own} instructions a request, ${difference} of the ${before} written down, ` +
        `at most ${most}: ${within ? 'kept' : 'BROKEN'}${hint}`,
    );
  }
  return { lines, kept };
}
