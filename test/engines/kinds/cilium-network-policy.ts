/**
 * CiliumNetworkPolicy of cilium.io/v2: the policies of the search for NetworkPolicy, written in Cilium's fields, with what only
 * those can say.
 */
import fc from 'fast-check';
import { ciliumNetworkPolicy as kind } from '../../../src/kinds/cilium-network-policy/cilium-network-policy.ts';
import { judgeBorder, type PeerVerdict } from '../../../src/reach/border.ts';
import {
  nameLabel,
  selects,
  type World,
  type WrittenPort,
  type WrittenRule,
  type WrittenSelector,
} from '../../reach/evaluator.ts';
import { type Address, reaches, readBlock } from '../../reach/evaluator-addresses.ts';
import { readWitness } from '../../reach/read-witness.ts';
import { policy } from '../../reach/search-policies.ts';
import type { PolicyKind, ReadWitness } from '../kind.ts';
import {
  addressParty,
  type Candidate,
  edgesOf,
  isForeignOn,
  markedAddress,
  namedPorts,
  ownNamespace,
  pod,
  podsAround,
  reserved,
  satisfy,
  wires,
} from '../parties.ts';
import type { AskedGroup, NamedPort } from '../protocol.ts';

type Direction = 'ingress' | 'egress';
const directions = ['ingress', 'egress'] as const;

interface WrittenPorts {
  ports?: { port?: string; endPort?: number; protocol?: string }[] | null;
  rules?: object;
}
interface CidrRule {
  cidr?: string;
  except?: string[];
  cidrGroupRef?: string;
  cidrGroupSelector?: WrittenSelector;
}
/** One rule; which lists of peers it may have depends on the direction. */
export interface CiliumRule {
  fromEndpoints?: WrittenSelector[];
  toEndpoints?: WrittenSelector[];
  fromCIDR?: string[];
  toCIDR?: string[];
  fromCIDRSet?: CidrRule[];
  toCIDRSet?: CidrRule[];
  fromEntities?: string[];
  toEntities?: string[];
  fromNodes?: WrittenSelector[];
  toNodes?: WrittenSelector[];
  fromGroups?: object[];
  toGroups?: object[];
  toFQDNs?: { matchName?: string; matchPattern?: string }[];
  toServices?: object[];
  toPorts?: WrittenPorts[] | null;
  icmps?: { fields: { family: string; type: number }[] }[];
}
interface Draft {
  endpointSelector: WrittenSelector;
  nodeSelector?: WrittenSelector;
  ingress?: CiliumRule[];
  ingressDeny?: CiliumRule[];
  egress?: CiliumRule[];
  egressDeny?: CiliumRule[];
  enableDefaultDeny?: { ingress?: boolean; egress?: boolean };
}
export interface CiliumSpec {
  spec?: Draft;
  specs?: Draft[];
}

// Writing.

const namespaceKey = 'io.kubernetes.pod.namespace';
const namespaceLabels = 'io.cilium.k8s.namespace.labels.';
const clusterKey = 'io.cilium.k8s.policy.cluster';

function chosen<Item>(items: readonly Item[], at: number): Item | undefined {
  return items[at % Math.max(1, items.length)];
}

/** With a source, or without one. */
function sourced(key: string, at: number): string {
  return `${chosen(['', 'k8s:', 'any:'], at)}${key}`;
}

/** A name has two spellings. */
function namespaceKeyOf(label: string, at: number): string {
  return label === nameLabel && at % 4 > 0 ? namespaceKey : `${namespaceLabels}${label}`;
}

function translated(selector: WrittenSelector, keyOf: (key: string) => string): WrittenSelector {
  const { matchLabels, matchExpressions } = selector;
  return {
    ...(matchLabels && {
      matchLabels: Object.fromEntries(Object.entries(matchLabels).map(([key, value]) => [keyOf(key), value])),
    }),
    ...(matchExpressions && { matchExpressions: matchExpressions.map((one) => ({ ...one, key: keyOf(one.key) })) }),
  };
}

function joined(one: WrittenSelector, other: WrittenSelector): WrittenSelector {
  const matchLabels = { ...one.matchLabels, ...other.matchLabels };
  const matchExpressions = [...(one.matchExpressions ?? []), ...(other.matchExpressions ?? [])];
  return {
    ...(Object.keys(matchLabels).length > 0 && { matchLabels }),
    ...(matchExpressions.length > 0 && { matchExpressions }),
  };
}

