import t from 'tap';
import { parseYaml } from '../../src/files/parse-yaml.ts';
import { formatProblem } from '../../src/tenancy/problem.ts';

function values(text: string): unknown {
  const parsed = parseYaml(text, 'f.yaml');
  return parsed.ok ? parsed.value.map(({ value }) => value) : parsed.problems.map(formatProblem);
}

t.test('documents come in their order, empty ones are left out', async (t) => {
  t.strictSame(values('a: 1\n---\n---\n# nothing\n---\nb: [x, ~, true, 1.5]\n...\n'), [
    { a: 1 },
    { b: ['x', null, true, 1.5] },
  ]);
  t.strictSame(values(''), []);
  t.strictSame(values('# a comment'), []);
  t.strictSame(values('\uFEFFa: 1'), [{ a: 1 }], 'a byte order mark is no text');
  t.strictSame(values('{"a": {"b": ["c", 1e3]}}'), [{ a: { b: ['c', 1000] } }], 'JSON is YAML');
  t.strictSame(
    values(JSON.stringify(Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`k${index}`, [{}]])))),
    [Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`k${index}`, [{}]]))],
  );
});

t.test('words are words, as in YAML 1.2; kubectl makes true of yes, and 1000 of 1_000', async (t) => {
  t.strictSame(values('[yes, no, on, 2027-01-31T00:00:00Z, 0x10, 1_000, "1"]'), [
    ['yes', 'no', 'on', '2027-01-31T00:00:00Z', 16, '1_000', '1'],
  ]);
  t.strictSame(
    values('{ 1: a, true: b, ~: c, 0x10: d }'),
    [{ 1: 'a', true: 'b', '~': 'c', '0x10': 'd' }],
    'keys are text, as they were written',
  );
  // As kubectl prints them with `annotate --local -o json` (test/files/written-objects.test.ts).
  const parsed = parseYaml('[yes, no, on, 2027-01-31T00:00:00Z, 0x10, 1_000, 010, "1"]', 'f.yaml', 'kubectl');
  t.strictSame(parsed.ok && parsed.value[0]?.value, [true, false, true, '2027-01-31T00:00:00Z', 16, 1000, 8, '1']);
});

t.test('an anchor stands for what it names', async (t) => {
  t.strictSame(values('a: &x { k: 1 }\nb: *x\nc: [*x, *x]'), [{ a: { k: 1 }, b: { k: 1 }, c: [{ k: 1 }, { k: 1 }] }]);
});

t.test('no key reaches the prototype of an object', async (t) => {
  const parsed = parseYaml('__proto__: { admin: true }\nconstructor: { prototype: { admin: true } }', 'f.yaml');
  const value = parsed.ok ? parsed.value[0]?.value : undefined;
  t.strictSame(Object.keys(value ?? {}), ['__proto__', 'constructor']);
  t.equal(Object.getPrototypeOf(value), Object.prototype);
  t.notOk('admin' in {});
});

const refused: readonly (readonly [sentence: string, text: string, ...problems: string[]])[] = [
  [
    'a key stands once',
    'spec:\n  mode: warn\n  mode: audit',
    'f.yaml:3:3: spec.mode: the key "mode" is there twice; keep one of the two',
  ],
  [
    'a key stands once, however it is quoted',
    '{ "a": 1, a: 2 }',
    'f.yaml:1:11: a: the key "a" is there twice; keep one of the two',
  ],
  [
    'a key stands once, __proto__ too',
    '__proto__: 1\n__proto__: 2',
    'f.yaml:2:1: ["__proto__"]: the key "__proto__" is there twice; keep one of the two',
  ],
  ['a list is no key', 'spec:\n  ? [a]\n  : b', 'f.yaml:2:5: spec: has a key that is not text; write it in quotes'],
  [
    'bytes are no text',
    '%YAML 1.1\n---\na: !!binary aGVsbG8=',
    'f.yaml:3:13: a: is neither text nor a number, true, false or null; write it as text, in quotes',
  ],
  ['an unknown tag is not ignored', 'a: !secret x', 'f.yaml:1:4: is not YAML as it should be: Unresolved tag: !secret'],
  ['an alias names an anchor', 'a: 1\nb: *x', 'f.yaml:2:4: b: no anchor before it is called "x"'],
  [
    'a tab is no indentation',
    'a:\n\tb: 1',
    'f.yaml:2:1: is not YAML as it should be: Tabs are not allowed as indentation',
  ],
  [
    'a bracket is closed',
    'a: [1,\nb: 2',
    'f.yaml:2:1: is not YAML as it should be: Flow sequence in block collection must be sufficiently indented and end with a ]',
  ],
  [
    'a second document that is broken is told by its line',
    'a: 1\n---\n"b',
    'f.yaml:3:3: is not YAML as it should be: Missing closing "quote',
  ],
];
for (const [sentence, text, ...problems] of refused) {
  t.test(sentence, async (t) => {
    t.strictSame(values(text), problems);
  });
}

