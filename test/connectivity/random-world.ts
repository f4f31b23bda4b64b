/**
 * Small clusters with policies of every kind of one engine, as the API stores them. Few names, labels and ports, so that policies meet: they
 * select the same pods, deny what others allow, and are about each other's ports.
 */
import { type Random, randomFrom } from '../engines/random.ts';

type Json = Readonly<Record<string, unknown>>;
export interface Written extends Json {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Record<string, string> };
  readonly spec?: unknown;
}

export const engineReadings = ['by the book', 'enforced', 'Cilium', 'Calico'] as const;
/** `enforced`: as OVN-Kubernetes, Antrea and the AWS VPC CNI, which follow rules that policyTypes leaves out. */
export type EngineReading = (typeof engineReadings)[number];

export interface RandomWorld {
  readonly seed: number;
  readonly reading: EngineReading;
  readonly objects: readonly Written[];
  /** Outside of the cluster. */
  readonly addresses: readonly string[];
  /** Outside of the cluster, as its DNS names them. */
  readonly names: readonly string[];
}

/** Those that policies speak of, and their neighbours. */
export const wires: readonly { readonly protocol: string; readonly port: number }[] = ['TCP', 'UDP', 'SCTP'].flatMap(
  (protocol) => [1, 52, 53, 54, 79, 80, 81, 82, 90, 91, 443, 5432, 65535].map((port) => ({ protocol, port })),
);
const numbers = [53, 80, 81, 90, 443, 5432] as const;
/** All that the labels of a node can be, of those that selectors of nodes name: of a node, no more is known here than that it is one. */
export const nodeLabels: readonly Readonly<Record<string, string>>[] = [{}, { zone: 'a' }, { zone: 'b' }].flatMap(
  (one) => [one, { ...one, role: 'gateway' }],
);
export const podNetwork = '10.244.0.0/16';
export const nodeNetwork = '192.168.0.0/24';
export const tenantLabel = 'bulkhead.dev/tenant';
const outside = ['203.0.113.7', '203.0.113.200', '198.51.100.9', '2001:db8::7', '8.8.8.8'] as const;
const ranges = [
  ...(['0.0.0.0/0', '203.0.113.0/24', '203.0.113.128/25', '198.51.100.9/32', '::/0', '2001:db8::/32'] as const),
  ...(['10.0.0.0/8', '10.244.0.0/16', '10.244.0.0/30', '10.244.0.4/30', '192.168.0.0/16', '192.168.0.0/28'] as const),
] as const;
const inside: Readonly<Record<string, readonly string[]>> = {
  '0.0.0.0/0': ['10.0.0.0/8', '203.0.113.128/25', '10.244.0.0/16', '192.168.0.0/24'],
  '203.0.113.0/24': ['203.0.113.128/25', '203.0.113.7/32'],
  '::/0': ['2001:db8::/32'],
  '10.0.0.0/8': ['10.244.0.0/16', '10.244.0.0/30'],
  '10.244.0.0/16': ['10.244.0.0/29', '10.244.0.4/30'],
  '192.168.0.0/16': ['192.168.0.0/28', '192.168.0.0/24'],
};

