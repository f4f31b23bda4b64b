/**
 * The border against an evaluator that knows nothing of domains and sets: it tries every namespace, pod, port and address
 * of a small world on the raw text of the policy.
 * - What gets no verdict lets nobody through who is not the tenant's own, shared or agreed, in any world in which reserved
 *   names and tenant labels are kept.
 * - What is refused has a witness that does get through.
 */
import fc from 'fast-check';
import t from 'tap';
import type { LabelSelector } from '../../src/kubernetes/label-selector.ts';
import type { PortRange } from '../../src/kubernetes/port-range.ts';
import type { Border } from '../../src/reach/objection.ts';
import { createTenancy } from '../../src/tenancy/tenancy.ts';
import type { Direction, Gate } from '../../src/tenancy/tenant.ts';
import { gate, judge, label, nameLabel, protect, range, settings, tcp, tenant, udp } from './world.ts';

const now = 1000;
const own = 'acme-web';

type Labels = ReadonlyMap<string, string>;
interface Endpoint {
  readonly namespace: Labels;
  readonly pod: Labels;
}
interface WirePort {
  readonly protocol: string;
  readonly port: number;
}
type Traffic = Endpoint & WirePort;
interface Rule {
  readonly peers: readonly Peer[] | undefined;
  readonly ports: readonly WrittenPort[] | undefined;
}
interface Peer {
  readonly namespaceSelector?: LabelSelector;
  readonly podSelector?: LabelSelector;
}
interface WrittenPort {
  readonly protocol: 'TCP' | 'UDP';
  readonly port?: number | string;
  readonly endPort?: number;
}

// The small world. `fresh` stands for every value that nobody mentions, port 6 for every port.
const tenantValues = ['acme', 'beta', 'gamma', 'nobody'];
const names = [own, 'acme-db', 'beta-db', 'web', 'kube-system'];
const environments = ['x', 'y'];
const reserved: Readonly<Record<string, string | undefined>> = { 'beta-db': 'beta', [own]: 'acme', 'acme-db': 'acme' };

const namespaces: Labels[] = [];
for (const name of [...names, 'fresh']) {
  for (const owner of [undefined, ...tenantValues, 'fresh']) {
    if (Object.hasOwn(reserved, name) ? reserved[name] !== owner : name === 'kube-system' && owner !== undefined)
      continue;
    for (const env of [undefined, ...environments, 'fresh']) {
      namespaces.push(labelsOf({ [nameLabel]: name, [label]: owner, env }));
    }
  }
}
const pods = [undefined, 'x', 'y', 'fresh'].map((app) => labelsOf({ app }));
const wire = [1, 2, 3, 4, 6].flatMap((port) => [
  { protocol: 'TCP', port },
  { protocol: 'UDP', port },
]);

function labelsOf(labels: Readonly<Record<string, string | undefined>>): Labels {
  return new Map(
    Object.entries(labels).flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const])),
  );
}

function selects(selector: LabelSelector, labels: Labels): boolean {
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) if (labels.get(key) !== value) return false;
  for (const { key, operator, values } of selector.matchExpressions ?? []) {
    const value = labels.get(key);
    const listed = value !== undefined && (values ?? []).includes(value);
    if (operator === 'In' && !listed) return false;
    if (operator === 'NotIn' && listed) return false;
    if (operator === 'Exists' && value === undefined) return false;
    if (operator === 'DoesNotExist' && value !== undefined) return false;
  }
  return true;
}

function matchesPeer({ namespaceSelector, podSelector }: Peer, { namespace, pod }: Endpoint): boolean {
  if (podSelector !== undefined && !selects(podSelector, pod)) return false;
  return namespaceSelector === undefined ? namespace.get(nameLabel) === own : selects(namespaceSelector, namespace);
}

/** A named port is whatever the destination makes of it. */
function matchesPorts({ ports }: Rule, { protocol, port }: WirePort): boolean {
  if (ports === undefined || ports.length === 0) return true;
  return ports.some((one) => {
    if (one.protocol !== protocol) return false;
    if (typeof one.port !== 'number') return true;
    return one.port <= port && port <= (one.endPort ?? one.port);
  });
}

function opens(ports: readonly PortRange[], { protocol, port }: WirePort): boolean {
  return ports.length === 0 || ports.some((one) => one.protocol === protocol && one.first <= port && port <= one.last);
}

