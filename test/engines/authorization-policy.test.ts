/** The search for AuthorizationPolicies in Istio's own code, and judges with bugs that must be found: each is a trap of the language. */
import fc from 'fast-check';
import t from 'tap';
import { foundOrSkip } from '../apiserver/cluster-test.ts';
import { type Engine, startEngine } from './engine.ts';
import {
  type AuthorizationSpec,
  authorizationPolicy as kind,
  plainSpecs,
  type Rule,
  type Source,
} from './kinds/authorization-policy.ts';
import { summary } from './run.ts';
import { addTo, type Counterexample, emptyTally, firstFault, runBatches } from './search.ts';

type Judge = typeof kind.judge;

/** A judge that reads another rule than the one that is written. */
const reading =
  (change: (rule: Rule) => Rule): Judge =>
  ({ rules, ...spec }, border) =>
    kind.judge({ ...spec, ...(rules && { rules: rules.map(change) }) }, border);

const readingSource = (change: (source: Source) => Source): Judge =>
  reading(({ from, ...rule }) => ({
    ...rule,
    ...(from && { from: from.map(({ source }) => ({ ...(source && { source: change(source) }) })) }),
  }));

const readingTexts = (name: keyof Source, change: (text: string) => string): Judge =>
  readingSource((source) => ({ ...source, ...(source[name] && { [name]: source[name].map(change) }) }));

const without = (name: keyof Source): Judge => readingSource(({ [name]: _, ...source }) => source);

interface Bug {
  readonly bug: string;
  readonly found: Counterexample['kind'];
  readonly judge: Judge;
  /** One that finds it soon: the test takes the time of the slowest. */
  readonly seed?: number;
}

