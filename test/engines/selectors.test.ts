/** Calico's own code judges how its selectors are read: which texts it takes, what they match, and whom the peer of a rule stands for. */
import fc from 'fast-check';
import t from 'tap';
import type { Policy } from '../../src/kubernetes/objects.ts';
import { ofEndpoints, parseSelector, reachKey } from '../../src/reach/dialects/calico/parse-selector.ts';
import { readCalicoPolicy } from '../../src/reach/dialects/calico/policy.ts';
import { longestSelector } from '../../src/reach/dialects/calico/selector.ts';
import { type Expression, isMatched } from '../../src/reach/expression/expression.ts';
import { foundOrSkip } from '../apiserver/cluster-test.ts';
import { keys, scraps, selectors, universe, values } from '../reach/expression/random-selectors.ts';
import { type Judge, startSelectorJudge } from './engine.ts';

/** The fields of the source or destination of a rule that select endpoints. */
interface Entity {
  readonly namespaceSelector?: string;
  readonly selector?: string;
  readonly notSelector?: string;
  readonly serviceAccounts?: { readonly names?: readonly string[]; readonly selector?: string };
}

interface Asked {
  readonly selectors?: readonly string[];
  readonly entities?: readonly (Entity & { readonly namespace: string })[];
  readonly labels: readonly Readonly<Record<string, string>>[];
}

type Told = readonly { readonly error: string; readonly matched: readonly number[] }[];

const worked: readonly string[] = [
  ...[
    '',
    ' ',
    '\t',
    '\n',
    ' all() ',
    'all()all()',
    'a=="b"',
    "a == 'b\"'",
    'a == "b',
    'a = "b"',
    'a == b',
    'in in {"a"}',
    'in == "a"',
  ],
  ...[
    'has == "a"',
    'has (a)',
    'has(a)',
    'has( \n a\t)',
    'has()',
    'has(a',
    'xhas(a)',
    'all',
    'all == "a"',
    'all(\r)',
    'global()',
  ],
  ...[
    'a in {}',
    'a in {,}',
    'a in {"a",}',
    'a in {"a",,}',
    'a in {"a" "b"}',
    'a not in {}',
    'a notin{"a"}',
    'a not\nin {"a"}',
  ],
  ...[
    'a inx {"a"}',
    'a in"a"',
    'a in{"a"}',
    'ain {"a"}',
    'a contains"a"',
    'a containsx "a"',
    'a startswith"a"',
    'a starts\fwith "a"',
  ],
  ...[
    'a ends  with "a"',
    'a starts"a"',
    'a contains ""',
    '!a == "b"',
    '!!a=="b"',
    '! ! has(a)',
    '!',
    '!!',
    '()',
    '(a=="b")',
    '((a=="b")',
  ],
  ...[
    'a=="b"&&',
    '&&a=="b"',
    'a=="b"||',
    'a=="b"&a=="b"',
    'a=="b"|a=="b"',
    'a == "\\" || a == "b"',
    '!has(a) && has(x/y)',
    'has(a)||has(x/y)&&a=="a"',
    '(has(a)||has(x/y))&&a=="a"',
  ],
  ...[
    '!(has(a)||has(x/y))',
    'a == "\n"',
    'a\n== "a"',
    'a == "a"\n',
    'é == "a"',
    'a == "é"',
    'a == "a" # no',
    'a,b',
    '{',
    '}',
    ',',
  ],
  ...[512, 513].flatMap((length) => [`${'k'.repeat(length)} == "a"`, `has(${'k'.repeat(length)})`]),
  ...[`${'k'.repeat(512)}contains "a"`, `${'k'.repeat(512)}in {"a"}`, `${'k'.repeat(507)}notin {"a"}`],
];

const labels = universe(keys.slice(0, 2), values).concat(universe(keys.slice(2), values));

type Parse = typeof parseSelector;