export function randomWorld(seed: number, reading: EngineReading): RandomWorld {
  const random = randomFrom(seed);
  const chance = (one: number) => random.below(one) === 0;
  const names = ['acme-web', 'acme-db', 'beta-web', 'shared'].slice(0, 2 + random.below(3));
  const namespaces = names.map(
    (name): Written => ({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: {
        name,
        labels: {
          'kubernetes.io/metadata.name': name,
          ...(name !== 'shared' && { [tenantLabel]: name.startsWith('acme') ? 'acme' : 'beta' }),
          ...(!chance(3) && { env: random.pick(['prod', 'dev']) }),
        },
      },
    }),
  );
  const pods = Array.from({ length: 2 + random.below(6) }, (_, index): Written => {
    const [first, second] = [`10.244.0.${index + 1}`, `2001:db8:42::${index + 1}`];
    const addresses = random.pick([[first], [first], [first, second], []]);
    return {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        namespace: names[random.below(names.length)] ?? '',
        name: `pod-${index}`,
        labels: {
          ...(!chance(4) && { app: random.pick(['web', 'db', 'web']) }),
          ...(chance(2) && { role: random.pick(['front', 'back']) }),
        },
      },
      spec: { containers: [{ ports: random.some(containerPorts(random), 2) }] },
      status: { podIPs: addresses.map((ip) => ({ ip })) },
    };
  });
  // Some with NetworkPolicies alone, which every judge reads.
  const writers = chance(2) && reading === 'by the book' ? policiesOf[reading].slice(0, 1) : policiesOf[reading];
  const policies = Array.from({ length: 1 + random.below(7) }, (_, index) => {
    const draw = new Draw(random, names, index);
    return writers[random.below(writers.length)]?.(draw) ?? draw.networkPolicy();
  });
  const baselines = policies.filter(({ kind }) => kind === 'BaselineAdminNetworkPolicy');
  const objects = [
    ...[...namespaces, ...(reading === 'Calico' ? tiers(random) : []), ...pods],
    ...(reading === 'Calico' ? addressSets(random, names) : []),
    ...(reading === 'Cilium' ? [...addressGroups(random), ...services(random, names)] : []),
    ...policies.filter((one) => !baselines.slice(1).includes(one)),
  ];
  const dnsNames = reading === 'Cilium' ? ['api.example.org', 'example.org', 'a.b.example.org'] : [];
  return { seed, reading, objects, addresses: random.some(outside, 3), names: dnsNames };
}

function containerPorts(random: Random): readonly Json[] {
  const taken = new Set<string>();
  return ['http', 'sql', 'dns'].flatMap((name) => {
    const port = { name, protocol: random.pick(['TCP', 'TCP', 'UDP']), containerPort: random.pick(numbers) };
    const key = `${port.protocol} ${port.containerPort}`;
    if (taken.has(key)) return [];
    taken.add(key);
    return [port];
  });
}

function tiers(random: Random): readonly Written[] {
  return ['early', 'late'].flatMap((name) => {
    if (random.below(3) === 0) return [];
    const order = name === 'early' ? random.pick([100, 5000]) : random.pick([2_000_000, 20_000_000]);
    const spec = { order, defaultAction: random.pick(['Deny', 'Pass']) };
    return [{ apiVersion: 'projectcalico.org/v3', kind: 'Tier', metadata: { name }, spec }];
  });
}

/** Of namespaces and of the cluster, with labels that selectors of pods and of namespaces name. */
function addressSets(random: Random, namespaces: readonly string[]): readonly Written[] {
  const { pick } = random;
  return Array.from({ length: 1 + random.below(4) }, (_, index): Written => {
    const labels = {
      ...(random.below(3) > 0 && { app: pick(['web', 'db', 'partner']) }),
      ...(random.below(3) === 0 && { role: pick(['front', 'back']) }),
      // As one writes who wants to be taken for another.
      ...(random.below(2) === 0 && { [`pcns.${tenantLabel}`]: pick(['acme', 'beta']) }),
      ...(random.below(4) === 0 && { 'pcns.env': 'prod' }),
    };
    const isGlobal = random.below(2) === 0;
    const place = isGlobal ? {} : { namespace: namespaces[random.below(namespaces.length)] ?? '' };
    const nets = random.some([...outside.slice(0, 3), ...ranges], 2);
    return {
      apiVersion: 'projectcalico.org/v3',
      kind: isGlobal ? 'GlobalNetworkSet' : 'NetworkSet',
      metadata: { ...place, name: `set-${index}`, labels },
      spec: { nets },
    };
  });
}

/** Some list the same addresses, which then have the labels of both. */
function addressGroups(random: Random): readonly Written[] {
  const { pick } = random;
  return groupNames.slice(0, random.below(4)).map((name): Written => {
    const labels = {
      ...(random.below(3) > 0 && { env: pick(['prod', 'dev']) }),
      ...(random.below(3) === 0 && { role: pick(['front', 'back']) }),
    };
    const externalCIDRs = random.some(ranges.slice(1), 1 + random.below(2));
    return { apiVersion: 'cilium.io/v2', kind: 'CiliumCIDRGroup', metadata: { name, labels }, spec: { externalCIDRs } };
  });
}
const groupNames = ['partners', 'offices', 'clouds'] as const;
const serviceNames = ['web', 'db'] as const;

