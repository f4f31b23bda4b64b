import fc from 'fast-check';
import t from 'tap';
import {
  contradiction,
  freshValue,
  type LabelSelector,
  labelsOutside,
  matches,
  type Selector,
  witnessLabels,
} from '../../src/kubernetes/label-selector.ts';
import { parseSelector } from '../../src/kubernetes/parse-selector.ts';

function parsed(selector: unknown): Selector {
  const result = parseSelector(selector);
  if (!result.ok) throw new Error(result.reason);
  return result.value;
}

t.test('a selector that is not what the API says is refused, with the field and the reason', (t) => {
  const expression = (requirement: unknown) => ({ matchExpressions: [requirement] });
  const table: readonly [unknown, string, RegExp][] = [
    ['app=web', '', /^"app=web" is not a label selector$/],
    [[], '', /^a list is not a label selector$/],
    [7, '', /^7 is not a label selector$/],
    [{ app: 'web' }, '', /^"app" is not a field of a label selector$/],
    [JSON.parse('{"__proto__":{}}'), '', /^"__proto__" is not a field of a label selector$/],
    [{ matchLabels: ['app'] }, 'matchLabels', /^a list is not a map of labels$/],
    [{ matchLabels: { app: 7 } }, 'matchLabels', /^7 is not a value of the label app, which is text$/],
    [{ matchLabels: { app: 'no blanks' } }, 'matchLabels', /^"no blanks" is not a value that a label can have$/],
    [
      { matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['web', "x' } || all() || a in { '"] }] },
      'matchExpressions.0.values',
      /^"x' } \|\| all\(\) \|\| a in { '" is not a value that a label can have$/,
    ],
    [
      { matchExpressions: [{ key: 'app', operator: 'In', values: ['x'.repeat(64)] }] },
      'matchExpressions.0.values',
      /is not a value that a label can have$/,
    ],
    [{ matchLabels: { app: null } }, 'matchLabels', /^null is not a value of the label app/],
    [{ matchLabels: { 'a b': 'x' } }, 'matchLabels', /^"a b" is not the key of a label$/],
    [{ matchLabels: { '': 'x' } }, 'matchLabels', /^"" is not the key of a label$/],
    [{ matchLabels: { 'UPPER.io/app': 'x' } }, 'matchLabels', /^"UPPER\.io\/app" is not the key of a label$/],
    [{ matchLabels: { 'a/b/c': 'x' } }, 'matchLabels', /^"a\/b\/c" is not the key of a label$/],
    [{ matchExpressions: {} }, 'matchExpressions', /^a map is not a list of requirements$/],
    [expression(null), 'matchExpressions.0', /^null is not a requirement$/],
    [expression({ key: 'a', operator: 'Exists', value: 'x' }), 'matchExpressions.0', /^"value" is not a field of a/],
    [expression({ operator: 'Exists' }), 'matchExpressions.0.key', /^undefined is not the key of a label$/],
    [expression({ key: 7, operator: 'Exists' }), 'matchExpressions.0.key', /^7 is not the key of a label$/],
    [
      expression({ key: 'a', operator: 'Equals', values: ['x'] }),
      'matchExpressions.0.operator',
      /^"Equals" is not an op/,
    ],
    [
      expression({ key: 'a', operator: 'in', values: ['x'] }),
      'matchExpressions.0.operator',
      /^"in" is not an operator/,
    ],
    [expression({ key: 'a' }), 'matchExpressions.0.operator', /^undefined is not an operator/],
    [expression({ key: 'a', operator: 'In' }), 'matchExpressions.0.values', /^In needs at least one value$/],
    [expression({ key: 'a', operator: 'NotIn', values: [] }), 'matchExpressions.0.values', /^NotIn needs at least one/],
    [
      expression({ key: 'a', operator: 'Exists', values: ['x'] }),
      'matchExpressions.0.values',
      /^Exists takes no values$/,
    ],
    [
      expression({ key: 'a', operator: 'DoesNotExist', values: [''] }),
      'matchExpressions.0.values',
      /^DoesNotExist takes/,
    ],
    [expression({ key: 'a', operator: 'In', values: 'x' }), 'matchExpressions.0.values', /^"x" is not a list of text$/],
    [
      expression({ key: 'a', operator: 'In', values: [1] }),
      'matchExpressions.0.values',
      /^a list is not a list of text$/,
    ],
  ];
  for (const [selector, field, reason] of table) {
    const result = parseSelector(selector);
    if (result.ok) t.fail(`accepted ${JSON.stringify(selector)}`);
    else {
      t.match(result.reason, reason);
      t.equal(result.steps.join('.'), field, `${result.reason}: at ${field}`);
      t.not(result.fix, '', 'says what to write instead');
    }
  }
  t.end();
});