function portsOf(ports: readonly WrittenPort[] | null | undefined, at: number): Pick<CiliumRule, 'toPorts'> {
  if (!ports || ports.length === 0) return chosen([{}, {}, { toPorts: [] }, { toPorts: null }], at) ?? {};
  const written = ports.map(({ protocol, port, endPort }) => ({
    ...(port !== undefined && port !== null && { port: String(port) === '80' ? '3' : String(port) }),
    ...(endPort !== undefined && endPort !== null && { endPort }),
    protocol: protocol ?? 'TCP',
  }));
  // As Cilium's own examples open DNS.
  if (at % 4 === 0 && written.every(({ port }) => port === '53')) return { toPorts: [{ ports: [{ port: '53' }] }] };
  return { toPorts: at % 3 === 0 ? written.map((one) => ({ ports: [one] })) : [{ ports: written }] };
}

/** Peers of different kinds stand in rules of their own. */
function rulesOf({ from, to, ports }: WrittenRule, direction: Direction, at: number): CiliumRule[] {
  const prefix = direction === 'ingress' ? 'from' : 'to';
  const peers = (direction === 'ingress' ? from : to) ?? [];
  const open = portsOf(ports, at);
  const selectors = peers.flatMap(({ namespaceSelector, podSelector, ipBlock }) =>
    ipBlock
      ? []
      : joined(
          translated(namespaceSelector ?? {}, (key) => sourced(namespaceKeyOf(key, at >> 2), at >> 4)),
          translated(podSelector ?? {}, (key) => sourced(key, at >> 6)),
        ),
  );
  const blocks = peers.flatMap(({ ipBlock }) =>
    ipBlock ? { cidr: ipBlock.cidr, ...(ipBlock.except && { except: [...ipBlock.except] }) } : [],
  );
  const rules: CiliumRule[] = [];
  if (peers.length === 0) rules.push({ ...open });
  if (selectors.length > 0) rules.push({ [`${prefix}Endpoints`]: selectors, ...open });
  if (blocks.length > 0 && at % 5 === 0)
    rules.push({ [`${prefix}CIDR`]: blocks.map(({ cidr }) => cidr.replace(/\/(32|128)$/, '')), ...open });
  else if (blocks.length > 0) rules.push({ [`${prefix}CIDRSet`]: blocks, ...open });
  return rules;
}

/** A change of what is written: a number chooses the place. */
type Twist = (draft: Draft, at: number, world: World) => void;

const entities = [
  ...['all', 'world', 'world', 'cluster', 'cluster-mesh', 'host', 'remote-node', 'kube-apiserver', 'ingress'],
  ...['init', 'health', 'unmanaged', 'none', 'world-ipv4', 'world-ipv6', 'planet'],
];

const addRule = (draft: Draft, at: number, rule: (prefix: 'from' | 'to') => CiliumRule): void => {
  const direction = chosen(directions, at) ?? 'ingress';
  draft[direction] = [...(draft[direction] ?? []), rule(direction === 'ingress' ? 'from' : 'to')];
};
const somePorts = (at: number): Pick<CiliumRule, 'toPorts'> =>
  chosen(
    [
      {},
      { toPorts: [{ ports: [{ port: '2', protocol: 'TCP' }] }] },
      { toPorts: [{ ports: [{ port: '3', protocol: 'ANY' }] }] },
      { toPorts: [{ ports: [{ port: '53' }] }] },
      { toPorts: [{ ports: [{ port: '0', protocol: 'UDP' }] }] },
      { toPorts: [{ ports: [{ port: '1', endPort: 4 }] }] },
      { toPorts: [{}] },
      { toPorts: [{ ports: [] }] },
      { toPorts: [{ ports: [{ protocol: 'SCTP' }] }] },
      { icmps: [{ fields: [{ family: 'IPv4', type: 8 }] }] },
      { icmps: [{ fields: [] }] },
    ],
    at,
  ) ?? {};

const byEntity: Twist = (draft, at) =>
  addRule(draft, at, (prefix) => ({
    [`${prefix}Entities`]: [chosen(entities, at >> 1) ?? 'all'],
    ...somePorts(at >> 6),
  }));
const byPorts: Twist = (draft, at) => addRule(draft, at, () => somePorts(at >> 1));
const emptyList: Twist = (draft, at) =>
  addRule(draft, at, (prefix) => ({
    [`${prefix}${chosen(['Endpoints', 'CIDR', 'CIDRSet', 'Entities', 'Nodes', 'Groups'], at >> 1)}`]: [],
    ...somePorts(at >> 4),
  }));
const byNodes: Twist = (draft, at) =>
  addRule(draft, at, (prefix) => ({
    [`${prefix}Nodes`]: [at % 3 === 0 ? { matchLabels: { zone: 'x' } } : {}],
    ...somePorts(at >> 1),
  }));