/** The tenant's own, a shared service's, or agreed by both halves of a gate. */
function isAllowed(traffic: Traffic, direction: Direction, { tenancy }: Border): boolean {
  const owner = traffic.namespace.get(label);
  if (owner === 'acme') return true;
  const served = tenancy.settings.sharedServices.some(
    (service) =>
      service.direction === direction &&
      service.namespace === traffic.namespace.get(nameLabel) &&
      selects(service.podSelector, traffic.pod) &&
      opens(service.ports, traffic),
  );
  const half = (from: string, to: string | undefined, side: Direction) =>
    tenancy.tenants
      .get(from)
      ?.network.gates.some(
        (one) =>
          one.tenant === to &&
          one.direction === side &&
          (one.expires === undefined || now < one.expires) &&
          opens(one.ports, traffic),
      ) === true;
  const opposite = direction === 'ingress' ? 'egress' : 'ingress';
  return served || (owner !== undefined && half('acme', owner, direction) && half(owner, 'acme', opposite));
}

/** Whether anybody matches, whether somebody gets through who must not, and else whether somebody does who is not the tenant's own. */
function tryAll(
  peer: Peer,
  rule: Rule,
  direction: Direction,
  border: Border,
): [crossing: boolean, agreed: boolean, matched: boolean] {
  let [agreed, matched] = [false, false];
  const open = wire.filter((port) => matchesPorts(rule, port));
  for (const namespace of namespaces) {
    for (const pod of pods) {
      if (!matchesPeer(peer, { namespace, pod })) continue;
      for (const port of open) {
        matched = true;
        if (!isAllowed({ namespace, pod, ...port }, direction, border)) return [true, false, true];
        if (namespace.get(label) !== 'acme') agreed = true;
      }
    }
  }
  return [false, agreed, matched];
}

/** `a pod with the label app=x in a namespace without the label L, with the labels a=b, c=d` */
function readWitness(text: string): Endpoint {
  const read = (part: string | undefined): Labels =>
    new Map(
      (part?.split(', ') ?? []).map((pair) => {
        const at = pair.indexOf('=');
        return [pair.slice(0, at), pair.slice(at + 1)] as const;
      }),
    );
  const parts =
    /^(?:a pod(?: with the labels? (.*))? in )?a namespace(?: without the label \S+?)?(?:,? with the labels? (.*))?$/.exec(
      text,
    );
  if (parts === null) throw new Error(`not a witness: ${text}`);
  const namespace = new Map(read(parts[2]));
  if (!namespace.has(nameLabel)) namespace.set(nameLabel, 'some-other-name');
  return { namespace, pod: read(parts[1]) };
}

const operator = fc.constantFrom('In', 'NotIn', 'Exists', 'DoesNotExist');
function requirements(key: string, values: readonly string[]) {
  return fc
    .tuple(operator, fc.subarray([...values], { minLength: 1 }))
    .map(([operator, list]) => ({ key, operator, values: operator.endsWith('In') ? list : [] }));
}
const pinned = fc.oneof(
  fc.subarray(['acme', 'beta', 'gamma'], { minLength: 1 }).map((values) => ({ key: label, operator: 'In', values })),
  fc
    .subarray([own, 'acme-db', 'kube-system'], { minLength: 1 })
    .map((values) => ({ key: nameLabel, operator: 'In', values })),
);
const namespaceSelector = fc
  .tuple(
    fc.option(pinned, { nil: undefined }),
    fc.array(
      fc.oneof(
        requirements(label, tenantValues),
        requirements(nameLabel, [...names, 'Not_a_name']),
        requirements('env', environments),
      ),
      { maxLength: 2 },
    ),
  )
  .map(([pin, more]): LabelSelector => ({ matchExpressions: pin === undefined ? more : [pin, ...more] }));
const podSelector = fc
  .tuple(
    fc.option(fc.constantFrom('x', 'y'), { nil: undefined }),
    fc.array(requirements('app', ['x', 'y']), { maxLength: 2 }),
  )
  .map(([app, matchExpressions]): LabelSelector => ({ ...(app && { matchLabels: { app } }), matchExpressions }));
