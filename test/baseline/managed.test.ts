import t from 'tap';
import { isManaged, isManagedName } from '../../src/baseline/managed.ts';
import type { KubernetesObject } from '../../src/kubernetes/objects.ts';

t.test('names that begin with bulkhead- are reserved', async (t) => {
  const table: readonly [string, boolean][] = [
    ['bulkhead-default-deny', true],
    ['bulkhead-', true],
    ['bulkhead', false],
    ['bulkheads-allow', false],
    ['my-bulkhead-policy', false],
    ['', false],
  ];
  for (const [name, managed] of table) t.equal(isManagedName(name), managed, JSON.stringify(name));
});

t.test('what is managed has both the name and the label', async (t) => {
  const label = { 'app.kubernetes.io/managed-by': 'bulkhead' };
  const table: readonly [NonNullable<KubernetesObject['metadata']>, boolean][] = [
    [{ name: 'bulkhead-default-deny', labels: label }, true],
    [{ name: 'bulkhead-default-deny' }, false],
    [{ name: 'bulkhead-default-deny', labels: { 'app.kubernetes.io/managed-by': 'Helm' } }, false],
    [{ name: 'own', labels: label }, false],
    [{ generateName: 'bulkhead-', labels: label }, false],
    [{}, false],
  ];
  for (const [metadata, managed] of table) t.equal(isManaged({ metadata }), managed, JSON.stringify(metadata));
});