/** An entity that the platform has opened, on its ports or nearly. */
const byGrantedEntity: Twist = (draft, at, { entities: granted = [] }) => {
  const one = chosen(granted, at);
  if (one === undefined) return;
  const [prefix, more] = [one.direction === 'ingress' ? 'from' : 'to', at % 3 === 0 ? [{ port: 4 }] : []];
  const list = at % 5 === 0 && one.entity === 'remote-node' ? { [`${prefix}Nodes`]: [{}] } : undefined;
  draft[one.direction] = [
    ...(draft[one.direction] ?? []),
    { ...(list ?? { [`${prefix}Entities`]: [one.entity] }), ...portsOf([...one.ports, ...more], at >> 2) },
  ];
};
const namePatterns = [
  ...['api.partner.example', 'API.partner.example.', '*.partner.example', '**.partner.example', 'partner.example'],
  ...['*.cdn.example', '**.cdn.example', '***.cdn.example', 'a*.cdn.example', 'x.cdn.example', 'a-b.cdn.example'],
  ...['*cdn.example', '*.*.cdn.example', '*.x.cdn.example', '*', '**', 'x.cdn.example.org', 'not valid', 'a..b'],
];
const byName: Twist = (draft, at) => {
  const name = chosen(namePatterns, at) ?? '*';
  const other = chosen(namePatterns, at >> 9) ?? '*';
  const names = (at % 4 === 0 ? [name, other] : [name]).map((one) =>
    one.includes('*') ? { matchPattern: one } : { matchName: one },
  );
  draft.egress = [...(draft.egress ?? []), { toFQDNs: names, ...somePorts(at >> 5) }];
};
/** What lists the addresses stands elsewhere. */
const byGroup: Twist = (draft, at) =>
  addRule(draft, at, (prefix) => {
    const of: Record<string, object[]> =
      chosen(
        [
          { [`${prefix}CIDRSet`]: [{ cidrGroupRef: group.name }] },
          { [`${prefix}CIDRSet`]: [{ cidrGroupSelector: { matchLabels: group.labels } }] },
          { [`${prefix}Groups`]: [...group.external] },
        ],
        at >> 1,
      ) ?? {};
    return { ...of, ...somePorts(at >> 3) };
  });
const byService: Twist = (draft, at) => {
  const namespace = chosen([undefined, '', 'acme-web', 'beta-db'], at);
  const service = chosen(
    [
      { k8sService: { serviceName: 'db', ...(namespace !== undefined && { namespace }) } },
      {
        k8sServiceSelector: { selector: { matchLabels: { app: 'x' } }, ...(namespace !== undefined && { namespace }) },
      },
    ],
    at >> 2,
  );
  draft.egress = [...(draft.egress ?? []), { toServices: [service ?? {}], ...somePorts(at >> 3) }];
};
/** A rule about requests, or about questions to the DNS. */
const byRequest: Twist = (draft, at) =>
  addRule(draft, at, (prefix) => {
    const peers = chosen(
      [
        {},
        { [`${prefix}Entities`]: ['world'] },
        { [`${prefix}Endpoints`]: [{}] },
        { [`${prefix}Endpoints`]: [{ matchExpressions: [{ key: namespaceKey, operator: 'Exists' }] }] },
      ],
      at >> 1,
    );
    const http = { ports: [{ port: '2', protocol: 'TCP' }], rules: { http: [{ method: 'GET', path: '/x' }] } };
    const dns = { ports: [{ port: '53', protocol: 'ANY' }], rules: { dns: [{ matchPattern: '*.example' }] } };
    return { ...peers, toPorts: [prefix === 'to' && at % 3 === 0 ? dns : http] };
  });
const ofNodes: Twist = (draft) => {
  draft.nodeSelector = {};
};
const denied: Twist = (draft, at) => {
  const name = at % 2 === 0 ? 'ingressDeny' : 'egressDeny';
  const prefix = at % 2 === 0 ? 'from' : 'to';
  draft[name] = [{ [`${prefix}Entities`]: [chosen(['all', 'world', 'cluster'], at >> 1) ?? 'all'] }];
};
const defaultDeny: Twist = (draft, at) => {
  draft.enableDefaultDeny = { ingress: at % 2 === 0, egress: at % 4 < 2 };
};

/** Keys that mean something to Cilium, and spellings of one key. */
const oddKeys = [
  ...['reserved:host', 'reserved:init', 'reserved:nobody', 'reserved.host', 'k8s:reserved', 'cidr:10.0.0.0/8'],
  ...[clusterKey, `k8s:${clusterKey}`, namespaceKey, `any:${namespaceKey}`, `k8s:${namespaceKey}`],
  ...[`${namespaceLabels}env`, `k8s:${namespaceLabels}kubernetes.io/metadata.name`, 'any:app', 'k8s:app', 'app'],
  ...['container:app', 'io.cilium.k8s.policy.serviceaccount', '$host', ':app', 'any:k8s:app', 'constructor'],
  ...['io.cilium.k8s.namespace.label.env', 'k8s.io.kubernetes.pod.namespace'],
];
const oddValues = ['', 'x', 'y', 'acme-web', 'beta-db', 'kube-system', 'here', 'elsewhere', 'default', '-x'];

