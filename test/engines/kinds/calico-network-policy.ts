/**
 * NetworkPolicy of projectcalico.org/v3: the policies of the search for NetworkPolicy in the fields of Calico, with boolean expressions
 * and what else only those can say.
 */
import fc from 'fast-check';
import { calicoGroups } from '../../../src/kinds/calico-groups.ts';
import { calicoNetworkPolicy as kindOf } from '../../../src/kinds/calico-network-policy/calico-network-policy.ts';
import { judgeBorder, type PeerVerdict } from '../../../src/reach/border.ts';
import {
  nameLabel,
  type World,
  type WrittenPort,
  type WrittenRule,
  type WrittenSelector,
} from '../../reach/evaluator.ts';
import { readBlock } from '../../reach/evaluator-addresses.ts';
import { readWitness } from '../../reach/read-witness.ts';
import { policy } from '../../reach/search-policies.ts';
import type { PolicyKind, ReadWitness } from '../kind.ts';
import {
  addressParty,
  type Candidate,
  edgesOf,
  isForeignOn,
  ownNamespace,
  pod,
  podsAround,
  reserved,
  wires,
} from '../parties.ts';

const kind = kindOf(calicoGroups[0]);
type Direction = 'ingress' | 'egress';
const directions = ['ingress', 'egress'] as const;

interface Entity {
  selector?: string;
  namespaceSelector?: string;
  notSelector?: string;
  serviceAccounts?: { names?: string[]; selector?: string };
  nets?: string[];
  notNets?: string[];
  ports?: (number | string)[];
  notPorts?: (number | string)[];
  services?: { name: string; namespace?: string };
}
interface Rule {
  action: string;
  protocol?: string | number;
  notProtocol?: string | number;
  ipVersion?: number;
  http?: object;
  source?: Entity;
  destination?: Entity;
}
export interface CalicoSpec {
  selector?: string;
  types?: string[];
  ingress?: Rule[];
  egress?: Rule[];
}

function chosen<Item>(items: readonly [Item, ...Item[]], at: number): Item {
  return items[at % items.length] ?? items[0];
}

// Writing.

/** A selector of meta/v1 as Calico would write it; empty where it asks for nothing. */
function textOf({ matchLabels, matchExpressions }: WrittenSelector): string {
  const quote = (value: string) => (value.includes('"') ? `'${value}'` : `"${value}"`);
  return [
    ...Object.entries(matchLabels ?? {}).map(([key, value]) => `${key} == ${quote(value)}`),
    ...(matchExpressions ?? []).map(({ key, operator, values }) => {
      const set = `{${(values ?? []).map(quote).join(', ')}}`;
      if (operator === 'In') return `${key} in ${set}`;
      if (operator === 'NotIn') return `${key} not in ${set}`;
      return operator === 'Exists' ? `has(${key})` : `!has(${key})`;
    }),
  ].join(' && ');
}

/** Calico has one peer and one protocol in a rule. */
function rulesOf({ from, to, ports }: WrittenRule, direction: Direction): Rule[] {
  const peers = (direction === 'ingress' ? from : to) ?? [];
  const entities: Entity[] = peers.map(({ namespaceSelector, podSelector, ipBlock }) => {
    if (ipBlock) return { nets: [ipBlock.cidr], ...(ipBlock.except && { notNets: [...ipBlock.except] }) };
    const [namespaces, pods] = [namespaceSelector && textOf(namespaceSelector), podSelector && textOf(podSelector)];
    return {
      ...(typeof namespaces === 'string' && { namespaceSelector: namespaces || 'all()' }),
      ...((typeof pods === 'string' && pods !== '') || typeof namespaces !== 'string'
        ? { selector: pods || 'all()' }
        : {}),
    };
  });
  const remote = direction === 'ingress' ? 'source' : 'destination';
  const open = Object.entries(Object.groupBy(ports ?? [], ({ protocol }) => protocol ?? 'TCP'));
  return (entities.length === 0 ? [{}] : entities).flatMap((entity): Rule[] => {
    if (open.length === 0) return [{ action: 'Allow', [remote]: entity }];
    return open.map(([protocol, list = []]) => {
      const written = list.every(({ port }) => port !== undefined && port !== null) ? list.map(portOf) : [];
      const destination = { ...(remote === 'destination' && entity), ...(written.length > 0 && { ports: written }) };
      return { action: 'Allow', protocol, ...(remote === 'source' && { source: entity }), destination };
    });
  });
}