/** Each is a trap of the grammar: what a parser could make of a text. */
const brokenParsers: Readonly<Record<string, Parse>> = {
  '|| comes before &&': (text, meaning) => parseSelector(hasBrackets(text) ? text : withOrFirst(text), meaning),
  '! is for all that follows': (text, meaning) =>
    parseSelector(text.startsWith('!') && !hasBrackets(text) ? `!(${text.slice(1)})` : text, meaning),
  'what needs another value needs the label': (text, meaning) => {
    const read = parseSelector(text, meaning);
    return 'expression' in read ? { ...read, expression: withLabels(read.expression) } : read;
  },
  'a set of nothing is every value': (text, meaning) =>
    parseSelector(text.replaceAll(/([a-z/]+)[ \t]+in[ \t]*{[ \t]*}/g, 'has($1)'), meaning),
  'a backslash takes the quote behind it': (text, meaning) => parseSelector(text.replaceAll('\\"', ''), meaning),
};

/** Beside those of has(), all() and global(). */
function hasBrackets(text: string): boolean {
  return /[()]/.test(text.replaceAll(/(?:has|all|global)\([^()]*\)/g, ''));
}

/** `a || b && c` as `(a || b) && c`. */
function withOrFirst(text: string): string {
  const parts = text.split('&&');
  return parts.length < 2 ? text : parts.map((part) => `(${part})`).join('&&');
}

function withLabels(expression: Expression): Expression {
  if ('all' in expression) return { all: expression.all.map(withLabels) };
  if ('any' in expression) return { any: expression.any.map(withLabels) };
  const { key, test, holds } = expression;
  return holds || test.op === 'has' ? expression : { all: [expression, { key, test: { op: 'has' }, holds: true }] };
}

function judgeTexts(judge: Judge<Asked, Told>): void {
  t.teardown(() => judge.stop());
  let taken = 0;
  const compare = async (texts: readonly string[], parse: Parse = parseSelector) => {
    const told = await judge.ask({ selectors: texts, labels: labels.map((one) => Object.fromEntries(one)) });
    for (const [index, text] of texts.entries()) {
      const answer = told[index];
      if (answer === undefined) throw new Error('no answer');
      const read = parse(text, ofEndpoints);
      if ('reason' in read) {
        // Keys that no label can have are not read at all; nor is what newer versions of Calico do not read.
        const isNewer = /[\n\f\r]/.test(text);
        if (answer.error === '' && !isNewer && !/longer than any key/.test(read.reason))
          throw new Error(`not read: ${JSON.stringify(text)}: ${read.reason}`);
        continue;
      }
      if (answer.error !== '') throw new Error(`read, and Calico says ${answer.error}: ${JSON.stringify(text)}`);
      taken++;
      const matched = labels.flatMap((one, place) => (isMatched(read.expression, one) ? place : []));
      if (matched.join() !== answer.matched.join())
        throw new Error(`other labels are matched: ${JSON.stringify(text)}`);
    }
  };
  t.test('worked texts', async () => {
    await compare(worked);
  });
  t.test('random texts', async (t) => {
    const several = fc.array(selectors(12), { minLength: 20, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(several, (texts) => compare(texts)),
      { numRuns: 60 },
    );
    const before = taken;
    const many = fc.array(scraps, { minLength: 50, maxLength: 50 });
    await fc.assert(
      fc.asyncProperty(many, (texts) => compare(texts)),
      { numRuns: 200 },
    );
    t.ok(before > 1_000 && taken - before > 100, `${before} selectors, and ${taken - before} among the scraps`);
  });
  for (const [bug, parse] of Object.entries(brokenParsers))
    t.test(`a parser with a bug is found out: ${bug}`, async (t) => {
      const drawn = fc.sample(fc.oneof(selectors(6), scraps), { numRuns: 2_000, seed: 1 });
      let texts = 0;
      for (const text of [...worked, ...drawn]) {
        texts++;
        try {
          await compare([text], parse);
        } catch (error) {
          t.comment(`after ${texts} texts`);
          t.pass(String(error));
          return;
        }
      }
      t.fail('nothing was found');
    });
  t.test('the deepest text that is read', async (t) => {
    const depth = longestSelector / 2 - 5;
    const text = `${'('.repeat(depth)}has(a)${')'.repeat(depth)}`;
    t.ok(text.length <= longestSelector);
    await compare([text, `${'!'.repeat(1000)}has(a)`]);
  });

  t.test('whom the source of a rule stands for', async (t) => {
    let empty = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(entities, { minLength: 20, maxLength: 20 }), async (drawn) => {
        // Of those that are drawn hardly one is of everybody.
        const asked = [...drawn, {}, { serviceAccounts: {} }];
        const told = await judge.ask({
          entities: asked.map((one) => ({ ...one, namespace })),
          labels: endpoints.map((one) => Object.fromEntries(one)),
        });
        for (const [index, entity] of asked.entries()) {
          const answer = told[index];
          if (answer === undefined) throw new Error('no answer');
          const [rule] = readCalicoPolicy(policyWith(entity)).rules;
          const isBlank = [entity.selector, entity.notSelector].includes(' ');
          if (rule === undefined && isBlank) continue;
          if (rule === undefined || answer.error !== '') throw new Error(`${answer.error}: ${JSON.stringify(entity)}`);
          const { peer } = rule;
          if (peer.kind === 'any') empty++;
          const matched = endpoints.flatMap((one, place) => {
            const labels = new Map([...one].map(([key, value]) => [reachKey(key), value]));
            return peer.kind === 'any' || (peer.kind === 'expression' && isMatched(peer.expression, labels))
              ? place
              : [];
          });
          if (matched.join() !== answer.matched.join()) throw new Error(`somebody else: ${JSON.stringify(entity)}`);
        }
      }),
      { numRuns: 100 },
    );
    t.ok(empty >= 200, `${empty} of everybody`);
  });
}

