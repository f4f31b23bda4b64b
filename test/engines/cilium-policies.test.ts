/** Cilium's own code judges what Bulkhead makes of CiliumNetworkPolicies: 1,000 here, as many as wanted with `npm run engines`. */
import fc from 'fast-check';
import t from 'tap';
import type { PeerVerdict } from '../../src/reach/border.ts';
import type { Tenancy } from '../../src/tenancy/tenancy.ts';
import type { Tenant } from '../../src/tenancy/tenant.ts';
import { foundOrSkip } from '../apiserver/cluster-test.ts';
import type { WrittenSelector } from '../reach/evaluator.ts';
import { admitByChecks } from './admit.ts';
import { type Engine, startEngines } from './engine.ts';
import type { PolicyKind } from './kind.ts';
import { type CiliumRule, type CiliumSpec, ciliumNetworkPolicy } from './kinds/cilium-network-policy.ts';
import { summary } from './run.ts';
import { addTo, type Counterexample, emptyTally, firstFault, runBatches } from './search.ts';

const engines = await foundOrSkip('Cilium judges CiliumNetworkPolicy', async () => {
  const started = await startEngines(['cilium']);
  return 'missing' in started ? started : { started };
});
if (engines !== undefined) {
  t.teardown(() => Promise.all(engines.started.map((engine) => engine.stop())));
  judge(engines.started);
}