function selectorsIn(draft: Draft): WrittenSelector[] {
  const rules = directions.flatMap((direction) => draft[direction] ?? []);
  return [
    draft.endpointSelector,
    ...rules.flatMap((rule) => [...(rule.fromEndpoints ?? []), ...(rule.toEndpoints ?? [])]),
  ];
}
const oddKey: Twist = (draft, at) => {
  const selector = chosen(selectorsIn(draft), at);
  const key = chosen(oddKeys, at >> 3);
  if (selector === undefined || key === undefined) return;
  const value = chosen(oddValues, at >> 8) ?? '';
  const operator = chosen(['In', 'NotIn', 'Exists', 'DoesNotExist', '=', '='], at >> 12) ?? '=';
  if (operator === '=') Object.assign(selector, { matchLabels: { ...selector.matchLabels, [key]: value } });
  else {
    const requirement = { key, operator, ...(operator.endsWith('In') && { values: [value] }) };
    Object.assign(selector, { matchExpressions: [...(selector.matchExpressions ?? []), requirement] });
  }
};

/** One key in two spellings, of which Cilium takes one; and a pod of another cluster. */
const twice: Twist = (draft, at) => {
  const selector = chosen(selectorsIn(draft).slice(1), at);
  const [own, other] = at % 2 === 0 ? ['', 'any:'] : ['any:', ''];
  const names = { [`${own}${namespaceKey}`]: 'acme-web', [`${other}${namespaceKey}`]: 'beta-db' };
  if (selector !== undefined) Object.assign(selector, { matchLabels: names, matchExpressions: [] });
};
const inCluster: Twist = (draft, at) => {
  const selector = chosen(selectorsIn(draft).slice(1), at);
  if (selector === undefined) return;
  const key = sourced(clusterKey, at);
  const clusters =
    chosen([['elsewhere'], ['here'], ['west'], ['elsewhere', 'here'], ['west', 'elsewhere'], ['']], at >> 2) ?? [];
  const alone = at % 3 === 0 && clusters.length === 1 ? { matchLabels: { [key]: clusters[0] } } : undefined;
  const requirement = { key, operator: 'In', values: clusters };
  if (alone !== undefined) Object.assign(selector, alone);
  else Object.assign(selector, { matchExpressions: [...(selector.matchExpressions ?? []), requirement] });
};

/** A CiliumCIDRGroup and a group of a cloud, which list the same addresses. */
const group: AskedGroup = {
  ...{ name: 'partners', labels: { team: 'x' } },
  external: [{ aws: { securityGroupsNames: ['partners'] } }],
};

const twist: fc.Arbitrary<Twist> = fc.oneof(
  { weight: 1, arbitrary: fc.constant(twice) },
  { weight: 3, arbitrary: fc.constant(inCluster) },
  { weight: 5, arbitrary: fc.constant(byEntity) },
  { weight: 3, arbitrary: fc.constant(byPorts) },
  { weight: 3, arbitrary: fc.constant(emptyList) },
  { weight: 2, arbitrary: fc.constant(byNodes) },
  { weight: 2, arbitrary: fc.constant(byGrantedEntity) },
  { weight: 3, arbitrary: fc.constant(byName) },
  { weight: 1, arbitrary: fc.constant(byGroup) },
  { weight: 1, arbitrary: fc.constant(byService) },
  { weight: 2, arbitrary: fc.constant(byRequest) },
  { weight: 1, arbitrary: fc.constant(ofNodes) },
  { weight: 2, arbitrary: fc.constant(denied) },
  { weight: 1, arbitrary: fc.constant(defaultDeny) },
  { weight: 7, arbitrary: fc.constant(oddKey) },
);

const specs: fc.Arbitrary<(world: World) => CiliumSpec> = fc
  .tuple(policy, fc.array(fc.tuple(twist, fc.nat(0xffffff)), { maxLength: 2 }), fc.nat(0xffffff))
  .map(([write, twists, at]) => (world) => {
    const plain = write(world);
    const draft: Draft = {
      endpointSelector: translated(plain.podSelector ?? {}, (key) => sourced(key, at)),
    };
    for (const direction of directions) {
      const rules = (plain[direction] ?? []).flatMap((rule, index) => rulesOf(rule, direction, (at >> 1) + index * 7));
      if (rules.length > 0) draft[direction] = rules;
    }
    // A specification needs rules.
    if (draft.ingress === undefined && draft.egress === undefined) draft.ingress = [{}];
    for (const [change, place] of twists) change(draft, place, world);
    const copy: Draft = JSON.parse(JSON.stringify(draft));
    if (at % 7 === 0) return { specs: [copy] };
    if (at % 7 === 1) return { spec: copy, specs: [{ endpointSelector: copy.endpointSelector, egress: [{}] }] };
    return { spec: copy };
  });

