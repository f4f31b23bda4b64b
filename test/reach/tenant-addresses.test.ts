/** What the platform grants to one tenant: ranges with exceptions and ports, the internet, and single addresses inside the cluster. */
import fc from 'fast-check';
import t from 'tap';
import { metadataRanges } from '../../src/tenancy/metadata-ranges.ts';
import type { Settings } from '../../src/tenancy/settings.ts';
import { createTenancy } from '../../src/tenancy/tenancy.ts';
import type { Tenant } from '../../src/tenancy/tenant.ts';
import { border, judge, now, protect, range, settings, tcp, tenant, udp } from './world.ts';

type Network = Partial<Tenant['network']>;
const granted = (network: Network, changed: Partial<Settings> = {}) => {
  const north = tenant('north', network);
  return {
    ...border,
    tenant: north,
    namespace: 'north-web',
    tenancy: createTenancy({ ...settings, ...changed }, [north]),
  };
};
const egress = (cidr: string, ports: Tenant['network']['egress'][number]['ports'] = [], ...except: string[]) => ({
  cidr: cidr === 'internet' ? ('internet' as const) : range(cidr),
  except: except.map(range),
  ports,
});
const vouched = (address: string, change: Partial<Tenant['network']['vouched'][number]> = {}) => ({
  ...{
    address: range(`${address}/${address.includes(':') ? 128 : 32}`),
    ports: [tcp(5432)],
    direction: 'egress' as const,
  },
  ...{ expires: undefined, notAssignedToPods: true, ...change },
});
const to = (cidr: string, ports?: readonly unknown[], ...except: string[]) => ({
  policyTypes: ['Egress'],
  egress: [{ to: [{ ipBlock: { cidr, except } }], ...(ports && { ports }) }],
});
const from = (cidr: string, ports: readonly unknown[]) => ({ ingress: [{ from: [{ ipBlock: { cidr } }], ports }] });
const https = [{ port: 443 }];
const privateIpv4 = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16'];

t.test('a grant counts on its ports, without its exceptions', (t) => {
  const where = granted({ egress: [egress('198.51.100.0/24', [tcp(443)], '198.51.100.128/25')] });
  t.same(judge(to('198.51.100.0/25', https), where), [], 'what is granted');
  t.same(judge(to('198.51.100.0/24', https, '198.51.100.128/25'), where), [], 'the same with except');
  t.match(
    judge(to('198.51.100.0/25', [{ port: 22 }]), where),
    [
      {
        verdict: 'escapes',
        reason: 'covers ports that network.egress of north does not grant',
        witness: 'the address 198.51.100.0',
        fix: 'list only the ports that are granted, by number: 443/TCP; or ask the platform to grant more on 22/TCP (network.egress of tenant north)',
      },
    ],
    'another port',
  );
  t.match(judge(to('198.51.100.0/25'), where), [{ verdict: 'escapes', reason: /^covers ports/ }], 'every port');
  const named = judge(to('198.51.100.0/25', [{ port: 'https' }]), where);
  t.match(named, [{ verdict: 'escapes', reason: /^covers ports/ }], 'a name stands for any port');
  const excepted = judge(to('198.51.100.0/24', https), where);
  t.match(excepted, [{ verdict: 'escapes', reason: /^covers addresses/, witness: 'the address 198.51.100.128' }]);
  t.end();
});

t.test('a fix lists what was granted, and its ports', (t) => {
  const where = granted({ egress: [egress('internet', [tcp(443)])], vouched: [vouched('10.244.255.7')] });
  const only =
    'list only the ports that are granted, by number: 5432/TCP; or ask the platform to grant more (network.vouched of tenant north)';
  t.match(judge(to('10.244.255.7/32'), where), [{ fix: only }], 'every port');
  t.match(judge(to('10.244.255.7/32', [{ port: 'postgres' }]), where), [{ fix: only }], 'a name');
  const beside = judge(to('10.244.255.0/24', [{ port: 5432 }]), where);
  t.match(beside, [{ fix: /^write a cidr within what was granted: the internet and 10\.244\.255\.7\/32; or/ }]);
  const noPeers = judge({ egress: [{ ports: [{ port: 5432 }] }] }, where);
  t.match(noPeers, [
    { fix: /of addresses list what was granted: ipBlock 10\.244\.255\.7\/32 on 5432\/TCP and the internet/ },
  ]);
  t.end();
});

