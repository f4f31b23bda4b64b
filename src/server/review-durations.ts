/**
 * How long reviews take, as a histogram for each phase. prom-client checks and joins the labels of every observation, and makes text of
 * bounds: at least 3,000 of 300,000 instructions of a review. So counts are kept here, and passed to it only when the metrics are read.
 */
import { Histogram, type Registry } from 'prom-client';
import type { Phase } from '../admission/decision.ts';

/** Seconds. Most reviews take less than the first bound; the API server's own finest bound is 0.005. */
const bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1, 2.5];

const options = {
  name: 'bulkhead_review_duration_seconds',
  help: 'From the arrival of the request to its answer.',
};

interface Observed {
  sum: number;
  /** Of each bucket alone; the last one is for what is above all bounds. */
  readonly counts: number[];
}

export class ReviewDurations extends Histogram<'phase'> {
  readonly #phases = new Map<Phase, Observed>();

  constructor(registry: Registry) {
    super({ ...options, labelNames: ['phase'], buckets: bounds, registers: [registry] });
  }

  add(phase: Phase, seconds: number): void {
    let observed = this.#phases.get(phase);
    if (observed === undefined) {
      observed = { sum: 0, counts: Array.from({ length: bounds.length + 1 }, () => 0) };
      this.#phases.set(phase, observed);
    }
    let bucket = 0;
    while (seconds > (bounds[bucket] ?? Number.POSITIVE_INFINITY)) bucket++;
    observed.counts[bucket] = (observed.counts[bucket] ?? 0) + 1;
    observed.sum += seconds;
  }

  /** What the registry asks of a histogram. Buckets are cumulative. */
  async getForPromString() {
    const { name } = options;
    const values = [...this.#phases].flatMap(([phase, { sum, counts }]) => {
      const sharedLabels = { phase };
      let count = 0;
      const buckets = counts.map((one, at) => {
        count += one;
        return { labels: { le: bounds[at] ?? '+Inf' }, sharedLabels, value: count, metricName: `${name}_bucket` };
      });
      const total = (value: number, what: string) => ({
        labels: {},
        sharedLabels,
        value,
        metricName: `${name}_${what}`,
      });
      return [...buckets, total(sum, 'sum'), total(count, 'count')];
    });
    return { ...options, type: 'histogram', values, aggregator: 'sum' };
  }
}