function portOf({ port, endPort }: WrittenPort): number | string {
  if (typeof port === 'number' && typeof endPort === 'number') return `${port}:${endPort}`;
  // The search has few wires.
  return String(port) === '80' ? '3' : (port ?? 1);
}

/** A boolean expression, by numbers: which key, test and value. */
type Tree =
  | { readonly at: number }
  | { readonly not: Tree }
  | { readonly join: '&&' | '||'; readonly of: readonly Tree[] };

const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    { weight: 4, arbitrary: fc.record({ at: fc.nat(0xffffff) }) },
    { weight: 1, arbitrary: fc.record({ not: tie('tree') }) },
    {
      weight: 3,
      arbitrary: fc.record({
        join: fc.constantFrom('&&', '||'),
        of: fc.array(tie('tree'), { minLength: 2, maxLength: 3 }),
      }),
    },
  ),
}));

function write(of: Tree, words: Words): string {
  if ('not' in of) return `!(${write(of.not, words)})`;
  if ('of' in of) return `(${of.of.map((one) => write(one, words)).join(` ${of.join} `)})`;
  return testOf(of.at, words);
}

interface Words {
  readonly keys: readonly [string, ...string[]];
  readonly values: (key: string) => readonly [string, ...string[]];
}

function testOf(at: number, { keys, values }: Words): string {
  const key = chosen(keys, at);
  const of = values(key);
  const [value, other] = [chosen(of, at >> 4), chosen(of, at >> 8)];
  const part = chosen([value.slice(0, 3), value.slice(-2), value, ''], at >> 10);
  return chosen(
    [
      ...([
        `${key} == "${value}"`,
        `${key} == '${value}'`,
        `${key} != "${value}"`,
        `has(${key})`,
        `!has(${key})`,
      ] as const),
      ...[
        `${key} in {"${value}", "${other}"}`,
        `${key} in {"${value}"}`,
        `${key} not in {"${value}", "${other}",}`,
        `${key} in {}`,
      ],
      ...[`${key} starts with "${part}"`, `${key} endswith "${part}"`, `${key} contains "${part}"`, 'all()'],
    ],
    at >> 12,
  );
}

const namespaceWords = ({ tenantLabel, tenants, trusted = {}, namespace }: World, prefix = ''): Words => ({
  keys: [
    ...([
      `${prefix}${tenantLabel}`,
      `${prefix}${tenantLabel}`,
      `${prefix}${nameLabel}`,
      `${prefix}projectcalico.org/name`,
    ] as const),
    ...[`${prefix}env`, ...Object.keys(trusted).map((key) => `${prefix}${key}`)],
  ],
  values: (key) => {
    const label = key.slice(prefix.length);
    if (label === tenantLabel) return ['acme', 'acme', ...tenants.map(({ name }) => name), 'nobody', 'no label'];
    if (label === nameLabel || label.endsWith('/name'))
      return [namespace, 'acme-db', 'beta-db', 'kube-system', 'web', 'infra', 'edge'];
    return ['x', 'y', 'no label', ...Object.keys(trusted[label] ?? {})];
  },
});
const podWords: Words = { keys: ['app', 'role', 'k8s-app'], values: () => ['x', 'y', 'dns'] };

/** The fields by which an entity says who it is. */
const selecting = [
  ...(['selector', 'namespaceSelector', 'notSelector', 'serviceAccounts', 'nets', 'notNets', 'services'] as const),
];

