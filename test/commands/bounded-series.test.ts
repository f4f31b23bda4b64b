/** What comes with reviews makes no new series: their number has a bound that no cluster and no forger moves (SRV-15). */
import fc from 'fast-check';
import t from 'tap';
import { createAdmission } from '../../src/admission/admission.ts';
import { phases } from '../../src/admission/decision.ts';
import { createMetrics } from '../../src/server/metrics.ts';
import { loadCases } from '../fixtures/cases.ts';
import { cast } from '../fixtures/cast.ts';
import { reviewOf } from '../fixtures/review.ts';
import { createWorld } from '../fixtures/world.ts';
import { wholeRegistry } from './whole-registry.ts';

/**
 * Of the series whose values come with reviews: what whole-registry.ts makes of them. One replica, whatever happens to it, shows
 * at most so many; those about the cluster, a few dozen, have a fixed number.
 */
const mostSeries = 3200;

function seriesIn(text: string): string[] {
  return text.split('\n').filter((line) => /^bulkhead_\w+\{/.test(line));
}

const labelOf = (series: string): string => series.replace(/\} \S+$/, '}');

t.test('all series that there can be', async (t) => {
  const { length } = seriesIn(await wholeRegistry().metrics());
  t.ok(length <= mostSeries, `are ${length}, at most ${mostSeries}`);
});

t.test('whatever reviews come, there are no others', async (t) => {
  const metrics = createMetrics();
  const possible = new Set(seriesIn(await wholeRegistry().metrics()).map(labelOf));
  const ask = async (world: ReturnType<typeof createWorld>, phase: (typeof phases)[number], body: unknown) => {
    const review = createAdmission({ ...world, tenancy: () => world.tenancy, onDefect: () => {} });
    const { decision } = await review(phase, Buffer.from(JSON.stringify(body) ?? ''), performance.now() + 5000);
    metrics.reviewed(decision, 0.001);
  };
  const worlds = (['enforce', 'warn', 'audit'] as const).map((mode) => createWorld(mode));
  const bodies = loadCases().map(({ user, operation, subresource, object, oldObject }) =>
    reviewOf({ user: cast[user], operation, subresource, object, oldObject }),
  );
  for (const world of worlds) for (const phase of phases) for (const body of bodies) await ask(world, phase, body);

  const forged = 'Forged';
  const words = fc.oneof(
    fc.constantFrom('Pod', 'Namespace', 'CREATE', 'UPDATE', 'CONNECT', 'pods', 'v1', ''),
    fc.string(),
  );
  const word = fc.oneof(
    words,
    words.map((text) => `${forged}${text}`),
  );
  const changed = fc.record({
    body: fc.constantFrom(...bodies),
    field: fc.constantFrom('kind', 'operation', 'name', 'namespace', 'resource', 'subResource', 'userInfo', 'object'),
    value: fc.oneof(
      word,
      fc.jsonValue(),
      fc.record({ kind: word, group: word, version: word }),
      fc.record({ resource: word, group: word, version: word }),
      fc.record({ username: word, groups: fc.array(word) }),
    ),
  });
  const holds = fc.asyncProperty(
    fc.constantFrom(...worlds),
    fc.constantFrom(...phases),
    changed,
    async (world, phase, { body, field, value }) => {
      await ask(world, phase, { ...body, request: { ...body.request, [field]: value } });
    },
  );
  await fc.assert(holds, { numRuns: 2000 });

  const series = seriesIn(await metrics.registry.metrics());
  const seen = new Set(series.map(labelOf));
  t.strictSame(
    [...seen].filter((one) => !possible.has(one)),
    [],
    'each is one of those',
  );
  t.ok(
    series.some((one) => one.includes('kind="other"') || one.includes('code="400"')),
    'what was forged is counted',
  );
  const text = series.join('\n');
  for (const name of [forged, 'acme', 'beta', 'kube-system', 'alice', 'paula'])
    t.notMatch(text, name, `and none says ${name}`);
});
