/** The page about soft isolation says what is said. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { parse } from 'yaml';
import { cast } from '../fixtures/cast.ts';
import { bytesOf, createReview, farDeadline, responseOf, reviewOf, type Sent, submit } from '../fixtures/review.ts';
import { createWorld } from '../fixtures/world.ts';

const { tenancy, namespaces } = createWorld();
const review = createReview(tenancy, namespaces);

t.test('the sample of the page is narrowed, with the warning that the page shows', async (t) => {
  const page = readFileSync('docs/soft-isolation.md', 'utf8');
  const [, written = '', said] =
    /```yaml written by gamma developer\n([\s\S]*?)```\s+```text\n(.*)\n```/.exec(page) ?? [];
  const sent: Sent = { user: cast['gamma developer'], operation: 'CREATE', object: parse(written) };
  const { warnings } = responseOf((await review('mutate', bytesOf(reviewOf(sent)), farDeadline())).body);
  t.strictSame(warnings, [said]);
  t.ok((await submit(review, sent)).allowed);
});