const peer: fc.Arbitrary<Peer> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ namespaceSelector }) },
  { weight: 3, arbitrary: fc.record({ namespaceSelector, podSelector }) },
  { weight: 1, arbitrary: fc.record({ podSelector }) },
);
const protocol = fc.constantFrom<'TCP' | 'UDP'>('TCP', 'UDP');
const number = fc.integer({ min: 1, max: 4 });
const port: fc.Arbitrary<WrittenPort> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ protocol, port: number }) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(protocol, number, number)
      .map(([protocol, a, b]) => ({ protocol, port: Math.min(a, b), endPort: Math.max(a, b) })),
  },
  { weight: 1, arbitrary: fc.record({ protocol, port: fc.constant('http') }) },
  { weight: 1, arbitrary: fc.record({ protocol }) },
);
const rule: fc.Arbitrary<Rule> = fc.record({
  peers: fc.oneof(
    { weight: 9, arbitrary: fc.array(peer, { minLength: 1, maxLength: 3 }) },
    { weight: 1, arbitrary: fc.constantFrom(undefined, []) },
  ),
  ports: fc.option(fc.array(port, { maxLength: 3 }), { nil: undefined, freq: 3 }),
});
const openPorts = fc.oneof(
  fc.constant<PortRange[]>([]),
  fc.array(
    fc
      .tuple(protocol, number, number)
      .map(([protocol, a, b]) => (protocol === 'TCP' ? tcp : udp)(Math.min(a, b), Math.max(a, b))),
    { minLength: 1, maxLength: 3 },
  ),
);
function gates(towards: readonly string[]) {
  const one = fc
    .tuple(
      fc.constantFrom(...towards),
      fc.constantFrom<Direction>('ingress', 'egress'),
      openPorts,
      fc.constantFrom(undefined, undefined, now, now + 1),
    )
    .map(([to, direction, ports, expires]): Gate => gate(to, direction, ports, expires));
  return fc.array(one, { maxLength: 5 });
}
const world = fc
  .record({
    acme: gates(['beta', 'gamma']),
    beta: gates(['acme']),
    gamma: gates(['acme']),
    services: fc.array(
      fc.record({
        name: fc.constant('service'),
        direction: fc.constantFrom<Direction>('ingress', 'egress'),
        namespace: fc.constantFrom('kube-system', 'web'),
        podSelector,
        ports: openPorts,
        addresses: fc.constant([]),
      }),
      { maxLength: 3 },
    ),
  })
  .map(({ acme, beta, gamma, services }): Border => {
    const all = [
      tenant('acme', { gates: acme }, 'acme-'),
      tenant('beta', { gates: beta }, 'beta-'),
      tenant('gamma', { gates: gamma }),
    ] as const;
    const tenancy = createTenancy({ ...settings, sharedServices: services }, all);
    return { tenant: all[0], namespace: own, tenancy, now };
  });

t.test('peers are contained exactly when nobody else gets through', (t) => {
  const seen = { contained: 0, escapes: 0, nothing: 0, agreed: 0 };
  let unproven = 0;
  const spec = fc.record({
    direction: fc.constantFrom<Direction>('ingress', 'egress'),
    rules: fc.array(rule, { minLength: 1, maxLength: 2 }),
  });
  fc.assert(
    fc.property(world, spec, (border, { direction, rules }) => {
      const [field, type] = direction === 'ingress' ? ['from', 'Ingress'] : ['to', 'Egress'];
      const written = rules.map(({ peers, ports }) => ({ [field]: peers, ports }));
      const verdicts = new Map(
        judge({ policyTypes: [type], [direction]: written }, border).map((verdict) => [verdict.path, verdict]),
      );
      for (const [r, rule] of rules.entries()) {
        const at = `spec.${direction}[${r}]`;
        const everybody = rule.peers === undefined || rule.peers.length === 0;
        const peers: readonly Peer[] = everybody ? [{ namespaceSelector: {} }] : (rule.peers ?? []);
        for (const [p, peer] of peers.entries()) {
          const item = `${at}.${field}[${p}]`;
          const said = everybody
            ? (verdicts.get(at) ?? verdicts.get(`${at}.${field}`))
            : (verdicts.get(`${item}.namespaceSelector`) ?? verdicts.get(`${item}.podSelector`));
          const [crossing, agreed, matched] = tryAll(peer, rule, direction, border);
          if (agreed) seen.agreed++;
          if (said === undefined) {
            seen.contained++;
            if (crossing) throw new Error(`${item} is taken for contained`);
          } else if (said.verdict === 'nothing') {
            seen.nothing++;
            if (matched) throw new Error(`${item} is taken for dead text`);
          } else {
            seen.escapes++;
            // Several services may cover together what none covers alone.
            if (said.verdict === 'unproven' && border.tenancy.settings.sharedServices.length > 1) {
              unproven++;
              continue;
            }
            if (said.verdict !== 'escapes') throw new Error(`${item} is ${said.verdict}`);
            const witness = readWitness(said.witness ?? '');
            const through = wire.some((port) => {
              const traffic = { ...witness, ...port };
              return (
                matchesPeer(peer, traffic) && matchesPorts(rule, traffic) && !isAllowed(traffic, direction, border)
              );
            });
            if (!through) throw new Error(`${said.witness} does not get through ${item}`);
          }
        }
      }
    }),
    { numRuns: 3000, seed: 1 },
  );
  for (const [kind, count] of Object.entries(seen)) t.ok(count > 100, `${count} times ${kind}`);
  t.ok(unproven < seen.escapes / 100, `${unproven} times unproven`);
  t.end();
});

