import { readFileSync } from 'node:fs';
import { Registry } from 'prom-client';
import t from 'tap';
import { registerProcessMetrics } from '../../src/commands/process-metrics.ts';

t.test('the version is that of the package', async (t) => {
  const registry = new Registry();
  registerProcessMetrics(registry, () => []);
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
  t.match(await registry.metrics(), `bulkhead_build_info{version="${version}"} 1\n`);
});

t.test('a replica is ready while readiness says so', async (t) => {
  const registry = new Registry();
  const reasons = ['the namespaces are not known yet'];
  registerProcessMetrics(registry, () => reasons);
  t.match(await registry.metrics(), 'bulkhead_ready 0\n');
  reasons.pop();
  t.match(await registry.metrics(), 'bulkhead_ready 1\n', 'asked at each scrape');
});
