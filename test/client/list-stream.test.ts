import fc from 'fast-check';
import t from 'tap';
import { readList } from '../../src/client/list-stream.ts';

async function* pieces(text: string, sizes: readonly number[]): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text);
  for (let start = 0, turn = 0; start < bytes.length; turn++) {
    const end = start + Math.max(1, sizes[turn % sizes.length] ?? bytes.length);
    yield bytes.subarray(start, end);
    start = end;
  }
}

async function read(text: string, sizes: readonly number[] = [7], longest = 100_000) {
  const items: unknown[] = [];
  const around = await readList(pieces(text, sizes), longest, (item) => items.push(item));
  return { items, around };
}

t.test('items come one by one, and what is around them at the end', async (t) => {
  const rows: readonly [sentence: string, text: string, items: readonly unknown[], around: object][] = [
    [
      'as the API server writes it',
      '{"kind":"L","metadata":{"resourceVersion":"1"},"items":[{"a":1},{"b":[{}]}]}\n',
      [{ a: 1 }, { b: [{}] }],
      { kind: 'L', metadata: { resourceVersion: '1' }, items: [] },
    ],
    ['the items first', '{"items":[{"a":1}],"metadata":{}}', [{ a: 1 }], { items: [], metadata: {} }],
    ['with spaces', '{ "items" : [ {"a":1} , {"a":2} ] , "x" : 1 }', [{ a: 1 }, { a: 2 }], { items: [], x: 1 }],
    ['none', '{"items":[],"x":{"y":[1]}}', [], { items: [], x: { y: [1] } }],
    ['null, as Go writes an empty list', '{"items":null,"metadata":{}}', [], { items: null, metadata: {} }],
    [
      'brackets and quotes in text',
      '{"items":[{"a":"}]{\\"[\\\\"},{"b":"\\\\"}]}',
      [{ a: '}]{"[\\' }, { b: '\\' }],
      { items: [] },
    ],
    [
      'another list of that name inside',
      '{"metadata":{"items":[1]},"other":[{"items":[2]}],"items":[{"items":[3]}]}',
      [{ items: [3] }],
      { metadata: { items: [1] }, other: [{ items: [2] }], items: [] },
    ],
    [
      'a text that looks like the key',
      '{"x":"\\"items\\":","y":["items"],"items":[{}]}',
      [{}],
      { x: '"items":', y: ['items'], items: [] },
    ],
  ];
  for (const [sentence, text, items, around] of rows) {
    for (const size of [1, 2, 3, 1000]) {
      t.same(await read(text, [size]), { items, around }, `${sentence}, in pieces of ${size}`);
    }
  }
});

t.test('any list is read as JSON.parse reads it, however it is cut into pieces', async (t) => {
  const item = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue());
  const list = fc.record({ metadata: fc.jsonValue(), items: fc.array(item), after: fc.jsonValue() });
  await fc.assert(
    fc.asyncProperty(list, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), async (value, sizes) => {
      const text = JSON.stringify(value);
      const plain = JSON.parse(text);
      t.same(await read(text, sizes), { items: plain.items, around: { ...plain, items: [] } });
    }),
    { numRuns: 200 },
  );
});

t.test('what is no list is refused', async (t) => {
  const rows: readonly [sentence: string, text: string, reason: RegExp][] = [
    ['cut off between items', '{"items":[{"a":1},', /the list was cut off/],
    ['cut off in an item', '{"items":[{"a":1', /the list was cut off/],
    ['an item that is no JSON', '{"items":[{"a":}]}', /JSON/],
    ['a page of a proxy', '<html></html>', /JSON/],
    ['nothing', '', /JSON/],
  ];
  for (const [sentence, text, reason] of rows) await t.rejects(read(text), reason, sentence);
});

t.test('nothing is kept that is longer than it may be', async (t) => {
  await t.rejects(read(`{"items":[{"a":"${'x'.repeat(200)}"}]}`, [50], 100), {
    message: 'an item has more than 100 bytes',
  });
  await t.rejects(read(`{"x":"${'x'.repeat(200)}","items":[]}`, [50], 100), {
    message: 'what is around the items has more than 100 bytes',
  });
});
