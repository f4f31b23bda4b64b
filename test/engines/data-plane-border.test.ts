/**
 * The border in the network by rows, in random worlds, and with bugs that must be found out.
 */
import t from 'tap';
import type { ClusterPolicy, ClusterRule } from '../../src/baseline/cluster-policy.ts';
import { dataPlaneBorder } from '../../src/baseline/data-plane-border.ts';
import { createTenancy, type Tenancy } from '../../src/tenancy/tenancy.ts';
import { foundOrSkip } from '../apiserver/cluster-test.ts';
import type { World } from '../reach/evaluator.ts';
import { alwaysProtected, borderOf } from '../reach/search-worlds.ts';
import { allFlows, allowedIn, asItIs, type Change, tryWorld, worlds } from './data-plane-border.ts';
import { type Engine, startEngines } from './engine.ts';
import { type Candidate, pod, wires } from './parties.ts';

const engines = await foundOrSkip('Cilium judges ClusterNetworkPolicies', async () => {
  const started = await startEngines(['cilium']);
  return 'missing' in started ? started : { started };
});
const [cilium] = engines?.started ?? [];

/** A gate with gamma for ingress on one port, and DNS. */
const plain: World = {
  tenantLabel: 'bulkhead.dev/tenant',
  tenant: 'acme',
  namespace: 'acme-web',
  now: 0,
  tenants: [
    {
      name: 'acme',
      prefix: 'acme-',
      egressCIDRs: [],
      gates: [{ tenant: 'gamma', direction: 'ingress', ports: [{ protocol: 'TCP', port: 2 }] }],
    },
    { name: 'beta', egressCIDRs: [], gates: [] },
    {
      name: 'gamma',
      egressCIDRs: [],
      gates: [{ tenant: 'acme', direction: 'egress', ports: [{ protocol: 'TCP', port: 2 }] }],
    },
  ],
  services: [
    {
      name: 'dns',
      direction: 'egress',
      namespace: 'kube-system',
      podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
      ports: [{ protocol: 'UDP', port: 1 }],
      addresses: [],
    },
  ],
  protectedRanges: alwaysProtected.map((cidr) => ({ name: 'metadata', cidr })),
  unlistedFamilies: [4, 6],
};

