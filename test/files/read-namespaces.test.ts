import { join } from 'node:path';
import t from 'tap';
import { readFiles } from '../../src/files/read-files.ts';
import { namespacesOf } from '../../src/files/read-namespaces.ts';
import { formatProblem } from '../../src/tenancy/problem.ts';

const read = async (path: string) => namespacesOf(await readFiles(path), path);

t.test('a List as kubectl prints it is read too', async (t) => {
  const list = {
    apiVersion: 'v1',
    kind: 'List',
    items: [
      {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: 'a', uid: 'u', deletionTimestamp: '2026-11-21T00:00:00Z' },
      },
      {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: '__proto__', labels: { constructor: 'x' } },
        spec: {},
        status: {},
      },
    ],
  };
  const folder = t.testdir({ 'all.json': JSON.stringify(list) });
  const loaded = await read(join(folder, 'all.json'));
  if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join('\n'));
  t.strictSame(loaded.value.get('a'), { name: 'a', uid: 'u', labels: {}, terminating: true });
  t.strictSame(loaded.value.get('__proto__')?.labels, { constructor: 'x' });
});

t.test('no namespace at all deserves a second look', async (t) => {
  const folder = t.testdir({});
  const loaded = await read(folder);
  t.strictSame(loaded.ok && loaded.warnings.map(formatProblem), [
    `${folder}: holds no Namespace, so every pod and policy is refused; list those that exist`,
  ]);
});

t.test('what is no namespace is a problem', async (t) => {
  const folder = t.testdir({
    'all.yaml': [
      'apiVersion: v1\nkind: Pod\nmetadata: { name: a }',
      'apiVersion: evil.example.com/v1\nkind: Namespace\nmetadata: { name: a }',
      'apiVersion: v1\nkind: Namespace\nmetadata: {}',
      'apiVersion: v1\nkind: Namespace\nmetadata: { name: a, labels: { x: 1 } }',
      'apiVersion: v1\nkind: Namespace\nmetadata: { name: b }',
      'apiVersion: v1\nkind: List\nitems: [{ apiVersion: v1, kind: Namespace, metadata: { name: b } }]',
    ].join('\n---\n'),
  });
  const loaded = await read(folder);
  t.strictSame(loaded.ok ? [] : loaded.problems.map((problem) => formatProblem(problem).replace(`${folder}/`, '')), [
    'all.yaml:1:1: is not a v1 Namespace; keep only Namespace objects here',
    'all.yaml:5:1: is not a v1 Namespace; keep only Namespace objects here',
    'all.yaml:11:1: metadata.name: is missing; give the name of the namespace',
    'all.yaml:15:22: metadata.labels: a map is not a map of text; put values in quotes',
    'all.yaml:23:62: items[0].metadata.name: b is there twice; keep one of the two',
  ]);
});
