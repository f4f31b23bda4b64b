import { BlockList, isIPv6 } from 'node:net';
import fc from 'fast-check';
import t from 'tap';
import { formatAddress } from '../../src/kubernetes/ip-address.ts';
import { formatRange, type IpRange, parseCidr } from '../../src/kubernetes/ip-range.ts';

t.test('the canonical spelling is read', (t) => {
  const table: readonly [string, bigint, bigint][] = [
    ['0.0.0.0/0', 0n, 0xffffffffn],
    ['10.0.0.0/8', 0x0a000000n, 0x0affffffn],
    ['203.0.113.7/32', 0xcb007107n, 0xcb007107n],
    ['::/0', 0n, (1n << 128n) - 1n],
    ['::1/128', 1n, 1n],
    ['2001:db8:42::/56', 0x20010db8004200000000000000000000n, 0x20010db8004200ffffffffffffffffffn],
    ['fd00:ec2::254/128', 0xfd000ec2000000000000000000000254n, 0xfd000ec2000000000000000000000254n],
    ['1:0:0:2::/64', 0x00010000000000020000000000000000n, 0x0001000000000002ffffffffffffffffn],
  ];
  for (const [text, first, last] of table) {
    t.same(parseCidr(text), { ok: true, value: { family: text.includes(':') ? 6 : 4, first, last } }, text);
  }
  t.end();
});

t.test('every other spelling is refused, with the reason and, where there is one, the canonical spelling', (t) => {
  const table: readonly [string, RegExp, string | undefined][] = [
    ['010.0.0.0/8', /has leading zeros, which some programs read as octal/, '10.0.0.0/8'],
    ['10.0.0.00/8', /has leading zeros/, '10.0.0.0/8'],
    ['10.0.0.0/08', /has leading zeros/, '10.0.0.0/8'],
    ['0.0.0.0/00', /has leading zeros/, '0.0.0.0/0'],
    ['10.0.0.5/8', /has bits set after its prefix/, '10.0.0.0/8'],
    ['2001:db8::1/32', /has bits set after its prefix/, '2001:db8::/32'],
    ['::ffff:10.0.0.0/104', /is an IPv4-mapped IPv6 range/, '10.0.0.0/8'],
    ['::ffff:a00:0/104', /is an IPv4-mapped IPv6 range/, '10.0.0.0/8'],
    ['::FFFF:10.0.0.0/104', /is an IPv4-mapped IPv6 range/, '10.0.0.0/8'],
    ['2001:DB8::/32', /is not in the canonical form of RFC 5952/, '2001:db8::/32'],
    ['2001:0db8::/32', /is not in the canonical form of RFC 5952/, '2001:db8::/32'],
    ['2001:db8:0:0::/32', /is not in the canonical form of RFC 5952/, '2001:db8::/32'],
    ['0:0:0:0:0:0:0:0/0', /is not in the canonical form of RFC 5952/, '::/0'],
    ['64:ff9b::10.0.0.0/104', /is not in the canonical form of RFC 5952/, '64:ff9b::a00:0/104'],
    ['2001:db8::/032', /has leading zeros/, '2001:db8::/32'],
    ['10.0.0.0', /has no prefix length/, '10.0.0.0/32'],
    ['::1', /has no prefix length/, '::1/128'],
    [' 10.0.0.0/8', /contains white space/, '10.0.0.0/8'],
    ['10.0.0.0/8\n', /contains white space/, '10.0.0.0/8'],
    ['fe80::%eth0/64', /names a zone/, 'fe80::/64'],
    ['10.0.0.0/33', /has no prefix length from 0 to 32/, undefined],
    ['::/129', /has no prefix length from 0 to 128/, undefined],
    ['10.0.0.0/-1', /has no prefix length from 0 to 32/, undefined],
    ['10.0.0.0/+8', /has no prefix length from 0 to 32/, undefined],
    ['10.0.0.0/8.0', /has no prefix length/, undefined],
    ['10.0.0.0/', /has no prefix length/, undefined],
    ['10.0.0.0/255.0.0.0', /has no prefix length/, undefined],
    ['10.0.0/24', /is not an IP range/, undefined],
    ['10/8', /is not an IP range/, undefined],
    ['167772160/8', /is not an IP range/, undefined],
    ['0x0a.0.0.0/8', /is not an IP range/, undefined],
    ['10.0.0.256/32', /is not an IP range/, undefined],
    ['10.0.0.0.0/8', /is not an IP range/, undefined],
    ['1::2::3/64', /is not an IP range/, undefined],
    [':::/64', /is not an IP range/, undefined],
    ['1:2:3:4:5:6:7::8/128', /is not an IP range/, undefined],
    ['1:2:3:4:5:6:7/128', /is not an IP range/, undefined],
    ['::10.0.0.0:1/128', /is not an IP range/, undefined],
    ['12345::/16', /is not an IP range/, undefined],
    ['١٠.0.0.0/8', /is not an IP range/, undefined],
    ['', /is not an IP range/, undefined],
    ['/', /is not an IP range/, undefined],
    ['any', /is not an IP range/, undefined],
    ['%/'.repeat(500_000), /is not an IP range/, undefined],
    [' '.repeat(1_000_000), /is not an IP range/, undefined],
  ];
  for (const [text, reason, fix] of table) {
    const parsed = parseCidr(text);
    if (parsed.ok) t.fail(`accepted ${text}`);
    else {
      t.match(parsed.reason, reason, `${text.slice(0, 40)}: ${parsed.reason.slice(0, 120)}`);
      t.equal(parsed.fix, fix);
      t.ok(parsed.reason.length < 250, 'the reason stays short');
    }
  }
  t.end();
});

