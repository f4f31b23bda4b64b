/**
 * A steady load on one processor: 1,000 reviews a second, each due at its moment, for ten minutes. Half are pods of 8 KB to be
 * mutated, half policies of 2 KB to be validated: one block of seconds the ones, the next the others.
 *
 *   p99         at most 3 ms, and at most 1.5 times that of a bare node:https server, which has its blocks in between
 *   p99.9       at most twice that of the bare server: of all blocks together, as a block has five reviews beyond it
 *   errors      none
 *   growth      of memory and of descriptors: none, from the second third of the run to the last
 *
 * `node test/soak/steady.ts [--minutes 10]`, so many minutes for each of the two servers. Ends with 1 when something was missed.
 */
import { readdir, readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { host } from '../bench/child.ts';
import { type Scenario, scenarios } from '../bench/scenarios.ts';
import { imageFlags } from './image-flags.ts';
import type { LoadReport } from './load-client.ts';
import { quantile } from './observer.ts';
import { needTwoProcessors, type PinnedServer, requestOf, startPinnedClient, startPinnedServer } from './pinned.ts';
import { conclude, milliseconds, table } from './table.ts';

export interface SteadyOptions {
  readonly perSecond: number;
  /** Of one server under one scenario, without a pause. */
  readonly blockSeconds: number;
  /** Blocks of each server, for all scenarios together. */
  readonly blocks: number;
  readonly warmUpSeconds: number;
}

export interface Sample {
  /** Bytes. */
  readonly resident: number;
  readonly descriptors: number;
}

export interface Steady {
  /** Latencies in milliseconds, one list for each block. */
  readonly blocks: readonly (readonly number[])[];
  /** Answers other than 200, connections that ended, reviews that could not be sent. */
  readonly errors: number;
  readonly behind: number;
}

export interface SteadyResult {
  readonly bulkhead: Steady;
  readonly bare: Steady;
  /** Of Bulkhead, before each of its blocks but the first. */
  readonly samples: readonly Sample[];
}

export const fullLimits = { p99: 3, ratio: 1.5, p999Ratio: 2 };
/** What V8 and the allocator take and give back from one look to the next. Bytes. */
const noise = 4 * 1024 * 1024;
const connections = 32;
/** The client is to be quicker than what it measures. */
const longestBehind = 1;

/** What should have been otherwise. Without limits nothing is asked of the speed. */
export function missedSteady(result: SteadyResult, limits?: typeof fullLimits): string[] {
  const { bulkhead, bare, samples } = result;
  const missed: string[] = [];
  for (const [name, { blocks, errors }] of Object.entries({ bulkhead, 'the bare server': bare })) {
    if (errors > 0) missed.push(`${name}: ${errors} errors`);
    if (blocks.flat().length === 0) missed.push(`${name} answered nothing`);
  }
  const grown = growth(samples);
  if (!(grown.resident <= noise)) missed.push(`memory grew by ${grown.resident} bytes`);
  if (!(grown.descriptors <= 0)) missed.push(`${grown.descriptors} descriptors more`);
  if (limits === undefined) return missed;
  const p99 = quantile(bulkhead.blocks.flat(), 0.99);
  if (!(p99 <= limits.p99)) missed.push(`p99 is ${milliseconds(p99)}`);
  if (!(ratioOf(result) <= limits.ratio))
    missed.push(`p99 is ${ratioOf(result).toFixed(2)} times that of the bare server`);
  if (!(p999RatioOf(result) <= limits.p999Ratio))
    missed.push(`p99.9 is ${p999RatioOf(result).toFixed(2)} times that of the bare server`);
  for (const { behind } of [bulkhead, bare]) {
    if (behind > longestBehind)
      missed.push(`the client was late itself, by ${milliseconds(behind)} (p99): nothing is known`);
  }
  return missed;
}

/** Median of the ratios of neighbouring blocks: each is of one minute of one machine. */
function ratioOf({ bulkhead, bare }: SteadyResult): number {
  const ratios = bulkhead.blocks.map(
    (block, index) => quantile(block, 0.99) / quantile(bare.blocks[index] ?? [], 0.99),
  );
  return quantile(ratios, 0.5);
}

function p999RatioOf({ bulkhead, bare }: SteadyResult): number {
  return quantile(bulkhead.blocks.flat(), 0.999) / quantile(bare.blocks.flat(), 0.999);
}

/** From the second third to the last, by their medians. NaN when there are too few samples. */
export function growth(samples: readonly Sample[]): Sample {
  const third = Math.floor(samples.length / 3);
  const grew = (of: (sample: Sample) => number): number =>
    quantile(samples.slice(-third).map(of), 0.5) - quantile(samples.slice(third, 2 * third).map(of), 0.5);
  if (third === 0) return { resident: Number.NaN, descriptors: Number.NaN };
  return { resident: grew(({ resident }) => resident), descriptors: grew(({ descriptors }) => descriptors) };
}

async function sample(pid: number): Promise<Sample> {
  const [status, descriptors] = await Promise.all([
    readFile(`/proc/${pid}/status`, 'utf8'),
    readdir(`/proc/${pid}/fd`),
  ]);
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? [];
  return { resident: Number(kibibytes) * 1024, descriptors: descriptors.length };
}

export async function measureSteady(options: SteadyOptions): Promise<SteadyResult> {
  needTwoProcessors();
  const client = startPinnedClient();
  const bulkhead = await startPinnedServer('bulkhead-server.ts', 10_000, await imageFlags());
  const bare = await Promise.all(scenarios.map((_, index) => startPinnedServer('bare-server.ts', index)));
  const reports = { bulkhead: [] as LoadReport[], bare: [] as LoadReport[] };
  const samples: Sample[] = [];
  async function block(server: PinnedServer, scenario: Scenario, seconds: number): Promise<LoadReport> {
    const { port, caBundle } = server;
    const { perSecond } = options;
    const stages = [{ perSecond, seconds }];
    return client.run({ host, port, caBundle, request: requestOf(scenario), connections, stages, whenTaken: 'wait' });
  }
  try {
    for (const [index, scenario] of scenarios.entries()) {
      await block(bulkhead, scenario, options.warmUpSeconds);
      await block(at(bare, index), scenario, options.warmUpSeconds);
    }
    for (let index = 0; index < options.blocks; index++) {
      const which = index % scenarios.length;
      const scenario = at(scenarios, which);
      reports.bulkhead.push(await block(bulkhead, scenario, options.blockSeconds));
      reports.bare.push(await block(at(bare, which), scenario, options.blockSeconds));
      // After a rest: what the connections of its block held is given back.
      samples.push(await sample(bulkhead.pid));
    }
  } finally {
    await Promise.all([client, bulkhead, ...bare].map((one) => one.stop()));
  }
  return { bulkhead: steady(reports.bulkhead), bare: steady(reports.bare), samples };
}

function at<Item>(items: readonly Item[], index: number): Item {
  const item = items[index];
  if (item === undefined) throw new Error(`there is no item ${index}`);
  return item;
}

function steady(reports: readonly LoadReport[]): Steady {
  return {
    blocks: reports.map(({ good }) => good.map(([, took]) => took)),
    errors: reports.reduce((sum, { refused, broken, unsent }) => sum + refused.length + broken + unsent, 0),
    behind: quantile(
      reports.flatMap(({ behind }) => behind),
      0.99,
    ),
  };
}

export function describeSteady(result: SteadyResult): string {
  const rows = Object.entries({ Bulkhead: result.bulkhead, 'bare server': result.bare }).map(
    ([name, { blocks, errors, behind }]) => {
      const all = blocks.flat();
      const figures = [0.5, 0.99, 0.999, 1].map((share) => milliseconds(quantile(all, share)));
      return [name, all.length, ...figures, errors, milliseconds(behind)];
    },
  );
  const { resident, descriptors } = growth(result.samples);
  const last = result.samples.at(-1);
  return [
    table([['', 'reviews', 'median', 'p99', 'p99.9', 'longest', 'errors', 'client late (p99)'], ...rows]),
    `p99 is ${ratioOf(result).toFixed(2)} times that of the bare server (median of neighbouring blocks), ` +
      `p99.9 ${p999RatioOf(result).toFixed(2)} times`,
    `resident ${((last?.resident ?? 0) / 1024 / 1024).toFixed(1)} MiB, grown by ${(resident / 1024 / 1024).toFixed(2)} MiB; ` +
      `${last?.descriptors} descriptors, grown by ${descriptors}`,
  ].join('\n');
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' } } });
  const blockSeconds = 5;
  const blocks = Math.ceil((Number(values.minutes) * 60) / blockSeconds);
  const result = await measureSteady({ perSecond: 1000, blockSeconds, blocks, warmUpSeconds: 10 });
  conclude(describeSteady(result), missedSteady(result, fullLimits));
}