t.test('grants add up: two of one address, and two ranges beside each other', (t) => {
  const where = granted({
    egress: [
      egress('198.51.100.0/25', [tcp(443)]),
      egress('198.51.100.0/24', [tcp(80)]),
      egress('198.51.100.128/25', [tcp(443)]),
    ],
  });
  t.same(judge(to('198.51.100.0/24', [{ port: 80 }, { port: 443 }]), where), []);
  t.match(judge(to('198.51.100.0/24', [{ port: 80 }, { port: 81 }]), where), [{ verdict: 'escapes' }]);
  t.end();
});

t.test('what the settings protect is in no grant, whatever its range', (t) => {
  const where = granted({ egress: [egress('0.0.0.0/0')] });
  t.match(judge(to('0.0.0.0/0'), where), [
    {
      reason: 'covers addresses of the pod network, service network, node network and metadata service',
      witness: 'the address 10.244.0.0',
      fix: 'leave out 10.96.0.0/12, 10.244.0.0/16, 169.254.0.0/16 and 192.168.0.0/20 with except, or select pods with podSelector and namespaceSelector instead',
    },
  ]);
  t.same(
    judge(to('0.0.0.0/0', undefined, '10.96.0.0/12', '10.244.0.0/16', '169.254.0.0/16', '192.168.0.0/20'), where),
    [],
  );
  t.end();
});

t.test('the fix lists at most six ranges, and counts the others', (t) => {
  const sites = Array.from({ length: 8 }, (_, index) => `198.51.${100 + index * 2}.0/24`);
  const where = granted(
    { egress: [egress('198.51.0.0/16')] },
    { protectedRanges: sites.map((site) => protect('site', site)) },
  );
  const six = sites.slice(0, 6).join(', ');
  t.match(judge(to('198.51.0.0/16'), where), [
    { verdict: 'escapes', fix: new RegExp(`^leave out ${six.replaceAll('.', '\\.')} and 2 more with except`) },
  ]);
  t.match(judge(to('198.51.0.0/16', undefined, ...sites.slice(2)), where), [
    { fix: /^leave out 198\.51\.100\.0\/24 and 198\.51\.102\.0\/24 with except/ },
  ]);
  t.same(judge(to('198.51.0.0/16', undefined, ...sites), where), []);
  t.end();
});

t.test('internet is everything but private networks and what the settings protect', (t) => {
  const onPremises = { protectedRanges: [...settings.protectedRanges.slice(0, 4), ...metadataRanges('none')] };
  const where = granted({ egress: [egress('internet', [tcp(443)])] }, onPremises);
  t.same(judge(to('0.0.0.0/0', https, ...privateIpv4), where), [], 'private and link-local left out');
  t.match(
    judge(to('0.0.0.0/0', https, ...privateIpv4.slice(0, 3)), where),
    [{ fix: 'leave out 169.254.0.0/16 with except, or select pods with podSelector and namespaceSelector instead' }],
    'the fix names what to leave out',
  );
  t.match(
    judge(to('0.0.0.0/0', https, ...privateIpv4.slice(0, 3), '169.254.169.254/32'), where),
    [{ reason: 'covers addresses of the metadata service', fix: /^leave out 169\.254\.0\.0\/16 with except, or/ }],
    'one metadata address is not enough',
  );
  t.match(
    judge(to('0.0.0.0/0', https), where),
    [{ fix: /^leave out 10\.0\.0\.0\/8, 169\.254\.0\.0\/16, 172\.16\.0\.0\/12 and 192\.168\.0\.0\/16 with except/ }],
    'four ranges',
  );
  t.match(judge(to('172.20.0.0/16', https), where), [{ reason: /^covers addresses that network.egress/ }], 'RFC 1918');
  t.same(judge(to('64:ff9b::808:808/128', https), where), [], 'NAT64 of the internet');
  t.match(judge(to('64:ff9b::ac14:1/128', https), where), [{ verdict: 'escapes' }], 'NAT64 of a private address');
  t.same(judge(to('2a00::/16', https), where), [], 'IPv6');
  t.match(judge(to('2002:ac14::/32', https), where), [{ verdict: 'escapes' }], '6to4 of a private address');
  t.match(judge(to('fd12:3456::/32', https), where), [{ verdict: 'escapes' }], 'unique local addresses');
  t.match(judge(to('64:ff9b:1::/48', https), where), [{ verdict: 'escapes' }], 'the translation of a site');
  t.match(
    judge(to('2000::/3', https), where),
    [{ fix: /^leave out 2001:db8:42::\/56 and 2002::\/16 with except/ }],
    'the fix for the IPv6 internet',
  );
  t.same(judge(to('2000::/3', https, '2001:db8:42::/56', '2002::/16'), where), []);
  t.match(
    judge(to('::/0', https), where),
    [{ fix: /^leave out .*2002::\/16.* and ::\/8 \(IPv6 forms of IPv4 addresses\) with except/ }],
    'everything of IPv6',
  );
  t.match(judge(to('0.0.0.0/0', [{ port: 25 }], ...privateIpv4), where), [{ reason: /^covers ports/ }], 'other ports');
  t.end();
});

