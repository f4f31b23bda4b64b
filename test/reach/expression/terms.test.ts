/** Expressions are taken apart soundly and completely: held against every set of labels of a small universe, and against the clock. */
import fc from 'fast-check';
import t from 'tap';
import { ofEndpoints, parseSelector } from '../../../src/reach/dialects/calico/parse-selector.ts';
import { Budget, mostSteps } from '../../../src/reach/expression/budget.ts';
import { type Expression, isMatched, negated } from '../../../src/reach/expression/expression.ts';
import { bound, exampleOf, someTerm, type Term } from '../../../src/reach/expression/terms.ts';
import { has } from '../../../src/reach/expression/values.ts';
import { type AffixLiteral, findWord, isLabelValue } from '../../../src/reach/expression/word.ts';
import { keys, selectors, universe } from './random-selectors.ts';

const never = () => false;

function parsed(text: string): Expression {
  const read = parseSelector(text, ofEndpoints);
  if ('reason' in read) throw new Error(`${text}: ${read.reason}`);
  return read.expression;
}

/** Words of one to three letters over what the affixes are made of, and no word. */
const words = ['', ...product(['a', 'b', 'x', '-'], 3)].filter((word) => isLabelValue(word, 63));

function product(letters: readonly string[], most: number): readonly string[] {
  return most === 0
    ? []
    : letters.flatMap((letter) => [letter, ...product(letters, most - 1).map((rest) => letter + rest)]);
}

function allows(term: Term, labels: ReadonlyMap<string, string>): boolean {
  return [...term].every(([key, values]) => {
    const value = labels.get(key);
    return value === undefined ? values.absent : has(values, value);
  });
}

t.test('an expression of up to twelve tests is decided, and a term that is found has an example', async (t) => {
  const everyone = universe(keys.slice(0, 2), words.slice(0, 24)).concat(
    universe(keys.slice(2), ['', 'a', 'ab', 'b', 'x', 'aab']),
  );
  fc.assert(
    fc.property(selectors(12), (text) => {
      const expression = parsed(text);
      let example: ReadonlyMap<string, string> | undefined;
      const found = someTerm(
        expression,
        (term) => {
          example = exampleOf(term, new Budget(100_000));
          return true;
        },
        never,
        new Budget(mostSteps),
      );
      if (found === 'beyond') throw new Error('not decided');
      if (found) return example !== undefined && isMatched(expression, example);
      return !everyone.some((labels) => isMatched(expression, labels));
    }),
    { numRuns: 3_000 },
  );
  t.pass('no counterexample');
  // So many terms as twelve tests can have, and none of them is what is looked for.
  for (const sizes of [
    [3, 3, 3, 3],
    [2, 2, 2, 2, 2, 2],
    [4, 4, 4],
    [6, 6],
  ]) {
    for (const test of ['== "a"', 'contains "a"', '!= "a"']) {
      const one = (index: number) => sizes.map((size, place) => `k${place}i${index % size}`);
      const text = sizes.map((size, place) =>
        Array.from({ length: size }, (_, index) => `${one(index)[place]} ${test}`).join('||'),
      );
      let terms = 0;
      const count = () => ++terms < 0;
      t.equal(
        someTerm(parsed(`(${text.join(')&&(')})`), count, never, new Budget(mostSteps)),
        false,
        `${sizes} ${test}`,
      );
      t.equal(
        terms,
        sizes.reduce((product, size) => product * size, 1),
      );
    }
  }
});

t.test('the terms of an expression match what it matches, and its bound no less', async (t) => {
  const everyone = universe(keys.slice(0, 2), ['', 'a', 'ab', 'b', 'aab', 'x']);
  fc.assert(
    fc.property(selectors(7), (text) => {
      const expression = parsed(text);
      const terms: Term[] = [];
      someTerm(expression, (term) => terms.push(term) < 0, never, new Budget(50_000));
      const limits = bound(expression, new Budget(50_000));
      return everyone.every((labels) => {
        const matched = isMatched(expression, labels);
        if (matched && (limits === undefined || !allows(limits, labels))) return false;
        return terms.some((term) => allows(term, labels)) === matched;
      });
    }),
    { numRuns: 2_000 },
  );
  t.pass('no counterexample');
});

