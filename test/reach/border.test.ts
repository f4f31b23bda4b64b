import t from 'tap';
import { baselineOf } from '../../src/baseline/baseline.ts';
import { networkPolicyWords } from '../../src/kinds/network-policy/words.ts';
import type { Border } from '../../src/reach/violation.ts';
import type { SharedService } from '../../src/tenancy/settings.ts';
import { createTenancy } from '../../src/tenancy/tenancy.ts';
import {
  acme,
  beta,
  border,
  dns,
  judge,
  label,
  nameLabel,
  outline,
  range,
  settings,
  tcp,
  tenant,
  udp,
} from './world.ts';

const { removePeer } = networkPolicyWords;

const from = (peer: unknown, ports?: unknown) => ({ ingress: [{ from: [peer], ports }] });
const to = (peer: unknown, ports?: unknown) => ({ egress: [{ to: [peer], ports }] });
const tenants = (...values: string[]) => ({
  namespaceSelector: { matchExpressions: [{ key: label, operator: 'In', values }] },
});
const named = (...values: string[]) => ({
  namespaceSelector: { matchExpressions: [{ key: nameLabel, operator: 'In', values }] },
});
const block = (cidr: string, ...except: string[]) => ({ ipBlock: { cidr, except } });
const inside = (names: string) => `covers addresses of the ${names}`;
const kubeDns = { ...named('kube-system'), podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } } };
const port = (number: number | string, protocol = 'TCP') => ({ port: number, protocol });
const serving = (...sharedServices: readonly SharedService[]): Border => ({
  ...border,
  tenancy: createTenancy({ ...settings, sharedServices }, [acme]),
});

t.test('peers that are the tenant’s own, shared or agreed get no verdict', (t) => {
  const table: readonly [string, unknown][] = [
    ['pods of the own namespace', from({ podSelector: {} })],
    ['namespaces with the own tenant label', from(tenants('acme'))],
    ['and whatever else they must have', to({ namespaceSelector: { matchLabels: { [label]: 'acme', env: 'prod' } } })],
    ['the own namespace by name', from(named('acme-web'))],
    ['names reserved to the tenant', to(named('acme-db', 'acme-cache'))],
    ['names that no namespace can have beside them', to(named('acme-db', 'Other'))],
    ['dns on its ports', to(kubeDns, [port(53, 'UDP'), port(53)])],
    [
      'dns with more labels than the service asks for',
      to({ ...kubeDns, podSelector: { matchLabels: { 'k8s-app': 'kube-dns', zone: 'a' } } }, [port(53)]),
    ],
    ['dns beside an own namespace', to({ ...kubeDns, ...named('kube-system', 'acme-db') }, [port(53)])],
    ['the ingress controller on every port', from(named('ingress-nginx'))],
    ['the address of dns', to(block('169.254.20.10/32'), [port(53, 'UDP')])],
    ['beta by both halves of the gate', to(tenants('beta'), [port(5432)])],
    ['beta and the tenant itself', to(tenants('beta', 'acme'), [port(5432)])],
    ['beta on a range of what its half opens', from(tenants('beta'), [port(80), port(443)])],
    ['granted addresses', to(block('203.0.113.0/25'))],
    ['granted IPv6 addresses', to(block('2001:db8:ffff:1::/64'))],
    ['granted addresses by NAT64', to(block('64:ff9b::cb00:7100/120'))],
    ['addresses outside the cluster may come in', from(block('198.51.100.0/24'))],
    ['also all of them', from(block('0.0.0.0/0', '10.0.0.0/8', '192.168.0.0/16', '169.254.0.0/16'))],
    ['rules that close everything', { podSelector: {}, policyTypes: ['Ingress', 'Egress'] }],
  ];
  for (const [sentence, spec] of table) t.same(judge(spec), [], sentence);
  t.end();
});

t.test('the baseline of a tenant is contained in it', (t) => {
  for (const within of ['none', 'namespace', 'tenant'] as const) {
    const owner = { ...acme, network: { ...acme.network, within } };
    for (const object of baselineOf('acme-web', owner, settings)) {
      if (object.kind !== 'NetworkPolicy') continue;
      t.same(judge(object.spec, { ...border, tenant: owner }), [], `${within}: ${object.metadata.name}`);
    }
  }
  t.end();
});

