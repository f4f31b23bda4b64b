/** Patches harm nothing (SRV-09), shown with random objects; many more of them with `npm run patches`. */
import { clusterTest } from '../apiserver/cluster-test.ts';
import { searchPatches, summary } from './patch-search.ts';

await clusterTest(
  'what the API server takes it takes with Bulkhead too, unless a check refuses; nothing but the label is added, and only once',
  async (t, plane) => {
    const { tally, harms } = await searchPatches(plane, 100, 1);
    t.comment(summary(tally));
    for (const harm of harms.slice(0, 5)) t.fail(harm);
    t.equal(harms.length, 0, 'no patch does harm');
    for (const [kind, { sent, alone, taken }] of Object.entries(tally.counts)) {
      t.equal(sent, 200, `${kind}: as many as were asked for are sent`);
      t.ok(alone > sent * 0.6, `${kind}: the API server alone takes ${alone} of ${sent}`);
      t.ok(taken > alone * 0.3, `${kind}: with Bulkhead it takes ${taken} of them`);
    }
    t.ok(tally.labelled > 150, `${tally.labelled} get the label of their tenant`);
    t.ok(tally.narrowed > 10, `${tally.narrowed} selectors are narrowed`);
    for (const [word, count] of Object.entries(tally.hostile)) t.ok(count > 0, `${count} of what is taken has ${word}`);
  },
  { controllers: false },
);
