/** The prose of README and docs: lines that fit a screen, and words that docs/glossary.md and Kubernetes have. */
import { globSync, readFileSync } from 'node:fs';
import t from 'tap';

const longest = 160;

/** The lines of a page, without code and without the targets of links. */
function proseOf(page: string): readonly string[] {
  return readFileSync(page, 'utf8')
    .replace(/^ *```[\s\S]*?^ *```$/gm, (block) => block.replace(/.+/g, ''))
    .replace(/\]\([^()\s]*\)/g, ']')
    .split('\n');
}

/** Release notes name what users see, old words among them, so CHANGELOG.md is not one of these. */
const roots = ['README.md', 'CONTRIBUTING.md', 'RELEASE.md', 'SECURITY.md'];

/** architecture.md is the one page that is not held to it yet. */
const pages = [...roots, ...globSync('docs/**/*.md'), ...globSync('.github/**/*.md')].filter(
  (page) => page !== 'docs/architecture.md',
);

t.ok(pages.length > 50, 'the pages were found');

for (const page of pages.sort()) {
  t.test(`${page} has no line over ${longest} characters, tables, code and link targets excepted`, async (t) => {
    const long = proseOf(page).flatMap((line, index) =>
      line.startsWith('|') || line.length <= longest ? [] : [`line ${index + 1} has ${line.length} characters`],
    );
    t.strictSame(long, []);
  });
}

/**
 * Words that are replaced, and what to write. Words that are also ordinary English (open, given, kept, lines, rounds, waits) are listed
 * only in the phrases in which they stumble.
 */
const replaced: readonly (readonly [words: RegExp, say: string])[] = [
  [/\bregistrations?\b/i, 'webhook configuration'],
  [/\b(fails?|registered|comes?|begins?) (closed|open)\b/i, 'failurePolicy Fail, failurePolicy Ignore'],
  [/\bhandshakes?\b/i, 'probe'],
  [/\bdoors?\b/i, 'default-deny policy, port grant'],
  [/\bclosed namespaces?\b/i, 'isolated namespace'],
  [/\bstrangers?\b/i, 'unaffiliated user, unproven namespace, unknown value, unauthenticated client'],
  [/\bopenings?\b/i, 'allow rule'],
  [/\bclosings?\b/i, 'deny rule'],
  [/\bremarks?\b/i, 'diagnostic'],
  [/\bconcerns?\b/i, '(leave it out)'],
  [/\bobjections?\b/i, 'violation'],
  [/\btorn\b/i, 'contradictory key'],
  [/\bstanding\b/i, 'ownership of the name'],
  [/\bholders?\b/i, 'owner of the namespace'],
  [/\bcrossing polic(y|ies)\b/i, 'non-compliant policy'],
  [/\bopens what is not agreed\b/i, 'would be rejected today'],
  [/\btold\b/i, 'logged, shown'],
  [/\bhurr(y|ied)\b/i, 'expedited'],
  [/\blanes?\b|\b(its|in) turn\b/i, 'priority'],
  [/\bpatience\b/i, 'time budget'],
  [/\bratchets?\b/i, 'spec unchanged'],
  [/\bforgiv(e|es|en)\b/i, 'clear drift'],
  [/\bdisturbances?\b|\brepeats\b/i, 'drift'],
  [/\bcontested\b/i, 'conflict'],
  [/\bsettl(e|es|ed|ing)\b/i, 'propagation delay, debounce'],
  [/\bleaving\b/i, 'terminating'],
  [/\btrust(s|ed)?\b/i, 'CA bundle'],
  [/\bwire\b/i, 'decode'],
  [/\bknown objects\b/i, 'object cache'],
  [/\blist items\b/i, 'list stream'],
  [/\bgravest\b/i, 'most severe'],
  [/\bspeaks? for\b/i, 'is a member of, acts for'],
  [/\bPassedBy\b/, 'FailedOpen'],
  [/\bUndecided\b/, 'ReviewErrors'],
  [/\*\*(Means|Look at|Do)\.\*\*/, 'Meaning, Diagnosis, Mitigation'],
  [/\b(some|any|no)body\b|\bwhoever\b/i, 'the user, the pod, no client'],
  [/\bwhat stands\b/i, 'the thing itself'],
  [/\bthat do not exist yet\b/i, 'including ones created later'],
];

/** The pages that still have replaced words. A page that is rewritten leaves the list, and a new page never joins it. */
const unfinished: ReadonlySet<string> = new Set([
  'docs/checks/README.md',
  'docs/checks/handshake.md',
  'docs/checks/tenant-in-use.md',
  'docs/checks/tenant-leaving.md',
  'docs/checks/tenant-narrowed.md',
  'docs/decisions/0001-validate-is-the-one-place-that-refuses.md',
  'docs/decisions/0002-identity-and-border.md',
  'docs/decisions/0003-checks-hold-for-everybody-in-a-tenant-namespace.md',
  'docs/decisions/0004-names-count-only-while-reserved.md',
  'docs/decisions/0005-finalizers-of-a-namespace.md',
  'docs/decisions/0007-modes-and-baselines.md',
  'docs/decisions/0008-tenants-as-objects.md',
  'docs/decisions/0010-pods-are-held-and-not-gated.md',
  'docs/decisions/0011-status-of-a-quota.md',
  'docs/decisions/0012-nothing-is-admitted-on-an-assumption.md',
  'docs/decisions/0013-labels-of-pods-are-the-tenants.md',
  'docs/decisions/0014-workloads-are-warned-about.md',
  'docs/decisions/0015-policies-in-place-are-read-again.md',
  'docs/decisions/0016-the-model-has-actions-and-subjects.md',
  'docs/decisions/0018-every-replica-rotates.md',
  'docs/decisions/0019-bulkhead-writes-its-caBundle.md',
  'docs/decisions/0020-registrations-close-after-a-handshake.md',
  'docs/decisions/0021-rules-are-compared-and-told.md',
  'docs/decisions/0022-what-is-not-sent.md',
  'docs/decisions/0023-the-backstop.md',
  'docs/decisions/0024-strangers-are-answered.md',
  'docs/decisions/0025-the-image-holds-one-bundle.md',
  'docs/decisions/0026-the-api-server-is-asked-about-calls.md',
  'docs/decisions/0027-the-path-is-replaced.md',
  'docs/decisions/README.md',
  'docs/outage.md',
  'docs/soft-isolation.md',
]);

for (const page of pages.filter((one) => !unfinished.has(one))) {
  t.test(`${page} has no replaced word`, async (t) => {
    const found = proseOf(page).flatMap((line, index) =>
      replaced.flatMap(([words, say]) => {
        const [word] = words.exec(line.replace(/`[^`]*`/g, '')) ?? [];
        return word === undefined ? [] : [`line ${index + 1}: ${word}; say ${say}`];
      }),
    );
    t.strictSame(found, []);
  });
}
