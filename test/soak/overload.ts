/**
 * Five times what one replica can do, on one processor. First it is found out how much that is, the most over
 * 16, 64 and 256 connections; then comes half of it, then five
 * times as much, then half again, over connections that stay open.
 *
 *   goodput    at most a fifth less than the capacity
 *   refusals   503 with `Retry-After`, every one; no connection breaks
 *   recovery   within 2 s after the load has fallen there is a second in which nothing is refused and all is as quick as before
 *
 * A review that finds all connections taken is dropped by the client, as by API servers that hold back when they have enough in flight.
 * `node test/soak/overload.ts [--seconds 20]`, so many of them overloaded. Ends with 1 when something was missed.
 */
import { parseArgs } from 'node:util';
import { host } from '../bench/child.ts';
import { podMutate } from '../bench/scenarios.ts';
import { imageFlags } from './image-flags.ts';
import type { LoadReport, Stage } from './load-client.ts';
import { quantile } from './observer.ts';
import { needTwoProcessors, requestOf, startPinnedClient, startPinnedServer } from './pinned.ts';
import { conclude, milliseconds, table } from './table.ts';

export interface OverloadResult {
  /** Answered reviews a second with as many connections as are enough. */
  readonly capacity: number;
  readonly stages: Stages;
  readonly report: LoadReport;
}

/** How long each part was, in seconds. */
export interface Stages {
  readonly before: number;
  readonly overload: number;
  readonly after: number;
}

export const limits = { goodput: 0.8, recovery: 2000 };

const times = 5;
const ordinaryShare = 0.5;
const enoughConnections = [16, 64, 256];
/** Nobody does much more than he can: then it was not found out. */
const mostGoodput = 1.1;
/** Five API servers, each with its default of 200 writes at a time. */
const manyConnections = 1000;
/** In milliseconds: nothing quicker than this counts as slow after the overload. */
const quickEnough = 20;
const longestBehind = 20;
/** It has recovered when a second begins in which nothing is refused, and p99 is as before in each part of it. Milliseconds. */
const windowLength = 100;
const quietWindows = 10;

interface Figures {
  readonly goodput: number;
  readonly p99Before: number;
  readonly p99: number;
  /** Reviews that were written to a connection while there were too many; their share of what was due. */
  readonly sent: number;
  readonly due: number;
  readonly recovery: number;
  readonly behind: number;
}

export function figuresOf({ capacity, stages, report }: OverloadResult): Figures {
  const begin = stages.before * 1000;
  const end = begin + stages.overload * 1000;
  const during = (due: number): boolean => due >= begin && due < end;
  const took = (from: number, to: number): number[] =>
    report.good.filter(([due]) => due >= from && due < to).map(([, time]) => time);
  const p99Before = quantile(took(0, begin), 0.99);
  const slow = Math.max(quickEnough, 2 * p99Before);
  const refusedAt = [...report.refused.map(({ due }) => due), ...report.dropped];
  const isQuiet = (window: number): boolean => {
    const from = end + window * windowLength;
    const times = took(from, from + windowLength);
    const refused = refusedAt.some((due) => due >= from && due < from + windowLength);
    return !refused && quantile(times, 0.99) <= slow;
  };
  const windows = Array.from({ length: (stages.after * 1000) / windowLength }, (_, window) => isQuiet(window));
  const first = windows.findIndex(
    (_, window) => windows.slice(window, window + quietWindows).filter((quiet) => quiet).length === quietWindows,
  );
  // What was answered while there was too much, whenever it was due.
  const answered = report.good.filter(([due, time]) => due + time >= begin && due + time < end).length;
  return {
    goodput: answered / stages.overload / capacity,
    p99Before,
    p99: quantile(took(begin, end), 0.99),
    sent: [...report.good.map(([due]) => due), ...report.refused.map(({ due }) => due)].filter(during).length,
    due: times * capacity * stages.overload,
    recovery: first === -1 ? Number.POSITIVE_INFINITY : first * windowLength,
    behind: quantile(report.behind, 0.99),
  };
}

/** What should have been otherwise. */
export function missedOverload(result: OverloadResult): string[] {
  const { capacity, report } = result;
  const { goodput, recovery, behind, sent, due } = figuresOf(result);
  const missed: string[] = [];
  if (!(capacity > 0)) missed.push('it answered nothing');
  if (!(goodput >= limits.goodput)) missed.push(`goodput fell to ${Math.round(goodput * 100)} % of the capacity`);
  if (goodput > mostGoodput) missed.push(`goodput is ${Math.round(goodput * 100)} %: the capacity was not found`);
  if (!(recovery <= limits.recovery)) missed.push(`it had not recovered after ${milliseconds(limits.recovery)}`);
  const wrong = report.refused.filter(({ status, retryAfter }) => status !== 503 || !retryAfter);
  if (wrong.length > 0)
    missed.push(`${wrong.length} refusals other than 503 with Retry-After, the first ${wrong[0]?.status}`);
  if (report.broken > 0) missed.push(`${report.broken} connections broke or had no answer`);
  if (!(sent + report.dropped.length >= due * 0.95)) missed.push(`only ${sent} of ${Math.round(due)} reviews were due`);
  if (!(behind <= longestBehind)) missed.push(`the client was late itself, by ${milliseconds(behind)} (p99)`);
  return missed;
}

export async function overload(stages: Stages): Promise<OverloadResult> {
  needTwoProcessors();
  const client = startPinnedClient();
  const { port, caBundle, stop } = await startPinnedServer('bulkhead-server.ts', 10_000, await imageFlags());
  const common = { port, host, caBundle, request: requestOf(podMutate) };
  try {
    const seconds = Math.max(1, stages.before);
    // More than anything can do: as soon as a connection is free, the next review goes out.
    const most = { ...common, whenTaken: 'wait', stages: [{ perSecond: 1e6, seconds }] } as const;
    let capacity = 0;
    for (const connections of [...enoughConnections.slice(0, 1), ...enoughConnections]) {
      const { good } = await client.run({ ...most, connections });
      capacity = Math.max(capacity, good.length / seconds);
    }
    const ordinary = (during: number): Stage => ({ perSecond: capacity * ordinaryShare, seconds: during });
    const report = await client.run({
      ...common,
      connections: manyConnections,
      whenTaken: 'drop',
      stages: [
        ordinary(stages.before),
        { perSecond: capacity * times, seconds: stages.overload },
        ordinary(stages.after),
      ],
    });
    return { capacity, stages, report };
  } finally {
    await Promise.all([client.stop(), stop()]);
  }
}

export function describeOverload(result: OverloadResult): string {
  const { capacity, report } = result;
  const { goodput, p99, p99Before, sent, due, recovery, behind } = figuresOf(result);
  return table([
    ['capacity', `${Math.round(capacity)} reviews a second`],
    ['half of it, p99', milliseconds(p99Before)],
    ['five times as much', `${Math.round(due)} reviews due, ${sent} sent over ${manyConnections} connections`],
    ['  answered', `${Math.round(goodput * 100)} % of the capacity, p99 ${milliseconds(p99)}`],
    ['  refused', report.refused.length],
    ['  broken or without an answer', report.broken],
    ['recovered after', milliseconds(recovery)],
    ['client late (p99)', milliseconds(behind)],
  ]);
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { seconds: { type: 'string', default: '20' } } });
  const result = await overload({ before: 5, overload: Number(values.seconds), after: 10 });
  conclude(describeOverload(result), missedOverload(result));
}