/** A change of what is written: numbers and trees choose. */
type Twist = (entity: Entity, rule: Rule, of: Tree, at: number, world: World) => void;
const twists: readonly [Twist, ...Twist[]] = [
  (entity, _, of, __, world) => {
    entity.namespaceSelector = write(of, namespaceWords(world));
  },
  (entity, _, of, at, world) => {
    entity.namespaceSelector = chosen(['all()', '!all()', 'global()', '!has(env)'], at);
    entity.selector = write(of, at % 2 === 0 ? podWords : namespaceWords(world, 'pcns.'));
  },
  (entity, _, of, at, world) => {
    if (at % 2 === 0) entity.namespaceSelector = 'all()';
    entity.notSelector = write(of, at % 3 === 0 ? podWords : namespaceWords(world, 'pcns.'));
  },
  (entity, _, of) => {
    entity.selector = write(of, podWords);
  },
  (entity, _, __, at) => {
    entity.serviceAccounts = chosen<NonNullable<Entity['serviceAccounts']>>(
      [{}, { names: [] }, { names: ['web'] }, { selector: 'team == "x"' }, { selector: 'all()' }],
      at,
    );
    if (at % 7 < 3) for (const name of ['selector', 'namespaceSelector', 'notSelector'] as const) delete entity[name];
  },
  // A little more than a gate opens.
  (entity, rule, _, at, { tenantLabel, tenants, tenant }) => {
    const gates = tenants.find(({ name }) => name === tenant)?.gates ?? [];
    const gate = gates[at % Math.max(1, gates.length)];
    const [open] = gate?.ports ?? [];
    if (gate === undefined || typeof open?.port !== 'number') return;
    entity.namespaceSelector = `${tenantLabel} == "${gate.tenant}"`;
    rule.protocol = open.protocol ?? 'TCP';
    rule.destination = {
      ...rule.destination,
      ports: at % 3 === 0 ? [open.port] : [open.port, chosen([1, 2, 3, 4], at >> 2)],
    };
  },
  (_, rule, __, at) => {
    rule.action = chosen(['Pass', 'Deny', 'Log', 'Allow'], at);
  },
  (_, rule, __, at) => {
    rule.protocol = chosen(['TCP', 6, 'UDP', 17, 132, 'ICMP', 1], at);
    rule.destination = {
      ...rule.destination,
      ports: [chosen<number | string>([1, '2:4', 3, '65535', 'http'], at >> 3)],
    };
  },
  (entity, _, __, at) => {
    entity.nets = [chosen(['10.244.0.0/16', '0.0.0.0/0', '203.0.113.7', '::/0', '203.0.113.0/24'], at)];
  },
  (entity, _, __, at) => {
    entity.notNets = [chosen(['10.244.0.0/16', '0.0.0.0/0', '10.0.0.0/8', '::/0'], at)];
  },
  // A label of the pod, by the name of one of its namespace.
  (entity, _, of, at, world) => {
    entity.namespaceSelector = chosen(['all()', 'has(env)'], at);
    entity.selector = write(of, namespaceWords(world));
  },
  // A part of the name of the tenant, which others may have too.
  (entity, _, __, at, { tenantLabel, tenant }) => {
    const how = chosen(['starts with', 'startswith', 'contains', 'ends with'], at);
    entity.namespaceSelector = `${tenantLabel} ${how} "${tenant}"`;
    for (const name of ['selector', 'nets'] as const) delete entity[name];
  },
  // The side that is local.
  (entity, rule, _, at) => {
    const local = rule.source === entity ? 'destination' : 'source';
    rule[local] = { ...rule[local], selector: chosen(['all()', 'app in {"x", "y"} || !has(app)'], at) };
    if (at % 3 === 0) for (const name of ['selector', 'namespaceSelector', 'nets'] as const) delete entity[name];
  },
  (_, rule, __, at) => {
    rule.destination = { ...rule.destination, notPorts: [chosen<number | string>([1, '2:65535'], at)] };
  },
  // A Service alone.
  (entity, _, __, at) => {
    for (const name of selecting) delete entity[name];
    entity.services = { name: 'db', ...(at % 3 > 0 && { namespace: chosen(['acme-web', 'beta-db'], at >> 2) }) };
  },
  // Some requests of a port.
  (entity, rule, _, at) => {
    rule.action = 'Allow';
    rule.protocol = 'TCP';
    rule.http = chosen<object>([{ methods: ['GET'] }, { paths: [{ exact: '/x' }] }, {}], at);
    if (at % 5 === 0) for (const name of selecting) delete entity[name];
  },
  // All protocols but one, to whom a gate opens that one.
  (entity, rule, _, at, { tenantLabel, tenants, tenant }) => {
    const gates = tenants.find(({ name }) => name === tenant)?.gates ?? [];
    const gate = gates[at % Math.max(1, gates.length)];
    rule.notProtocol = chosen<string | number>(['TCP', 6, 'UDP', 132, 'ICMP'], at >> 2);
    delete rule.protocol;
    if (at % 3 > 0) delete rule.destination?.ports;
    if (gate === undefined) return;
    for (const name of selecting) delete entity[name];
    entity.namespaceSelector = `${tenantLabel} == "${gate.tenant}"`;
    if (at % 5 > 0) rule.notProtocol = gate.ports[0]?.protocol ?? 'TCP';
  },
  // Both families in one list, which Calico's own validation refuses, and felix takes.
  (entity, rule, _, at) => {
    for (const name of selecting) delete entity[name];
    entity.nets = chosen(
      [
        ['203.0.113.0/24', '::/0'],
        ['2001:db8:9::/48', '0.0.0.0/0'],
        ['203.0.113.0/24', '2001:db8:9::/48'],
      ],
      at,
    );
    if (at % 4 === 0) entity.notNets = [chosen(['203.0.113.7/32', '2001:db8:9::/64', '10.0.0.0/8'], at >> 2)];
    if (at % 7 === 0) rule.ipVersion = chosen([4, 6], at >> 3);
  },
  // Without brackets, && comes first.
  (entity, _, __, at, world) => {
    const test = (shift: number) => testOf(at >> shift, namespaceWords(world));
    for (const name of selecting) delete entity[name];
    entity.namespaceSelector = chosen(
      [
        `${test(0)} || ${test(3)} && ${world.tenantLabel} == "${world.tenant}"`,
        `${world.tenantLabel} == "${world.tenant}" && ${test(0)} || ${test(3)}`,
        `!has(env) && ${test(0)}`,
      ],
      at,
    );
  },
  // What pods have and sets of addresses have not, and what only host endpoints can have here.
  (entity, _, __, at, { tenantLabel, tenant }) => {
    for (const name of selecting) delete entity[name];
    entity.namespaceSelector = chosen(['all()', 'has(env)', 'global()', '!has(projectcalico.org/name)'], at);
    entity.selector = chosen(
      [
        '!has(projectcalico.org/serviceaccount)',
        'projectcalico.org/orchestrator != "k8s"',
        'app == "x"',
        'has(app) && role in {"x", "y"}',
        `${tenantLabel} == "${tenant}"`,
        'env == "x"',
      ],
      at >> 2,
    );
  },
];