t.test('shared address space is the internet only where nothing of the cluster or the cloud lies in it', (t) => {
  const policy = to('100.64.0.0/10', https);
  const of = (protectedRanges: Settings['protectedRanges']) =>
    judge(policy, granted({ egress: [egress('internet')] }, { protectedRanges }));
  t.same(of(metadataRanges('none')), []);
  t.match(of(metadataRanges('all')), [{ reason: 'covers addresses of the metadata service' }], 'Alibaba Cloud');
  const nodes = [...metadataRanges('none'), protect('node network', '100.65.0.0/16')];
  t.match(of(nodes), [{ reason: 'covers addresses of the node network' }]);
  const beside = judge(
    to('100.100.0.0/16', https),
    granted({ egress: [egress('internet')] }, { protectedRanges: nodes }),
  );
  t.match(beside, [{ reason: /^covers addresses that network.egress/ }], 'and what is beside them');
  t.end();
});

t.test('a family whose ranges are not listed stays unproven', (t) => {
  const where = granted({ egress: [egress('internet')] }, { unlistedFamilies: [6] });
  t.match(judge(to('2a00::/16', https), where), [{ verdict: 'unproven' }]);
  t.end();
});

t.test('a vouched address is open on its ports, in its direction, until its end', (t) => {
  const where = granted({
    vouched: [vouched('10.244.3.7', { expires: now + 1 }), vouched('10.96.0.1', { ports: [tcp(443)] })],
  });
  t.same(judge(to('10.244.3.7/32', [{ port: 5432 }]), where), []);
  t.same(judge(to('10.96.0.1/32', https), where), []);
  t.same(judge(to('64:ff9b::a60:1/128', https), where), [], 'by NAT64');
  t.match(judge(to('10.244.3.7/32', [{ port: 5433 }]), where), [{ verdict: 'escapes' }], 'another port');
  t.match(judge(to('10.244.3.6/31', [{ port: 5432 }]), where), [{ witness: 'the address 10.244.3.6' }], 'more');
  t.match(judge(from('10.244.3.7/32', [{ port: 5432 }]), where), [{ verdict: 'escapes' }], 'the other direction');
  const later = { ...where, now: now + 1 };
  t.match(judge(to('10.244.3.7/32', [{ port: 5432 }]), later), [{ verdict: 'escapes' }], 'after its end');
  const inwards = granted({ vouched: [vouched('192.168.0.9', { direction: 'ingress', ports: [tcp(8443)] })] });
  t.same(judge(from('192.168.0.9/32', [{ port: 8443 }]), inwards), []);
  t.match(judge(from('192.168.0.9/32', [{ port: 8444 }]), inwards), [{ verdict: 'escapes' }]);
  t.match(judge(to('192.168.0.9/32', [{ port: 8443 }]), inwards), [{ verdict: 'escapes' }]);
  t.end();
});

