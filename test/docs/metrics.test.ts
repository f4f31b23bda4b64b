import { readFileSync } from 'node:fs';
import t from 'tap';
import { wholeRegistry } from '../commands/whole-registry.ts';

t.test('the page of the metrics has every metric, with what it says of itself', async (t) => {
  const all = (await wholeRegistry().getMetricsAsJSON()).filter(({ name }) => name.startsWith('bulkhead_'));
  const rows = [...readFileSync('docs/metrics.md', 'utf8').matchAll(/^\| `(bulkhead_\w+)` \| (.+) \|$/gm)];
  t.strictSame(
    rows.map(([, name, help]) => `${name}: ${help}`).sort(),
    all.map(({ name, help }) => `${name}: ${help}`).sort(),
  );
});
