/** CiliumNetworkPolicies that are mended by following their fixes to the letter. */
import { parsePattern } from '../../src/kubernetes/dns-pattern.ts';
import type { Border } from '../../src/reach/violation.ts';
import type { SharedService } from '../../src/tenancy/settings.ts';
import { createTenancy } from '../../src/tenancy/tenancy.ts';
import { acme, border, label, settings, tcp, tenant } from './world.ts';

/** One step: which field of the spec, and what it becomes; undefined removes it. A field that ends in `+` is new. */
export type Step = readonly [path: string, value?: unknown];
export interface Options {
  readonly where?: Border;
  /** What one knows, or is free to choose. */
  readonly chosen?: readonly string[];
}
export type Row = readonly [sentence: string, spec: unknown, steps: readonly Step[], options?: Options];

const every = { endpointSelector: {} };
const from = (peer: unknown, more: object = {}) => ({
  ...every,
  egress: [{}],
  ingress: [{ fromEndpoints: [peer], ...more }],
});
const to = (peers: object) => ({ ...every, ingress: [{}], egress: [peers] });
const entities = (...names: string[]) => ({
  ...every,
  ingress: [{ fromEntities: names }],
  egress: [{}],
});
const ports = (...list: unknown[]) => ({ toPorts: [{ ports: list }] });
const onPorts = (port: unknown) => ({ ...every, ingress: [{ fromEndpoints: [{}], ...ports(port) }] });
const tenantKey = `k8s:io.cilium.k8s.namespace.labels.${label}`;
const nameKey = 'k8s:io.kubernetes.pod.namespace';
const inPeer = '/ingress/0/fromEndpoints/0';
const selected = (...values: string[]) =>
  from({ matchExpressions: [{ key: 'io.kubernetes.pod.namespace', operator: 'In', values }] });

function withService(service: Partial<SharedService>): Options {
  const one: SharedService = {
    ...{ name: 'health', direction: 'ingress', entity: 'host', ports: [tcp(8080)], addresses: [], offer: 'policy' },
    ...service,
  };
  const shared = { ...settings, sharedServices: [...settings.sharedServices, one] };
  return { where: { ...border, tenancy: createTenancy(shared, [acme]) } };
}
const withNames = (...names: string[]): Options => {
  const patterns = names.flatMap((name) => parsePattern(name) ?? []);
  const one = tenant('acme', { names: patterns }, 'acme-');
  return { where: { ...border, tenant: one, tenancy: createTenancy(settings, [one]) } };
};

