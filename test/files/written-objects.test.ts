/** The objects of a text, as kubectl takes them, and where their fields are. */
import { spawnSync } from 'node:child_process';
import t from 'tap';
import { parseYaml } from '../../src/files/parse-yaml.ts';
import { stepsOf, writtenObjects } from '../../src/files/written-objects.ts';
import { binariesOrSkip } from '../apiserver/cluster-test.ts';

const file = 'f.yaml';
const read = (text: string) => writtenObjects({ path: file, text });
const namesIn = (text: string) =>
  read(text).objects.map(({ apiVersion, kind, object }) => {
    const { metadata } = JSON.parse(JSON.stringify(object));
    return `${apiVersion} ${kind} ${metadata?.name}`;
  });
const problemIn = (text: string) => {
  const [first] = read(text).problems;
  return first && `${first.line}:${first.column} ${first.reason}; ${first.fix}`;
};

t.test('documents, lists, lists in lists, and lists that do not call themselves so', async (t) => {
  const pod = (name: string) => `{ apiVersion: v1, kind: Pod, metadata: { name: ${name} } }`;
  t.same(namesIn(`${pod('a')}\n---\n${pod('b')}\n`), ['v1 Pod a', 'v1 Pod b']);
  t.same(namesIn(`kind: List\napiVersion: v1\nitems: [${pod('a')}, { kind: List, items: [${pod('b')}] }]`), [
    'v1 Pod a',
    'v1 Pod b',
  ]);
  t.same(
    namesIn('apiVersion: v1\nkind: NamespaceList\nitems: [{ metadata: { name: web } }]'),
    ['v1 Namespace web'],
    'items of a typed list say no kind',
  );
  t.same(
    namesIn(`apiVersion: v1\nkind: ConfigMap\nmetadata: { name: c }\nitems: [${pod('a')}]`),
    ['v1 ConfigMap c', 'v1 Pod a'],
    'kubectl takes everything with items for a list',
  );
  t.same(namesIn('items: []'), []);
  const values = read('replicas: 1\n---\n- a\n---\nkind: List\nitems: []');
  t.same(
    { others: values.others, objects: values.objects, problems: values.problems },
    { others: 2, objects: [], problems: [] },
  );
});

t.test('places of fields, in lists too', async (t) => {
  const text = `apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Pod
  metadata:
    name: a
    labels:
      app.kubernetes.io/name: x
      "a]b.c[0]": y
  spec:
    containers:
    - name: one
    - { name: two, image: i }
`;
  const [written] = read(text).objects;
  const places = [
    ['', 4, 3],
    ['metadata.labels[app.kubernetes.io/name]', 9, 31],
    ['metadata.labels[a]b.c[0]]', 10, 19],
    ['metadata.labels.app.kubernetes.io/name', 9, 31],
    ['spec.containers[1].image', 14, 27],
    ['spec.containers[1].securityContext.privileged', 14, 7],
    ['spec.containers[7]', 12, 5],
    ['spec.hostNetwork', 11, 3],
  ] as const;
  for (const [path, line, column] of places)
    t.same(written?.placeOf(path), { file, line, column }, path || 'the object');
  const [json] = read('{"apiVersion":"v1","kind":"Pod",\n  "spec": {"hostNetwork": true}}').objects;
  t.same(json?.placeOf('spec.hostNetwork'), { file, line: 2, column: 27 }, 'JSON');
  const [merged] = read(
    'apiVersion: v1\nkind: Pod\nbase: &base\n  hostNetwork: true\n  hostPID: true\nother: &other\n  hostPID: false\n  hostIPC: true\n' +
      'spec:\n  hostNetwork: false\n  <<: [*base, *other]\n  hostIPC: false\n',
  ).objects;
  t.same(merged?.placeOf('spec.hostNetwork'), { file, line: 4, column: 16 }, 'merged behind the key');
  t.same(merged?.placeOf('spec.hostPID'), { file, line: 5, column: 12 }, 'of several, the first');
  t.same(merged?.placeOf('spec.hostIPC'), { file, line: 12, column: 12 }, 'written behind the merge');
  t.same(stepsOf('spec[0]', { spec: [1] }), ['spec', 0]);
  t.same(stepsOf('__proto__.polluted', {}), []);
});

