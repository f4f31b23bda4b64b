import fc from 'fast-check';
import t from 'tap';
import { destinations, spellings } from '../../src/kubernetes/embedded-ipv4.ts';
import { blocksOf, formatRange, type IpRange, parseCidr } from '../../src/kubernetes/ip-range.ts';
import { contains, type IpSet, intersect, normalise, overlapping, subtract } from '../../src/kubernetes/ip-set.ts';

// Both families, addresses 0 to 63 of each: a set is 128 booleans.
const size = 64;
const range = fc
  .tuple(fc.constantFrom<4 | 6>(4, 6), fc.nat(size - 1), fc.nat(size - 1))
  .map(([family, a, b]): IpRange => ({ family, first: BigInt(Math.min(a, b)), last: BigInt(Math.max(a, b)) }));
/** Many of them make sets of many ranges. */
const single = range.map(({ family, first }): IpRange => ({ family, first, last: first }));
const ranges = fc.oneof(fc.array(range, { maxLength: 8 }), fc.array(single, { maxLength: 60 }));

function bits(list: readonly IpRange[]): boolean[] {
  return Array.from({ length: 2 * size }, (_, at) =>
    list.some(
      ({ family, first, last }) =>
        family === (at < size ? 4 : 6) && first <= BigInt(at % size) && BigInt(at % size) <= last,
    ),
  );
}

/** Sorted, disjoint, not adjacent: what every operation must give, since every operation relies on it. */
function isNormal(set: IpSet): boolean {
  return set.every((range, index) => {
    const next = set[index + 1];
    if (range.first > range.last) return false;
    return (
      next === undefined || range.family < next.family || (range.family === next.family && range.last + 1n < next.first)
    );
  });
}

t.test('the set operations agree with one boolean an address', (t) => {
  fc.assert(
    fc.property(ranges, ranges, (left, right) => {
      const [a, b] = [normalise(left), normalise(right)];
      const [x, y] = [bits(left), bits(right)];
      const expect = (set: IpSet, wanted: boolean[]) =>
        isNormal(set) && bits(set).every((bit, at) => bit === wanted[at]);
      return (
        expect(a, x) &&
        expect(
          subtract(a, b),
          x.map((bit, at) => bit && !y[at]),
        ) &&
        expect(
          intersect(a, b),
          x.map((bit, at) => bit && y[at] === true),
        ) &&
        contains(a, b) === y.every((bit, at) => !bit || x[at])
      );
    }),
    { numRuns: 5000, seed: 1 },
  );
  t.end();
});

function set(...texts: string[]): IpSet {
  return normalise(
    texts.map((text) => {
      const parsed = parseCidr(text);
      if (!parsed.ok) throw new Error(parsed.reason);
      return parsed.value;
    }),
  );
}

t.test('IPv6 addresses that stand for IPv4 ones arrive there', (t) => {
  const table: readonly [string, string[], string[]][] = [
    ['IPv4 is what it is', ['10.0.0.0/8'], ['10.0.0.0/8']],
    ['so is plain IPv6', ['2001:db8::/32'], ['2001:db8::/32']],
    ['NAT64 of one address', ['64:ff9b::a9fe:a9fe/128'], ['169.254.169.254/32']],
    ['NAT64 of all addresses', ['64:ff9b::/96'], ['0.0.0.0/0']],
    ['NAT64 of a block', ['64:ff9b::a00:0/104'], ['10.0.0.0/8']],
  ];
  for (const [sentence, from, to] of table) t.same(destinations(set(...from)).map(formatRange), to, sentence);
  const all = destinations(set('::/0'));
  t.equal(all[0] && formatRange(all[0]), '0.0.0.0/0', 'all of IPv6 holds all of IPv4');
  t.ok(contains(all, set('2001:db8::/32')), 'beside its own');
  t.same(
    spellings(4, 0x0a000001n).map(formatRange),
    ['10.0.0.1/32', '::ffff:a00:1/128', '64:ff9b::a00:1/128'],
    'an IPv4 address has three spellings',
  );
  t.same(spellings(6, 1n).map(formatRange), ['::1/128'], 'an IPv6 address has one');
  t.end();
});

t.test('what overlaps a set is what shares an address with it', async (t) => {
  const property = fc.property(ranges, ranges, (these, others) => {
    const [list, of] = [normalise(these), normalise(others)];
    const found = overlapping(list, of);
    return JSON.stringify(bits(found)) === JSON.stringify(bits(list.filter((one) => intersect([one], of).length > 0)));
  });
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1000 }));
});

t.test('finding what overlaps one range costs the logarithm of the list', async (t) => {
  const looks = (length: number): number => {
    let count = 0;
    const list = Array.from({ length }, (_, index) => set(`10.0.${index >> 3}.${(index & 7) * 32}/28`)).flat();
    const counted = new Proxy(list, {
      get(target, key) {
        if (typeof key === 'string' && /^\d+$/.test(key)) count++;
        return Reflect.get(target, key);
      },
    });
    t.equal(overlapping(counted, set('10.0.0.224/28')).length, 1);
    return count;
  };
  const [few, many] = [looks(8), looks(2048)];
  t.ok(few > 0 && many < few + 24, `${many} looks in a list of 2048, ${few} in one of 8`);
});

t.test('blocks have the addresses of their range, and each has a prefix length', async (t) => {
  const property = fc.property(range, range, (one, other) => {
    const [first, last] = one.first < other.last ? [one.first, other.last] : [other.last, one.first];
    const whole: IpRange = { family: one.family, first, last };
    const blocks = blocksOf(whole);
    return (
      blocks.every((block) => parseCidr(formatRange(block)).ok) &&
      JSON.stringify(normalise(blocks), number) === JSON.stringify([whole], number)
    );
  });
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1000 }));
  t.same(blocksOf(everyIpv4).map(formatRange), ['0.0.0.0/0']);
});

const everyIpv4: IpRange = { family: 4, first: 0n, last: 0xffffffffn };

function number(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}