t.test('a range of nodes is vouched for as a source, on its ports alone', (t) => {
  const nodes = { address: range('192.168.0.0/22'), direction: 'ingress' as const, ports: [tcp(8443)] };
  const where = granted({ vouched: [vouched('192.168.0.0', nodes)] });
  const tls = [{ port: 8443 }];
  t.same(judge(from('192.168.0.0/22', tls), where), []);
  t.same(judge(from('192.168.1.0/24', tls), where), [], 'and parts of it');
  t.match(judge(from('192.168.0.0/21', tls), where), [{ verdict: 'escapes', witness: 'the address 192.168.4.0' }]);
  t.match(
    judge(from('192.168.0.0/22', [{ port: 5432 }]), where),
    [{ verdict: 'escapes', fix: /^list only the ports that are granted, by number: 8443\/TCP/ }],
    'another port',
  );
  t.match(judge(to('192.168.0.0/22', tls), where), [{ verdict: 'escapes' }], 'never the other way');
  const [refused] = judge(from('192.168.0.0/22', tls), granted({}));
  t.match(
    refused?.fix,
    /ask the platform to grant 192\.168\.0\.0\/22 on 8443\/TCP \(network\.vouched of tenant north\), direction ingress: with them comes what they forward, from the internet and from pods of others$/,
    'the text says what the platform takes upon itself',
  );
  t.notMatch(
    judge(from('192.168.0.0/16', tls), granted({}))[0]?.fix,
    /vouched/,
    'not where more than nodes is covered',
  );
  t.notMatch(judge(from('10.244.1.0/24', tls), granted({}))[0]?.fix, /vouched/, 'nor for pods');
  t.end();
});

t.test('the fix names the narrowest grant that the platform can give', (t) => {
  const fixOf = (spec: unknown, network: Network = {}) => judge(spec, granted(network))[0]?.fix;
  t.match(
    fixOf(to('198.51.100.0/24', https)),
    /^ask the platform to grant 198\.51\.100\.0\/24 on 443\/TCP \(network\.egress of tenant north\), or remove the peer/,
  );
  t.match(
    fixOf(to('10.96.0.1/32', https)),
    /^ask the platform to grant 10\.96\.0\.1\/32 on 443\/TCP \(network\.vouched of tenant north\), or remove/,
  );
  t.notMatch(fixOf(to('fd00:ec2::254/128', https)), /network\.vouched/, 'metadata is never granted');
  t.notMatch(fixOf(to('10.96.0.0/31', https)), /network\.vouched/, 'nor is more than one address');
  t.match(
    fixOf(to('10.96.0.0/31', https)),
    /^ask the platform to grant IPv4 addresses outside the cluster on 443\/TCP \(network\.egress of tenant north\), or/,
  );
  t.match(
    fixOf(to('192.168.200.0/24', [{ port: 53, protocol: 'UDP' }]), {
      egress: [egress('8.8.8.0/24'), egress('internet', [udp(53)])],
    }),
    'write a cidr within what was granted: the internet and 8.8.8.0/24; or ask the platform to grant 192.168.200.0/24 on 53/UDP (network.egress of tenant north)',
  );
  t.end();
});

t.test('many grants and a few say the same as one look at each address', (t) => {
  const byte = fc.nat(15);
  const grant = fc
    .record({ at: byte, bits: fc.nat(4), ports: fc.subarray([tcp(1), tcp(2), udp(1)]) })
    .map(({ at, bits, ports }) => egress(`198.51.100.${(at >> bits) << bits}/${32 - bits}`, ports));
  const property = fc.property(
    fc.array(grant, { maxLength: 6 }),
    byte,
    fc.subarray([1, 2], { minLength: 1 }),
    (grants, at, ports) => {
      const address = 0xc6336400n + BigInt(at);
      const covering = grants.filter(
        ({ cidr }) => cidr !== 'internet' && cidr.first <= address && address <= cidr.last,
      );
      const open = (port: number) =>
        covering.some(
          (one) =>
            one.ports.length === 0 || one.ports.some(({ protocol, first }) => protocol === 'TCP' && first === port),
        );
      const said = judge(
        to(
          `198.51.100.${at}/32`,
          ports.map((port) => ({ port })),
        ),
        granted({ egress: grants }),
      );
      return (said.length === 0) === ports.every(open);
    },
  );
  t.doesNotThrow(() => fc.assert(property, { numRuns: 500 }));
  t.end();
});