t.test('a negation matches what the expression does not', async (t) => {
  const everyone = universe(keys.slice(0, 2), ['', 'a', 'ab']);
  fc.assert(
    fc.property(selectors(6), (text) => {
      const expression = parsed(text);
      return everyone.every((labels) => isMatched(expression, labels) !== isMatched(negated(expression), labels));
    }),
  );
  t.pass('no counterexample');
});

t.test('a word is found exactly where there is one', async (t) => {
  const text = fc
    .array(fc.constantFrom('a', 'b', '-'), { minLength: 1, maxLength: 3 })
    .map((letters) => letters.join(''));
  const affix: fc.Arbitrary<AffixLiteral> = fc.record({
    op: fc.constantFrom('starts' as const, 'ends' as const, 'contains' as const),
    text,
    holds: fc.boolean(),
  });
  const short = ['', ...product(['a', 'b', 'x', '-'], 6)].filter((word) => isLabelValue(word, 6));
  const fits = (affixes: readonly AffixLiteral[], word: string) =>
    affixes.every(({ op, text: part, holds }) => {
      const does = op === 'starts' ? word.startsWith(part) : op === 'ends' ? word.endsWith(part) : word.includes(part);
      return does === holds;
    });
  fc.assert(
    fc.property(fc.array(affix, { minLength: 1, maxLength: 5 }), fc.subarray(short.slice(0, 60)), (affixes, left) => {
      const excluded = new Set(left);
      const found = findWord(affixes, excluded, 6, new Budget(1_000_000));
      if (found === 'beyond') return false;
      if (found !== undefined) return isLabelValue(found, 6) && fits(affixes, found) && !excluded.has(found);
      return !short.some((word) => fits(affixes, word) && !excluded.has(word));
    }),
    { numRuns: 1_500 },
  );
  t.pass('no counterexample');
});

t.test('the hardest text of 1,024 characters takes at most 5 ms', async (t) => {
  const pairs = Array.from({ length: 40 }, (_, index) => `(a${index}=="x"||b${index}=="y")`).join('&&');
  const holes = Array.from({ length: 40 }, (_, index) => `(has(a${index % 7})||!has(b${index % 5}))`).join('&&');
  const affixes = Array.from({ length: 30 }, (_, index) => `!(a contains "${'abcdefghij'[index % 10]}${index}")`).join(
    '&&',
  );
  const unsatisfiable = `${pairs.slice(0, pairs.indexOf('&&(a30'))}&&a0!="x"&&b0!="y"`;
  const collisions = `a contains "ab"&&a contains "ba"&&!(a contains "x")&&${[...'abcdefghijklmnopqrstuvwyz0123456789']
    .map((letter) => `!(a contains "a${letter}a")`)
    .join('&&')}`;
  for (const text of [pairs, holes, affixes, unsatisfiable, collisions].map((one) => one.slice(0, 1024))) {
    const whole =
      [text, text.slice(0, text.lastIndexOf('&&'))].find((one) => !('reason' in parseSelector(one, ofEndpoints))) ?? '';
    t.ok(whole.length > 400, 'most of the text is read');
    const run = () => {
      const expression = parsed(whole);
      bound(expression, new Budget(mostSteps));
      return someTerm(expression, () => false, never, new Budget(mostSteps));
    };
    for (let round = 0; round < 5; round++) run();
    const times = Array.from({ length: 9 }, () => {
      const before = process.cpuUsage();
      run();
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1_000;
    }).toSorted((one, other) => one - other);
    t.ok((times[0] ?? 99) <= 5, `${whole.slice(0, 40)}: ${times[0]} ms, at most ${times.at(-1)}`);
  }
});