t.test('requirements on one key fold into one domain', (t) => {
  const table: readonly [string, LabelSelector, string | undefined][] = [
    ['nothing is asked', {}, 'free'],
    ['null lists ask nothing', { matchLabels: null, matchExpressions: null }, 'free'],
    ['matchLabels', { matchLabels: { k: 'x' } }, 'x'],
    ['the empty string is a value', { matchLabels: { k: '' } }, ''],
    [
      'In and In meet',
      {
        matchExpressions: [
          { key: 'k', operator: 'In', values: ['x', 'y'] },
          { key: 'k', operator: 'In', values: ['y', 'z'] },
        ],
      },
      'y',
    ],
    [
      'NotIn takes away from In',
      {
        matchExpressions: [
          { key: 'k', operator: 'In', values: ['x', 'y'] },
          { key: 'k', operator: 'NotIn', values: ['x'] },
        ],
      },
      'y',
    ],
    [
      'In after NotIn does too',
      {
        matchExpressions: [
          { key: 'k', operator: 'NotIn', values: ['x'] },
          { key: 'k', operator: 'In', values: ['x', 'y'] },
        ],
      },
      'y',
    ],
    [
      'matchLabels and matchExpressions both count',
      { matchLabels: { k: 'x' }, matchExpressions: [{ key: 'k', operator: 'In', values: ['y'] }] },
      'contradiction',
    ],
    [
      'Exists with DoesNotExist',
      {
        matchExpressions: [
          { key: 'k', operator: 'Exists' },
          { key: 'k', operator: 'DoesNotExist' },
        ],
      },
      'contradiction',
    ],
    ['DoesNotExist', { matchExpressions: [{ key: 'k', operator: 'DoesNotExist' }] }, 'absent'],
    [
      'NotIn matches where the key is absent',
      { matchExpressions: [{ key: 'k', operator: 'NotIn', values: ['x'] }] },
      'absent',
    ],
    ['Exists wants some value', { matchExpressions: [{ key: 'k', operator: 'Exists' }] }, 'any'],
    [
      'Exists and NotIn want another',
      {
        matchExpressions: [
          { key: 'k', operator: 'NotIn', values: ['any'] },
          { key: 'k', operator: 'Exists' },
        ],
      },
      'any-2',
    ],
  ];
  for (const [sentence, selector, expected] of table) {
    const read = parsed(selector);
    const summary =
      contradiction(read) !== undefined
        ? 'contradiction'
        : !read.has('k')
          ? 'free'
          : (witnessLabels(read).get('k') ?? 'absent');
    t.equal(summary, expected, sentence);
  }
  t.end();
});

t.test('keys that are names of object properties are ordinary labels', (t) => {
  for (const key of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
    const name = key === '__proto__' ? '{"matchLabels":{"a/__proto__":"x"}}' : `{"matchLabels":{"${key}":"x"}}`;
    const read = parseSelector(JSON.parse(name));
    if (key === '__proto__') t.notOk(read.ok, 'a label key does not begin with an underscore');
    else t.ok(read.ok && witnessLabels(read.value).get(key) === 'x', key);
  }
  t.end();
});

