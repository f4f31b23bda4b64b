/** Counts the instructions that one request costs a server, under callgrind. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Program, startServer } from './measured-server.ts';
import type { Scenario } from './scenarios.ts';

const requestsInInterval = 400;

/** What is counted, and what of it decides. */
export interface Counting {
  /** Requests before counting begins. */
  readonly warmUp: number;
  readonly intervals: number;
  /** Of the intervals, from the cheapest on: that of this rank counts. */
  readonly rank: number;
}

/** The median leaves out what happens once in thousands of requests. */
export const usual: Counting = { warmUp: 2500, intervals: 9, rank: 4 };

/**
 * For ratios near to one. Every other interval holds a collection of the young generation, which costs a sixth of its requests, and not
 * twice the same: the quarter without one decides. What makes more garbage is seen all the same, as it takes instructions to make it.
 */
export const steady: Counting = { warmUp: 9000, intervals: 13, rank: 3 };

/**
 * No threads and no randomness, so that two runs of the same program execute the same instructions; and what runs at every request is
 * compiled for good within hundreds of requests instead of many thousands, so that the compiler is not what is measured.
 */
const predictable = (seed: number): readonly string[] => [
  '--single-threaded',
  '--predictable',
  `--hash-seed=${seed}`,
  `--random-seed=${seed}`,
  '--invocation-count-for-maglev=50',
  '--invocation-count-for-turbofan=200',
];

/** The function inside Node behind process.cpuUsage(): a server that is asked for its processor time marks the end of an interval by it. */
const mark = 'node::CPUUsage(*';

/** Of the whole process, kernel excluded. @param seed what V8 decides by chance: other seeds give counts up to 4 % apart */
export async function instructionsPerRequest(
  program: Program,
  scenario: Scenario,
  { warmUp, intervals, rank }: Counting = usual,
  seed = 1,
): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'bulkhead-bench-'));
  const counts = join(folder, 'counts');
  try {
    const callgrind = ['--tool=callgrind', `--callgrind-out-file=${counts}`, `--dump-before=${mark}`];
    const server = await startServer(program, ['valgrind', ...callgrind, process.execPath, ...predictable(seed)]);
    try {
      await server.send(scenario, warmUp);
      await server.processorTime();
      for (let interval = 0; interval < intervals; interval++) {
        await server.send(scenario, requestsInInterval);
        await server.processorTime();
      }
    } finally {
      await server.stop();
    }
    // The first file holds the start and the warming up.
    const totals = await Promise.all(
      Array.from({ length: intervals }, (_, index) => totalIn(`${counts}.${index + 2}`)),
    );
    return (totals.sort((one, other) => one - other)[rank] ?? Number.NaN) / requestsInInterval;
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function totalIn(file: string): Promise<number> {
  const [, total] = /^totals: (\d+)$/m.exec(await readFile(file, 'utf8')) ?? [];
  if (total === undefined) throw new Error(`callgrind wrote no total into ${file}`);
  return Number(total);
}