t.test('whatever is accepted is its own canonical spelling, and a fix is always accepted', (t) => {
  const piece = fc.constantFrom(...'0123456789afAF:./% x-', '::', '10.', '255', '::ffff:', '/8', '/128', '00');
  const hostile = fc.oneof(
    fc.string(),
    fc.array(piece, { maxLength: 14 }).map((pieces) => pieces.join('')),
    fc.ipV4().map((address) => `${address}/24`),
    fc.tuple(fc.ipV6(), fc.nat(130)).map(([address, prefix]) => `${address}/${prefix}`),
  );
  let [accepted, fixed] = [0, 0];
  fc.assert(
    fc.property(hostile, (text) => {
      const parsed = parseCidr(text);
      if (parsed.ok) {
        accepted++;
        return formatRange(parsed.value) === text && parsed.value.first <= parsed.value.last;
      }
      if (parsed.fix === undefined) return true;
      fixed++;
      return parseCidr(parsed.fix).ok;
    }),
    { numRuns: 20_000, seed: 1 },
  );
  t.ok(accepted > 50 && fixed > 1000, `${accepted} accepted, ${fixed} corrected`);
  t.end();
});

const block = fc.oneof(
  fc.tuple(fc.constant<4>(4), fc.bigInt({ min: 0n, max: (1n << 32n) - 1n }), fc.nat(32)),
  fc.tuple(fc.constant<6>(6), fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }), fc.nat(128)),
);

t.test('formatting and parsing are inverse, and Node agrees on what is inside', (t) => {
  fc.assert(
    fc.property(block, fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }), ([family, address, prefix], probe) => {
      const width = family === 4 ? 32 : 128;
      const mask = (1n << BigInt(width - prefix)) - 1n;
      const range: IpRange = { family, first: address & ~mask, last: address | mask };
      if (family === 6 && range.first >> 32n === 0xffffn) return true;
      const text = formatRange(range);
      const parsed = parseCidr(text);
      if (!parsed.ok || parsed.value.first !== range.first || parsed.value.last !== range.last) return false;
      // BlockList reads IPv4-mapped addresses as IPv4, so those are left out.
      const list = new BlockList();
      const name = family === 4 ? 'ipv4' : 'ipv6';
      list.addSubnet(formatAddress(family, range.first), prefix, name);
      const near = (probe & mask) | range.first;
      const far = BigInt.asUintN(width, probe);
      return [near, far].every((at) => {
        const written = formatAddress(family, at);
        return (
          (family === 6 && !isIPv6(written)) || list.check(written, name) === (range.first <= at && at <= range.last)
        );
      });
    }),
    { numRuns: 3000, seed: 1 },
  );
  t.equal(
    formatRange({ family: 4, first: 1n, last: 4n }),
    '0.0.0.1-0.0.0.4',
    'what is no block is written as two ends',
  );
  t.end();
});
