import t from 'tap';
import { isManagedName } from '../../src/baseline/managed.ts';

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
