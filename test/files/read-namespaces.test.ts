import { join } from 'node:path';
import t from 'tap';
import { readNamespaces } from '../../src/files/read-namespaces.ts';
import { defaultSettings } from '../../src/tenancy/default-settings.ts';
import { formatProblem } from '../../src/tenancy/problem.ts';
import { createTenancy } from '../../src/tenancy/tenancy.ts';

const tenancy = createTenancy(defaultSettings, []);
const { signal } = new AbortController();

t.test('the examples are known by name and counted by tenant', async (t) => {
  const read = await readNamespaces('manifests/examples/namespaces', () => tenancy);
  if (!read.ok) throw new Error(read.problems.map(formatProblem).join('\n'));
  t.strictSame(read.value.lookup('acme-web'), {
    name: 'acme-web',
    uid: '',
    labels: { 'bulkhead.dev/tenant': 'acme', 'kubernetes.io/metadata.name': 'acme-web' },
    terminating: false,
  });
  t.equal(read.value.countOwned('acme'), 2);
  t.equal(read.value.countOwned('nobody'), 0);
  t.equal(read.value.lookup('nothing'), undefined);
  t.equal(await read.value.fetch('nothing', signal), undefined, 'there are no others');
  t.equal(await read.value.hasPods('acme-web', signal), true, 'none counts as emptied');
});

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
  const read = await readNamespaces(join(folder, 'all.json'), () => tenancy);
  if (!read.ok) throw new Error(read.problems.map(formatProblem).join('\n'));
  t.strictSame(read.value.lookup('a'), { name: 'a', uid: 'u', labels: {}, terminating: true });
  t.strictSame(read.value.lookup('__proto__')?.labels, { constructor: 'x' });
});

t.test('without files there are no namespaces', async (t) => {
  const read = await readNamespaces(undefined, () => tenancy);
  t.equal(read.ok && read.value.lookup('default'), undefined);
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
  const read = await readNamespaces(folder, () => tenancy);
  t.strictSame(read.ok ? [] : read.problems.map((problem) => formatProblem(problem).replace(`${folder}/`, '')), [
    'all.yaml:1:1: is not a v1 Namespace; keep only Namespace objects here',
    'all.yaml:5:1: is not a v1 Namespace; keep only Namespace objects here',
    'all.yaml:11:1: metadata.name: is missing; give the name of the namespace',
    'all.yaml:15:22: metadata.labels: a map is not a map of text; put values in quotes',
    'all.yaml:23:62: items[0].metadata.name: b is there twice; keep one of the two',
  ]);
});
