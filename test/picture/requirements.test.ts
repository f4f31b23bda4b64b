/** The requirements of zero trust name the checks that enforce them: each that bears on one, and none that does not exist. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { catalogue } from '../../src/checks/catalogue.ts';
import { requirements } from '../../src/picture/requirements.ts';

const order = catalogue.map(({ id }) => id);
const named = new Set(requirements.flatMap(({ checks }) => checks));

t.test('each check that is named exists, once and in the order of the catalogue', async (t) => {
  for (const { id, checks } of requirements) {
    t.ok(checks.length > 0, `${id} is enforced by a check`);
    t.strictSame(
      checks,
      order.filter((check) => checks.includes(check)),
      id,
    );
  }
});

t.test(
  'each check that refuses is of a requirement, but for what is about amounts alone; none that only warns',
  async (t) => {
    const ofNone = new Set(['managed-quota', 'namespace-limit']);
    for (const { id, protects } of catalogue)
      t.equal(named.has(id), protects !== 'intent' && !ofNone.has(id), `${id} is about ${protects}`);
  },
);

t.test('the page names each, with its evidence', async (t) => {
  const page = readFileSync('docs/zero-trust.md', 'utf8');
  for (const { id, title } of requirements) t.ok(page.includes(`\n| ${title} | \`${id}\` | `), id);
});
