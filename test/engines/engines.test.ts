/** The engines as judges: 1,000 policies here, as many as wanted with `npm run engines`. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { builtInKeys } from '../../src/keys/built-in-keys.ts';
import { compileReservedKeys } from '../../src/keys/reserved-keys.ts';
import type { PeerVerdict } from '../../src/reach/border.ts';
import { foundOrSkip } from '../apiserver/cluster-test.ts';
import type { WrittenPeer, WrittenRule, WrittenSelector, WrittenSpec } from '../reach/evaluator.ts';
import { type Admit, admitByChecks } from './admit.ts';
import { type Engine, engineNames, startEngines } from './engine.ts';
import type { PolicyKind } from './kind.ts';
import { networkPolicy } from './kinds/network-policy.ts';
import { summary } from './run.ts';
import { addTo, type Counterexample, emptyTally, firstFault, runBatches } from './search.ts';

const engines = await foundOrSkip('the engines judge NetworkPolicy', async () => {
  const started = await startEngines(engineNames);
  return 'missing' in started ? started : { started };
});
if (engines !== undefined) {
  t.teardown(() => Promise.all(engines.started.map((engine) => engine.stop())));
  judge(engines.started);
}

function judge(started: readonly Engine[]): void {
  t.test('no engine lets a foreigner through an admitted policy, and every witness gets through in one', async (t) => {
    const tally = emptyTally();
    const found: Counterexample[] = [];
    const begun = Date.now();
    const search = { kind: networkPolicy, engines: started, seed: 8, admit: admitByChecks };
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
    t.ok(tally.unasked < tally.witnesses / 10, `${tally.unasked} witnesses no engine can be asked about`);
    t.ok(tally.flows > 500_000, `${tally.flows} flows were looked up`);
    t.equal(tally.untaken, 0, 'the engines take what Bulkhead admits');
    t.ok(tally.exempted > 20, `${tally.exempted} are admitted by exemptions alone`);
    t.ok(tally.podsAdmitted > 200, `${tally.podsAdmitted} pods are admitted`);
    t.ok(tally.podsExempted > 10, `${tally.podsExempted} of them by exemptions alone`);
    t.ok(tally.podsAsked > 300, `of ${tally.podsAsked} Cilium was asked what it takes them for`);
  });

  t.test('Cilium says which labels make a pod what it is not', async (t) => {
    const cilium = started.filter(({ name }) => name === 'cilium');
    const found = new Set<string>();
    let batches = 0;
    const search = { kind: networkPolicy, engines: cilium, seed: 5, soundnessAlone: true, asFound: true };
    const admit: Admit = (sent, object, border) => {
      // As if no key of a plugin were reserved.
      const podKeys = compileReservedKeys(builtInKeys('pods', { plugin: 'kube-router', mesh: 'none' }));
      const { tenancy } = border;
      return admitByChecks(sent, object, {
        ...border,
        tenancy: { ...tenancy, reserved: { ...tenancy.reserved, podKeys } },
      });
    };
    // Only pods are tried.
    const ofPods = { ...search, admit, podsByCiliumAlone: true, sound: networkPolicy.judge };
    await runBatches(ofPods, 0, (_batch, _tally, counterexample) => {
      const [, what] = /is admitted, and Cilium takes it for (.*)$/.exec(counterexample?.text ?? '') ?? [];
      if (what !== undefined) found.add(what);
      return ++batches >= 60;
    });
    t.ok(found.size >= 4, [...found].join());
    // The name of a remote node makes it one of another scope.
    const none = [...found].filter(
      (what) => !builtInKeys('pods', { plugin: 'cilium' }).some(({ entry }) => entry === what),
    );
    t.strictSame(
      none,
      ['an identity of another scope'].filter((what) => found.has(what)),
      'each has a name that is reserved',
    );
  });

  t.test('the fast way and the engine’s own way to answer agree', async (t) => {
    const compared = { answers: 0, allowed: 0, flows: 0 };
    const both = started.map((engine): Engine => {
      return {
        ...engine,
        async ask(question) {
          // In its own way Cilium resolves every policy for every flow: a part of them in each question.
          const few = {
            ...question,
            flows: question.flows.filter((_, index) => index % 29 === 0),
            policies: question.policies
              .filter(({ object }, index) => index % 3 === 0 && !namesPortOfSctp(object))
              .map((policy) => ({
                ...policy,
                common: true,
                flows: policy.flows.filter((_, index) => index % 5 === 0),
              })),
          };
          const [fast, slow] = await Promise.all([engine.ask(few), engine.ask({ ...few, oneByOne: true })]);
          t.strictSame(fast, slow, `${engine.name} says the same`);
          compared.answers += fast.length;
          for (const { common, own, looked } of fast) {
            compared.allowed += common.length + own.length;
            compared.flows += looked;
          }
          return await engine.ask(question);
        },
      };
    });
    let batches = 0;
    await runBatches({ kind: networkPolicy, engines: both, seed: 2 }, 0, () => ++batches >= 4);
    t.comment(JSON.stringify(compared));
    t.ok(compared.answers > 100 && compared.allowed > 100 && compared.flows > 5_000);
  });

  t.test('a search that was stopped goes on where it was', async (t) => {
    const file = join(t.testdir({}), 'progress.json');
    const run = async (policies: number) => {
      const commandLine = [
        join(import.meta.dirname, 'run.ts'),
        '--policies',
        `${policies}`,
        '--resume',
        file,
        '--seed',
        '7',
      ];
      await promisify(execFile)(process.execPath, commandLine);
      return JSON.parse(await readFile(file, 'utf8'));
    };
    const first = await run(100);
    t.match(first, { seed: 7, engines: engineNames, batch: 2, tally: { policies: 100 }, counterexamples: [] });
    const second = await run(150);
    t.match(second, { batch: 3, tally: { policies: 150 } });
    const sum = emptyTally();
    const search = { kind: networkPolicy, engines: started, seed: 7, admit: admitByChecks };
    await runBatches(search, 0, (_, more) => {
      addTo(sum, more);
      return sum.policies >= 150;
    });
    t.same(second.tally, sum, 'and what it adds up to is what one run sees');
    const other = [join(import.meta.dirname, 'run.ts'), '--resume', file, '--seed', '8'];
    const refused = await promisify(execFile)(process.execPath, other).then(() => '', String);
    t.match(refused, 'is of seed 7', 'another seed does not go into the same file');
  });

  // A policy of a judge with a bug is found, and shown as what the bug makes of it.
  const bugs: readonly [string, Counterexample['kind'], PolicyKind<WrittenSpec>['judge']][] = [
    [
      'rules of a direction that policyTypes leaves out are dead text (NP-21)',
      'soundness',
      (spec, border) => networkPolicy.judge(withoutDeadRules(spec), border),
    ],
    [
      'peers of egress are not looked at',
      'soundness',
      (spec, border) => networkPolicy.judge(spec, border).filter(({ direction }) => direction !== 'egress'),
    ],
    [
      'of the ports of a rule the first one counts',
      'soundness',
      (spec, border) =>
        networkPolicy.judge(
          withRules(spec, (rule) => ({ ...rule, ports: rule.ports?.slice(0, 1) ?? null })),
          border,
        ),
    ],
    [
      'a port by its name is port 1',
      'soundness',
      (spec, border) => networkPolicy.judge(withRules(spec, numbered), border),
    ],
    [
      'ranges of IPv6 are not looked at',
      'soundness',
      (spec, border) =>
        networkPolicy.judge(spec, border).filter(({ witness }) => !/^the address .*:/.test(witness ?? '')),
    ],
    [
      'NotIn is taken for In',
      'soundness',
      (spec, border) =>
        networkPolicy.judge(
          withPeers(spec, (peer) => ({ ...peer, ...inverted(peer) })),
          border,
        ),
    ],
    [
      'keys of Cilium are labels like others',
      'soundness',
      (spec, border) =>
        networkPolicy.judge(spec, border).filter(({ reason }) => !reason.includes('with which Cilium selects')),
    ],
    [
      'a platform label proves whatever its value',
      'soundness',
      (spec, border) =>
        networkPolicy.judge(spec, border).filter(({ reason }) => !reason.startsWith('matches every namespace of the')),
    ],
    [
      'a platform label proves while namespaces have it that must not',
      'soundness',
      (spec, border) => networkPolicy.judge(spec, { ...border, isKept: () => true }),
    ],
    [
      'except is not looked at',
      'usefulness',
      (spec, border) =>
        networkPolicy.judge(
          withPeers(spec, (peer) => (peer.ipBlock ? { ipBlock: { cidr: peer.ipBlock.cidr } } : peer)),
          border,
        ),
    ],
    [
      'whatever is refused, a witness is made up',
      'usefulness',
      (spec, border) =>
        networkPolicy.judge(spec, border).map((verdict): PeerVerdict => {
          return verdict.verdict === 'escapes' ? { ...verdict, witness: 'the address 198.51.100.77' } : verdict;
        }),
    ],
  ];
  /** The first batch that is tried, where a bug is not found in the first ones. */
  const batchOf: Readonly<Record<string, number>> = {
    'of the ports of a rule the first one counts': 71,
    'a port by its name is port 1': 36,
    'NotIn is taken for In': 12,
    'keys of Cilium are labels like others': 71,
    'a platform label proves while namespaces have it that must not': 118,
  };
  for (const [bug, kind, judged] of bugs) {
    t.test(`a judge with a bug is found out: ${bug}`, async (t) => {
      const broken = { ...networkPolicy, judge: judged };
      const search = { kind: broken, engines: started, seed: 3, asFound: true, sound: networkPolicy.judge };
      const { found, batches } = await firstFault(search, kind, 300, batchOf[bug]);
      t.ok(found, found?.text ?? 'nothing was found');
      t.comment(`after ${batches} batches: ${found?.text}`);
    });
  }
}