const namespace = 'own';
const policyWith = (source: Entity): Policy =>
  JSON.parse(
    JSON.stringify({ metadata: { name: 'asked', namespace }, spec: { ingress: [{ action: 'Allow', source }] } }),
  );

/** As Calico labels what a rule can match: pods and network sets of three namespaces, and what is in none. */
const endpoints: readonly ReadonlyMap<string, string>[] = ['own', 'other', 'a']
  .flatMap((name) =>
    [undefined, 'a', 'ab'].flatMap((a) =>
      [undefined, 'a', 'b'].flatMap((own) =>
        ['web', 'a'].map((account) => {
          const labels: [string, string | undefined][] = [
            ...[
              ['projectcalico.org/namespace', name] as [string, string],
              ['pcns.projectcalico.org/name', name] as [string, string],
            ],
            ...[
              ['pcns.kubernetes.io/metadata.name', name] as [string, string],
              ['projectcalico.org/serviceaccount', account] as [string, string],
            ],
            ...[
              ['pcns.a', a] as [string, string | undefined],
              ['a', own] as [string, string | undefined],
              ['pcsa.a', a] as [string, string | undefined],
            ],
          ];
          return new Map(labels.flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const])));
        }),
      ),
    ),
  )
  .concat([
    new Map(),
    new Map([['a', 'a']]),
    new Map([
      ['a', 'b'],
      ['x/y', 'ab'],
    ]),
  ]);

const texts = fc.oneof(
  { weight: 3, arbitrary: selectors(4).filter((text) => !text.includes('global(')) },
  fc.constantFrom(
    '',
    ' ',
    'all()',
    '!all()',
    'projectcalico.org/name == "own"',
    'projectcalico.org/namespace in {"own", "a"}',
  ),
  fc.constantFrom('pcns.a == "a"', 'has(pcns.projectcalico.org/name)', 'kubernetes.io/metadata.name != "own"'),
);
const entities: fc.Arbitrary<Entity> = fc.record(
  {
    namespaceSelector: fc.oneof(texts, fc.constantFrom('global()', ' global()')),
    selector: texts,
    notSelector: texts,
    serviceAccounts: fc.record(
      { names: fc.constantFrom([], ['web'], ['web', 'a'], ['b']), selector: texts },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: [] },
);

const found = await foundOrSkip('Calico judges selectors', () => startSelectorJudge<Asked, Told>());
if (found !== undefined) judgeTexts(found);