t.test('peers that reach others are refused, with the reason, a witness and a way out', (t) => {
  const other = `a namespace with the label ${label}=not-acme-2`;
  const add = `add ${label}: acme to its matchLabels, or agree on a gate with the other tenant`;
  const write = `write ${label}: acme in matchLabels instead, or agree on a gate with the other tenant`;
  const every = 'matches namespaces of every tenant, including ones created later';
  const some = 'matches namespaces of other tenants, including ones created later';
  const expression = (key: string, operator: string, ...values: string[]) => ({
    namespaceSelector: { matchExpressions: [{ key, operator, values }] },
  });
  const platforms = (name: string) => `matches the namespace ${name}, which is the platform's`;
  const leave = `remove the name, as only shared services are open, or ${removePeer}`;
  const at = 'spec.ingress[0].from[0].namespaceSelector';
  const out = 'spec.egress[0].to[0].namespaceSelector';
  const table: readonly [string, unknown, string, string, string, string][] = [
    [
      'everybody',
      { ingress: [{}] },
      'any spec.ingress[0]',
      'lists no peers, so it allows every pod and every external address',
      `a pod in ${other}`,
      `remove the rule if it is for pods of the tenant, which bulkhead-allow-within lets in already; else list peers under from: podSelector: {} for this namespace, or a namespaceSelector with ${label}: acme in its matchLabels`,
    ],
    [
      'everybody outwards',
      { egress: [{ to: [] }] },
      'any spec.egress[0]',
      'lists no peers, so it allows every pod and every external address',
      `a pod in ${other}`,
      `list peers under to: podSelector: {} for this namespace, or a namespaceSelector with ${label}: acme in its matchLabels; of addresses list what was granted: ipBlock 203.0.113.0/24 and ipBlock 2001:db8:ffff::/48`,
    ],
    ['every namespace', from({ namespaceSelector: {} }), `selector ${at}`, every, other, add],
    [
      'pods with a label of every namespace',
      from({ namespaceSelector: {}, podSelector: { matchLabels: { app: 'web', [label]: 'acme' } } }),
      `selector ${at}`,
      every,
      `a pod with the labels app=web, ${label}=acme in ${other}`,
      add,
    ],
    [
      'a label that everybody may set',
      from(expression('env', 'In', 'prod')),
      `selector ${at}`,
      every,
      `a namespace with the labels ${label}=not-acme-2, env=prod`,
      add,
    ],
    ['a label that must not be there', from(expression('env', 'DoesNotExist')), `selector ${at}`, every, other, add],
    ['any tenant', to(expression(label, 'Exists')), `selector ${out}`, every, other, add],
    ['all tenants but one', to(expression(label, 'NotIn', 'beta')), `selector ${out}`, some, other, add],
    [
      'a fresh tenant is not one that is left out',
      to(expression(label, 'NotIn', 'not-acme-2')),
      `selector ${out}`,
      some,
      `a namespace with the label ${label}=not-acme-3`,
      add,
    ],
    [
      'no tenant',
      to(expression(label, 'DoesNotExist')),
      `selector ${out}`,
      `matches namespaces without the label ${label}, which are the platform's`,
      `a namespace without the label ${label}`,
      `write ${label}: acme in matchLabels instead`,
    ],
    [
      'no tenant, and a label',
      to({
        namespaceSelector: {
          matchExpressions: [
            { key: label, operator: 'DoesNotExist' },
            { key: 'env', operator: 'Exists' },
          ],
        },
      }),
      `selector ${out}`,
      `matches namespaces without the label ${label}, which are the platform's`,
      `a namespace without the label ${label}, with the label env=any`,
      `write ${label}: acme in matchLabels instead`,
    ],
    [
      'and one of the platform',
      from(named('kube-public')),
      `selector ${at}`,
      platforms('kube-public'),
      `a namespace without the label ${label}, with the label ${nameLabel}=kube-public`,
      leave,
    ],
    ['all names but one', from(expression(nameLabel, 'NotIn', 'kube-system')), `selector ${at}`, every, other, add],
    [
      'a tenant without a gate',
      from(tenants('acme', 'stranger')),
      `selector ${at}`,
      'matches namespaces of tenant "stranger", and acme declares no gate for ingress with it',
      `a namespace with the label ${label}=stranger`,
      write,
    ],
    [
      'letters count',
      from(tenants('ACME')),
      `selector ${at}`,
      'matches namespaces of tenant "ACME", and acme declares no gate for ingress with it',
      `a namespace with the label ${label}=ACME`,
      write,
    ],
    [
      'a gate in the other direction',
      to(tenants('gamma')),
      `selector ${out}`,
      'matches namespaces of tenant "gamma", and acme declares no gate for egress with it',
      `a namespace with the label ${label}=gamma`,
      write,
    ],
    [
      'a port that the own half leaves shut',
      to(tenants('beta'), [port(5432), port(22)]),
      `selector ${out}`,
      'matches namespaces of tenant "beta", and the gate of acme does not open 22/TCP',
      `a namespace with the label ${label}=beta`,
      'list only ports that the gate opens, by number: 5432/TCP and 9000-9010/TCP; or agree on more ports with the other tenant',
    ],
    [
      'more ports than the shared service',
      to(kubeDns, [port(5353, 'UDP')]),
      `selector ${out}`,
      'opens 5353/UDP, and the shared service dns is open on its own ports alone',
      `a pod with the label k8s-app=kube-dns in a namespace without the label ${label}, with the label ${nameLabel}=kube-system`,
      'list only the ports of dns, by number: 53/UDP and 53/TCP',
    ],
    [
      'a port of dns by name',
      to(kubeDns, [port('dns', 'UDP')]),
      `selector ${out}`,
      'opens dns/UDP, and the shared service dns is open on its own ports alone, and a name may stand for any port',
      `a pod with the label k8s-app=kube-dns in a namespace without the label ${label}, with the label ${nameLabel}=kube-system`,
      'list only the ports of dns, by number: 53/UDP and 53/TCP',
    ],
    [
      'more pods than the shared service',
      to(named('kube-system'), [port(53)]),
      `selector ${out}`,
      'opens more of the namespace kube-system than its shared service dns',
      `a namespace without the label ${label}, with the label ${nameLabel}=kube-system`,
      'narrow it to dns: podSelector: {"matchLabels":{"k8s-app":"kube-dns"}}, and only the ports of dns: 53/UDP and 53/TCP',
    ],
    [
      'the ports of dns by a name that others have reserved',
      to(named('beta-dns'), [port(53, 'UDP'), port(53)]),
      `selector ${out}`,
      'matches the namespace beta-dns, but that name is not reserved for acme, so another tenant could create it',
      `a namespace with the labels ${label}=not-acme-2, ${nameLabel}=beta-dns`,
      `remove the rule, as bulkhead-allow-dns opens dns already; or write its peers: namespaceSelector ${nameLabel}: kube-system with podSelector {"matchLabels":{"k8s-app":"kube-dns"}}, or ipBlock 169.254.20.10/32`,
    ],
    [
      'the shared service in the other direction',
      from(kubeDns, [port(53)]),
      `selector ${at}`,
      platforms('kube-system'),
      `a pod with the label k8s-app=kube-dns in a namespace without the label ${label}, with the label ${nameLabel}=kube-system`,
      leave,
    ],
  ];
  for (const [sentence, spec, where, reason, witness, fix] of table) {
    const direction = where.includes('ingress') ? 'ingress' : 'egress';
    const [kind, path] = where.split(' ');
    t.same(judge(spec), [{ direction, kind, path, verdict: 'escapes', reason, witness, fix }], sentence);
  }
  t.end();
});