function judge(started: readonly Engine[]): void {
  t.test('Cilium lets no foreigner through an admitted policy, and every witness gets through', async (t) => {
    const tally = emptyTally();
    const found: Counterexample[] = [];
    const begun = Date.now();
    const search = { kind: ciliumNetworkPolicy, engines: started, seed: 1, admit: admitByChecks };
    await runBatches(search, 0, (_, more, counterexample) => {
      addTo(tally, more);
      if (counterexample !== undefined) found.push(counterexample);
      return counterexample !== undefined || tally.policies >= 1_000;
    });
    t.comment(summary(tally, (Date.now() - begun) / 1_000));
    for (const { kind, text, yaml } of found) t.fail(`${kind}: ${text}\n${yaml}`);
    t.equal(tally.policies, 1_000);
    t.ok(tally.admitted > 150 && tally.admitted < 400, `${tally.admitted} are admitted`);
    t.ok(tally.witnesses > 500, `${tally.witnesses} witnesses got through`);
    t.ok(tally.unasked < tally.witnesses / 3, `${tally.unasked} witnesses Cilium cannot be asked about`);
    t.ok(tally.flows > 250_000, `${tally.flows} flows were looked up`);
    t.equal(tally.untaken, 0, 'Cilium takes what Bulkhead admits');
  });

  // A policy of a judge with a bug is found. Each is a trap of the language.
  const judge = ciliumNetworkPolicy.judge;
  const without = (says: RegExp): typeof judge => {
    return (spec, border) => judge(spec, border).filter(({ reason }) => !says.test(reason));
  };
  const reading = (change: (spec: CiliumSpec) => CiliumSpec): typeof judge => {
    return (spec, border) => judge(change(spec), border);
  };
  const bugs: readonly [string, Counterexample['kind'], PolicyKind<CiliumSpec>['judge']][] = [
    ['specs are not read (L17)', 'soundness', reading(({ spec }) => (spec === undefined ? {} : { spec }))],
    ['a rule of ports alone has no peers (L05)', 'soundness', without(/^lists no peers/)],
    ['a reserved label is a label like others (L13)', 'soundness', without(/with a reserved label/)],
    ['the cluster is a label like others', 'soundness', without(/policy\.cluster/)],
    [
      'every cluster is the own one',
      'soundness',
      reading((spec) => withSelectors(spec, (key) => !key.endsWith('io.cilium.k8s.policy.cluster'))),
    ],
    [
      'what is granted in one cluster is granted in all',
      'soundness',
      (spec, border) => judge(spec, { ...border, tenant: everywhere(border.tenant) }),
    ],
    ['a port without a protocol is of TCP', 'soundness', reading(withTcp)],
    [
      'entities are not looked at (L16)',
      'soundness',
      (spec, border) => judge(spec, border).filter(({ kind }) => kind !== 'entity'),
    ],
    [
      'a key of the namespace with any: is a label of the pod (L08)',
      'soundness',
      reading((spec) => withSelectors(spec, (key) => !/^any:io\./.test(key))),
    ],
    [
      'keys of namespace labels do not change the namespace (L11)',
      'soundness',
      reading((spec) => withSelectors(spec, (key) => !key.includes('namespace.labels.'))),
    ],
    [
      'NotIn and Exists keep the own namespace (L10)',
      'soundness',
      reading((spec) =>
        withSelectors(spec, (key, operator) => !key.includes('io.') || operator === undefined || operator === 'In'),
      ),
    ],
    ['a label that is written twice has the first value', 'soundness', without(/with and without its source/)],
    ['port 0 is no port', 'soundness', reading((spec) => withPorts(spec, (port) => port !== '0'))],
    ['of several ports the first one counts', 'soundness', reading(firstPorts)],
    [
      'egress is not looked at',
      'soundness',
      (spec, border) => judge(spec, border).filter(({ direction }) => direction === 'ingress'),
    ],
    ['except is not looked at', 'usefulness', reading(withoutExcept)],
    [
      'names are not looked at',
      'soundness',
      (spec, border) => judge(spec, border).filter(({ kind }) => kind !== 'name'),
    ],
    ['two stars are one label', 'soundness', reading(withShortNames)],
    ['the addresses of a group are none', 'soundness', without(/^takes its ranges from CiliumCIDRGroups/)],
    ['the addresses of a group of a cloud are none', 'soundness', without(/^takes its addresses from a cloud/)],
    ['a Service is of the own namespace', 'soundness', without(/^takes its peers from Services/)],
    ['rules of layer 7 close the port', 'soundness', reading(withoutRequests)],
    ['nodes are of the tenant', 'soundness', reading(withoutNodes)],
    [
      'an entity that is shared is open on every port',
      'soundness',
      (spec, border) =>
        judge(spec, border).filter(({ reason }) => !reason.includes('opens more ports than the shared')),
    ],
    [
      'an entity that is shared in one direction is shared in both',
      'soundness',
      (spec, border) => judge(spec, { ...border, tenancy: bothWays(border.tenancy) }),
    ],
    ['an empty list of peers is everybody (L04)', 'usefulness', reading(withoutEmptyLists)],
    ['an empty rule allows everybody', 'usefulness', reading(withOpenRules)],
    ['rules that deny are read as rules that allow (L22)', 'usefulness', reading(withDenied)],
    [
      'for whatever is refused, a witness is made up',
      'usefulness',
      (spec, border) =>
        judge(spec, border).map(
          (verdict): PeerVerdict =>
            verdict.verdict === 'escapes' ? { ...verdict, witness: 'the address 198.51.100.77' } : verdict,
        ),
    ],
  ];
  /** The first batch that is tried, where a bug is not found in the first ones. */
  const batchOf: Readonly<Record<string, number>> = {
    'a reserved label is a label like others (L13)': 12,
    'every cluster is the own one': 19,
    'what is granted in one cluster is granted in all': 19,
    'a port without a protocol is of TCP': 288,
    'NotIn and Exists keep the own namespace (L10)': 10,
    'two stars are one label': 201,
    'the addresses of a group are none': 31,
    'the addresses of a group of a cloud are none': 21,
    'an entity that is shared in one direction is shared in both': 234,
  };
  t.test('what the platform allows for the whole cluster is open, whatever Bulkhead admits', async (t) => {
    const kind = withPlatform({ endpointSelector: {}, ingress: [{ fromEntities: ['all'] }] });
    const { found } = await firstFault({ kind, engines: started, seed: 3, asFound: true }, 'soundness', 5);
    t.ok(found, 'Cilium lets everybody in');
  });

  t.test('what the platform denies for the whole cluster is closed, whatever a policy allows', async (t) => {
    const denied = [{ fromEntities: ['all'] }];
    const kind = withPlatform({ endpointSelector: {}, ingressDeny: denied, egressDeny: [{ toEntities: ['all'] }] });
    // Nothing is refused, so that every policy is tried.
    const blind: typeof kind = { ...kind, judge: () => [] };
    const { found } = await firstFault({ kind: blind, engines: started, seed: 3, asFound: true }, 'soundness', 10);
    t.notOk(found, found?.text ?? 'nobody gets through');
  });

  for (const [bug, kind, judged] of bugs) {
    t.test(`a judge with a bug is found out: ${bug}`, async (t) => {
      const broken = { ...ciliumNetworkPolicy, judge: judged };
      const search = { kind: broken, engines: started, seed: 3, asFound: true, sound: judge };
      const { found, batches } = await firstFault(search, kind, 300, batchOf[bug]);
      t.ok(found, found?.text ?? 'nothing was found');
      t.comment(`after ${batches} batches: ${found?.text}`);
    });
  }
}

/** A CiliumClusterwideNetworkPolicy of the platform beside every policy. */
const withPlatform = (spec: object): PolicyKind<CiliumSpec> => {
  const metadata = { name: 'of-the-platform' };
  const object = { apiVersion: 'cilium.io/v2', kind: 'CiliumClusterwideNetworkPolicy', metadata, spec };
  return { ...ciliumNetworkPolicy, beside: fc.constant(() => [{ kind: object.kind, object }]) };
};

type Draft = NonNullable<CiliumSpec['spec']>;

function everywhere(tenant: Tenant): Tenant {
  const { clusters, ...network } = tenant.network;
  return { ...tenant, network: { ...network, ...(clusters && { clusters: new Set(['elsewhere', 'west']) }) } };
}

function withTcp(spec: CiliumSpec): CiliumSpec {
  return withRules(spec, ({ toPorts, ...rule }) => ({
    ...rule,
    ...(toPorts !== undefined && {
      toPorts:
        toPorts?.map(({ ports }) => ({
          ports: (ports ?? []).map(({ protocol, ...port }) => ({
            ...port,
            protocol: protocol === undefined || protocol === 'ANY' ? 'TCP' : protocol,
          })),
        })) ?? null,
    }),
  }));
}

