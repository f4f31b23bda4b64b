import { Registry } from 'prom-client';
import t from 'tap';
import type { ClusterCounters } from '../../src/cluster/cluster.ts';
import { registerClusterMetrics } from '../../src/commands/cluster-metrics.ts';

const watch = {
  resource: 'namespaces',
  objects: 7,
  lists: 2,
  watches: 3,
  failures: 1,
  comparisons: 4,
  divergences: 0,
  handlerErrors: 0,
  stalenessMilliseconds: 1500,
};
const baselines: NonNullable<ClusterCounters['baselines']> = {
  baseline: { applied: 5, healed: 4, pruned: 3, failed: 2, waiting: 1, longestWaitMilliseconds: 2500, withheld: 6 },
  events: { written: 8, suppressed: 9, failed: 0 },
  holds: { waiting: 2, held: { closed: 10, ended: 11, refused: 12 } },
};

async function scraped(counters: Partial<ClusterCounters>): Promise<string[]> {
  const registry = new Registry();
  registerClusterMetrics(registry, {
    counters: () => ({ watches: [watch], baselines: undefined, tenantStatus: undefined, ...counters }),
  });
  return (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

t.test('what is counted is scraped', async (t) => {
  t.strictSame((await scraped({ baselines })).sort(), [
    'bulkhead_baseline_longest_wait_seconds 2.5',
    'bulkhead_baseline_objects_total{result="applied"} 5',
    'bulkhead_baseline_objects_total{result="failed"} 2',
    'bulkhead_baseline_objects_total{result="healed"} 4',
    'bulkhead_baseline_objects_total{result="pruned"} 3',
    'bulkhead_baseline_waiting_namespaces 1',
    'bulkhead_baseline_withheld_namespaces 6',
    'bulkhead_events_total{result="failed"} 0',
    'bulkhead_events_total{result="suppressed"} 9',
    'bulkhead_events_total{result="written"} 8',
    'bulkhead_pods_held 2',
    'bulkhead_pods_held_total{result="closed"} 10',
    'bulkhead_pods_held_total{result="ended"} 11',
    'bulkhead_pods_held_total{result="refused"} 12',
    'bulkhead_watch_divergences_total{resource="namespaces"} 0',
    'bulkhead_watch_failures_total{resource="namespaces"} 1',
    'bulkhead_watch_handler_errors_total{resource="namespaces"} 0',
    'bulkhead_watch_lists_total{resource="namespaces"} 2',
    'bulkhead_watch_objects{resource="namespaces"} 7',
    'bulkhead_watch_staleness_seconds{resource="namespaces"} 1.5',
    'bulkhead_watch_watches_total{resource="namespaces"} 3',
  ]);
});

t.test('where nothing is reconciled, nothing is said of baselines', async (t) => {
  const names = (await scraped({})).map((line) => line.replace(/\{.*/, ''));
  t.ok(names.length > 0 && names.every((name) => name.startsWith('bulkhead_watch_')), names.join());
});