t.test('addresses of the cluster are refused in both directions, others where they were not granted', (t) => {
  const ungranted = 'covers addresses that network.egress of acme does not grant';
  const table: readonly [string, unknown, string, string][] = [
    [
      'everything',
      from(block('0.0.0.0/0')),
      inside('pod network, service network and node network'),
      'the address 10.244.0.0',
    ],
    ['the pod network', to(block('10.244.0.0/16')), inside('pod network'), 'the address 10.244.0.0'],
    [
      'a little of it',
      from(block('10.0.0.0/8', '10.244.0.0/17', '10.96.0.0/12')),
      inside('pod network'),
      'the address 10.244.128.0',
    ],
    ['one address of it', from(block('10.244.3.7/32')), inside('pod network'), 'the address 10.244.3.7'],
    ['the IPv6 pods', from(block('2001:db8::/32')), inside('pod network'), 'the address 2001:db8:42::'],
    [
      'the metadata service',
      to(block('169.254.169.254/32')),
      inside('metadata service'),
      'the address 169.254.169.254',
    ],
    [
      'the metadata service by NAT64',
      to(block('64:ff9b::a9fe:a9fe/128')),
      inside('metadata service'),
      'the address 64:ff9b::a9fe:a9fe, which stands for 169.254.169.254',
    ],
    [
      'nodes in all of IPv6',
      to(block('::/0')),
      inside('pod network, service network, node network and metadata service'),
      'the address ::ffff:af4:0, which stands for 10.244.0.0',
    ],
    [
      'the address of dns on other ports',
      to(block('169.254.20.10/32'), [port(443)]),
      inside('metadata service'),
      'the address 169.254.20.10',
    ],
    [
      'what is left beside the address of dns',
      to(block('169.254.20.10/31'), [port(53)]),
      inside('metadata service'),
      'the address 169.254.20.11',
    ],
    ['what was not granted', to(block('198.51.100.0/24')), ungranted, 'the address 198.51.100.0'],
    ['more than was granted', to(block('203.0.112.0/23', '203.0.112.0/25')), ungranted, 'the address 203.0.112.128'],
    [
      'not granted by NAT64',
      to(block('64:ff9b::c633:6400/120')),
      ungranted,
      'the address 64:ff9b::c633:6400, which stands for 198.51.100.0',
    ],
  ];
  for (const [sentence, spec, reason, witness] of table) {
    const [verdict, ...more] = judge(spec);
    t.same(more, []);
    t.match(verdict, { verdict: 'escapes', kind: 'ipBlock', reason, witness }, sentence);
    t.match(verdict?.path, /^spec\.(ingress\[0\]\.from|egress\[0\]\.to)\[0\]\.ipBlock$/);
  }
  t.end();
});

