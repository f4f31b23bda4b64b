/** NetworkPolicies of Calico that are mended by following their fixes to the letter. */
import type { Options, Row } from './cilium-rows.ts';
import { border, label } from './world.ts';

const own = `${label} == "acme"`;
const inside = { selector: 'app == "web"' };
const ingress = (source: unknown, more: object = {}) => ({ ingress: [{ action: 'Allow', source, ...more }] });
const egress = (destination: unknown, more: object = {}) => ({ egress: [{ action: 'Allow', destination, ...more }] });
const source = '/ingress/0/source';
const destination = '/egress/0/destination';
const selecting = (namespaceSelector: string) => ingress({ namespaceSelector });
const joined = (text: string): Row => [text, selecting(text), [[`${source}/namespaceSelector`, `(${text}) && ${own}`]]];
const tiers = (...calicoTiers: string[]): Options => {
  const { tenancy } = border;
  return {
    where: { ...border, tenancy: { ...tenancy, settings: { ...tenancy.settings, calicoTiers: new Set(calicoTiers) } } },
  };
};

export const calicoRows: readonly Row[] = [
  joined('has(team)'),
  joined('all()'),
  joined('env != "x" || has(y)'),
  joined('team starts with "a"'),
  joined('projectcalico.org/name == "shop"'),
  ['what is in no namespace', selecting('global()'), [[`${source}/namespaceSelector`, own]]],
  ['the same', selecting('!all()'), [[`${source}/namespaceSelector`, own]]],
  ['another tenant', selecting(`${label} == "nobody"`), [[`${source}/namespaceSelector`, own]]],
  ['no peers', ingress({}), [[`${source}/selector+`, 'all()']]],
  ['a Service', egress({ services: { name: 'db' } }), [[destination, { selector: 'app == "db"' }]]],
  [
    'a Service of another namespace',
    egress({ services: { name: 'db', namespace: 'beta-db' } }),
    [[destination, { selector: 'app == "db"' }]],
  ],
  [
    'more than the gate',
    egress({ namespaceSelector: `${label} == "beta"` }, { protocol: 'TCP' }),
    [[`${destination}/ports+`, [5432]]],
  ],
  [
    'more than the shared service',
    egress({ namespaceSelector: 'projectcalico.org/name == "kube-system"' }, { protocol: 'UDP' }),
    [
      [`${destination}/selector+`, 'k8s-app == "kube-dns"'],
      [`${destination}/ports+`, [53]],
    ],
  ],
  ['no address is left', egress({ nets: ['10.0.0.0/8'], notNets: ['10.0.0.0/8'] }), [['/egress/0']]],
  ['a net with host bits', egress({ nets: ['203.0.113.9/24'] }), [[`${destination}/nets/0`, '203.0.113.0/24']]],
  ['a name of an account', ingress({ ...inside, serviceAccounts: { names: ["a'"] } }), [[`${source}/serviceAccounts`]]],
  ['another tier', { tier: 'platform', ...ingress(inside) }, [['/tier', 'default']], tiers('default', 'teams')],
  ['a tier that is not listed', ingress(inside), [['/tier+', 'teams']], tiers('teams')],
  ['an order that is none', { order: '7' }, [['/order', 7]], { chosen: ['7'] }],
  ['a tier that is none', { tier: 7 }, [['/tier', 'default']], { chosen: ['default'] }],
  ['types that are none', { types: ['Both'] }, [['/types', ['Ingress']]]],
  ['rules that are no list', { ingress: 7 }, [['/ingress', []]]],
  ['a rule that is none', { ingress: [7] }, [['/ingress/0', { action: 'Deny' }]], { chosen: ['Deny'] }],
  ['a field of a rule that is none', ingress(inside, { only: 1 }), [['/ingress/0/only']]],
  ['a selector that is no text', ingress({ selector: 7 }), [[`${source}/selector`, 'app == "web"']]],
  [
    'a selector that is too long',
    ingress({ selector: `has(${'a'.repeat(2000)})` }),
    [[`${source}/selector`, 'all()']],
    { chosen: ['all()'] },
  ],
  [
    'global() of endpoints',
    ingress({ selector: 'global()' }),
    [[source, inside]],
    { chosen: ['selector', 'app == "web"'] },
  ],
  ['a blank', ingress({ selector: ' ' }), [[`${source}/selector`, 'all()']], { chosen: ['all()'] }],
  ['a selector that is none', ingress({ selector: 'a = b' }), [[`${source}/selector`, 'app == "web" && has(team)']]],
  ['a field of host endpoints', { preDNAT: true }, [['/preDNAT']]],
  ['an action that is none', { ingress: [{ action: 'allow' }] }, [['/ingress/0/action', 'Deny']]],
  ['a version of IP that is none', ingress(inside, { ipVersion: 5 }), [['/ingress/0/ipVersion', 4]]],
  ['requests of UDP', ingress(inside, { protocol: 'UDP', http: {} }), [['/ingress/0/protocol', 'TCP']]],
  [
    'too many annotations',
    ingress(inside, {
      metadata: { annotations: Object.fromEntries(Array.from({ length: 17 }, (_, at) => [`a${at}`, 'x'])) },
    }),
    [['/ingress/0/metadata/annotations/a16']],
    { chosen: ['a16'] },
  ],
  [
    'a type of ICMP that is none',
    ingress(inside, { protocol: 'ICMP', icmp: { type: 300 } }),
    [['/ingress/0/icmp/type', 254]],
  ],
  ['a protocol that is none', ingress(inside, { protocol: 'tcp' }), [['/ingress/0/protocol', 'TCP']]],
  [
    'a port that is none',
    ingress({ ...inside, ports: ['1:2:3'] }, { protocol: 'TCP' }),
    [[`${source}/ports/0`, '8080:8090']],
  ],
];