/** Each with a selector: addresses of the others are in EndpointSlices, which nobody reads here. */
function services(random: Random, namespaces: readonly string[]): readonly Written[] {
  const { pick } = random;
  return namespaces.flatMap((namespace) =>
    serviceNames.flatMap((name): Written[] => {
      if (random.below(3) === 0) return [];
      const labels = { ...(random.below(3) > 0 && { env: pick(['prod', 'dev']) }) };
      const selector = pick<Json>([{ app: name }, { app: name }, { app: name, role: pick(['front', 'back']) }]);
      const spec = { selector, ports: [{ port: 80, targetPort: pick(numbers) }] };
      return [{ apiVersion: 'v1', kind: 'Service', metadata: { namespace, name, labels }, spec }];
    }),
  );
}

const policiesOf: Readonly<Record<EngineReading, readonly ((draw: Draw) => Written)[]>> = {
  'by the book': [
    (draw) => draw.networkPolicy(),
    (draw) => draw.networkPolicy(),
    (draw) => draw.clusterPolicy(),
    (draw) => draw.adminPolicy(),
  ],
  enforced: [(draw) => draw.networkPolicy(), (draw) => draw.networkPolicy(), (draw) => draw.clusterPolicy()],
  Cilium: [
    (draw) => draw.networkPolicy(),
    (draw) => draw.ciliumPolicy(),
    (draw) => draw.ciliumPolicy(),
    (draw) => draw.clusterPolicy(),
  ],
  Calico: [
    (draw) => draw.networkPolicy(),
    (draw) => draw.calicoPolicy(),
    (draw) => draw.calicoPolicy(),
    (draw) => draw.globalPolicy(),
    (draw) => draw.clusterPolicy(),
  ],
};

class Draw {
  readonly #random: Random;
  readonly #namespaces: readonly string[];
  readonly #index: number;

  constructor(random: Random, namespaces: readonly string[], index: number) {
    this.#random = random;
    this.#namespaces = namespaces;
    this.#index = index;
  }