t.test('without the ranges of the cluster no address is proven to lie outside', (t) => {
  const tenancy = createTenancy({ ...settings, protectedRanges: [], unlistedFamilies: [4, 6] }, [acme]);
  const blind: Border = { ...border, tenancy };
  const unproven =
    'may cover addresses of the cluster, as the settings do not list its IPv4 pod, service and node ranges';
  t.match(judge(from(block('198.51.100.0/24')), blind), [{ verdict: 'unproven', reason: unproven }]);
  t.match(judge(to(block('203.0.113.0/24')), blind), [{ verdict: 'unproven', reason: unproven }]);
  t.match(
    judge(to(block('198.51.100.0/24')), blind),
    [{ verdict: 'escapes' }],
    'what was not granted is refused for that',
  );
  t.same(judge(to(block('169.254.20.10/32'), [port(53)]), blind), [], 'the address of a shared service is known');
  t.end();
});

t.test('what is listed of one family proves nothing about the other', (t) => {
  const tenancy = createTenancy({ ...settings, unlistedFamilies: [6] }, [acme]);
  const halfBlind: Border = { ...border, tenancy };
  const unproven = [{ verdict: 'unproven', reason: /do not list its IPv6 pod, service and node ranges$/ }];
  t.match(judge(from(block('2001:db8:99::/48')), halfBlind), unproven);
  t.match(judge(from(block('2000::/3', '2001:db8:42::/56')), halfBlind), unproven);
  t.match(judge(to(block('2001:db8:ffff::/48')), halfBlind), unproven, 'also where the tenant was granted the range');
  t.same(judge(from(block('198.51.100.0/24')), halfBlind), []);
  t.same(judge(from(block('64:ff9b::c633:6400/120')), halfBlind), [], 'IPv6 forms of IPv4 addresses are IPv4');
  t.end();
});

