/** Pages of docs/kinds say what Bulkhead does: their samples are run (samples.ts), and every kind that is judged by its page has one. */
import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import t from 'tap';
import { limits } from '../../src/reach/dialects/cilium/policy.ts';
import { runSamples } from './samples.ts';

const pages = new Map(globSync('docs/kinds/*.md').map((file) => [basename(file, '.md'), readFileSync(file, 'utf8')]));

for (const [name, page] of pages) {
  t.test(name, async (t) => {
    const { verdicts } = await runSamples(t, page, ['yaml']);
    t.strictSame([...verdicts].sort(), ['admitted', 'refused'], 'shows what is refused and what is admitted');
  });
}

t.test('the limits of a CiliumNetworkPolicy are those of the reader', async (t) => {
  const said = pages.get('cilium-network-policy') ?? '';
  for (const [what, most] of Object.entries({
    rules: 'rules',
    peers: 'peers',
    ports: 'ports',
    excepts: 'exceptions',
  } as const)) {
    const count = limits[what as 'rules' | 'peers' | 'ports' | 'excepts'].toLocaleString('en');
    t.match(said, `${count} ${most}`);
  }
  t.match(said, `${limits.labels.toLocaleString('en')} requirements`);
});