const bugs: readonly Bug[] = [
  {
    bug: 'a beginning ends with a part of the identity',
    found: 'soundness',
    judge: readingTexts('principals', (text) => text.replace(/^([^*]*\/ns\/[^/*]+)\*$/, '$1/*')),
  },
  {
    bug: 'an end of a principal is of the own namespace',
    found: 'soundness',
    judge: (spec, border) =>
      readingTexts('principals', (text) =>
        /^\*\/sa\//.test(text) ? `*/ns/${border.namespace}${text.slice(1)}` : text,
      )(spec, border),
  },
  {
    bug: 'a * behind another text is a name',
    found: 'soundness',
    judge: readingTexts('principals', (text) => (text === '*' ? 'cluster.local/ns/*/sa/*' : text)),
  },
  {
    bug: 'a * in a trust domain is meant literally',
    found: 'soundness',
    judge: readingTexts('principals', (text) => (/^[^*/]+\*\//.test(text) ? 'x/ns/*/sa/none' : text)),
  },
  {
    bug: 'a * after a * is one too',
    found: 'usefulness',
    judge: readingTexts('principals', (text) => (/^\*.*[^*]\*$/.test(text) ? '*' : text)),
  },
  {
    bug: 'a * in a namespace is a name',
    found: 'soundness',
    judge: readingTexts('namespaces', (text) => text.replaceAll('*', 'none')),
  },
  {
    bug: 'a * in a namespace stands at its end alone',
    found: 'soundness',
    judge: readingTexts('namespaces', (text) =>
      (/\*./.test(text) ? 'x*none' : text).replace('x*none', 'acme-web-none'),
    ),
  },
  {
    bug: 'a service account with a namespace is of the own one',
    found: 'soundness',
    judge: readingTexts('serviceAccounts', (text) => text.split('/').at(-1) ?? ''),
  },
  { bug: 'callers without an identity are not thought of', found: 'soundness', judge: withoutAnonymous },
  {
    bug: 'from: [] lets nobody in',
    found: 'soundness',
    judge: ({ rules, ...spec }, border) =>
      kind.judge({ ...spec, rules: (rules ?? []).filter(({ from }) => from?.length !== 0) }, border),
  },
  {
    bug: 'from: null lets nobody in',
    found: 'soundness',
    judge: ({ rules, ...spec }, border) =>
      kind.judge({ ...spec, rules: (rules ?? []).filter(({ from }) => from !== null) }, border),
  },
  {
    bug: 'an empty list in a source lets nobody in',
    found: 'soundness',
    judge: reading(({ from, ...rule }) => ({
      ...rule,
      ...(from && {
        from: from.filter(({ source }) => !Object.values(source ?? {}).some((list) => list?.length === 0)),
      }),
      ...(from &&
        from.length > 0 &&
        from.every(({ source }) => Object.values(source ?? {}).some((list) => list?.length === 0)) && {
          from: [{ source: { namespaces: ['acme-web'] } }],
        }),
    })),
  },
  {
    bug: 'an item without a source lets nobody in',
    seed: 1,
    found: 'soundness',
    judge: reading(({ from, ...rule }) => ({
      ...rule,
      ...(from && { from: from.map((item) => (item.source ? item : { source: { ipBlocks: ['203.0.113.9'] } })) }),
    })),
  },
  {
    bug: 'requestPrincipals say who calls',
    found: 'soundness',
    judge: readingSource(({ requestPrincipals, ...source }) =>
      requestPrincipals?.length ? { ...source, ipBlocks: ['203.0.113.9'] } : source,
    ),
  },
  {
    bug: 'remoteIpBlocks are ipBlocks',
    seed: 1,
    found: 'soundness',
    judge: readingSource(({ remoteIpBlocks, ...source }) =>
      remoteIpBlocks?.length ? { ...source, ipBlocks: ['203.0.113.9'] } : source,
    ),
  },
  { bug: 'fields of a source are joined by OR', found: 'usefulness', judge: without('ipBlocks') },
  { bug: 'notIpBlocks are not looked at', seed: 5, found: 'usefulness', judge: without('notIpBlocks') },
  { bug: 'notNamespaces are not looked at', found: 'usefulness', judge: without('notNamespaces') },
  { bug: 'conditions are not looked at', found: 'usefulness', judge: reading(({ when: _, ...rule }) => rule) },
  {
    bug: 'conditions widen a rule',
    found: 'usefulness',
    judge: (spec, border) =>
      kind
        .judge(spec, border)
        .concat(
          (spec.rules ?? []).some(({ when }) => when?.length)
            ? kind.judge({ rules: [{ from: [{ source: { namespaces: ['*'] } }] }] }, border)
            : [],
        ),
  },
  {
    bug: 'every text but false is a dry-run',
    seed: 4,
    found: 'soundness',
    judge: ({ dryRun, ...spec }, border) =>
      kind.judge({ ...spec, ...(dryRun && dryRun !== 'false' && { dryRun: 'true' }) }, border),
  },
  {
    bug: 'a dry-run is in force',
    found: 'usefulness',
    judge: ({ dryRun: _, ...spec }, border) => kind.judge(spec, border),
  },
  {
    bug: 'DENY lets callers in',
    found: 'usefulness',
    judge: ({ action: _, ...spec }, border) => kind.judge(spec, border),
  },
  {
    bug: 'the ports of the first operation count',
    seed: 9,
    found: 'soundness',
    judge: reading(({ to, ...rule }) => ({ ...rule, ...(to && { to: to.slice(0, 1) }) })),
  },
  {
    bug: 'of a source the first value counts',
    found: 'soundness',
    judge: readingSource((source) =>
      Object.fromEntries(Object.entries(source).map(([name, list]) => [name, list?.slice(0, 1) ?? null])),
    ),
  },
  {
    bug: 'of the rules the first counts',
    found: 'soundness',
    judge: ({ rules, ...spec }, border) => kind.judge({ ...spec, ...(rules && { rules: rules.slice(0, 1) }) }, border),
  },
];

function withoutAnonymous(spec: AuthorizationSpec, border: Parameters<Judge>[1]): ReturnType<Judge> {
  return kind.judge(spec, border).filter(({ reason }) => !reason.includes('leaves callers out'));
}

const specs = fc.oneof({ weight: 2, arbitrary: plainSpecs }, kind.specs);

function judgeIstio(istio: Engine): void {
  t.teardown(() => istio.stop());
  t.test('no foreigner gets through an admitted policy, and every witness does', async (t) => {
    const tally = emptyTally();
    const found: Counterexample[] = [];
    const begun = Date.now();
    await runBatches({ kind, engines: [istio], seed: 1 }, 0, (_, more, counterexample) => {
      addTo(tally, more);
      if (counterexample !== undefined) found.push(counterexample);
      return counterexample !== undefined || tally.policies >= 1_000;
    });
    t.comment(summary(tally, (Date.now() - begun) / 1_000));
    for (const { kind, text, yaml } of found) t.fail(`${kind}: ${text}\n${yaml}`);
    t.equal(tally.policies, 1_000);
    t.ok(tally.admitted > 200 && tally.admitted < 450, `${tally.admitted} are admitted`);
    t.ok(tally.witnesses > 600, `${tally.witnesses} witnesses got through`);
    t.ok(tally.unasked < tally.witnesses / 3, `${tally.unasked} witnesses that cannot be asked about`);
    t.ok(tally.flows > 100_000, `${tally.flows} flows were looked up`);
    t.equal(tally.untaken, 0, 'what Bulkhead admits is taken');
  });
  for (const { bug, found: wanted, judge, seed = 3 } of bugs) {
    t.test(`a judge with a bug is found out: ${bug}`, async (t) => {
      const search = { kind: { ...kind, specs, judge }, engines: [istio], seed, asFound: true, sound: kind.judge };
      const { found, batches } = await firstFault(search, wanted, 100);
      t.ok(found, found?.text ?? 'nothing was found');
      t.comment(`after ${batches} batches: ${found?.text}`);
    });
  }
}

const istio = await foundOrSkip('Istio judges policies', () => startEngine('istio'));
if (istio !== undefined) judgeIstio(istio);
