/**
 * Runs the samples of a page through admission, so that the page says what Bulkhead does.
 *
 *   ```yaml refused by ROLE    one document: it is created; two: the first is stored, and updated to the second;
 *                              with `on delete` behind it, it is deleted
 *   ```yaml warned by ROLE     admitted, with a warning
 *   ```yaml admitted by ROLE
 *   ```text                    after a refused or warned sample: what is said, word for word
 */
import type { Test } from 'tap';
import { parseAllDocuments } from 'yaml';
import type { Namespace, Pod } from '../../src/kubernetes/objects.ts';
import { cast, isRole } from '../fixtures/cast.ts';
import { findingsIn } from '../fixtures/denial.ts';
import { createReview, type Sent, submit } from '../fixtures/review.ts';
import { createWorld } from '../fixtures/world.ts';

const { tenancy, namespaces } = createWorld();
const review = createReview(tenancy, namespaces);

interface Block {
  readonly info: string;
  readonly text: string;
}

function blocksOf(page: string): readonly Block[] {
  return [...page.matchAll(/^```(.+)\n([\s\S]*?)\n```$/gm)].map(([, info = '', text = '']) => ({ info, text }));
}

function sentBy(role: string, deletes: boolean, text: string): Sent {
  if (!isRole(role)) throw new Error(`${role} is not in test/fixtures/cast.ts`);
  const user = cast[role];
  const [first, second, ...rest]: (Namespace & Pod)[] = parseAllDocuments(text).map((document) => document.toJS());
  if (first === undefined || rest.length > 0) throw new Error('a sample is one document or two');
  if (deletes) return { user, operation: 'DELETE', oldObject: first };
  if (second === undefined) {
    return { user, operation: 'CREATE', object: first, ...(first.kind === 'Binding' && { subresource: 'binding' }) };
  }
  const finalizes = first.kind === 'Namespace' && first.spec?.finalizers?.length !== second.spec?.finalizers?.length;
  const debugs = second.spec?.ephemeralContainers !== undefined;
  const subresource = finalizes ? 'finalize' : debugs ? 'ephemeralcontainers' : '';
  return { user, operation: 'UPDATE', subresource, object: second, oldObject: first };
}

/**
 * @param others the languages of blocks that are no samples
 * @returns the verdicts that were seen, and for each refused sample the checks that refuse it
 */
export async function runSamples(t: Test, page: string, others: readonly string[] = []) {
  const verdicts = new Set<string>();
  const refusedBy: (readonly string[])[] = [];
  let said: string | undefined;
  for (const { info, text } of blocksOf(page)) {
    if (others.includes(info)) continue;
    if (info === 'text') {
      t.equal(text, said, 'what is said is quoted word for word');
      said = undefined;
      continue;
    }
    const [, verdict = '', role = '', deletes] =
      /^yaml (refused|warned|admitted) by (.+?)( on delete)?$/.exec(info) ?? [];
    if (verdict === '')
      throw new Error(`a sample begins with yaml refused, warned or admitted by ROLE, not with ${info}`);
    verdicts.add(verdict);
    const { allowed, status, warnings = [] } = await submit(review, sentBy(role, deletes !== undefined, text));
    const given = !allowed ? 'refused' : warnings.length > 0 ? 'warned' : 'admitted';
    t.equal(given, verdict, `${info}: ${text}`, { said: status?.message, warnings });
    if (verdict === 'refused')
      refusedBy.push([...new Set(findingsIn(status?.message ?? '').map(({ check }) => check))]);
    said = allowed ? warnings.join('\n') || undefined : status?.message;
  }
  return { verdicts, refusedBy };
}