function judge(engine: Engine): void {
  const { tenancy } = borderOf(plain);
  t.test('beside policies that allow everything', async (t) => {
    const acme = pod(
      new Map([
        ['kubernetes.io/metadata.name', 'acme-web'],
        ['bulkhead.dev/tenant', 'acme'],
      ]),
      new Map(),
      plain,
      [],
    );
    const of = (
      namespace: string,
      tenant: string | undefined,
      labels: Readonly<Record<string, string>> = {},
      cluster?: string,
    ) =>
      pod(
        new Map([
          ['kubernetes.io/metadata.name', namespace],
          ...(tenant ? [['bulkhead.dev/tenant', tenant] as const] : []),
        ]),
        new Map(Object.entries(labels)),
        plain,
        [],
        cluster,
      );
    const candidates = [
      of('acme-db', 'acme'),
      of('beta-db', 'beta'),
      of('gamma-db', 'gamma'),
      of('kube-system', undefined, { 'k8s-app': 'kube-dns' }),
      of('kube-system', undefined, { 'k8s-app': 'metrics' }),
      of('acme-web', 'acme', {}, 'elsewhere'),
      { asked: { address: '169.254.169.254' }, party: undefined },
      { asked: { address: '203.0.113.9' }, party: undefined },
      { asked: { reserved: 'host' as const }, party: undefined },
    ];
    if (acme === undefined || !isWhole(candidates)) throw new Error('a pod cannot be');
    const owner = tenancy.tenants.get('acme');
    if (owner === undefined) throw new Error('acme is not declared');
    const scene = { tenancy, tenant: 'acme', namespace: 'acme-web', now: 0, candidates, subject: acme };
    const border = dataPlaneBorder(owner, tenancy, 0);
    const without = await allowedIn(engine, { ...scene, border: undefined });
    const withIt = await allowedIn(engine, { ...scene, border });
    const rows: readonly [says: string, direction: 0 | 1, place: number, wire: string, open: boolean][] = [
      ['a pod of the tenant gets in', 0, 0, '1/TCP', true],
      ['the tenant reaches its own pods', 1, 0, '1/TCP', true],
      ['beta does not get in', 0, 1, '1/TCP', false],
      ['beta is not reached', 1, 1, '1/TCP', false],
      ["gamma gets in on the gate's port", 0, 2, '2/TCP', true],
      ['gamma does not get in on another port', 0, 2, '3/TCP', false],
      ['a gate of one direction does not open the other', 1, 2, '2/TCP', false],
      ['DNS is reached', 1, 3, '1/UDP', true],
      ['DNS does not get in', 0, 3, '1/UDP', false],
      ['other pods of kube-system are not reached', 1, 4, '1/UDP', false],
      ['other pods of kube-system do not get in', 0, 4, '1/TCP', false],
      ['a pod of another cluster with the same labels does not get in', 0, 5, '1/TCP', false],
      ['a metadata address is not reached', 1, 6, '1/TCP', false],
      ['an address outside is left to NetworkPolicies', 1, 7, '1/TCP', true],
      ['the kubelet gets in', 0, 8, '1/TCP', true],
    ];
    for (const [says, direction, place, wire, open] of rows) {
      const at = wires.findIndex(({ protocol, port }) => `${port}/${protocol}` === wire);
      t.equal(without([direction, place, at]), true, `without a border: all of it is open`);
      t.equal(withIt([direction, place, at]), open, says);
    }
    // What is granted in another cluster of a mesh passes there, and nothing else does.
    const elsewhere = new Set(['elsewhere']);
    const { network } = owner;
    const gates = network.gates.map((gate) => ({ ...gate, clusters: elsewhere }));
    const meshed = { ...owner, network: { ...network, gates, clusters: elsewhere } };
    const sharedServices = tenancy.settings.sharedServices.map((service) => ({ ...service, clusters: elsewhere }));
    const mesh = createTenancy({ ...tenancy.settings, sharedServices }, [
      meshed,
      ...[...tenancy.tenants.values()].filter(({ name }) => name !== 'acme'),
    ]);
    const there = [
      of('acme-web', 'acme', {}, 'elsewhere'),
      of('gamma-db', 'gamma', {}, 'elsewhere'),
      of('beta-db', 'beta', {}, 'elsewhere'),
      of('kube-system', undefined, { 'k8s-app': 'kube-dns' }, 'elsewhere'),
      of('acme-web', 'acme', {}, 'west'),
      of('gamma-db', 'gamma', {}, 'west'),
      of('acme-db', 'acme'),
    ];
    if (!isWhole(there)) throw new Error('a pod cannot be');
    const inMesh = await allowedIn(engine, { ...scene, candidates: there, border: dataPlaneBorder(meshed, mesh, 0) });
    for (const [says, direction, place, wire, open] of [
      ['the tenant in a granted cluster gets in', 0, 0, '1/TCP', true],
      ['and is reached', 1, 0, '1/TCP', true],
      ["gamma there gets in on the gate's port", 0, 1, '2/TCP', true],
      ['gamma there does not get in on another port', 0, 1, '3/TCP', false],
      ['beta there does not get in', 0, 2, '1/TCP', false],
      ['DNS there is reached', 1, 3, '1/UDP', true],
      ['DNS there does not get in', 0, 3, '1/UDP', false],
      ['the tenant in a cluster without a grant does not get in', 0, 4, '1/TCP', false],
      ['nor does gamma', 0, 5, '2/TCP', false],
      ['the tenant here gets in as before', 0, 6, '1/TCP', true],
    ] as const) {
      const at = wires.findIndex(({ protocol, port }) => `${port}/${protocol}` === wire);
      t.equal(inMesh([direction, place, at]), open, says);
    }
    // Written first, passes alone close nothing.
    const passesAlone = await allowedIn(engine, { ...scene, border: { passes: border.passes, denies: [] } });
    t.ok(allFlows(candidates).every(passesAlone), 'passes without denies change nothing');
  });

  t.test('in random worlds exactly what is agreed gets through', async (t) => {
    let flows = 0;
    for (const [seed, world] of worlds(250, 20).entries()) {
      const tried = await tryWorld(engine, world, seed, asItIs);
      flows += tried.flows;
      if (tried.fault === undefined) continue;
      t.fail(tried.fault);
      return;
    }
    t.ok(flows > 250_000, `${flows} flows were looked up`);
  });

  const rulesBy = (change: (rule: ClusterRule, policy: ClusterPolicy) => readonly ClusterRule[]): Change => {
    const of = (policy: ClusterPolicy): ClusterPolicy => {
      const { ingress, egress, ...spec } = policy.spec;
      const changed = (rules: readonly ClusterRule[]) => rules.flatMap((rule) => change(rule, policy));
      return {
        ...policy,
        spec: { ...spec, ...(ingress && { ingress: changed(ingress) }), ...(egress && { egress: changed(egress) }) },
      };
    };
    return ({ passes, denies }) => ({ passes: passes.map(of), denies: denies.map(of) });
  };
  const again = (change: (scene: Parameters<Change>[1]) => Parameters<typeof dataPlaneBorder>): Change => {
    return (_, scene) => dataPlaneBorder(...change(scene));
  };
  const ownerIn = ({ tenancy, tenant }: { readonly tenancy: Tenancy; readonly tenant: string }) => {
    const owner = tenancy.tenants.get(tenant);
    if (owner === undefined) throw new Error(`${tenant} is not declared`);
    return owner;
  };
  const bugs: readonly [says: string, change: Change][] = [
    [
      'own pods are passed as namespaces, so those of other clusters too',
      rulesBy((rule) => [{ ...rule, ...(rule.from && { from: rule.from.map(asNamespaces) }) }]),
    ],
    [
      'pods are denied as pods, so those of other clusters are not',
      rulesBy((rule) => [{ ...rule, ...(rule.from && rule.action === 'Deny' && { from: rule.from.map(asPods) }) }]),
    ],
    [
      'denies come before passes',
      ({ passes, denies }) => ({
        passes,
        denies: denies.map((one) => ({ ...one, spec: { ...one.spec, priority: 97 } })),
      }),
    ],
    [
      'passes and denies share a priority',
      ({ passes, denies }) => ({
        passes,
        denies: denies.map((one) => ({ ...one, spec: { ...one.spec, priority: 98 } })),
      }),
    ],
    ['to pass is to allow', rulesBy((rule) => [JSON.parse(JSON.stringify(rule).replaceAll('"Pass"', '"Accept"'))])],
    ['there are no denies', ({ passes }) => ({ passes, denies: [] })],
    ['there are no passes', ({ denies }) => ({ passes: [], denies })],
    ['ports are not written', rulesBy(({ protocols: _, ...rule }) => [rule])],
    [
      'a deny without peers is everybody',
      rulesBy((rule) => [rule.action === 'Deny' && rule.from ? { action: 'Deny', from: [] } : rule]),
    ],
    [
      'of a gate the own half counts alone',
      again(({ tenancy, now, ...scene }) => {
        const gates: Tenancy['gates'] = (...asked) => ({
          own: tenancy.gates(...asked).own,
          theirs: tenancy.gates(...asked).own,
        });
        return [ownerIn({ tenancy, ...scene }), { ...tenancy, gates }, now];
      }),
    ],
    [
      'no gate and no vouched address ends',
      again(({ tenancy, ...scene }) => [ownerIn({ tenancy, ...scene }), tenancy, 0]),
    ],
    [
      'shared services of some tenants serve every one',
      again(({ tenancy, now, ...scene }) => {
        const sharedServices = tenancy.settings.sharedServices.map(({ tenants: _, ...service }) => service);
        return [ownerIn({ tenancy, ...scene }), { ...tenancy, settings: { ...tenancy.settings, sharedServices } }, now];
      }),
    ],
    [
      'Services are denied as nodes are',
      rulesBy((rule) => [
        ...(rule.action === 'Deny' && rule.to ? [{ ...rule, to: [{ networks: ['10.0.0.0/24'] }] }] : []),
        rule,
      ]),
    ],
    [
      'what NAT64 translates is not denied',
      rulesBy((rule) => [
        rule.action === 'Deny' && rule.to
          ? { ...rule, to: rule.to.map((peer) => withoutNetworks(peer, /^64:ff9b:/)) }
          : rule,
      ]),
    ],
    [
      'metadata addresses are not denied',
      rulesBy((rule) => [
        rule.action === 'Deny' && rule.to
          ? { ...rule, to: rule.to.map((peer) => withoutNetworks(peer, /^169\./)) }
          : rule,
      ]),
    ],
  ];
  for (const [says, change] of bugs) {
    t.test(`a border with a bug is found out: ${says}`, async (t) => {
      for (const [seed, world] of worlds(250, 20).entries()) {
        const { fault } = await tryWorld(engine, world, seed, change);
        if (fault === undefined) continue;
        t.pass(`world ${seed}: ${fault.slice(0, 200)}`);
        return;
      }
      t.fail('nothing was found');
    });
  }
}

type Peer = NonNullable<ClusterRule['to']>[number];

function asNamespaces(peer: Peer): Peer {
  return 'pods' in peer ? { namespaces: peer.pods.namespaceSelector } : peer;
}

function asPods(peer: Peer): Peer {
  return 'namespaces' in peer ? { pods: { namespaceSelector: peer.namespaces, podSelector: {} } } : peer;
}

function withoutNetworks(peer: Peer, such: RegExp): Peer {
  return 'networks' in peer ? { networks: peer.networks.filter((one) => !such.test(one)) } : peer;
}

function isWhole(candidates: readonly (Candidate | undefined)[]): candidates is readonly Candidate[] {
  return candidates.every((one) => one !== undefined);
}

if (cilium !== undefined) {
  t.teardown(() => cilium.stop());
  judge(cilium);
}
