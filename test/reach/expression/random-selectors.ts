/** Random selectors of Calico: texts with every spelling, and expressions of them. */
import fc from 'fast-check';

export const keys = ['a', 'in', 'has', 'x/y'] as const;
export const values = ['', 'a', 'ab', 'ba', 'a-b', 'aab', 'b'] as const;

const blank = fc.constantFrom('', ' ', '\t', '  ');
const wide = fc.constantFrom(' ', '\t ', '  ');
const quoted = fc
  .tuple(fc.constantFrom(...values), fc.constantFrom('"', "'"))
  .map(([value, quote]) => `${quote}${value}${quote}`);
const key = fc.constantFrom(...keys);
const set = fc
  .tuple(fc.array(quoted, { maxLength: 3 }), fc.boolean(), blank)
  .map(([list, comma, gap]) => `{${gap}${list.join(`${gap},`)}${comma && list.length > 0 ? ',' : ''}${gap}}`);

const test = fc.oneof(
  fc.tuple(key, blank, fc.constantFrom('==', '!='), blank, quoted).map((parts) => parts.join('')),
  fc
    .tuple(key, wide, fc.constantFrom('contains', 'starts with', 'startswith', 'ends with', 'endswith'), blank, quoted)
    .map((parts) => parts.join('')),
  fc.tuple(key, wide, fc.constantFrom('in', 'not in', 'notin'), blank, set).map((parts) => parts.join('')),
  fc.tuple(key, blank).map(([name, gap]) => `has(${gap}${name}${gap})`),
  fc.constantFrom('all()', 'global()', 'all( )'),
);

/** Of at most so many tests. */
export const selectors = (most: number): fc.Arbitrary<string> =>
  fc
    .array(fc.tuple(test, fc.constantFrom('&&', '||'), fc.constantFrom('', '', '!', '!!', '! '), blank, fc.nat()), {
      minLength: 1,
      maxLength: most,
    })
    .map((parts) => {
      // Joined pair by pair, so that parentheses nest.
      const texts = parts.map(([text, , not]) => `${not}${text}`);
      while (texts.length > 1) {
        const [, operator = '&&', not = '', gap = '', at = 0] = parts[texts.length - 1] ?? [];
        const index = at % (texts.length - 1);
        const pair = `${texts[index]}${gap}${operator}${gap}${texts[index + 1]}`;
        texts.splice(index, 2, at % 3 === 0 ? pair : `${not}(${pair}${gap})`);
      }
      return texts[0] ?? '';
    });

/** Mostly no selectors: parts of them in any order. */
export const scraps: fc.Arbitrary<string> = fc
  .array(
    fc.constantFrom(
      ...['a', 'in', 'notin', 'not', ' ', '\t', '\n', '==', '=', '!=', '!', '"a"', "'b'", '"', '{', '}', ',', '(', ')'],
      ...[
        'has(a)',
        'has( a )',
        'has(\na)',
        'has (a)',
        'has',
        'all()',
        'all',
        'global()',
        'contains',
        'starts with',
        'startswith',
      ],
      ...[
        'ends\nwith',
        'not  in',
        'not\nin',
        'in{"a"}',
        'in {"a"}',
        '&&',
        '||',
        '&',
        '|',
        'a == "b"',
        'é',
        '-',
        'x'.repeat(513),
      ],
    ),
    { maxLength: 9 },
  )
  .map((parts) => parts.join(''));

/** All labels over the keys with these values, and none. */
export function universe(
  someKeys: readonly string[],
  someValues: readonly string[],
): readonly ReadonlyMap<string, string>[] {
  let all: ReadonlyMap<string, string>[] = [new Map()];
  for (const name of someKeys)
    all = all.flatMap((one) => [one, ...someValues.map((value) => new Map([...one, [name, value]]))]);
  return all;
}