const specs: fc.Arbitrary<(world: World) => CalicoSpec> = fc
  .tuple(policy, fc.array(fc.tuple(fc.nat(0xffffff), fc.nat(0xff), tree), { maxLength: 3 }), fc.nat(0xffff))
  .map(([plainly, changes, at]) => (world) => {
    const plain = plainly(world);
    const spec: CalicoSpec = { selector: chosen(['', 'all()', 'app == "x"', 'app in {"x", "y"} || !has(app)'], at) };
    for (const direction of directions) {
      const rules = (plain[direction] ?? []).flatMap((rule) => rulesOf(rule, direction));
      if (rules.length > 0) spec[direction] = rules;
    }
    if (at % 11 === 0) spec.types = chosen<string[]>([['Ingress'], ['Egress'], ['Ingress', 'Egress']], at >> 8);
    if (spec.ingress === undefined && spec.egress === undefined)
      spec.ingress = [{ action: 'Allow', source: { selector: 'all()' } }];
    for (const [number, which, of] of changes) {
      const direction =
        spec.egress !== undefined && (spec.ingress === undefined || which % 2 === 0) ? 'egress' : 'ingress';
      const rules = spec[direction] ?? [];
      const rule = rules[which % Math.max(1, rules.length)];
      if (rule === undefined) continue;
      const remote = direction === 'ingress' ? 'source' : 'destination';
      const entity: Entity = rule[remote] ?? {};
      rule[remote] = entity;
      chosen(twists, which >> 1)(entity, rule, of, number, world);
    }
    return JSON.parse(JSON.stringify(spec));
  });

function objectOf(spec: CalicoSpec, { namespace }: World): unknown {
  return { apiVersion: 'projectcalico.org/v3', kind: 'NetworkPolicy', metadata: { name: 'asked', namespace }, spec };
}

function judge(spec: CalicoSpec, border: Parameters<typeof judgeBorder>[1]): readonly PeerVerdict[] {
  const metadata = { name: 'asked', namespace: border.namespace };
  return judgeBorder(kind.read(JSON.parse(JSON.stringify({ spec, metadata }))), border);
}

// Reading.

/** A host endpoint, or a GlobalNetworkSet: in no namespace, with whatever labels somebody gave it. */
function hostEndpoint(labels: Readonly<Record<string, string>>): Candidate {
  return { asked: { reserved: 'host', labels }, party: undefined };
}

/** A NetworkSet in the namespace of the pod, with its labels. */
function asSet({ asked, party }: Candidate): readonly Candidate[] {
  return 'pod' in asked ? [{ asked: { pod: { ...asked.pod, set: true } }, party }] : [];
}

