import t from 'tap';
import { field, formatPath } from '../../src/kubernetes/field-path.ts';
import { excerpt } from '../../src/kubernetes/json.ts';

t.test('a path reads as people write it', (t) => {
  const steps = ['spec', 'ingress', 0, 'from', 1, 'namespaceSelector'];
  const path = steps.slice(1).reduce(field, field(undefined, 'spec'));
  t.equal(formatPath(path), 'spec.ingress[0].from[1].namespaceSelector');
  t.end();
});

t.test('an excerpt is short whatever the value is', (t) => {
  const nested = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`);
  const table: readonly [unknown, string][] = [
    ['web', '"web"'],
    ['a\n"b"\u0000', '"a\\n\\"b\\"\\u0000"'],
    ['x'.repeat(1000), `"${'x'.repeat(60)}..."`],
    [7, '7'],
    [true, 'true'],
    [null, 'null'],
    [nested, 'a list'],
    [{ toString: 7 }, 'a map'],
  ];
  for (const [value, text] of table) t.equal(excerpt(value), text);
  t.end();
});
