import fc from 'fast-check';
import t from 'tap';
import {
  contains,
  differenceOf,
  everyPort,
  hasPort,
  intersectionOf,
  type PortSet,
  rangesOf,
  setOf,
  unionOf,
} from '../../src/connectivity/port-set.ts';
import type { PortRange } from '../../src/kubernetes/port-range.ts';

/** Few ports, and those at the ends of a protocol. */
const port = fc.constantFrom(1, 2, 3, 4, 5, 6, 65533, 65534, 65535);
const range: fc.Arbitrary<PortRange> = fc
  .record({ protocol: fc.constantFrom('TCP', 'UDP', 'SCTP'), one: port, other: port })
  .map(({ protocol, one, other }) => ({ protocol, first: Math.min(one, other), last: Math.max(one, other) }));
const set: fc.Arbitrary<PortSet> = fc.oneof(fc.array(range, { maxLength: 6 }).map(setOf), fc.constant(everyPort));
const numbers = ([0, 1, 2] as const).flatMap((protocol) =>
  [1, 2, 3, 4, 5, 6, 7, 100, 65532, 65533, 65534, 65535].map((one) => protocol * 65536 + one),
);

t.test('sets of ports are what their members say', async (t) => {
  fc.assert(
    fc.property(set, set, (one, other) => {
      for (const number of numbers) {
        const [a, b] = [hasPort(one, number), hasPort(other, number)];
        if (hasPort(unionOf(one, other), number) !== (a || b)) return false;
        if (hasPort(intersectionOf(one, other), number) !== (a && b)) return false;
        if (hasPort(differenceOf(one, other), number) !== (a && !b)) return false;
      }
      const isWithin = numbers.every((number) => !hasPort(other, number) || hasPort(one, number));
      return contains(one, other) === isWithin && contains(setOf(rangesOf(one)), one);
    }),
    { numRuns: 2_000 },
  );
  t.pass('2,000 pairs of sets');
});

t.test('ranges of different protocols are never joined', async (t) => {
  const ranges = [
    { protocol: 'TCP', first: 65535, last: 65535 },
    { protocol: 'UDP', first: 1, last: 1 },
  ] as const;
  t.strictSame(rangesOf(setOf(ranges)), ranges);
});