t.test('a fresh value is one that is not taken', (t) => {
  const taken = new Set(['not-acme', 'not-acme-2']);
  t.equal(
    freshValue('not-acme', (value) => taken.has(value)),
    'not-acme-3',
  );
  t.equal(
    freshValue('other', (value) => taken.has(value)),
    'other',
  );
  t.end();
});

t.test('ten thousand requirements on one key take as long as their values are many', (t) => {
  const many = (operator: string) =>
    Array.from({ length: 10_000 }, (_, at) => ({
      key: 'k',
      operator,
      values: Array.from({ length: 20 }, (_, i) => `v${at}-${i}`),
    }));
  const read = parsed({ matchExpressions: many('NotIn') });
  t.equal(read.get('k')?.values.size, 200_000);
  t.equal(contradiction(parsed({ matchExpressions: many('In') })), 'k');
  t.end();
});

// Three values that are mentioned, one that never is, and no label at all: with two keys, 25 objects are all there is to tell apart.
const mentioned = ['x', 'y', 'z'];
const values = [undefined, ...mentioned, 'fresh'];
const keys = ['a', 'b'] as const;
const objects = values.flatMap((a) => values.map((b) => ({ a, b })));
type Labels = (typeof objects)[number];

const requirement = fc.record({
  key: fc.constantFrom(...keys),
  operator: fc.constantFrom('In', 'NotIn', 'Exists', 'DoesNotExist'),
  list: fc.subarray(mentioned, { minLength: 1 }),
});
const selectors = fc
  .array(requirement, { maxLength: 5 })
  .map((list) =>
    list.map(({ key, operator, list }) => ({ key, operator, values: operator.endsWith('In') ? list : [] })),
  );

/** labels.Requirement.Matches of k8s.io/apimachinery, requirement by requirement. */
function naiveMatches(
  requirements: readonly { key: 'a' | 'b'; operator: string; values: string[] }[],
  labels: Labels,
): boolean {
  return requirements.every(({ key, operator, values }) => {
    const value = labels[key];
    if (operator === 'In') return value !== undefined && values.includes(value);
    if (operator === 'NotIn') return value === undefined || !values.includes(value);
    return operator === 'Exists' ? value !== undefined : value === undefined;
  });
}

/** A witness as one of the objects above. */
function known(labels: ReadonlyMap<string, string>): Labels {
  const value = (key: string) => {
    const label = labels.get(key);
    return label === undefined || mentioned.includes(label) ? label : 'fresh';
  };
  return { a: value('a'), b: value('b') };
}

t.test('satisfiability, containment and witnesses agree with trying every object', (t) => {
  let [contained, apart, dead] = [0, 0, 0];
  fc.assert(
    fc.property(selectors, selectors, (outer, inner) => {
      const [big, small] = [parsed({ matchExpressions: outer }), parsed({ matchExpressions: inner })];
      const chosen = objects.filter((labels) => naiveMatches(inner, labels));
      if ((contradiction(small) === undefined) !== chosen.length > 0) return false;
      const within = chosen.every((labels) => naiveMatches(outer, labels));
      const outside = labelsOutside(small, big);
      if ((outside === undefined) !== within) return false;
      if (outside !== undefined && (naiveMatches(outer, known(outside)) || !naiveMatches(inner, known(outside))))
        return false;
      if (outside !== undefined && (matches(big, outside) || !matches(small, outside))) return false;
      if (chosen.length === 0) dead++;
      else {
        if (within) contained++;
        else apart++;
        const witness = witnessLabels(small);
        if (!naiveMatches(inner, known(witness)) || !matches(small, witness)) return false;
      }
      return true;
    }),
    { numRuns: 5000, seed: 1 },
  );
  t.ok(contained > 500 && apart > 500 && dead > 300, `${contained} contained, ${apart} not, ${dead} select nothing`);
  t.end();
});
