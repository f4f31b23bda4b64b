import { readFileSync } from 'node:fs';
import t from 'tap';
import { registerClusterMetrics } from '../../src/commands/cluster-metrics.ts';
import { createMetrics } from '../../src/server/metrics.ts';
import { counters } from '../commands/counters.ts';

t.test('the page of the metrics has every metric, with what it says of itself', async (t) => {
  const { registry } = createMetrics();
  registerClusterMetrics(registry, { counters: () => counters });
  const all = (await registry.getMetricsAsJSON()).filter(({ name }) => name.startsWith('bulkhead_'));
  const rows = [...readFileSync('docs/metrics.md', 'utf8').matchAll(/^\| `(bulkhead_\w+)` \| (.+) \|$/gm)];
  t.strictSame(
    rows.map(([, name, help]) => `${name}: ${help}`).sort(),
    all.map(({ name, help }) => `${name}: ${help}`).sort(),
  );
});