/** Each of these takes minutes, all memory or the stack when it is parsed as it stands. */
const hostile: readonly (readonly [sentence: string, text: string, problem: string])[] = [
  ['a billion laughs', bomb(9), 'f.yaml:2:25: stands for more values than fit into memory; write it out plainly'],
  ['an anchor that holds itself', 'a: &x [*x]', 'f.yaml:1:8: nests more than 64 levels deep; write it out plainly'],
  [
    'an anchor that holds itself twice',
    'a: &x [*x, *x]',
    'f.yaml:1:8: nests more than 64 levels deep; write it out plainly',
  ],
  [
    '300,000 anchors',
    `${'&a '.repeat(300_000)}x`,
    'f.yaml:1:1: has more than 100 anchors, aliases or tags; write it out plainly',
  ],
  [
    '300,000 tags',
    `${'!a '.repeat(300_000)}x`,
    'f.yaml:1:1: has more than 100 anchors, aliases or tags; write it out plainly',
  ],
  [
    '50,000 aliases',
    `a: &x 1\nb:\n${'- *x\n'.repeat(50_000)}`,
    'f.yaml:103:1: has more than 100 anchors, aliases or tags; write it out plainly',
  ],
  ['a million brackets', '['.repeat(1_000_000), 'f.yaml:1:1: nests more than 64 levels deep; write it out plainly'],
  ['250,000 braces', '{'.repeat(250_000), 'f.yaml:1:1: nests more than 64 levels deep; write it out plainly'],
  [
    'braces on lines of their own',
    '{\n'.repeat(250_000),
    'f.yaml:65:1: nests more than 64 levels deep; write it out plainly',
  ],
  ['100,000 nested lists', '- '.repeat(100_000), 'f.yaml:1:1: nests more than 64 levels deep; write it out plainly'],
  ['100,000 nested keys', '? '.repeat(100_000), 'f.yaml:1:1: nests more than 64 levels deep; write it out plainly'],
  [
    'levels by indentation',
    Array.from({ length: 250 }, (_, level) => `${' '.repeat(level)}a:`).join('\n'),
    'f.yaml:66:66: nests more than 64 levels deep; write it out plainly',
  ],
  [
    'more levels by indentation',
    Array.from({ length: 1300 }, (_, level) => `${' '.repeat(level)}a:`).join('\n'),
    'f.yaml:258:1: nests more than 64 levels deep; write it out plainly',
  ],
  [
    '20,000 closing brackets',
    `[${']'.repeat(20_000)}`,
    'f.yaml:1:3: is not YAML as it should be: Unexpected flow-seq-end token in YAML stream: "]"',
  ],
];
for (const [sentence, text, problem] of hostile) {
  t.test(`${sentence} are a problem, not a hang`, async (t) => {
    t.strictSame(values(text), [problem]);
  });
}

t.test('what is only large is read', async (t) => {
  const keys = Array.from({ length: 60_000 }, (_, index) => `key${index}: ${index}`).join('\n');
  const [large] = [values(keys)].flat();
  t.equal(Object.keys(large ?? {}).length, 60_000);
});

t.test('a value is found again where it was written', async (t) => {
  const text =
    'spec:\n  list:\n    - name: a\n      empty:\n    - &x { name: b }\n  again: *x\n  "quoted key": |\n    text\n';
  const parsed = parseYaml(`first: 1\n---\n${text}`, 'f.yaml');
  const locate = parsed.ok ? parsed.value[1]?.locate : undefined;
  const cases: readonly (readonly [steps: (string | number)[], part: 'key' | 'value', place: string])[] = [
    [[], 'value', '3:1'],
    [['spec'], 'value', '3:1'],
    [['spec', 'list', 0], 'value', '5:7'],
    [['spec', 'list', 0, 'name'], 'value', '5:13'],
    [['spec', 'list', 0, 'name'], 'key', '5:7'],
    [['spec', 'list', 0, 'empty'], 'value', '6:7'],
    [['spec', 'list', 1, 'name'], 'value', '7:18'],
    [['spec', 'again', 'name'], 'value', '7:18'],
    [['spec', 'quoted key'], 'value', '9:17'],
    [['spec', 'missing'], 'value', '3:1'],
    [['spec', 'list', 7, 'name'], 'value', '4:3'],
    [['spec', 'list', 0, 'missing', 'deeper'], 'value', '5:7'],
    [['missing'], 'value', '3:1'],
    [['spec', 0], 'value', '3:1'],
  ];
  for (const [steps, part, place] of cases) {
    const found = locate?.(steps, part);
    t.equal(`${found?.line}:${found?.column}`, place, `${steps.join(' ')} (${part}) stands at ${place}`);
  }
});

/** Ten times ten times ten, `depth` times. */
function bomb(depth: number): string {
  const lines = ['a0: &a0 [x]'];
  for (let level = 1; level <= depth; level++) {
    lines.push(`a${level}: &a${level} [${Array.from({ length: 9 }, () => `*a${level - 1}`).join(', ')}]`);
  }
  return lines.join('\n');
}
