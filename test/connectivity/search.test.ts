import t from 'tap';
import { foundOrSkip } from '../apiserver/cluster-test.ts';
import { startEngines } from '../engines/engine.ts';
import { differenceWith, readWorld } from './compare.ts';
import { createNaive, type Mistakes } from './naive.ts';
import { type EngineReading, randomWorld, type Written } from './random-world.ts';
import { search } from './search.ts';

const engines = await foundOrSkip('Cilium and cyclonus judge random worlds', async () => {
  const started = await startEngines(['cilium', 'cyclonus']);
  return 'missing' in started ? started : { started };
});
if (engines !== undefined) {
  const { started } = engines;
  t.teardown(() => Promise.all(started.map((engine) => engine.stop())));
  t.test('200 random worlds are read as the evaluator, Cilium and cyclonus decide them', async (t) => {
    const { worlds, asked, found } = await search(1, 200, started);
    const texts = found.map(({ world, difference }) => `${world.seed}, ${world.reading}: ${difference}`);
    t.strictSame(texts, []);
    t.equal(worlds, 200);
    t.ok((asked.get('cilium') ?? 0) >= 40);
    t.ok((asked.get('cyclonus') ?? 0) >= 15);
  });
}

// biome-ignore lint/suspicious/noExplicitAny: written objects, as they are on the wire
type Any = any;

/** What a reader with a bug would read in place of the object, or what he would take its parts for. */
interface Bug {
  readonly says: string;
  readonly reading: EngineReading;
  readonly reads?: (object: Any) => Any;
  readonly mistakes?: Mistakes;
  /** The first world that is looked at: what few worlds show comes late. */
  readonly first?: number;
}

const eachRule = (object: Any, change: (rule: Any) => Any): Any => {
  for (const direction of ['ingress', 'egress'])
    if (object.spec?.[direction]) object.spec[direction] = object.spec[direction].map(change);
  return object;
};
const eachPeer = (object: Any, change: (peer: Any) => Any): Any =>
  eachRule(object, (rule) => {
    for (const field of ['from', 'to']) if (rule[field]) rule[field] = rule[field].flatMap(change);
    return rule;
  });
const inSpecs = (object: Any, change: (spec: Any) => void): Any => {
  for (const spec of [object.spec, ...(object.specs ?? [])])
    if (spec && object.kind === 'CiliumNetworkPolicy') change(spec);
  return object;
};

