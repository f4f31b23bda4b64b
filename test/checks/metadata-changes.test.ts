import fc from 'fast-check';
import t from 'tap';
import { changesOf } from '../../src/checks/metadata-changes.ts';
import type { StringMap } from '../../src/kubernetes/objects.ts';

const key = fc.oneof(fc.constantFrom('__proto__', 'constructor', 'a', 'b/c'), fc.string({ maxLength: 3 }));
const map: fc.Arbitrary<StringMap | null | undefined> = fc.oneof(
  fc.constantFrom(null, undefined),
  fc.array(fc.tuple(key, fc.constantFrom('', 'x', 'y'))).map((entries) => Object.fromEntries(entries)),
);

function objectWith(labels: StringMap | null | undefined) {
  return labels === undefined ? {} : { metadata: { labels } };
}

t.test('the changes lead from the old map to the new one, and nothing else changes', async (t) => {
  fc.assert(
    fc.property(map, map, (before, after) => {
      const changes = changesOf('labels', objectWith(after), objectWith(before));
      const result = new Map(Object.entries(before ?? {}));
      for (const change of changes) {
        t.equal(change.before, result.get(change.key), 'it says what was there');
        t.not(change.before, change.after, 'it is a change');
        if (change.after === undefined) result.delete(change.key);
        else result.set(change.key, change.after);
      }
      t.strictSame([...result].sort(), Object.entries(after ?? {}).sort());
      t.equal(new Set(changes.map((change) => change.key)).size, changes.length, 'each key once');
    }),
    { numRuns: 200 },
  );
});

t.test('on CREATE every key is new', async (t) => {
  t.strictSame(changesOf('annotations', { metadata: { annotations: { note: 'x' } } }, undefined), [
    { map: 'annotations', key: 'note', before: undefined, after: 'x' },
  ]);
});
