/** Holds the table of README.md against the ids of the attack catalogue that fixtures and tests name. */
import { globSync, readFileSync } from 'node:fs';
import t from 'tap';

/** Places in the table: a folder of test/fixtures, or a test file. */
const table = new Map<string, readonly string[]>();
const reasons = new Map<string, string>();
for (const line of readFileSync('test/attacks/README.md', 'utf8').split('\n')) {
  const [, id, cell = ''] = /^\| ([A-Z]+-\d\d) \| [^|]+ \| (.+) \|$/.exec(line) ?? [];
  if (id === undefined) continue;
  table.set(
    id,
    [...cell.matchAll(/`([^`]+)`/g)].map(([, place = '']) => place),
  );
  const reason = /^not tested: (.+)$/.exec(cell)?.[1];
  if (reason !== undefined) reasons.set(id, reason);
}

const found = new Map<string, Set<string>>();
const files = globSync(['test/**/*.test.ts', 'test/fixtures/*/{pass,fail}/*.yaml'], {
  exclude: ['test/attacks/**', 'test/docs/**'],
});
for (const file of files) {
  const place = file.endsWith('.yaml') ? file.split('/').slice(0, 3).join('/') : file;
  for (const [id] of readFileSync(file, 'utf8').matchAll(/\b(?:ADM|TEN|NP|POD|SRV)-\d\d\b/g)) {
    found.set(id, (found.get(id) ?? new Set()).add(place));
  }
}

t.test('the table has every attack once, in order', async (t) => {
  const families = { ADM: 22, TEN: 21, NP: 20, POD: 17, SRV: 16 };
  const ids = Object.entries(families).flatMap(([family, count]) =>
    Array.from({ length: count }, (_, index) => `${family}-${String(index + 1).padStart(2, '0')}`),
  );
  t.strictSame([...table.keys()], ids);
});

t.test('where the table says that an attack is tested, it is', async (t) => {
  for (const [id, places] of table) {
    for (const place of places) t.ok(found.get(id)?.has(place), `${id} is tested in ${place}`);
  }
});

t.test('an attack that a test names is in the table', async (t) => {
  for (const [id, places] of found) {
    t.ok((table.get(id) ?? []).length > 0, `${id} is tested in ${[...places].join(', ')}`);
  }
});

t.test('what is not tested has its reason', async (t) => {
  for (const [id, places] of table) t.equal(reasons.has(id), places.length === 0, `${id} has a place or a reason`);
});