/** Cilium's LookupFlow knows named ports of TCP and UDP alone (policy.EndpointInfo); the data path resolves those of SCTP too. */
function namesPortOfSctp(object: unknown): boolean {
  return /"ports":\[[^\]]*"SCTP"/.test(JSON.stringify(object)) && /"port":"/.test(JSON.stringify(object));
}

/** As the API says it: rules count in the directions of policyTypes, or what takes its place. */
function withoutDeadRules({ ingress, egress, ...spec }: WrittenSpec): WrittenSpec {
  const written = spec.policyTypes ?? [];
  const types = written.length > 0 ? written : ['Ingress', ...((egress ?? []).length > 0 ? ['Egress'] : [])];
  return {
    ...spec,
    ...(types.includes('Ingress') && ingress !== undefined && { ingress }),
    ...(types.includes('Egress') && egress !== undefined && { egress }),
  };
}

function withRules(spec: WrittenSpec, change: (rule: WrittenRule) => WrittenRule): WrittenSpec {
  const all = (rules: readonly WrittenRule[] | null | undefined) =>
    rules?.map((rule: WrittenRule | null) => rule && change(rule));
  return JSON.parse(JSON.stringify({ ...spec, ingress: all(spec.ingress), egress: all(spec.egress) }));
}

function withPeers(spec: WrittenSpec, change: (peer: WrittenPeer) => WrittenPeer): WrittenSpec {
  const all = (peers: readonly WrittenPeer[] | null | undefined) =>
    peers?.map((peer: WrittenPeer | null) => peer && change(peer));
  return withRules(spec, (rule) => JSON.parse(JSON.stringify({ ...rule, from: all(rule.from), to: all(rule.to) })));
}

function numbered(rule: WrittenRule): WrittenRule {
  const ports = rule.ports?.map((port) => (typeof port.port === 'string' ? { ...port, port: 1 } : port));
  return { ...rule, ports: ports ?? null };
}

/** As if NotIn were In. */
function inverted({ namespaceSelector }: WrittenPeer): { readonly namespaceSelector?: WrittenSelector } {
  if (!namespaceSelector) return {};
  const requirements = (namespaceSelector.matchExpressions ?? []).map((one) => ({
    ...one,
    operator: one.operator === 'NotIn' ? 'In' : one.operator,
  }));
  return { namespaceSelector: { ...namespaceSelector, matchExpressions: requirements } };
}