t.test('no connection comes from a metadata service', (t) => {
  const everything = block('0.0.0.0/0', '10.244.0.0/16', '10.96.0.0/12', '192.168.0.0/20');
  t.same(judge(from(everything)), []);
  t.same(judge(from(block('169.254.169.254/32'))), []);
  t.match(judge(to(everything)), [{ verdict: 'escapes', reason: inside('metadata service') }]);
  t.end();
});

t.test('text that can never match is told and harms nobody', (t) => {
  const table: readonly [string, unknown, RegExp][] = [
    [
      'a name that no namespace can have',
      from(named('Not_a_name')),
      /^matches nothing, as no namespace can have such a name$/,
    ],
    [
      'no name, and a label of a namespace',
      from({
        namespaceSelector: {
          matchLabels: { team: 'a' },
          matchExpressions: [{ key: nameLabel, operator: 'DoesNotExist' }],
        },
      }),
      /^matches nothing, as no namespace/,
    ],
    [
      'rules that the API never reads',
      { policyTypes: ['Egress'], ingress: [{ from: [{ podSelector: {} }] }] },
      /^is ignored by the API: policyTypes lacks Ingress; Cilium/,
    ],
  ];
  for (const [sentence, spec, reason] of table) t.match(judge(spec), [{ verdict: 'nothing', reason }], sentence);
  t.end();
});

t.test('what is in no namespace is refused, as Cilium has more than pods', (t) => {
  const none = (key: string) => ({ key, operator: 'DoesNotExist' });
  for (const matchExpressions of [[none(nameLabel)], [none(nameLabel), none('team')]])
    t.match(judge(from({ namespaceSelector: { matchExpressions } })), [
      { verdict: 'unproven', reason: /^selects what is in no namespace/ },
    ]);
  t.end();
});

t.test('every peer is judged alone, in the order of the fields', (t) => {
  const spec = {
    ingress: [
      { from: [{ podSelector: {} }, { namespaceSelector: {} }, block('10.0.0.5/8')], ports: [{ port: '80' }] },
      { from: [tenants('acme')] },
    ],
    egress: [{ to: [named('web'), {}, block('10.0.0.0/8')] }, {}],
  };
  t.same(judge(spec).map(outline), [
    'invalid ingress any spec.ingress[0].ports[0].port',
    'escapes ingress selector spec.ingress[0].from[1].namespaceSelector',
    'invalid ingress ipBlock spec.ingress[0].from[2].ipBlock.cidr',
    'conditional egress selector spec.egress[0].to[0].namespaceSelector',
    'invalid egress selector spec.egress[0].to[1]',
    'escapes egress ipBlock spec.egress[0].to[2].ipBlock',
    'escapes egress any spec.egress[1]',
  ]);
  t.end();
});

t.test('two services of one namespace open together what one alone does not', (t) => {
  const where = serving({ ...dns, name: 'dns-udp', ports: [udp(53)] }, { ...dns, name: 'dns-tcp', ports: [tcp(53)] });
  t.same(judge(to(kubeDns, [port(53), port(53, 'UDP')]), where), []);
  t.match(judge(to(kubeDns, [port(53), port(80)]), where), [{ verdict: 'escapes' }]);
  t.end();
});

t.test('two services open together the addresses on which both answer', (t) => {
  const [udpAddresses, tcpAddresses] = [[range('169.254.20.10/31')], [range('64:ff9b::a9fe:140a/128')]];
  const where = serving(
    { ...dns, name: 'dns-udp', ports: [udp(54)], addresses: udpAddresses },
    { ...dns, name: 'dns-tcp', ports: [tcp(54)], addresses: tcpAddresses },
  );
  const both = [port(54), port(54, 'UDP')];
  t.same(judge(to(block('169.254.20.10/32'), both), where), []);
  t.match(judge(to(block('169.254.20.10/31'), both), where), [{ verdict: 'escapes', witness: /169\.254\.20\.11$/ }]);
  t.same(judge(to(block('169.254.20.11/32'), [port(54, 'UDP')]), where), []);
  t.end();
});

