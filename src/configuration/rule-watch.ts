/** Holds the rules in the cluster against what the API server serves: at the start, when they change, and every ten minutes. */

import type { Clock } from '../client/clock.ts';
import type { Connection } from '../client/connection.ts';
import { isRecord } from '../client/decode.ts';
import { describe } from '../client/failure.ts';
import type { Log } from '../client/log.ts';
import { createWorkQueue, RetryLater } from '../client/work-queue.ts';
import { entry } from '../kubernetes/objects.ts';
import { apiVersionsOf, compareRules, type ServedResource } from './rule-comparison.ts';
import type { Configuration } from './webhook-configuration.ts';

export interface RuleCounters {
  /** Rules that can never match. */
  readonly unknown: number;
  /** What Bulkhead must be asked about, and is not. */
  readonly missing: number;
}

export interface RuleWatch {
  /** Has the rules compared soon. */
  changed(): void;
  counters(): RuleCounters;
  stop(): Promise<void>;
}

/** An API server may be replaced by one that serves other versions. */
const comparedEvery = 600_000;

const only = 'rules';

export function watchRules(
  { connection, clock, log }: { readonly connection: Connection; readonly clock: Clock; readonly log: Log },
  configurations: () => Iterable<Configuration>,
): RuleWatch {
  let counters: RuleCounters = { unknown: 0, missing: 0 };
  /** What was said already and still holds. */
  let told = new Set<string>();

  const queue = createWorkQueue(1, clock, compare, (_, error, wait) => {
    const failure = error instanceof Error ? error.message : String(error);
    log.warn(
      { failure, wait: Math.round(wait) },
      'what the API server serves could not be read and is asked for again',
    );
  });

  async function compare(_: string, signal: AbortSignal): Promise<number> {
    const served = new Map<string, ReadonlyMap<string, ServedResource> | undefined>();
    for (const version of apiVersionsOf(configurations())) served.set(version, await discover(version, signal));
    const problems = [...configurations()].map((configuration) => compareRules(configuration, served));
    const unknown = problems.flatMap((one) => one.unknown);
    const missing = problems.flatMap((one) => one.missing);
    counters = { unknown: unknown.length, missing: missing.length };
    const all = new Map<string, 'error' | 'info'>();
    for (const text of [...unknown, ...missing]) all.set(text, 'error');
    for (const text of problems.flatMap((one) => one.absent)) all.set(text, 'info');
    for (const [text, level] of all) if (!told.has(text)) log[level]({}, text);
    told = new Set(all.keys());
    return comparedEvery;
  }

  /** meta/v1 APIResourceList. */
  async function discover(apiVersion: string, signal: AbortSignal) {
    const answer = await connection.request(
      'GET',
      apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`,
      {
        signal,
      },
    );
    if (!answer.ok) {
      if (answer.kind === 'refused' && answer.status === 404) return undefined;
      throw new RetryLater(describe(answer), answer.kind === 'refused' ? (answer.retryAfter ?? 0) : 0);
    }
    return resourcesIn(answer.body);
  }

  return {
    changed: () => queue.add(only),
    counters: () => counters,
    stop: () => queue.stop(),
  };
}

function resourcesIn(body: unknown): ReadonlyMap<string, ServedResource> {
  const served = new Map<string, ServedResource>();
  const resources = isRecord(body) ? entry(body, 'resources') : undefined;
  if (!Array.isArray(resources)) throw new Error('the answer is not a list of resources');
  for (const one of resources) {
    if (!isRecord(one)) continue;
    const { name, namespaced, verbs } = one;
    if (typeof name === 'string')
      served.set(name, { namespaced: namespaced === true, verbs: Array.isArray(verbs) ? verbs.map(String) : [] });
  }
  return served;
}
