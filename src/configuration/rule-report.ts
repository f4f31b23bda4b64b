/** Logs and counts what the comparison of the rules finds: at the start, and when a webhook configuration changes. */
import { broken, describe } from '../client/failure.ts';
import { createWorkQueue } from '../client/work-queue.ts';
import { apiVersionsOf, compareRules } from './rule-comparison.ts';
import { servedResources } from './served-resources.ts';
import type { ConfigurationTools } from './webhook-configurations.ts';

export interface RuleCounters {
  /** Rules that can never match. */
  readonly unknown: number;
  /** Resources that no rule names, and Bulkhead must review. */
  readonly missing: number;
}

export interface RuleReport {
  /** Compares soon. */
  changed(): void;
  counters(): RuleCounters;
  stop(): Promise<void>;
}

export function reportRules({ connection, clock, log, configurations }: ConfigurationTools): RuleReport {
  let counters: RuleCounters = { unknown: 0, missing: 0 };
  /** What was logged and still holds. */
  let logged = new Set<string>();

  async function compare(_: string, signal: AbortSignal): Promise<undefined> {
    const current = configurations.current() ?? [];
    const served = await servedResources(connection, apiVersionsOf(current), signal);
    const { unknown, missing, absent } = compareRules(current, served);
    counters = { unknown: unknown.length, missing: missing.length };
    const errors = [...unknown, ...missing];
    for (const text of errors) if (!logged.has(text)) log.error({}, text);
    for (const text of absent) if (!logged.has(text)) log.info({}, text);
    logged = new Set([...errors, ...absent]);
  }

  const queue = createWorkQueue(1, clock, compare, (_, error, wait) =>
    log.warn(
      { failure: describe(broken(error)), wait: Math.round(wait) },
      'the resources that the API server serves could not be read; it is tried again',
    ),
  );
  return {
    changed: () => queue.add('rules'),
    counters: () => counters,
    stop: queue.stop,
  };
}