const bugs: readonly Bug[] = [
  {
    says: 'denials of Cilium are ignored',
    reading: 'Cilium',
    reads: (object) =>
      inSpecs(object, (spec) => {
        for (const name of ['ingressDeny', 'egressDeny']) if (spec[name]?.length > 0) spec[name] = [{ fromCIDR: [] }];
      }),
  },
  {
    says: 'a CiliumCIDRGroup is left out',
    reading: 'Cilium',
    first: 135,
    reads: (object) => (object.kind === 'CiliumCIDRGroup' ? { ...object, kind: 'Endpoints' } : object),
  },
  {
    says: 'labels of groups that list one address are kept apart',
    reading: 'Cilium',
    mistakes: { groupsAreApart: true },
  },
  {
    says: 'a Service is left out',
    reading: 'Cilium',
    first: 40,
    reads: (object) => (object.kind === 'Service' ? { ...object, kind: 'Endpoints' } : object),
  },
  {
    says: 'a Service without a namespace is of the own one',
    reading: 'Cilium',
    first: 1165,
    reads: (object) =>
      inSpecs(object, (spec) => {
        for (const rule of spec.egress ?? [])
          for (const { k8sService, k8sServiceSelector } of rule.toServices ?? [])
            (k8sService ?? k8sServiceSelector).namespace ??= object.metadata.namespace;
      }),
  },
  {
    says: 'a denial about some nodes is about all of them',
    reading: 'Cilium',
    first: 105,
    reads: (object) =>
      inSpecs(object, (spec) => {
        for (const rule of [...(spec.ingressDeny ?? []), ...(spec.egressDeny ?? [])])
          for (const list of ['fromNodes', 'toNodes']) if (rule[list]) rule[list] = [{}];
      }),
  },
  {
    says: 'policyTypes is Ingress where it is not written',
    reading: 'by the book',
    reads: (object) => {
      if (object.kind === 'NetworkPolicy' && object.spec.policyTypes.length === 2)
        object.spec.policyTypes = ['Ingress'];
      return object;
    },
  },
  {
    says: 'Pass is taken for Accept',
    reading: 'by the book',
    reads: (object) => eachRule(object, (rule) => (rule.action === 'Pass' ? { ...rule, action: 'Accept' } : rule)),
  },
  {
    says: 'Pass is taken for Allow in a tier of Calico',
    reading: 'Calico',
    reads: (object) => eachRule(object, (rule) => (rule.action === 'Pass' ? { ...rule, action: 'Allow' } : rule)),
  },
  { says: 'named ports are resolved on the source', reading: 'by the book', mistakes: { namesOfSource: true } },
  { says: 'named ports are resolved on the source by Cilium', reading: 'Cilium', mistakes: { namesOfSource: true } },
  {
    says: 'the order of ClusterNetworkPolicies is reversed',
    reading: 'by the book',
    first: 85,
    reads: (object) => {
      if (typeof object.spec?.priority === 'number') object.spec.priority = 1000 - object.spec.priority;
      return object;
    },
  },
  {
    says: 'the order of Calico is reversed',
    reading: 'Calico',
    reads: (object) => {
      if (typeof object.spec?.order === 'number') object.spec.order = -object.spec.order;
      return object;
    },
  },
  {
    says: 'the namespaceSelector of a GlobalNetworkPolicy is not read',
    reading: 'Calico',
    reads: (object) => {
      if (object.kind === 'GlobalNetworkPolicy') delete object.spec.namespaceSelector;
      return object;
    },
  },
  {
    says: 'a GlobalNetworkPolicy has no order',
    reading: 'Calico',
    first: 485,
    reads: (object) => {
      if (object.kind === 'GlobalNetworkPolicy') delete object.spec.order;
      return object;
    },
  },
  {
    says: 'a GlobalNetworkPolicy is always of the tier default',
    reading: 'Calico',
    reads: (object) => {
      if (object.kind === 'GlobalNetworkPolicy') delete object.spec.tier;
      return object;
    },
  },
  {
    says: 'Pass is taken for Deny in a GlobalNetworkPolicy',
    reading: 'Calico',
    reads: (object) =>
      object.kind === 'GlobalNetworkPolicy'
        ? eachRule(object, (rule) => (rule.action === 'Pass' ? { ...rule, action: 'Deny' } : rule))
        : object,
  },
  {
    says: 'selectors of a GlobalNetworkPolicy are about one namespace',
    reading: 'Calico',
    mistakes: { globalIsOfNamespace: true },
  },
  {
    says: 'a GlobalNetworkPolicy is left out',
    reading: 'Calico',
    reads: (object) => (object.kind === 'GlobalNetworkPolicy' ? { ...object, kind: 'Endpoints' } : object),
  },
  {
    says: 'a NetworkSet is left out',
    reading: 'Calico',
    reads: (object) => (object.kind === 'NetworkSet' ? { ...object, kind: 'Endpoints' } : object),
  },
  {
    says: 'a GlobalNetworkSet is left out',
    reading: 'Calico',
    reads: (object) => (object.kind === 'GlobalNetworkSet' ? { ...object, kind: 'Endpoints' } : object),
  },
  {
    says: 'labels of a namespace hide those of its NetworkSet',
    reading: 'Calico',
    mistakes: { namespacesWin: true },
    first: 400,
  },
  { says: 'a GlobalNetworkSet is in every namespace', reading: 'Calico', mistakes: { setsAreEverywhere: true } },
  {
    says: 'one net of a set is read',
    reading: 'Calico',
    reads: (object) => {
      if (object.kind.endsWith('NetworkSet')) object.spec.nets = object.spec.nets.slice(0, 1);
      return object;
    },
  },
  {
    says: 'notSelector alone is about pods',
    reading: 'Calico',
    reads: (object) =>
      object.kind === 'GlobalNetworkPolicy'
        ? eachRule(object, (rule) => {
            for (const field of ['source', 'destination'])
              if (rule[field].notSelector && !rule[field].selector) rule[field].namespaceSelector ??= 'all()';
            return rule;
          })
        : object,
  },
  { says: 'a tier of Calico that passes ends in a denial', reading: 'Calico', mistakes: { tiersEndInDenial: true } },
  {
    says: 'a default action of a tier is not read',
    reading: 'Calico',
    reads: (object) => (object.kind === 'Tier' ? { ...object, spec: { order: object.spec.order } } : object),
  },
  {
    says: 'except is ignored',
    reading: 'by the book',
    reads: (object) => eachPeer(object, (peer) => (peer.ipBlock ? [{ ipBlock: { cidr: peer.ipBlock.cidr } }] : [peer])),
  },
  {
    says: 'namespaceSelector and podSelector are joined by OR',
    reading: 'by the book',
    reads: (object) =>
      eachPeer(object, (peer) =>
        peer.namespaceSelector && peer.podSelector
          ? [{ namespaceSelector: peer.namespaceSelector }, { podSelector: peer.podSelector }]
          : [peer],
      ),
  },
  {
    says: 'NotIn asks that the label is there',
    reading: 'by the book',
    reads: (object) =>
      JSON.parse(
        JSON.stringify(object).replaceAll(
          '{"key":"env","operator":"NotIn"',
          '{"key":"env","operator":"Exists"},{"key":"env","operator":"NotIn"',
        ),
      ),
  },
  {
    says: 'enableDefaultDeny is ignored',
    reading: 'Cilium',
    reads: (object) =>
      inSpecs(object, (spec) => {
        delete spec.enableDefaultDeny;
      }),
  },
  {
    says: 'endPort is ignored',
    reading: 'by the book',
    reads: (object) =>
      eachRule(object, (rule) => ({
        ...rule,
        ...(rule.ports && { ports: rule.ports.map(({ endPort: _, ...port }: Any) => port) }),
      })),
  },
  {
    says: 'ICMP is taken for every port',
    reading: 'Cilium',
    reads: (object) =>
      inSpecs(object, (spec) => {
        for (const name of ['ingress', 'egress', 'ingressDeny', 'egressDeny'])
          if (spec[name])
            spec[name] = spec[name].map((rule: Any) =>
              rule.icmps ? { ...rule, icmps: undefined, toPorts: [{ ports: [{ port: '0' }] }] } : rule,
            );
      }),
  },
  {
    says: 'an empty list of peers is nobody in a NetworkPolicy',
    reading: 'by the book',
    reads: (object) =>
      object.kind === 'NetworkPolicy'
        ? eachRule(object, (rule) => {
            for (const field of ['from', 'to'])
              if (rule[field]?.length === 0) rule[field] = [{ podSelector: { matchLabels: { app: 'nobody' } } }];
            return rule;
          })
        : object,
  },
  {
    says: 'the tier Baseline is taken for Admin',
    reading: 'by the book',
    reads: (object) => {
      if (object.spec?.tier === 'Baseline') object.spec.tier = 'Admin';
      return object;
    },
  },
];

for (const { says, reading, reads = (one: Written) => one, mistakes, first = 0 } of bugs)
  t.test(`the search finds a reader for whom ${says}`, async (t) => {
    let seed = first;
    const isFound = () => {
      const world = randomWorld(seed, reading);
      return differenceWith(createNaive(world, mistakes), readWorld(world, reads)) !== undefined;
    };
    while (seed < first + 200 && !isFound()) seed++;
    t.ok(seed < first + 200);
  });
