/** Gates that are open by halves: who must still agree, port by port, and what one tenant learns of the other. */
import t from 'tap';
import type { PortRange } from '../../src/kubernetes/port-range.ts';
import type { PeerVerdict } from '../../src/reach/border.ts';
import type { GateRequest } from '../../src/tenancy/gate-request.ts';
import { createTenancy } from '../../src/tenancy/tenancy.ts';
import type { Gate } from '../../src/tenancy/tenant.ts';
import { asking } from './requests.ts';
import { border, gate, judge, label, now, settings, tcp, tenant, udp } from './world.ts';

interface Halves {
  readonly own: readonly Gate[];
  readonly theirs?: readonly Gate[];
}

/** What is said of egress to beta on these ports. */
function judged({ own, theirs }: Halves, ...ports: readonly object[]): readonly PeerVerdict[] {
  const acme = tenant('acme', { gates: own });
  const others = theirs === undefined ? [] : [tenant('beta', { gates: theirs })];
  const to = [{ namespaceSelector: { matchLabels: { [label]: 'beta' } } }];
  const where = { ...border, tenant: acme, tenancy: createTenancy(settings, [acme, ...others]) };
  return judge({ egress: [{ to, ports }] }, where);
}

const out = (ports: readonly PortRange[], expires?: number) => gate('beta', 'egress', ports, expires);
const back = (ports: readonly PortRange[], expires?: number) => gate('acme', 'ingress', ports, expires);
const postgres = { port: 5432 };
const web = { port: 80, endPort: 90 };
const dns = { port: 53, protocol: 'UDP' };

t.test('it is said who must still agree, and to which ports', (t) => {
  const theirs = (ports: string): [reason: string, fix: string] => [
    `matches namespaces of tenant "beta", and the other half of the gate is missing: that tenant has still to agree to ${ports}`,
    `have tenant "beta" declare the mirror image: a gate for ingress with acme on ${ports}`,
  ];
  const table: readonly [sentence: string, halves: Halves, ports: object[], reason: string, fix: string | RegExp][] = [
    [
      'neither has declared anything',
      { own: [], theirs: [] },
      [postgres],
      'matches namespaces of tenant "beta", and acme declares no gate for egress with it',
      /./,
    ],
    [
      'the own half opens some',
      { own: [out([tcp(80, 85)]), out([tcp(86, 90)])], theirs: [back([])] },
      [web, postgres, dns],
      'matches namespaces of tenant "beta", and the gate of acme does not open 5432/TCP and 53/UDP',
      /./,
    ],
    [
      'it does not open a name',
      { own: [out([tcp(5432)])], theirs: [back([])] },
      [{ port: 'postgres' }],
      'matches namespaces of tenant "beta", and the gate of acme does not open postgres/TCP, and a name may stand for any port',
      /./,
    ],
    ['the other has declared nothing', { own: [out([])], theirs: [] }, [postgres], ...theirs('5432/TCP')],
    [
      'the other has declared some ports',
      { own: [out([])], theirs: [back([tcp(80, 89)]), back([udp(53)])] },
      [web, postgres, dns],
      ...theirs('80-90/TCP and 5432/TCP'),
    ],
    [
      'a rule for all ports',
      { own: [out([])], theirs: [back([tcp(1, 65535)])] },
      [],
      ...theirs('all/UDP and all/SCTP'),
    ],
    [
      'many ports',
      { own: [out([])], theirs: [] },
      [1, 2, 3, 4, 5].map((port) => ({ port })),
      ...theirs('1/TCP, 2/TCP, 3/TCP and 2 more'),
    ],
    [
      'the same direction is no mirror image',
      { own: [out([])], theirs: [gate('acme', 'egress', [])] },
      [postgres],
      ...theirs('5432/TCP'),
    ],
  ];
  for (const [sentence, halves, ports, reason, fix] of table) {
    t.match(judged(halves, ...ports), [{ verdict: 'escapes', reason, fix }], sentence);
  }
  const both = {
    own: [out([tcp(80, 85)]), out([tcp(86, 90), udp(53)])],
    theirs: [back([tcp(80, 90)]), back([udp(53)])],
  };
  t.same(judged(both, web, dns), [], 'what both open, by however many gates, is open');
  t.end();
});

t.test('the own half that has expired is said so, for the ports that it opened', (t) => {
  const renew = 'renew the gate with tenant "beta", or remove the peer';
  const expired = (what: string) => ({
    verdict: 'escapes',
    reason: `matches namespaces of tenant "beta", and the gate of acme for ${what} has expired`,
    fix: renew,
  });
  const theirs = [back([])];
  t.match(judged({ own: [out([], now)], theirs }, postgres), [expired('egress')], 'all of it');
  t.match(
    judged({ own: [out([tcp(80, 90)]), out([tcp(5432)], now)], theirs }, web, postgres),
    [expired('5432/TCP')],
    'one of two gates',
  );
  t.match(
    judged({ own: [out([tcp(80, 90)]), out([tcp(5432)], now)], theirs }, dns),
    [{ reason: /and the gate of acme does not open 53\/UDP$/ }],
    'what it never opened is not said to have expired',
  );
  t.same(judged({ own: [out([tcp(5432)], now + 1)], theirs }, postgres), [], 'until then it is open');
  t.end();
});

t.test('of the other half nothing is told but what is asked of it', (t) => {
  const own = [out([])];
  const [nobody] = judged({ own }, postgres);
  const rows: readonly [sentence: string, theirs: readonly Gate[]][] = [
    ['a tenant without a half', []],
    ['one whose half has expired', [back([], now)]],
    ['one whose half opens other ports', [back([tcp(80)], now + 1)]],
    ['one that has agreed with others', [gate('gamma', 'ingress', [])]],
  ];
  for (const [sentence, theirs] of rows) t.strictSame(judged({ own, theirs }, postgres), [nobody], sentence);
  const half = { own: [], theirs: [back([])] };
  t.strictSame(
    judged(half, postgres),
    judged({ own: [], theirs: [] }, postgres),
    'nor that only the own half is missing',
  );
  t.end();
});

t.test('a tenant that has asked learns which ports no GateRequest mirrors', async (t) => {
  const reasonOf = (more: Partial<GateRequest>, own: readonly Gate[], ...ports: readonly object[]) => {
    const acme = tenant('acme', { gates: own });
    const to = [{ namespaceSelector: { matchLabels: { [label]: 'beta' } } }];
    const tenancy = { ...createTenancy(settings, [acme]), requests: asking(more) };
    const [verdict] = judge({ egress: [{ to, ports }] }, { ...border, tenant: acme, tenancy });
    return verdict?.reason.replace('matches namespaces of tenant "beta", and ', '');
  };
  const web = { port: 443 };
  const unmirrored = 'no GateRequest of that tenant mirrors the one of acme for egress on 443/TCP';
  t.equal(reasonOf({}, [], web), unmirrored);
  t.equal(reasonOf({}, [out([tcp(80)], now + 1)], { port: 80 }, web), unmirrored, 'although other ports are open');
  t.equal(reasonOf({}, [], { port: 80 }), 'acme declares no gate for egress with it', 'not for what it has not asked');
  t.equal(reasonOf({ expires: now }, [], web), 'acme declares no gate for egress with it', 'nor after its end');
  t.equal(reasonOf({ tenant: 'gamma' }, [], web), 'acme declares no gate for egress with it', 'nor of another tenant');
});