  #chance(one: number): boolean {
    return this.#random.below(one) === 0;
  }

  #several<Item>(most: number, make: () => Item): Item[] {
    return Array.from({ length: this.#random.below(most + 1) }, make);
  }

  #some<Item>(most: number, make: () => Item): Item[] {
    return Array.from({ length: 1 + this.#random.below(most) }, make);
  }

  #metadata(): Written['metadata'] {
    const namespace = this.#namespaces[this.#random.below(this.#namespaces.length)] ?? '';
    return { name: `policy-${this.#index}`, namespace };
  }

  #podSelector(): Json {
    const { pick } = this.#random;
    return pick<() => Json>([
      () => ({}),
      () => ({ matchLabels: { app: pick(['web', 'db']) } }),
      () => ({ matchLabels: { app: 'web', role: pick(['front', 'back']) } }),
      () => ({ matchExpressions: [{ key: 'app', operator: pick(['In', 'NotIn']), values: ['web'] }] }),
      () => ({ matchExpressions: [{ key: 'role', operator: pick(['Exists', 'DoesNotExist']) }] }),
      () => ({ matchLabels: { app: 'web' }, matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['web'] }] }),
    ])();
  }

  #namespaceSelector(): Json {
    const { pick } = this.#random;
    return pick<() => Json>([
      () => ({}),
      () => ({ matchLabels: { [tenantLabel]: pick(['acme', 'beta']) } }),
      () => ({ matchLabels: { 'kubernetes.io/metadata.name': pick(['acme-web', 'acme-db', 'beta-web']) } }),
      () => ({ matchLabels: { env: 'prod' } }),
      () => ({ matchExpressions: [{ key: 'env', operator: pick(['In', 'NotIn']), values: ['prod', 'test'] }] }),
      () => ({ matchExpressions: [{ key: tenantLabel, operator: pick(['Exists', 'DoesNotExist']) }] }),
    ])();
  }

  #block(): Json {
    const cidr = this.#random.pick(ranges);
    const except = this.#random.some(inside[cidr] ?? [], this.#random.below(3));
    return { cidr, ...(except.length > 0 && { except }) };
  }

  networkPolicy(): Written {
    const { pick } = this.#random;
    const peer = () =>
      pick<() => Json>([
        () => ({ podSelector: this.#podSelector() }),
        () => ({ namespaceSelector: this.#namespaceSelector() }),
        () => ({ namespaceSelector: this.#namespaceSelector(), podSelector: this.#podSelector() }),
        () => ({ ipBlock: this.#block() }),
      ])();
    const port = () =>
      pick<() => Json>([
        () => ({ port: pick(numbers) }),
        () => ({ protocol: pick(['TCP', 'UDP', 'SCTP']), port: pick(numbers) }),
        () => ({ protocol: pick(['TCP', 'UDP']) }),
        () => ({ protocol: pick(['TCP', 'UDP']), port: 80, endPort: pick([80, 81, 90]) }),
        () => ({ protocol: pick(['TCP', 'TCP', 'UDP']), port: pick(['http', 'sql', 'dns']) }),
      ])();
    const rules = (field: 'from' | 'to') =>
      this.#several(2, () => ({
        ...(!this.#chance(4) && { [field]: this.#several(3, peer) }),
        ...(!this.#chance(3) && { ports: this.#several(2, port) }),
      }));
    const [ingress, egress] = [this.#chance(4) ? undefined : rules('from'), this.#chance(3) ? undefined : rules('to')];
    // As the API server fills it in.
    const written = pick([undefined, ['Ingress'], ['Egress'], ['Ingress', 'Egress'], ['Egress', 'Egress']]);
    const policyTypes = written ?? ['Ingress', ...(egress !== undefined && egress.length > 0 ? ['Egress'] : [])];
    const spec = {
      podSelector: this.#podSelector(),
      policyTypes,
      ...(ingress && { ingress }),
      ...(egress && { egress }),
    };
    return { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: this.#metadata(), spec };
  }

  #adminPeer(field: 'from' | 'to'): Json {
    const { pick } = this.#random;
    const pods = () => ({
      pods: { namespaceSelector: this.#namespaceSelector(), podSelector: this.#podSelector() },
    });
    const namespaces = () => ({ namespaces: this.#namespaceSelector() });
    if (field === 'to' && this.#chance(4)) return { networks: this.#some(2, () => pick(ranges)) };
    if (this.#chance(20)) return {};
    return pick<() => Json>([pods, namespaces])();
  }

  clusterPolicy(): Written {
    const { pick } = this.#random;
    const protocol = () =>
      pick<() => Json>([
        () => ({ [pick(['tcp', 'udp', 'sctp'])]: { destinationPort: { number: pick(numbers) } } }),
        () => ({ [pick(['tcp', 'udp'])]: { destinationPort: { range: { start: 80, end: pick([81, 90]) } } } }),
        () => ({ [pick(['tcp', 'udp'])]: {} }),
        () => ({ destinationNamedPort: pick(['http', 'sql']) }),
      ])();
    const rules = (field: 'from' | 'to') =>
      this.#several(3, () => ({
        action: pick(['Accept', 'Deny', 'Pass']),
        [field]: this.#some(2, () => this.#adminPeer(field)),
        ...(this.#chance(2) && { protocols: this.#some(2, protocol) }),
      }));
    const spec = {
      tier: pick(['Admin', 'Baseline']),
      priority: this.#index * 7 + pick([0, 1]),
      subject: pick<() => Json>([
        () => ({ namespaces: this.#namespaceSelector() }),
        () => ({ pods: { namespaceSelector: this.#namespaceSelector(), podSelector: this.#podSelector() } }),
      ])(),
      ingress: rules('from'),
      egress: rules('to'),
    };
    const metadata = { name: `cluster-${this.#index}` };
    return { apiVersion: 'policy.networking.k8s.io/v1alpha2', kind: 'ClusterNetworkPolicy', metadata, spec };
  }

  adminPolicy(): Written {
    const { pick } = this.#random;
    const isBaseline = this.#chance(3);
    const port = () =>
      pick<() => Json>([
        () => ({ portNumber: { protocol: pick(['TCP', 'UDP']), port: pick(numbers) } }),
        () => ({ portRange: { protocol: pick(['TCP', 'UDP']), start: 80, end: pick([81, 90]) } }),
        () => ({ namedPort: pick(['http', 'sql']) }),
      ])();
    const rules = (field: 'from' | 'to') =>
      this.#several(2, () => ({
        action: isBaseline ? pick(['Allow', 'Deny']) : pick(['Allow', 'Deny', 'Pass']),
        [field]: this.#some(2, () => this.#adminPeer(field)),
        ...(this.#chance(2) && { ports: this.#some(2, port) }),
      }));
    const subject = { namespaces: this.#namespaceSelector() };
    const spec = {
      ...(!isBaseline && { priority: this.#index * 7 + 3 }),
      ...{ subject, ingress: rules('from'), egress: rules('to') },
    };
    const kind = isBaseline ? 'BaselineAdminNetworkPolicy' : 'AdminNetworkPolicy';
    const metadata = { name: isBaseline ? 'default' : `admin-${this.#index}` };
    return { apiVersion: 'policy.networking.k8s.io/v1alpha1', kind, metadata, spec };
  }

  ciliumPolicy(): Written {
    const { pick } = this.#random;
    const source = () => pick(['', 'k8s:', 'any:']);
    const keyed = (selector: Json, keyOf: (key: string) => string): Json => {
      const { matchLabels, matchExpressions } = selector as {
        matchLabels?: Record<string, string>;
        matchExpressions?: { key: string }[];
      };
      return {
        ...(matchLabels && {
          matchLabels: Object.fromEntries(Object.entries(matchLabels).map(([key, value]) => [keyOf(key), value])),
        }),
        ...(matchExpressions && { matchExpressions: matchExpressions.map((one) => ({ ...one, key: keyOf(one.key) })) }),
      };
    };
    const pods = () => {
      const from = source();
      return keyed(this.#podSelector(), (key) => `${from}${key}`);
    };
    const namespaces = () =>
      keyed(this.#namespaceSelector(), (key) =>
        key === 'kubernetes.io/metadata.name' && !this.#chance(3)
          ? `${source()}io.kubernetes.pod.namespace`
          : `${source()}io.cilium.k8s.namespace.labels.${key}`,
      );
    const endpoint = (): Json => {
      const [one, other] = pick<() => readonly [Json, Json]>([
        () => [pods(), {}],
        () => [{}, namespaces()],
        () => [pods(), namespaces()],
      ])();
      const labels = { ...(one.matchLabels as Json), ...(other.matchLabels as Json) };
      const expressions = [...((one.matchExpressions as Json[]) ?? []), ...((other.matchExpressions as Json[]) ?? [])];
      return {
        ...(Object.keys(labels).length > 0 && { matchLabels: labels }),
        ...(expressions.length > 0 && { matchExpressions: expressions }),
      };
    };
    const port = () =>
      pick<() => Json>([
        () => ({ port: String(pick(numbers)), protocol: pick(['TCP', 'UDP', 'ANY', 'SCTP']) }),
        () => ({ port: String(pick(numbers)) }),
        () => ({ port: '0', protocol: pick(['TCP', 'UDP']) }),
        () => ({ port: '80', endPort: pick([81, 90]), protocol: 'TCP' }),
        () => ({ port: pick(['http', 'sql']), protocol: pick(['TCP', 'TCP', 'UDP', 'ANY']) }),
      ])();
    const portsOf = (): Json => {
      if (this.#chance(2)) return {};
      if (this.#chance(8)) return { icmps: [{ fields: [{ family: 'IPv4', type: 8 }] }] };
      if (this.#chance(12)) return { toPorts: [] };
      return { toPorts: this.#some(2, () => ({ ports: this.#some(2, port) })) };
    };
    const entities = ['all', 'world', 'cluster', 'remote-node', 'host', 'none', 'kube-apiserver', 'health'] as const;
    const rule = (prefix: 'from' | 'to', denies: boolean): Json => {
      const peers = pick<() => Json>([
        () => ({ [`${prefix}Endpoints`]: this.#some(2, endpoint) }),
        () => ({ [`${prefix}Endpoints`]: this.#some(2, endpoint) }),
        () => ({ [`${prefix}Entities`]: this.#some(2, () => pick(entities)) }),
        () => ({ [`${prefix}CIDR`]: [pick(ranges)] }),
        () => ({ [`${prefix}CIDRSet`]: this.#some(2, () => (this.#chance(2) ? this.#group() : this.#block())) }),
        () => ({ [`${prefix}Nodes`]: this.#some(2, () => this.#nodeSelector()) }),
        () => (prefix === 'to' && !denies ? { toServices: this.#some(2, () => this.#serviceReference()) } : {}),
        () =>
          prefix === 'to' && !denies
            ? { toFQDNs: [pick<Json>([{ matchName: 'api.example.org' }, { matchPattern: '*.example.org' }])] }
            : {},
        () => ({}),
        () => (this.#chance(3) ? { [`${prefix}Endpoints`]: [] } : {}),
      ])();
      return { ...peers, ...portsOf() };
    };
    const isClusterwide = this.#chance(3);
    const spec = () => {
      const lists = {
        ...(this.#chance(2) && { ingress: this.#several(2, () => rule('from', false)) }),
        ...(this.#chance(2) && { egress: this.#several(2, () => rule('to', false)) }),
        ...(this.#chance(3) && { ingressDeny: this.#several(2, () => rule('from', true)) }),
        ...(this.#chance(3) && { egressDeny: this.#several(2, () => rule('to', true)) }),
      };
      const isEmpty = Object.values(lists).every((list) => list.length === 0);
      return {
        endpointSelector: isClusterwide ? endpoint() : pods(),
        ...(isEmpty ? { ingress: [rule('from', false)] } : lists),
        ...(this.#chance(4) && { enableDefaultDeny: { ingress: this.#chance(2), egress: this.#chance(2) } }),
      };
    };
    const written = this.#chance(5) ? { specs: this.#some(2, spec) } : { spec: spec() };
    if (isClusterwide) {
      const metadata = { name: `clusterwide-${this.#index}` };
      return { apiVersion: 'cilium.io/v2', kind: 'CiliumClusterwideNetworkPolicy', metadata, ...written };
    }
    return { apiVersion: 'cilium.io/v2', kind: 'CiliumNetworkPolicy', metadata: this.#metadata(), ...written };
  }

  #group(): Json {
    const { pick } = this.#random;
    return pick<() => Json>([
      () => ({ cidrGroupRef: pick([...groupNames, 'nobody']) }),
      () => ({ cidrGroupRef: pick(groupNames) }),
      () => ({ cidrGroupSelector: this.#labelSelector() }),
    ])();
  }

  /** Of Services and groups. */
  #labelSelector(): Json {
    const { pick } = this.#random;
    return pick<() => Json>([
      () => ({ matchLabels: { env: pick(['prod', 'dev']) } }),
      () => ({ matchLabels: { env: 'prod', role: 'front' } }),
      () => ({ matchExpressions: [{ key: 'env', operator: pick(['In', 'NotIn']), values: ['prod', 'test'] }] }),
      () => ({ matchExpressions: [{ key: 'role', operator: pick(['Exists', 'DoesNotExist']) }] }),
    ])();
  }

  #serviceReference(): Json {
    const { pick } = this.#random;
    const place = this.#chance(3) ? {} : { namespace: this.#namespaces[this.#random.below(this.#namespaces.length)] };
    return this.#chance(2)
      ? { k8sService: { serviceName: pick([...serviceNames, 'nobody']), ...place } }
      : { k8sServiceSelector: { selector: this.#labelSelector(), ...place } };
  }

  #nodeSelector(): Json {
    const { pick } = this.#random;
    const source = pick(['', 'node:']);
    return pick<() => Json>([
      () => ({}),
      () => ({ matchLabels: { [`${source}zone`]: pick(['a', 'b']) } }),
      () => ({ matchLabels: { [`${source}zone`]: 'a', [`${source}role`]: 'gateway' } }),
      () => ({ matchExpressions: [{ key: `${source}zone`, operator: pick(['In', 'NotIn']), values: ['a'] }] }),
      () => ({ matchExpressions: [{ key: `${source}role`, operator: pick(['Exists', 'DoesNotExist']) }] }),
    ])();
  }

  #calicoText(depth: number): string {
    const { pick } = this.#random;
    if (depth > 0 && this.#chance(3))
      return `(${this.#calicoText(depth - 1)} ${pick(['&&', '||'])} ${this.#calicoText(depth - 1)})`;
    return pick([
      ...([
        'all()',
        'app == "web"',
        'app != "web"',
        'app == "partner"',
        "role == 'front'",
        'has(role)',
        '!has(role)',
      ] as const),
      ...(['app in {"web", "db"}', 'app not in {"web"}', 'app starts with "w"', 'app contains "b"'] as const),
    ]);
  }

  #calicoNamespaces(): string {
    return this.#random.pick([
      ...(['all()', `${tenantLabel} == "acme"`, `${tenantLabel} != "acme"`, 'env == "prod"', '!has(env)'] as const),
      ...(['kubernetes.io/metadata.name == "acme-web"', 'projectcalico.org/name == "acme-db"'] as const),
      ...([`${tenantLabel} in {"acme", "beta"} && has(env)`] as const),
    ]);
  }

  calicoPolicy(): Written {
    const spec = this.#calicoSpec();
    return { apiVersion: 'projectcalico.org/v3', kind: 'NetworkPolicy', metadata: this.#metadata(), spec };
  }

  /** Of the cluster: its selectors are about all namespaces, where they say nothing of them. */
  globalPolicy(): Written {
    const namespaces = this.#chance(2)
      ? { namespaceSelector: this.#chance(6) ? 'global()' : this.#calicoNamespaces() }
      : {};
    const spec = { ...this.#calicoSpec(), ...namespaces };
    const { name } = this.#metadata();
    return { apiVersion: 'projectcalico.org/v3', kind: 'GlobalNetworkPolicy', metadata: { name }, spec };
  }

  #calicoSpec(): Json {
    const { pick } = this.#random;
    const port = () => pick<number | string>([...([pick(numbers), pick(numbers), '80:90', 'http', 'sql'] as const)]);
    const remoteOf = (): Json =>
      pick<() => Json>([
        () => ({}),
        () => ({ selector: this.#calicoText(1) }),
        () => ({ namespaceSelector: this.#calicoNamespaces() }),
        () => ({ namespaceSelector: this.#calicoNamespaces(), selector: this.#calicoText(1) }),
        () => ({ namespaceSelector: 'all()', notSelector: this.#calicoText(0) }),
        () => ({ nets: this.#some(2, () => pick(ranges)) }),
        () => ({ nets: ['0.0.0.0/0'], notNets: [pick(['10.0.0.0/8', '203.0.113.0/24'])] }),
        () => ({ namespaceSelector: 'all()', nets: [pick(ranges)] }),
        () => ({ selector: this.#calicoText(1), nets: [pick(ranges)] }),
        () => ({ namespaceSelector: 'global()', selector: this.#calicoText(0) }),
        () => ({ namespaceSelector: 'global()' }),
        () => ({ notSelector: this.#calicoText(0) }),
      ])();
    const rules = (remote: 'source' | 'destination') =>
      this.#several(3, () => {
        const local = remote === 'source' ? 'destination' : 'source';
        const hasPorts = this.#chance(2);
        const protocol = hasPorts || this.#chance(3) ? { protocol: pick(['TCP', 'TCP', 'UDP', 17]) } : {};
        const ports = hasPorts ? { [pick(['ports', 'ports', 'notPorts'])]: this.#some(2, port) } : {};
        const own = this.#chance(6) ? { selector: this.#calicoText(0) } : {};
        const entities = { [remote]: remoteOf(), [local]: own };
        return {
          action: pick(['Allow', 'Allow', 'Deny', 'Pass', 'Log']),
          ...(this.#chance(10)
            ? pick<Json>([{ protocol: 'ICMP' }, { notProtocol: 'TCP' }, { notProtocol: 'ICMP' }])
            : protocol),
          source: { ...entities.source },
          destination: { ...entities.destination, ...(protocol.protocol !== undefined && ports) },
        };
      }).map((rule) =>
        'protocol' in rule && rule.protocol !== 'ICMP'
          ? rule
          : { ...rule, destination: { ...rule.destination, ports: undefined, notPorts: undefined } },
      );
    const spec = {
      ...pick<Json>([{}, {}, { tier: 'early' }, { tier: 'late' }, { tier: 'default' }, { tier: 'kube-admin' }]),
      ...(!this.#chance(4) && { order: pick([1, 10, 10, 500, 2000]) }),
      selector: this.#chance(3) ? '' : this.#calicoText(1),
      ...(this.#chance(2) && { types: pick([['Ingress'], ['Egress'], ['Ingress', 'Egress']]) }),
      ...(!this.#chance(3) && { ingress: rules('source') }),
      ...(this.#chance(2) && { egress: rules('destination') }),
    };
    return JSON.parse(JSON.stringify(spec));
  }
}