t.test('what kubectl reads in another way, or not at all, is a problem with its line', async (t) => {
  t.match(problemIn('a: 1\n--- "\nkind: Pod\n# "'), /^2:1 begins with --- and goes on/);
  t.match(problemIn('a: 1\n---x\n'), /^2:1 begins with ---/);
  t.equal(problemIn('--- # a comment\na: 1\n---   \r\nb: 1'), undefined);
  t.match(problemIn('a: 1 # \u2028spec: { hostNetwork: true }'), /^1:8 has a line break/);
  t.match(problemIn('a: 1 #\rspec: 2'), /^1:7 has a line break/);
  t.match(problemIn('%YAML 1.2\n---\na: yes'), /kubectl reads no other/);
  t.match(problemIn('a: 1\na: 2'), /^2:1 the key "a" is there twice/);
  t.match(problemIn('a: [1'), /^1:6 is not YAML/);
  t.match(
    problemIn('metadata:\n  name: {{ .Values.name }}'),
    /^2:10 looks like a template, .*helm template CHART \| bulkhead lint -$/,
  );
  t.match(problemIn(`a: &a [1, 2]\nc: &c [${'*a, '.repeat(120)}]`), /anchors, aliases or tags/);
  const bomb = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
  for (let index = 1; index < 9; index++)
    bomb.push(
      `a${index}: &a${index} [${Array(10)
        .fill(`*a${index - 1}`)
        .join(', ')}]`,
    );
  t.match(problemIn(bomb.join('\n')), /stands for more values than fit|more than 100/);
  t.match(problemIn(`a: ${'['.repeat(100_000)}`), /nests more than 64 levels/);
});

/** kubectl reads YAML 1.1: each of these texts is what it makes of it. */
const texts = [
  'spec: { a: yes, b: No, c: on, d: OFF, e: y, f: N, g: true, h: "yes", i: !!str yes }',
  'spec: { a: 010, b: 0x10, c: 0b11, d: 1_000, e: 1e3, f: .5, g: +5, h: -7, i: ~, j: null }',
  'spec: { a: 1:30, b: 2001-01-01, c: 2001-12-14t21:59:43.10-05:00, d: "=" }',
  'spec: { yes: 1, 010: 2, 1.5: 3, "on": 4 }',
  'base: &b { hostNetwork: true, z: { q: 1 } }\nspec: { <<: *b, hostNetwork: false }',
  'base: &b { hostNetwork: true, z: { q: 1 } }\nspec: { hostNetwork: false, z: { k: 1 }, <<: *b }',
  'base: &b { h: true }\nother: &c { h: false, k: 1 }\nspec: { <<: [*b, *c] }',
  'base: &b { h: true }\nspec: { "<<": x, l: [*b, *b] }',
  'spec:\n  text: |\n    ---\n    hostNetwork: true\n  folded: >-\n    a\n    b\n',
  'spec: # a comment\n  - 1\n  - - 2\n    - 3\n',
];

const binaries = await binariesOrSkip('kubectl reads the same');
if (binaries !== undefined)
  t.test('kubectl reads the same', async (t) => {
    for (const text of texts) {
      const whole = `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: x, annotations: { a: b } }\n${text}`;
      const words = ['annotate', '--local', '--overwrite', 'a=b', '-o', 'json', '-f', '-'];
      const { stdout, stderr } = spawnSync(binaries.kubectl, words, { input: whole, encoding: 'utf8' });
      if (stdout === '') throw new Error(`${text}: ${stderr}`);
      const parsed = parseYaml(whole, file, 'kubectl');
      t.strictSame(
        parsed.ok ? JSON.parse(JSON.stringify(parsed.value[0]?.value)) : parsed.problems,
        JSON.parse(stdout),
        text,
      );
    }
  });