export const ciliumRows: readonly Row[] = [
  ['a specification that is none', 7, [['', { endpointSelector: {}, ingress: [{}] }]], { chosen: ['ingress', 'spec'] }],
  ['no peers on a port', { ...every, ingress: [ports({ port: '80' })] }, [['/ingress/0/fromEndpoints+', [{}]]]],
  [
    'no peers on the port of DNS',
    { ...every, egress: [ports({ port: '53', protocol: 'UDP' })] },
    [['/egress/0/toEndpoints+', [{ matchLabels: { [nameKey]: 'kube-system', 'k8s-app': 'kube-dns' } }]]],
  ],
  [
    'every namespace',
    from({ matchExpressions: [{ key: nameKey, operator: 'Exists' }] }),
    [[`${inPeer}/matchLabels+`, { [tenantKey]: 'acme' }]],
  ],
  [
    'every namespace but one',
    from({ matchExpressions: [{ key: 'io.kubernetes.pod.namespace', operator: 'NotIn', values: ['beta-db'] }] }),
    [[`${inPeer}/matchLabels+`, { [tenantKey]: 'acme' }]],
  ],
  [
    'another tenant',
    from({ matchLabels: { [tenantKey]: 'nobody' } }),
    [[`${inPeer}/matchLabels`, { [tenantKey]: 'acme' }]],
  ],
  ['a name that is not reserved', selected('shop'), [[`${inPeer}/matchLabels+`, { [tenantKey]: 'acme' }]]],
  ['a namespace of the platform', selected('default'), [['/ingress/0']]],
  ['more than a shared service', selected('ingress-nginx', 'default'), [[`${inPeer}/matchExpressions/0/values/1`]]],
  [
    'requirements that contradict each other',
    from({ matchLabels: { app: 'x' }, matchExpressions: [{ key: 'app', operator: 'DoesNotExist' }] }),
    [[`${inPeer}/matchExpressions`]],
    { chosen: ['matchExpressions'] },
  ],
  ['a reserved label', from({ matchLabels: { 'reserved:host': '' } }), [[inPeer, {}]]],
  [
    'a reserved label among others',
    from({ matchLabels: { app: 'x' }, matchExpressions: [{ key: 'reserved:init', operator: 'DoesNotExist' }] }),
    [[`${inPeer}/matchExpressions`]],
    { chosen: ['matchExpressions'] },
  ],
  [
    'another cluster of the mesh',
    from({ matchLabels: { 'io.cilium.k8s.policy.cluster': 'other' } }),
    [[`${inPeer}/matchLabels`]],
    { chosen: ['matchLabels'] },
  ],
  [
    'whichever cluster of the mesh',
    from({ matchExpressions: [{ key: 'io.cilium.k8s.policy.cluster', operator: 'Exists' }] }),
    [[`${inPeer}/matchExpressions`]],
    { chosen: ['matchExpressions'] },
  ],
  [
    'another cluster beside the own one',
    from({ matchExpressions: [{ key: 'io.cilium.k8s.policy.cluster', operator: 'In', values: ['here', 'other'] }] }),
    [[`${inPeer}/matchExpressions/0/values`, ['here']]],
    {
      where: { ...border, tenancy: createTenancy({ ...settings, clusterName: 'here' }, [acme]) },
      chosen: ['here', 'values'],
    },
  ],
  [
    'a label with and without its source',
    from({ matchLabels: { app: 'x', 'any:app': 'y' } }),
    [[`${inPeer}/matchLabels/any:app`]],
  ],
  [
    'too many values',
    selected(...Array.from({ length: 101 }, (_, index) => `acme-${index}`)),
    [[`${inPeer}/matchExpressions/0/values`, ['acme-1']]],
    { chosen: ['acme-1', 'values'] },
  ],
  [
    'a selector of pods by a reserved label',
    { ...from({}), endpointSelector: { matchLabels: { 'reserved:init': '' } } },
    [['/endpointSelector', {}]],
  ],
  [
    'a selector of pods that contradicts itself',
    {
      ...from({}),
      endpointSelector: { matchLabels: { app: 'x' }, matchExpressions: [{ key: 'app', operator: 'DoesNotExist' }] },
    },
    [['/endpointSelector/matchExpressions']],
    { chosen: ['matchExpressions'] },
  ],
  ['no selector of pods', { ingress: [{ fromEndpoints: [{}] }] }, [['/endpointSelector+', {}]]],
  ['a selector of nodes', { nodeSelector: {}, ingress: [{}] }, [['/nodeSelector'], ['/endpointSelector+', {}]]],
  ['no rules', every, [['/ingress+', [{}]]]],
  [
    'a field that is not known',
    { ...every, ingress: [{}], egressAllow: [] },
    [['/egressAllow']],
    { chosen: ['egressAllow'] },
  ],
  [
    'a field that is not known beside a selector of nodes that is null',
    { ...every, nodeSelector: null, ingress: [{}], egressAllow: [] },
    [['/egressAllow']],
    { chosen: ['egressAllow'] },
  ],
  [
    'a rule that is none',
    { ...every, ingress: [7] },
    [['/ingress/0', { fromEndpoints: [{}] }]],
    { chosen: ['0', 'fromEndpoints'] },
  ],
  ['a field of a rule that is not known', from({}, { fromRequires: [] }), [['/ingress/0/fromRequires']]],
  ['rules that are no list', { ...every, ingress: {} }, [['/ingress', [{}]]]],
  ['peers that are no list', { ...every, ingress: [{ fromEndpoints: {} }] }, [['/ingress/0/fromEndpoints', [{}]]]],
  ['an empty list', { ...every, egress: [{}], ingress: [{ fromEntities: [] }] }, [['/ingress/0']]],
  [
    'two kinds of peers',
    from({}, { fromCIDR: ['203.0.113.0/24'] }),
    [['/ingress/0/fromCIDR'], ['/ingress/1+', { fromCIDR: ['203.0.113.0/24'] }]],
    { chosen: ['fromCIDR', '203.0.113.0/24', '1'] },
  ],
  [
    'ICMP beside ports',
    from({}, { ...ports({ port: '80' }), icmps: [{ fields: [{ type: 8 }] }] }),
    [['/ingress/0/icmps']],
  ],
  [
    'ICMP that is none',
    from({}, { icmps: [7] }),
    [['/ingress/0/icmps/0', { fields: [{ type: 8 }] }]],
    { chosen: ['type', '8', '0'] },
  ],
  [
    'a label of Cilium',
    { ...from({}), labels: [{ key: 'io.cilium.k8s.policy.name', value: 'other' }] },
    [['/labels/0']],
    { chosen: ['0', 'fromEndpoints'] },
  ],
  // Ports.
  ['a port as a number', onPorts({ port: 80 }), [['/ingress/0/toPorts/0/ports/0/port', '80']], { chosen: ['80'] }],
  [
    'a port with a zero before it',
    onPorts({ port: '010' }),
    [['/ingress/0/toPorts/0/ports/0/port', '10']],
    { chosen: ['10'] },
  ],
  [
    'a range that ends before it begins',
    onPorts({ port: '90', endPort: 80 }),
    [['/ingress/0/toPorts/0/ports/0/endPort']],
  ],
  [
    'a protocol that is none',
    onPorts({ port: '80', protocol: 'ICMP' }),
    [['/ingress/0/toPorts/0/ports/0/protocol', 'TCP']],
  ],
  [
    'a field of a port that is not known',
    onPorts({ port: '80', name: 'x' }),
    [['/ingress/0/toPorts/0/ports/0/name']],
    { chosen: ['name'] },
  ],
  [
    'a port that is none',
    onPorts(7),
    [['/ingress/0/toPorts/0/ports/0', { port: '80', protocol: 'TCP' }]],
    { chosen: ['80', '0', 'TCP'] },
  ],
  ['ports that are no list', from({}, { toPorts: [{ ports: {} }] }), [['/ingress/0/toPorts/0/ports', []]]],
  [
    'ports with a field that is not known',
    from({}, { toPorts: [{ port: '80' }] }),
    [['/ingress/0/toPorts/0', { ports: [] }]],
    { chosen: ['0'] },
  ],
  [
    'a listener',
    to({
      toEndpoints: [{}],
      toPorts: [{ ports: [{ port: '80' }], listener: { envoyConfig: { name: 'x' }, name: 'y' } }],
    }),
    [['/egress/0/toPorts/0/listener']],
  ],
  [
    'a Secret of another namespace',
    from(
      {},
      { toPorts: [{ ports: [{ port: '443' }], terminatingTLS: { secret: { name: 'x', namespace: 'beta-web' } } }] },
    ),
    [['/ingress/0/toPorts/0/terminatingTLS/secret/namespace', 'acme-web']],
  ],
  // Addresses.
  [
    'the pod network',
    { ...every, ingress: [{ fromCIDRSet: [{ cidr: '10.244.0.0/15' }] }] },
    [['/ingress/0/fromCIDRSet/0/except+', ['10.244.0.0/16']]],
  ],
  ['addresses that are not granted', to({ toCIDR: ['198.51.100.7'] }), [['/egress/0/toCIDR/0', '203.0.113.0/24']]],
  [
    'a range that is none',
    { ...every, ingress: [{ fromCIDR: ['everything'] }] },
    [['/ingress/0/fromCIDR/0', '203.0.113.0/24']],
    { chosen: ['0'] },
  ],
  [
    'a range that is no text',
    { ...every, ingress: [{ fromCIDR: [7] }] },
    [['/ingress/0/fromCIDR/0', '203.0.113.0/24']],
  ],
  [
    'an address where a range is needed',
    { ...every, ingress: [{ fromCIDRSet: [{ cidr: '203.0.113.7' }] }] },
    [['/ingress/0/fromCIDRSet/0/cidr', '203.0.113.7/32']],
  ],
  [
    'a rule of ranges that is none',
    { ...every, ingress: [{ fromCIDRSet: [7] }] },
    [['/ingress/0/fromCIDRSet/0', { cidr: '203.0.113.0/24', except: [] }]],
    { chosen: ['203.0.113.0/24', '0'] },
  ],
  [
    'a field of a range that is not known',
    { ...every, ingress: [{ fromCIDRSet: [{ cidr: '203.0.113.0/24', ports: [] }] }] },
    [['/ingress/0/fromCIDRSet/0/ports']],
    { chosen: ['ports'] },
  ],
  [
    'except that is no list',
    { ...every, ingress: [{ fromCIDRSet: [{ cidr: '203.0.113.0/24', except: 'x' }] }] },
    [['/ingress/0/fromCIDRSet/0/except', []]],
  ],
  [
    'except outside the range',
    { ...every, ingress: [{ fromCIDRSet: [{ cidr: '203.0.113.0/24', except: ['10.0.0.0/8'] }] }] },
    [['/ingress/0/fromCIDRSet/0/except/0']],
  ],
  [
    'nothing that is left',
    { ...every, egress: [{}], ingress: [{ fromCIDRSet: [{ cidr: '203.0.113.0/24', except: ['203.0.113.0/24'] }] }] },
    [['/ingress/0']],
  ],
  [
    'a CIDR group',
    { ...every, ingress: [{ fromCIDRSet: [{ cidrGroupRef: 'x' }] }] },
    [['/ingress/0/fromCIDRSet/0', { cidr: '203.0.113.0/24' }]],
    { chosen: ['203.0.113.0/24', '0'] },
  ],
  [
    'a group of a cloud',
    { ...every, ingress: [{ fromGroups: [{ aws: {} }] }] },
    [['/ingress/0', { fromCIDR: ['203.0.113.0/24'] }]],
    { chosen: ['fromCIDR', '203.0.113.0/24', '0'] },
  ],
  // Entities, nodes, names, Services.
  ['everybody', entities('all'), [['/ingress/0', { fromEndpoints: [{}] }]], { chosen: ['0'] }],
  ['the node', entities('host'), [['/ingress/0']]],
  [
    'more ports than a shared service',
    entities('host'),
    [['/ingress/0/toPorts+', [{ ports: [{ port: '8080', protocol: 'TCP' }] }]]],
    { ...withService({}), chosen: ['toPorts', '8080', 'ports'] },
  ],
  ['other nodes', { ...every, egress: [{}], ingress: [{ fromNodes: [{}] }] }, [['/ingress/0']]],
  ['an entity that nothing is', entities('none'), [['/ingress/0']]],
  ['an entity that is none', entities('planet'), [['/ingress/0/fromEntities/0', 'world']], { chosen: ['world', '0'] }],
  [
    'the world for egress',
    to({ toEntities: ['world'] }),
    [['/egress/0', { toCIDRSet: [{ cidr: '203.0.113.0/24' }] }]],
    { chosen: ['0'] },
  ],
  ['a name', to({ toFQDNs: [{ matchName: 'api.partner.example' }] }), [['/egress/0']]],
  [
    'a name beside those that are granted',
    to({ toFQDNs: [{ matchPattern: '*' }] }),
    [['/egress/0/toFQDNs/0', { matchName: 'api.partner.example' }]],
    { ...withNames('api.partner.example', '*.cdn.example'), chosen: ['matchName', '0'] },
  ],
  [
    'a name that is none',
    to({ toFQDNs: [{ matchName: '*.x' }] }),
    [['/egress/0/toFQDNs/0', { matchName: 'api.example.org' }]],
    { ...withNames('api.example.org'), chosen: ['0'] },
  ],
  [
    'a Service',
    to({ toServices: [{ k8sService: { serviceName: 'db', namespace: 'acme-web' } }] }),
    [['/egress/0', { toEndpoints: [{}] }]],
    { chosen: ['0'] },
  ],
];