t.test('a shared service and the gate of a tenant that could own its namespace prove nothing together', (t) => {
  const peer = {
    namespaceSelector: {
      matchExpressions: [
        { key: nameLabel, operator: 'In', values: ['kube-system'] },
        { key: label, operator: 'In', values: ['beta'] },
      ],
    },
  };
  const reason = 'may open more than the shared services, as gates of other tenants would have to account for the rest';
  const where = {
    ...border,
    tenancy: createTenancy({ ...settings, sharedServices: [{ ...dns, podSelector: {} }] }, [acme, beta]),
  };
  t.match(judge(to(peer, [port(5432), port(53)]), where), [{ verdict: 'unproven', reason, witness: undefined }]);
  t.same(judge(to(peer, [port(5432)]), where), []);
  t.same(judge(to(peer, [port(53)]), where), []);
  t.end();
});

t.test('services that have all pods only together prove nothing', (t) => {
  const select = (operator: string) => ({ matchExpressions: [{ key: 'app', operator, values: ['dns'] }] });
  const where = serving(
    { ...dns, name: 'dns', podSelector: select('In') },
    { ...dns, name: 'the-rest', podSelector: select('NotIn') },
  );
  const reason = 'may open more than the shared services, as no one of them has all these pods';
  t.match(judge(to(named('kube-system'), [port(53)]), where), [{ verdict: 'unproven', reason, witness: undefined }]);
  t.same(judge(to({ ...named('kube-system'), podSelector: select('NotIn') }, [port(53)]), where), []);
  const [open] = judge(to(named('kube-system'), [port(80)]), where);
  t.match(
    open,
    { verdict: 'escapes', witness: /^a namespace with/ },
    'on a port of neither of them anybody gets through',
  );
  t.end();
});

t.test('the witness is a pod that no service accounts for', (t) => {
  const most = { ...dns, podSelector: { matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['secret'] }] } };
  const [verdict] = judge(to(named('kube-system'), [port(53)]), serving(most));
  t.match(verdict?.witness, /^a pod with the label app=secret in a namespace with/);
  t.end();
});

t.test('a service that selects pods by what is not a selector serves none', (t) => {
  const broken = { ...dns, podSelector: { matchExpressions: [{ key: 'app', operator: 'Equals', values: ['dns'] }] } };
  t.match(judge(to(kubeDns, [port(53)]), serving(broken)), [{ verdict: 'escapes' }]);
  t.end();
});

t.test('the selectors of the shared services are read once', (t) => {
  let reads = 0;
  const watched = {
    get matchLabels() {
      reads += 1;
      return dns.podSelector?.matchLabels ?? {};
    },
  };
  const where = serving({ ...dns, podSelector: watched });
  for (let count = 0; count < 3; count++) t.same(judge(to(kubeDns, [port(53)]), where), []);
  t.equal(reads, 1);
  t.end();
});

t.test('a refusal stays short, whatever the policy says', (t) => {
  const long = 'x'.repeat(63);
  const labels = Object.fromEntries(Array.from({ length: 90 }, (_, at) => [`label-${at}`, long]));
  const [verdict] = judge(from({ namespaceSelector: { matchLabels: labels } }));
  t.match(verdict?.witness, /^a namespace with the labels .*, label-4=x+ and 85 more$/);
  const name = 'a'.repeat(63);
  const owner = tenant(name);
  const [other] = judge(from({ namespaceSelector: {} }), {
    ...border,
    tenant: owner,
    tenancy: createTenancy(settings, [owner]),
  });
  t.equal(
    other?.witness,
    `a namespace with the label ${label}=not-this-tenant`,
    'the label value of the witness is a legal one',
  );
  t.end();
});

t.test('soft isolation is judged like hard', (t) => {
  const soft = { ...acme, isolation: 'soft' as const };
  const where = { ...border, tenant: soft, tenancy: createTenancy(settings, [soft, beta]) };
  t.match(judge(from({ namespaceSelector: {} }), where), [{ verdict: 'escapes' }]);
  t.same(judge(to(tenants('beta'), [port(5432)]), where), []);
  t.same(judge(to({ ipBlock: { cidr: '203.0.113.0/24' } }), where), []);
  t.end();
});
