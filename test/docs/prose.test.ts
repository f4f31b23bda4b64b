/** README, docs and the texts of the program: lines that fit a screen, and words that docs/glossary.md and Kubernetes have. */
import { globSync, readFileSync } from 'node:fs';
import t from 'tap';
import typescript from 'typescript';
import { commentsOf } from './comments.ts';

const longest = 160;

/** The lines of a page, without code and without the targets of links. */
function proseOf(text: string): readonly string[] {
  return text
    .replace(/^ *```[\s\S]*?^ *```$/gm, (block) => block.replace(/.+/g, ''))
    .replace(/\]\([^()\s]*\)/g, ']')
    .split('\n');
}

/** Release notes name what users see, old words among them, so CHANGELOG.md is not one of these. */
const roots = ['README.md', 'CONTRIBUTING.md', 'RELEASE.md', 'SECURITY.md'];

const pages = [...roots, ...globSync(['docs/**/*.md', 'manifests/**/*.md', '.github/**/*.md'])];

t.ok(pages.length > 50, 'the pages were found');

for (const page of pages.sort()) {
  t.test(`${page} has no line over ${longest} characters, tables, code and link targets excepted`, async (t) => {
    const long = proseOf(readFileSync(page, 'utf8')).flatMap((line, index) =>
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
  [/(?<!\bTLS )\bhandshakes?\b/i, 'probe'],
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
  // Zero trust is a term of its own (docs/zero-trust.md), and a trust domain is one of SPIFFE, and so of Istio.
  [/(?<!\bzero[ -])\btrust(s|ed)?\b(?! domain)/i, 'CA bundle'],
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

/** The replaced words of a text, with what to say. */
function replacedIn(text: string): readonly string[] {
  return replaced.flatMap(([words, say]) => {
    const [word] = words.exec(text) ?? [];
    return word === undefined ? [] : [`${word}; say ${say}`];
  });
}

/** The id of a check is permanent, so a heading or a link that is an id may have such a word. */
function withoutIds(text: string): string {
  return text.replace(/^# [a-z-]+$/m, '').replace(/\[([a-z-]+)\]\((?:[\w./-]*\/)?\1\.md\)/g, '');
}

for (const page of pages) {
  t.test(`${page} has no replaced word`, async (t) => {
    const found = proseOf(withoutIds(readFileSync(page, 'utf8'))).flatMap((line, index) =>
      replacedIn(line.replace(/`[^`]*`/g, '')).map((word) => `line ${index + 1}: ${word}`),
    );
    t.strictSame(found, []);
  });
}

/** A string with a space is a text for users: a message, help, a line of the log, an Event. Any other is a name. */
function textsOf(file: string): readonly { readonly line: number; readonly text: string }[] {
  const source = typescript.createSourceFile(file, readFileSync(file, 'utf8'), typescript.ScriptTarget.Latest, true);
  const texts: { line: number; text: string }[] = [];
  const add = (node: typescript.Node, text: string): void => {
    if (!/\S \S/.test(text)) return;
    texts.push({ line: source.getLineAndCharacterOfPosition(node.getStart()).line + 1, text });
  };
  const visit = (node: typescript.Node): void => {
    if (typescript.isStringLiteralLike(node)) add(node, node.text);
    if (typescript.isTemplateExpression(node))
      add(node, [node.head.text, ...node.templateSpans.map(({ literal }) => literal.text)].join('…'));
    typescript.forEachChild(node, visit);
  };
  visit(source);
  return texts;
}

t.test('the texts of the program and of the dashboard have no replaced word', async (t) => {
  const sources = globSync(['src/**/*.ts', 'manifests/**/*.ts']);
  t.ok(sources.flatMap(textsOf).length > 500, 'the texts were found');
  for (const file of sources.sort()) {
    const found = textsOf(file).flatMap(({ line, text }) =>
      replacedIn(text.replace(/--[a-z-]+/g, '')).map((word) => `line ${line}: ${word}, in ${JSON.stringify(text)}`),
    );
    t.strictSame(found, [], file);
  }
});

/** Names in a comment: code, a file, a key of Bulkhead. */
const names = /`[^`]*`|[\w./-]+\.ts\b|\bbulkhead\.dev\/[a-z-]+/g;

t.test('the comments of the source, of manifests, alerts and the dashboard have no replaced word', async (t) => {
  const sources = globSync(['src/**/*.ts', 'manifests/**/*.{ts,yaml,tpl}', 'docs/**/*.yaml']).sort();
  const comments = sources.map((file) => [file, commentsOf(file)] as const);
  t.ok(comments.flatMap(([, its]) => its).length > 4_000, 'the comments were found');
  for (const [file, its] of comments) {
    const found = its.flatMap(({ line, text }) =>
      replacedIn(text.replace(names, '')).map((word) => `line ${line}: ${word}, in ${JSON.stringify(text)}`),
    );
    t.strictSame(found, [], file);
  }
});

t.test('the texts of alerts have no replaced word', async (t) => {
  const alerts = readFileSync('manifests/overlays/prometheus/alerts.yaml', 'utf8');
  const texts = [...alerts.matchAll(/^ *(?:summary|description): (.*)$/gm)].map(([, text = '']) => text);
  t.ok(texts.length > 40, 'the texts were found');
  t.strictSame(texts.flatMap(replacedIn), []);
});
