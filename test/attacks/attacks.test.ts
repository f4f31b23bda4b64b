/** Holds README.md, and the catalogue behind it, against the ids that fixtures and tests name. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { attacks } from './catalogue.ts';
import { placesOf, tableFile, tableText } from './table.ts';

const places = placesOf();
const isTested = (id: string) => (places.get(id) ?? []).length > 0;

t.test('the table is what `npm run attacks` writes', async (t) => {
  t.equal(readFileSync(tableFile, 'utf8'), tableText());
});

t.test('the catalogue has every attack once, in order', async (t) => {
  // From 1 without a gap. Of those found later, some wait for what they are about.
  const families = { ADM: 22, TEN: 21, NP: 20, POD: 17, SRV: 16, SVC: 21, EXM: 5, GAT: 7, IP: 2 };
  for (const [family, count] of Object.entries(families)) {
    const numbers = Object.keys(attacks).flatMap((id) => (id.startsWith(`${family}-`) ? Number(id.slice(-2)) : []));
    t.strictSame(
      numbers.slice(0, count),
      Array.from({ length: count }, (_, index) => index + 1),
    );
    t.strictSame(
      numbers,
      numbers.toSorted((one, other) => one - other),
      `${family} is in order`,
    );
  }
  const order = Object.keys(families);
  const placed = Object.keys(attacks).map((id) => order.indexOf(id.replace(/-\d\d$/, '')));
  t.strictSame(
    placed,
    placed.toSorted((one, other) => one - other),
    'the families are in order, and there are no others',
  );
  t.notOk(placed.includes(-1));
});

t.test('an attack that a test names is in the catalogue', async (t) => {
  for (const [id, found] of places) t.ok(Object.hasOwn(attacks, id), `${id} is tested in ${found.join(', ')}`);
});

t.test('what is not tested has its reason, and what is tested has none', async (t) => {
  for (const [id, { untested }] of Object.entries(attacks)) t.equal(untested === undefined, isTested(id), id);
});

t.test('what must be blocked is tested with a real API server where one takes part', async (t) => {
  for (const [id, { must, alone, untested }] of Object.entries(attacks)) {
    if (!must || untested !== undefined) continue;
    const isShown = (places.get(id) ?? []).some((place) => /^test\/(e2e|soak\/short)\//.test(place));
    t.equal(isShown, alone === undefined, `${id}: ${alone ?? 'the API server takes part'}`);
  }
});