/** What a CiliumClusterwideNetworkPolicy of the platform denies, and how it isolates. It allows nothing. */
const denials: fc.Arbitrary<(world: World) => object> = fc
  .record({
    subject: fc.constantFrom('every', 'tenant', 'app'),
    ingress: fc.constantFrom(undefined, 'world', 'cluster', 'pods', 'ports', 'nothing'),
    egress: fc.constantFrom(undefined, 'world', 'cluster', 'pods', 'ports', 'nothing'),
    ingressDefault: fc.constantFrom(undefined, true, false),
    egressDefault: fc.constantFrom(undefined, true, false),
  })
  .map((drawn) => ({ tenantLabel, tenant }) => {
    const ofTenants = `k8s:${namespaceLabels}${tenantLabel}`;
    const peersOf = (prefix: 'from' | 'to', what: string): object =>
      ({
        world: { [`${prefix}Entities`]: ['world'] },
        cluster: { [`${prefix}Entities`]: ['cluster'] },
        pods: {
          [`${prefix}Endpoints`]: [{ matchExpressions: [{ key: ofTenants, operator: 'NotIn', values: [tenant] }] }],
        },
        ports: { toPorts: [{ ports: [{ port: '1', protocol: 'TCP' }, { port: '3' }] }] },
      })[what] ?? {};
    const of = (direction: Direction) => {
      const what = drawn[direction];
      if (what === undefined) return {};
      if (what === 'nothing') return { [direction]: [{}] };
      return { [`${direction}Deny`]: [peersOf(direction === 'ingress' ? 'from' : 'to', what)] };
    };
    const subjects = {
      every: {},
      tenant: { matchLabels: { [ofTenants]: tenant } },
      app: { matchLabels: { app: 'x' } },
    };
    const rules = { ...of('ingress'), ...of('egress') };
    return {
      endpointSelector: subjects[drawn.subject as keyof typeof subjects],
      ...(Object.keys(rules).length > 0 ? rules : { ingress: [{}] }),
      enableDefaultDeny: {
        ...(drawn.ingressDefault !== undefined && { ingress: drawn.ingressDefault }),
        ...(drawn.egressDefault !== undefined && { egress: drawn.egressDefault }),
      },
    };
  });

const beside: PolicyKind<CiliumSpec>['beside'] = fc
  .oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(denials, { minLength: 1, maxLength: 3 }) },
  )
  .map((several) => (world) => {
    if (several.length === 0) return [];
    const [first, ...specs] = several.map((one) => one(world));
    const object = {
      ...{ apiVersion: 'cilium.io/v2', kind: 'CiliumClusterwideNetworkPolicy', metadata: { name: 'of-the-platform' } },
      ...{ spec: first, ...(specs.length > 0 && { specs }) },
    };
    return [{ kind: object.kind, object }];
  });

function objectOf({ spec, specs: several }: CiliumSpec, { namespace }: World): unknown {
  return {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumNetworkPolicy',
    metadata: { name: 'asked', namespace },
    ...(spec && { spec }),
    ...(several && { specs: several }),
  };
}

function judge(spec: CiliumSpec, border: Parameters<typeof judgeBorder>[1]): readonly PeerVerdict[] {
  const metadata = { name: 'asked', namespace: border.namespace };
  return judgeBorder(kind.read(JSON.parse(JSON.stringify({ ...spec, metadata }))), border);
}

// Reading.

const draftsIn = ({ spec, specs: several = [] }: CiliumSpec): readonly Draft[] => [...(spec ? [spec] : []), ...several];

/** What a selector asks of the namespace and of the pod, as a NetworkPolicy would write it. */
function parted(selector: WrittenSelector): {
  readonly namespaces: WrittenSelector | undefined;
  readonly pods: WrittenSelector;
} {
  const plain = (key: string) => key.replace(/^(any|k8s):/, '');
  const labelIn = (key: string) =>
    plain(key) === namespaceKey
      ? nameLabel
      : plain(key).startsWith(namespaceLabels)
        ? plain(key).slice(namespaceLabels.length)
        : undefined;
  const keys = keysOf(selector);
  const only = (keep: (key: string) => boolean, keyOf: (key: string) => string): WrittenSelector => ({
    matchLabels: Object.fromEntries(
      Object.entries(selector.matchLabels ?? {}).flatMap(([key, value]) => (keep(key) ? [[keyOf(key), value]] : [])),
    ),
    matchExpressions: (selector.matchExpressions ?? [])
      .filter(({ key }) => keep(key))
      .map((one) => ({ ...one, key: keyOf(one.key) })),
  });
  const isOfNamespace = (key: string) => labelIn(key) !== undefined;
  return {
    namespaces: keys.some(isOfNamespace) ? only(isOfNamespace, (key) => labelIn(key) ?? key) : undefined,
    pods: only((key) => !isOfNamespace(key) && plain(key) !== clusterKey, plain),
  };
}