function withDrafts({ spec, specs }: CiliumSpec, change: (draft: Draft) => Draft): CiliumSpec {
  return { ...(spec && { spec: change(spec) }), ...(specs && { specs: specs.map(change) }) };
}

function withRules(spec: CiliumSpec, change: (rule: CiliumRule) => CiliumRule): CiliumSpec {
  return withDrafts(spec, ({ ingress, egress, ...draft }) => ({
    ...draft,
    ...(ingress && { ingress: ingress.map(change) }),
    ...(egress && { egress: egress.map(change) }),
  }));
}

/** The selectors of peers, with the keys that are kept. A key in matchLabels has no operator. */
function withSelectors(spec: CiliumSpec, keep: (key: string, operator?: string) => boolean): CiliumSpec {
  const kept = ({ matchLabels, matchExpressions }: WrittenSelector): WrittenSelector => ({
    matchLabels: Object.fromEntries(Object.entries(matchLabels ?? {}).filter(([key]) => keep(key))),
    matchExpressions: (matchExpressions ?? []).filter(({ key, operator }) => keep(key, operator)),
  });
  return withRules(spec, (rule) => ({
    ...rule,
    ...(rule.fromEndpoints && { fromEndpoints: rule.fromEndpoints.map(kept) }),
    ...(rule.toEndpoints && { toEndpoints: rule.toEndpoints.map(kept) }),
  }));
}

function withPorts(spec: CiliumSpec, keep: (port: string | undefined) => boolean): CiliumSpec {
  return withRules(spec, ({ toPorts, ...rule }) => ({
    ...rule,
    ...(toPorts !== undefined && {
      toPorts: toPorts?.map(({ ports }) => ({ ports: (ports ?? []).filter(({ port }) => keep(port)) })) ?? null,
    }),
  }));
}

function firstPorts(spec: CiliumSpec): CiliumSpec {
  return withRules(spec, ({ toPorts, ...rule }) => ({
    ...rule,
    ...(toPorts !== undefined && {
      toPorts: toPorts?.slice(0, 1).map(({ ports }) => ({ ports: ports?.slice(0, 1) ?? [] })) ?? null,
    }),
  }));
}

function withoutExcept(spec: CiliumSpec): CiliumSpec {
  const bare = ({ except: _, ...rule }: NonNullable<CiliumRule['toCIDRSet']>[number]) => rule;
  return withRules(spec, (rule) => ({
    ...rule,
    ...(rule.fromCIDRSet && { fromCIDRSet: rule.fromCIDRSet.map(bare) }),
    ...(rule.toCIDRSet && { toCIDRSet: rule.toCIDRSet.map(bare) }),
  }));
}

function withShortNames(spec: CiliumSpec): CiliumSpec {
  return withRules(spec, ({ toFQDNs, ...rule }) => ({
    ...rule,
    ...(toFQDNs && {
      toFQDNs: toFQDNs.map(({ matchPattern, ...name }) => ({
        ...name,
        ...(matchPattern !== undefined && { matchPattern: matchPattern.replace(/^[*]+[.]/, '*.') }),
      })),
    }),
  }));
}

function withoutRequests(spec: CiliumSpec): CiliumSpec {
  return withRules(spec, ({ toPorts, ...rule }) => ({
    ...rule,
    ...(toPorts && { toPorts: toPorts.map((one) => (one.rules === undefined ? one : {})) }),
  }));
}

function withoutNodes(spec: CiliumSpec): CiliumSpec {
  return withRules(spec, ({ fromNodes, toNodes, ...rule }) => ({
    ...rule,
    ...(fromNodes && { fromEndpoints: fromNodes.map(() => ({})) }),
    ...(toNodes && { toEndpoints: toNodes.map(() => ({})) }),
  }));
}

function bothWays(tenancy: Tenancy): Tenancy {
  const sharedServices = tenancy.settings.sharedServices.flatMap((service) =>
    service.entity === undefined
      ? service
      : (['ingress', 'egress'] as const).map((direction) => ({ ...service, direction })),
  );
  return { ...tenancy, settings: { ...tenancy.settings, sharedServices } };
}

function withoutEmptyLists(spec: CiliumSpec): CiliumSpec {
  return withRules(spec, (rule) =>
    Object.fromEntries(
      Object.entries(rule).filter(([name, list]) => name === 'toPorts' || !Array.isArray(list) || list.length > 0),
    ),
  );
}

function withOpenRules(spec: CiliumSpec): CiliumSpec {
  return withRules(spec, (rule) =>
    Object.keys(rule).length > 0 ? rule : { toPorts: [{ ports: [{ port: '0', protocol: 'ANY' }] }] },
  );
}

function withDenied(spec: CiliumSpec): CiliumSpec {
  return withDrafts(spec, ({ ingressDeny = [], egressDeny = [], ...draft }) => ({
    ...draft,
    ingress: [...(draft.ingress ?? []), ...ingressDeny],
    egress: [...(draft.egress ?? []), ...egressDeny],
  }));
}