// Addresses 10.0.0.0 to 10.0.0.31, which are all that is written here, also as 64:ff9b::a00:0 and on.
const block = fc
  .tuple(fc.nat(31), fc.integer({ min: 0, max: 5 }))
  .map(([at, bits]) => ({ first: (at >> bits) << bits, bits }));
type Block = { first: number; bits: number };
const has = ({ first, bits }: Block, address: number) => address >> bits === first >> bits;
const ipv4 = ({ first, bits }: Block) => `10.0.0.${first}/${32 - bits}`;
const nat64 = ({ first, bits }: Block) => `64:ff9b::a00:${first.toString(16)}/${128 - bits}`;

t.test('addresses are contained exactly when each of them is granted and none is the cluster’s', (t) => {
  const seen = { contained: 0, escapes: 0, nothing: 0 };
  const blocks = fc.array(block, { maxLength: 3 });
  fc.assert(
    fc.property(
      fc.record({ cidr: block, except: blocks, none: fc.boolean(), cluster: blocks, granted: blocks, served: blocks }),
      fc.constantFrom<Direction>('ingress', 'egress'),
      fc.constantFrom(ipv4, nat64),
      fc.constantFrom(ipv4, nat64),
      ({ cidr, except, none, cluster, granted, served }, direction, writeHere, writeThere) => {
        const half = cidr.bits - 1;
        const both = [cidr.first, cidr.first | (1 << half)].map((first) => ({ first, bits: half }));
        const holes = (none && half >= 0 ? [...except, ...both] : except).filter(
          ({ first, bits }) => bits < cidr.bits && has(cidr, first),
        );
        const acme = tenant('acme', { egressRanges: granted.map((one) => range(writeThere(one))) });
        const service = {
          name: 'dns',
          direction,
          namespace: 'kube-system',
          podSelector: {},
          ports: [udp(53)],
          addresses: served.map((one) => range(ipv4(one))),
        };
        const tenancy = createTenancy(
          {
            ...settings,
            protectedRanges: cluster.map((one) => protect('pod network', writeThere(one))),
            sharedServices: [service],
          },
          [acme],
        );
        const peers = [{ ipBlock: { cidr: writeHere(cidr), except: holes.map(writeHere) } }];
        const rules = [{ [direction === 'ingress' ? 'from' : 'to']: peers, ports: [{ protocol: 'UDP', port: 53 }] }];
        const [verdict] = judge(
          { policyTypes: ['Ingress', 'Egress'], [direction]: rules },
          { tenant: acme, namespace: own, tenancy, now },
        );

        const opened = Array.from({ length: 32 }, (_, at) => at).filter(
          (at) => has(cidr, at) && !holes.some((hole) => has(hole, at)),
        );
        const crossing = opened.filter(
          (at) =>
            !served.some((one) => has(one, at)) &&
            (cluster.some((one) => has(one, at)) || (direction === 'egress' && !granted.some((one) => has(one, at)))),
        );
        if (opened.length === 0) {
          seen.nothing++;
          return verdict?.verdict === 'nothing';
        }
        if (crossing.length === 0) {
          seen.contained++;
          return verdict === undefined;
        }
        seen.escapes++;
        const address = Number(/10\.0\.0\.(\d+)$/.exec(verdict?.witness ?? '')?.[1]);
        const spelled = writeHere === ipv4 || verdict?.witness?.startsWith('the address 64:ff9b::a00:');
        return verdict?.verdict === 'escapes' && crossing.includes(address) && spelled === true;
      },
    ),
    { numRuns: 5000, seed: 1 },
  );
  for (const [kind, count] of Object.entries(seen)) t.ok(count > 50, `${count} times ${kind}`);
  t.end();
});

t.test('whatever stands in a spec gets an answer', (t) => {
  const border = { tenant: tenant('acme'), namespace: own, tenancy: createTenancy(settings, []), now };
  const word = fc.constantFrom(
    'podSelector',
    'namespaceSelector',
    'ipBlock',
    'from',
    'to',
    'ports',
    'port',
    'cidr',
    'except',
    'matchLabels',
    'matchExpressions',
    'key',
    'operator',
    'values',
    '__proto__',
    'constructor',
  );
  const tree = fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(null, 7, 'In', 'Ingress', '10.0.0.0/8', '', true),
      tie('list'),
      tie('map'),
    ),
    list: fc.array(tie('node'), { maxLength: 3 }),
    map: fc.dictionary(word, tie('node'), { maxKeys: 3 }),
  }));
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom('podSelector', 'policyTypes', 'ingress', 'egress'), tree.node),
      (spec) => {
        const verdicts = judge(spec, border);
        return verdicts.every(
          ({ path, reason, fix }) => path.startsWith('spec') && reason !== '' && reason.length < 300 && fix !== '',
        );
      },
    ),
    { numRuns: 5000, seed: 1 },
  );
  t.end();
});