const keysOf = ({ matchLabels, matchExpressions }: WrittenSelector): readonly string[] => [
  ...Object.keys(matchLabels ?? {}),
  ...(matchExpressions ?? []).map(({ key }) => key),
];
/** Labels of one name from two sources need not be the same label. */
const hasTwoSources = (keys: readonly string[]) =>
  new Set(keys.map((key) => key.replace(/^(any|k8s):/, ''))).size <
  new Set(keys.map((key) => key.replace(/^any:/, ''))).size;
const isOfPods = (key: string) => !/io[.](cilium|kubernetes)[.]|^(?!any:|k8s:).*:/.test(key);

const isOfOthers = (key: string) =>
  /^(any:|k8s:)?io[.](kubernetes[.]pod[.]namespace$|cilium[.]k8s[.](namespace[.]labels[.]|policy[.]cluster$))|^reserved:/.test(
    key,
  );

/** The labels of a pod that the policy is about; undefined: there is none, or it is hard to say. */
function subjectOf({ endpointSelector }: Draft) {
  return satisfy(parted(endpointSelector).pods);
}

const everyNaming: readonly (readonly NamedPort[])[] = [1, 2, 3, 4, 5, 65535].flatMap((port) =>
  ['TCP', 'UDP', 'SCTP'].map((protocol) => ['http', 'dns', 'upper'].map((name) => ({ name, protocol, port }))),
);
const isName = (port: string | undefined) => port !== undefined && /[a-z]/i.test(port);
const hasNames = (rules: readonly CiliumRule[] | undefined) =>
  (rules ?? []).some(({ toPorts }) =>
    (toPorts ?? []).some(({ ports }) => (ports ?? []).some(({ port }) => isName(port))),
  );

function subjects(spec: CiliumSpec, world: World): readonly (readonly Candidate[])[] {
  const drafts = draftsIn(spec);
  const named = drafts.some(({ ingress }) => hasNames(ingress));
  const [draft] = drafts;
  const labels = draft && subjectOf(draft);
  if (labels === undefined) return [[]];
  const namings = named ? everyNaming : everyNaming.slice(0, 1);
  return namings.map((ports) => [pod(ownNamespace(world), labels, world, ports) ?? []].flat());
}

/** Nobody is granted these. */
const closed: readonly Address[] = [
  { family: 4, value: 0xa9fea9fen },
  { family: 6, value: (0xfe80n << 112n) + 1n },
];
const grouped: readonly Candidate[] = closed.map((one) => markedAddress(one, { group }));
const labelledNode: Candidate = { asked: { reserved: 'remote-node', labels: { zone: 'x' } }, party: undefined };

const nameTo = (name: string): readonly Candidate[] =>
  closed.slice(0, 1).map((one) => markedAddress(one, { names: [name] }));

/** Names that the patterns of the rule match. */
function namedBy({ toFQDNs = [] }: CiliumRule): readonly Candidate[] {
  return toFQDNs.flatMap(({ matchName, matchPattern }) => {
    const [first = '', ...others] = (matchName ?? matchPattern ?? '').toLowerCase().replace(/[.]$/, '').split('.');
    if (others.length === 0) return nameTo('x.own.example');
    const heads = /^[*]{2,}$/.test(first)
      ? ['any', 'any.more', 'ab']
      : ['any', 'ab', ''].map((one) => first.replaceAll('*', one));
    const tails = ['any', 'b'].map((one) => others.join('.').replaceAll('*', one));
    return heads.flatMap((head) => tails.flatMap((tail) => nameTo(head === '' ? tail : `${head}.${tail}`)));
  });
}

