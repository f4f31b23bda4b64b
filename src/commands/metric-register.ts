/** Metrics that are read when they are scraped, from counters of the cluster that exist anyway. */
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Cluster, ClusterCounters } from '../cluster/cluster.ts';

/** A figure for each value of the label. A metric without a label has one for the value `''`, or none. */
type Figures = readonly (readonly [value: string, figure: number])[];

export interface Register {
  each(name: string, help: string, label: string, read: (counters: ClusterCounters) => Figures): void;
  /** A metric without a label. */
  one(name: string, help: string, read: (counters: ClusterCounters) => number | undefined): void;
}

/** What only grows ends in `_total`. */
export function registerOf(registry: Registry, cluster: Pick<Cluster, 'counters'>): Register {
  const each: Register['each'] = (name, help, label, read) => {
    const labelsOf = (value: string): Record<string, string> => (label === '' ? {} : { [label]: value });
    const collect = (): void => {
      metric.reset();
      // prom-client resets a metric without a label to 0, which would say something.
      if (label === '') metric.remove();
      for (const [value, figure] of read(cluster.counters())) metric.inc(labelsOf(value), figure);
    };
    const labelNames = label === '' ? [] : [label];
    const options = { name: `bulkhead_${name}`, help, labelNames, registers: [registry], collect };
    const metric: Pick<Gauge, 'reset' | 'remove' | 'inc'> = name.endsWith('_total')
      ? new Counter(options)
      : new Gauge(options);
  };
  const one: Register['one'] = (name, help, read) =>
    each(name, help, '', (counters) => {
      const figure = read(counters);
      return figure === undefined ? [] : [['', figure]];
    });
  return { each, one };
}