const around: PolicyKind<CalicoSpec>['around'] = (spec, world, random) => {
  const { tenantLabel, tenants } = world;
  const candidates: Candidate[] = [];
  const mentioned: WrittenSelector = {
    matchExpressions: [
      { key: tenantLabel, operator: 'NotIn', values: ['nobody', ...tenants.map(({ name }) => name)] },
      { key: nameLabel, operator: 'NotIn', values: ['acme-db', 'beta-db', 'kube-system', 'web', 'infra', 'edge'] },
    ],
  };
  for (const [direction, rule] of directions.flatMap((one) => (spec[one] ?? []).map((rule) => [one, rule] as const))) {
    const entity = (direction === 'ingress' ? rule.source : rule.destination) ?? {};
    const env = random.pick([undefined, 'x', 'y']);
    const namespaces = { ...mentioned, ...(env && { matchLabels: { env } }) };
    const app = random.pick([undefined, 'x', 'y', 'dns']);
    const pods = app === undefined ? {} : { matchLabels: { [random.pick(['app', 'role', 'k8s-app'])]: app } };
    const pods8 = random.some(podsAround(namespaces, pods, world, []), 8);
    candidates.push(...pods8, ...random.some(pods8, 3).flatMap(asSet));
    const blocks = [...(entity.nets ?? []), ...(entity.notNets ?? [])].flatMap(
      (text) => readBlock(text.includes('/') ? text : `${text}/32`) ?? [],
    );
    candidates.push(...random.some(edgesOf(blocks), 6).map(addressParty));
  }
  const labels = [{ app: 'x' }, { app: 'y', role: 'x' }, { env: 'x' }, { [tenantLabel]: world.tenant }];
  return [...random.some(candidates, 24), ...random.some(reserved, 1), ...random.some(labels.map(hostEndpoint), 2)];
};

function witness(
  { direction, path, witness: sentence = '' }: PeerVerdict,
  spec: CalicoSpec,
  world: World,
): ReadWitness {
  const [, at] = /^spec\.(?:ingress|egress)\[(\d+)\]/.exec(path) ?? [];
  const rules = spec[direction] ?? [];
  const rule = rules[Number(at)];
  if (rule === undefined) return { unread: `${path} is no place in the policy` };
  if (rules.slice(0, Number(at)).some(({ action }) => action === 'Deny'))
    return { unasked: 'an earlier rule may deny it' };
  if (rule.protocol === 'ICMP' || rule.protocol === 1) return { unasked: 'the search has no wires of ICMP' };
  const { ports = [], notPorts } = rule.destination ?? {};
  if (notPorts !== undefined || rule.notProtocol !== undefined) return { unasked: 'some of the ports are taken away' };
  if (ports.some((port) => /[a-z]/.test(String(port)))) return { unasked: 'the pods have no port by this name' };
  if (rule.protocol === undefined && ports.length > 0) return { unasked: 'Calico takes no ports without a protocol' };
  const isLeftOut = spec.types !== undefined && !spec.types.includes(direction === 'ingress' ? 'Ingress' : 'Egress');
  if (isLeftOut) return { unasked: 'types leaves the direction out, which no proof rests on' };
  const [host, labels = ''] = /^a host endpoint(?: with the labels? (.*))?$/.exec(sentence) ?? [];
  if (host !== undefined && !/ and \d+ more/.test(labels)) {
    const pairs = labels.split(', ').flatMap((pair) => (pair === '' ? [] : [pair.split('=', 2)]));
    return { direction, candidates: [hostEndpoint(Object.fromEntries(pairs))] };
  }
  if (/^an endpoint of the Service/.test(sentence)) {
    const { services: _, ports: __, ...others } = (direction === 'ingress' ? rule.source : rule.destination) ?? {};
    if (Object.keys(others).length > 0) return { unasked: 'Calico takes no Service beside other peers' };
    const pods = [pod(new Map([[nameLabel, 'zz-unmentioned']]), new Map(), world, []) ?? []].flat();
    return { direction, candidates: pods };
  }
  const read = readWitness(sentence);
  if (read === undefined) return { unread: sentence };
  const { party, spelling } = read;
  const candidates =
    party.kind === 'address'
      ? [addressParty(spelling ?? party.address)]
      : [pod(party.namespace, party.pod, world, []) ?? []].flat().flatMap((one) => [one, ...asSet(one)]);
  if (candidates.length === 0) return { unread: `no pod can be ${sentence}` };
  if (!candidates.some((one) => wires.some((wire) => isForeignOn(one, wire, direction, world))))
    return { unread: `${sentence} is not foreign` };
  return { direction, candidates };
}

const subjects: PolicyKind<CalicoSpec>['subjects'] = (_, world) => [
  [pod(ownNamespace(world), new Map([['app', 'x']]), world, []) ?? []].flat(),
];

export const calicoNetworkPolicy: PolicyKind<CalicoSpec> = {
  kind: 'CalicoNetworkPolicy',
  specs,
  objectOf,
  judge,
  subjects,
  around,
  witness,
};