const around: PolicyKind<CiliumSpec>['around'] = (spec, world, random) => {
  const candidates: Candidate[] = [];
  for (const draft of draftsIn(spec)) {
    for (const rule of directions.flatMap((direction) => draft[direction] ?? [])) {
      for (const selector of [...(rule.fromEndpoints ?? []), ...(rule.toEndpoints ?? [])]) {
        const { namespaces, pods } = parted(selector);
        candidates.push(...random.some(podsAround(namespaces ?? {}, pods, world, namedPorts(random)), 6));
        if (keysOf(selector).some((key) => key.endsWith(clusterKey)))
          // Of a cluster without a name, Cilium alone can be asked.
          for (const cluster of ['elsewhere', 'west', ''])
            candidates.push(...random.some(podsAround(namespaces ?? {}, pods, world, namedPorts(random), cluster), 3));
      }
      if (rule.fromNodes !== undefined || rule.toNodes !== undefined) candidates.push(labelledNode);
      candidates.push(...random.some(namedBy(rule), 4));
      const sets = [...(rule.fromCIDRSet ?? []), ...(rule.toCIDRSet ?? [])];
      const isOfGroup = sets.some((one) => 'cidrGroupRef' in one || 'cidrGroupSelector' in one);
      if (isOfGroup || rule.fromGroups !== undefined || rule.toGroups !== undefined) candidates.push(...grouped);
      const blocks = [
        ...sets.flatMap(({ cidr, except = [] }) => (cidr === undefined ? except : [cidr, ...except])),
        ...[...(rule.fromCIDR ?? []), ...(rule.toCIDR ?? [])].map((text) => (text.includes('/') ? text : `${text}/32`)),
      ].flatMap((text) => readBlock(text) ?? []);
      candidates.push(...random.some(edgesOf(blocks), 8).map(addressParty));
    }
  }
  return random.some([...candidates, ...random.some(reserved, 2)], 22);
};

/** `spec.ingress[0].fromEndpoints[1]`, or `specs[2].egress[0]`. */
function ruleAt(path: string, spec: CiliumSpec) {
  const found = /^(?:spec|specs\[(\d+)\])\.(ingress|egress)\[(\d+)\](?:\.([A-Za-z]+)\[(\d+)\])?/.exec(path);
  if (found === null) return undefined;
  const [, at, direction, rule, list, peer] = found;
  const draft = at === undefined ? spec.spec : spec.specs?.[Number(at)];
  const written = draft?.[direction === 'ingress' ? 'ingress' : 'egress']?.[Number(rule)];
  return written && draft && { draft, rule: written, list, peer: Number(peer) };
}

const isForeignSomewhere = (candidate: Candidate, direction: Direction, world: World) =>
  wires.some((wire) => isForeignOn(candidate, wire, direction, world));

function witness(
  { direction, path, kind: what, witness: sentence = '' }: PeerVerdict,
  spec: CiliumSpec,
  world: World,
): ReadWitness {
  const at = ruleAt(path, spec);
  if (at === undefined) return { unread: `${path} is no place in the policy` };
  if (subjectOf(at.draft) === undefined) return { unasked: 'no pod is surely selected' };
  const keys = keysOf(at.draft.endpointSelector);
  if (!keys.every(isOfPods) || hasTwoSources(keys))
    return { unasked: 'whether a pod of the own namespace has those labels is another question' };
  if (at.rule.icmps !== undefined) return { unasked: 'the search has no wires of ICMP' };
  const [draft] = draftsIn(spec);
  if (at.draft !== draft) return { unasked: 'the pod is chosen for the first specification' };
  const emptied = Object.entries(at.rule).some(
    ([name, list]) => name !== 'toPorts' && Array.isArray(list) && list.length === 0,
  );
  if (emptied && at.list !== undefined) return { unasked: 'an empty list beside the peers selects nobody' };
  const denies = direction === 'ingress' ? at.draft.ingressDeny : at.draft.egressDeny;
  if (denies !== undefined) return { unasked: 'another rule denies it' };
  const selecting = [...(at.rule.fromEndpoints ?? []), ...(at.rule.toEndpoints ?? [])][at.peer];
  const asking = keysOf(selecting ?? {});
  if (hasTwoSources(asking) || !asking.every((key) => isOfPods(key) || isOfOthers(key)))
    return { unasked: 'whether a pod has those labels is another question' };
  const names = (at.rule.toPorts ?? []).some(({ ports }) => (ports ?? []).some(({ port }) => isName(port)));
  const granted = (world.entities ?? []).filter((one) => one.direction === direction);
  if (sentence.startsWith('the API server') && granted.some(({ entity }) => entity === 'remote-node'))
    return { unasked: 'the API server is another node, too, and those are granted' };
  if (what === 'name') {
    const [, name] = /, if the DNS gives it for (\S+)$/.exec(sentence) ?? [];
    const candidates = name === undefined ? nameTo('x.own.example') : nameTo(name);
    return candidates.some((one) => isForeignSomewhere(one, direction, world))
      ? { direction, candidates }
      : { unread: sentence };
  }
  if (sentence.startsWith('any address, ')) {
    if (names && direction === 'egress') return { unasked: 'an address has no port by a name' };
    return { direction, candidates: grouped };
  }
  if (what === 'entity' || /^an endpoint with|^a pod of any namespace/.test(sentence)) {
    const pods = [pod(new Map([[nameLabel, 'zz-unmentioned']]), new Map(), world, []) ?? []].flat();
    const addresses = /^the address/.test(sentence)
      ? [readWitness(sentence)].flatMap((one) =>
          one?.party.kind === 'address' ? addressParty(one.spelling ?? one.party.address) : [],
        )
      : [];
    const candidates = (addresses.length > 0 ? addresses : [...reserved, labelledNode, ...pods]).filter((one) =>
      isForeignSomewhere(one, direction, world),
    );
    if (names) return { unasked: 'nobody but pods has named ports' };
    return candidates.length === 0 ? { unread: sentence } : { direction, candidates };
  }
  const read = readWitness(sentence);
  if (read === undefined) return { unread: sentence };
  const { party, spelling } = read;
  if (party.kind === 'address') {
    if (names && direction === 'egress') return { unasked: 'an address has no port by a name' };
    return { direction, candidates: [addressParty(spelling ?? party.address)] };
  }
  const namings = names && direction === 'egress' ? everyNaming : everyNaming.slice(0, 1);
  const selector = [...(at.rule.fromEndpoints ?? []), ...(at.rule.toEndpoints ?? [])][at.peer];
  const places = party.cluster === undefined || selector === undefined ? [party] : inMesh(selector, world);
  const around = party.cluster === undefined || selector === undefined ? undefined : parted(selector);
  const candidates = [
    ...places.flatMap((place) =>
      namings.flatMap((ports) => pod(place.namespace, place.pod, world, ports, party.cluster) ?? []),
    ),
    ...(around?.namespaces === undefined
      ? []
      : namings.flatMap((ports) =>
          manyPods(around.pods).flatMap((pods) => podsAround(around.namespaces, pods, world, ports, party.cluster)),
        )),
  ].filter((one) => isForeignSomewhere(one, direction, world));
  if (candidates.length === 0) return { unread: `no pod can be ${sentence}` };
  if (names && !candidates.some((one) => isForeignByName(at.rule, one, direction, world)))
    return { unasked: 'by the name of a port, kube-router alone opens the other protocols' };
  return { direction, candidates };
}

/** "a pod of the cluster X" says nothing of its labels, and a shared service may have some of those pods. */
function manyPods(selector: WrittenSelector): readonly WrittenSelector[] {
  const labels = satisfy(selector) ?? new Map();
  const others = ['x', 'y'].map((app) => new Map([...labels, ['app', app]]));
  return [labels, ...others.filter((one) => selects(selector, one))].map((one) => ({
    matchLabels: Object.fromEntries(one),
  }));
}

/** "a pod of the cluster X" says nothing of its namespace. */
function inMesh(selector: WrittenSelector, world: World) {
  const { namespaces, pods } = parted(selector);
  const labels = satisfy(pods) ?? new Map();
  const wanted = namespaces === undefined ? ownNamespace(world) : (satisfy(namespaces) ?? new Map());
  const names = wanted.has(nameLabel) ? [wanted.get(nameLabel)] : [world.namespace, 'default', 'beta-db'];
  return names.map((name) => ({ namespace: new Map([...wanted, [nameLabel, name]]), pod: labels }));
}

/**
 * `world` is whoever has no identity: no pod and no node of the cluster, whatever its address (src/reach/entity-peer.ts). So an address
 * of the cluster, or its form for NAT64, is nobody who comes from there.
 */
const excuses: PolicyKind<CiliumSpec>['excuses'] = (spec, { protectedRanges }) => {
  const entities = draftsIn(spec).flatMap(({ ingress = [] }) =>
    ingress.flatMap(({ fromEntities = [] }) => fromEntities),
  );
  if (!entities.some((one) => one.startsWith('world'))) return undefined;
  const own = [
    ...protectedRanges.filter(({ name }) => /^(pod|service|node)CIDRs$/.test(name)),
    // Of the link alone.
    { cidr: 'fe80::/10' },
  ];
  const blocks = own.flatMap(({ cidr }) => readBlock(cidr) ?? []);
  return ({ asked, party }, direction) =>
    direction === 'ingress' &&
    'address' in asked &&
    party?.kind === 'address' &&
    (asked.address.startsWith('64:ff9b::') || blocks.some((block) => reaches(block, party.address)));
};

/** Whether it gets through on some port of the protocols that the rule names; a name is of one protocol, or of all. */
function isForeignByName({ toPorts }: CiliumRule, candidate: Candidate, direction: Direction, world: World): boolean {
  const ports = (toPorts ?? []).flatMap((one) => one.ports ?? []);
  const named = ports.filter(({ port }) => isName(port)).map(({ protocol = 'ANY' }) => protocol);
  return wires.some(
    (wire) =>
      (named.includes(wire.protocol) || named.includes('ANY')) && isForeignOn(candidate, wire, direction, world),
  );
}

export const ciliumNetworkPolicy: PolicyKind<CiliumSpec> = {
  kind: 'CiliumNetworkPolicy',
  knowsEntities: true,
  specs,
  beside,
  objectOf,
  judge,
  subjects,
  around,
  excuses,
  witness,
};
