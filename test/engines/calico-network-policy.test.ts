/** The search for policies of Calico: in Calico's selectors and an evaluator of rules, and judges with bugs that must be found. */
import t from 'tap';
import { foundOrSkip } from '../apiserver/cluster-test.ts';
import { type Engine, startEngine } from './engine.ts';
import { type CalicoSpec, calicoNetworkPolicy as kind } from './kinds/calico-network-policy.ts';
import { summary } from './run.ts';
import { addTo, type Counterexample, emptyTally, firstFault, runBatches } from './search.ts';

type Judge = typeof kind.judge;
type Rule = NonNullable<CalicoSpec['ingress']>[number];
type Entity = NonNullable<Rule['source']>;

/** A judge that reads another rule than the one that is written. */
const reading =
  (change: (rule: Rule) => Rule): Judge =>
  (spec, border) =>
    kind.judge(
      withRules(spec, (rules) => rules.map(change)),
      border,
    );

/** Another source or destination. */
const readingEntity = (change: (entity: Entity) => Entity): Judge =>
  reading((rule) => ({
    ...rule,
    ...(rule.source && { source: change(rule.source) }),
    ...(rule.destination && { destination: change(rule.destination) }),
  }));

/** Another text of each selector. */
const readingText = (change: (text: string) => string): Judge =>
  readingEntity((entity) => ({
    ...entity,
    ...(entity.selector && { selector: change(entity.selector) }),
    ...(entity.namespaceSelector && { namespaceSelector: change(entity.namespaceSelector) }),
    ...(entity.notSelector && { notSelector: change(entity.notSelector) }),
  }));

function withRules({ ingress, egress, ...spec }: CalicoSpec, change: (rules: readonly Rule[]) => Rule[]): CalicoSpec {
  return { ...spec, ...(ingress && { ingress: change(ingress) }), ...(egress && { egress: change(egress) }) };
}

const selects = ({ selector, namespaceSelector, notSelector }: Entity) => selector || namespaceSelector || notSelector;

/** Each is a trap of the language: what a reader could take it for. */
const bugs: readonly {
  readonly bug: string;
  readonly found: Counterexample['kind'];
  readonly judge: Judge;
  /** The first batch that is tried, where it is not found in the first ones. */
  readonly from?: number;
}[] = [
  {
    bug: 'every peer is of the own namespace, whether or not a selector is set',
    found: 'soundness',
    judge: reading((rule) => {
      const own = (entity: Entity = {}) => (selects(entity) ? entity : { ...entity, selector: 'all()' });
      return { ...rule, source: own(rule.source), destination: own(rule.destination) };
    }),
  },
  {
    bug: 'an empty serviceAccounts is of the own namespace',
    from: 6,
    found: 'soundness',
    judge: readingEntity((entity) => {
      const { names = [], selector } = entity.serviceAccounts ?? { names: ['none'] };
      return names.length > 0 || selector || selects(entity) ? entity : { ...entity, selector: 'all()' };
    }),
  },
  {
    bug: 'Pass opens nothing',
    from: 14,
    found: 'soundness',
    judge: reading((rule) => ({ ...rule, action: rule.action === 'Pass' ? 'Deny' : rule.action })),
  },
  {
    bug: 'behind a Deny nothing is opened',
    found: 'soundness',
    judge: (spec, border) =>
      kind.judge(
        withRules(spec, (rules) => {
          const at = rules.findIndex(({ action }) => action === 'Deny');
          return at < 0 ? [...rules] : rules.slice(0, at);
        }),
        border,
      ),
  },
  { bug: '|| is &&', found: 'soundness', judge: readingText((text) => text.replaceAll('||', '&&')) },
  {
    bug: 'a negation is not read',
    from: 49,
    found: 'soundness',
    judge: readingText((text) => text.replaceAll('!(', '(').replaceAll('!has', 'has')),
  },
  { bug: '!= is ==', from: 79, found: 'soundness', judge: readingText((text) => text.replaceAll('!=', '==')) },
  {
    bug: 'not in needs the label',
    from: 55,
    found: 'soundness',
    judge: readingText((text) => text.replaceAll('not in', 'in')),
  },
  {
    bug: 'a beginning is the whole value',
    from: 58,
    found: 'soundness',
    judge: readingText((text) => text.replaceAll('starts with', '==')),
  },
  {
    bug: 'contains is the whole value',
    from: 273,
    found: 'soundness',
    judge: readingText((text) => text.replaceAll('contains', '==')),
  },
  {
    bug: 'one of no values is not looked at',
    found: 'usefulness',
    judge: readingText((text) => text.replaceAll('in {}', 'not in {}')),
  },
  {
    bug: 'what is in no namespace is forgotten',
    found: 'soundness',
    judge: (spec, border) => kind.judge(spec, border).filter(({ reason }) => !reason.includes('in no namespace')),
  },
  {
    bug: '!all() is nothing',
    from: 13,
    found: 'soundness',
    judge: readingText((text) => text.replaceAll('!all()', 'has(a) && !has(a)')),
  },
  {
    bug: 'a namespaceSelector is joined with the own namespace',
    found: 'soundness',
    judge: readingEntity(({ namespaceSelector, ...entity }) =>
      namespaceSelector ? { ...entity, selector: entity.selector || 'all()' } : entity,
    ),
  },
  {
    bug: 'peers of egress are not looked at',
    found: 'soundness',
    judge: (spec, border) => kind.judge(spec, border).filter(({ direction }) => direction !== 'egress'),
  },
  {
    bug: 'a label of a pod is one of its namespace',
    from: 35,
    found: 'soundness',
    judge: readingEntity((entity) => ({
      ...entity,
      ...(entity.namespaceSelector && {
        selector:
          entity.selector
            ?.replaceAll(/(^|[ (!])([a-z]+[.][a-z./-]+)/g, '$1pcns.$2')
            .replaceAll('pcns.pcns.', 'pcns.') ?? '',
      }),
    })),
  },
  {
    bug: 'the side that is local narrows too',
    found: 'soundness',
    judge: (spec, border) =>
      kind.judge(
        {
          ...spec,
          ...(spec.ingress && { ingress: spec.ingress.filter(({ destination }) => !destination?.selector) }),
          ...(spec.egress && { egress: spec.egress.filter(({ source }) => !source?.selector) }),
        },
        border,
      ),
  },
  {
    bug: 'nets are joined with selectors by OR',
    found: 'usefulness',
    judge: readingEntity(({ nets, notNets, ...entity }) =>
      selects(entity) ? { ...entity } : { ...entity, ...(nets && { nets }), ...(notNets && { notNets }) },
    ),
  },
  { bug: 'notNets is not looked at', found: 'usefulness', judge: readingEntity(({ notNets: _, ...entity }) => entity) },
  {
    bug: 'notSelector is not looked at',
    found: 'usefulness',
    judge: readingEntity(({ notSelector: _, ...entity }) => entity),
  },
  {
    bug: 'of the ports the first one counts',
    from: 78,
    found: 'soundness',
    judge: readingEntity((entity) => ({ ...entity, ...(entity.ports && { ports: entity.ports.slice(0, 1) }) })),
  },
  {
    bug: 'the number of a protocol is not read',
    from: 257,
    found: 'soundness',
    judge: reading((rule) => ({
      ...rule,
      protocol: rule.protocol === 17 || rule.protocol === 132 ? 'TCP' : (rule.protocol ?? 'TCP'),
    })),
  },
  {
    bug: 'projectcalico.org/name is a label like others',
    found: 'usefulness',
    judge: readingEntity((entity) => ({
      ...entity,
      ...(entity.namespaceSelector && {
        namespaceSelector: entity.namespaceSelector.replaceAll('projectcalico.org/name', 'example.org/name'),
      }),
    })),
  },
  { bug: '|| comes before &&', found: 'soundness', judge: readingText(withOrFirst) },
  {
    bug: 'what has a value that no label can have matches nothing',
    from: 80,
    found: 'soundness',
    judge: readingText((text) => text.replaceAll(/[^ (&|]+ != "no label"/g, 'has(a) && !has(a)')),
  },
  {
    bug: 'a Service has pods of the own namespace alone',
    found: 'soundness',
    judge: readingEntity(({ services, ...entity }) => (services ? { selector: 'all()' } : entity)),
  },
  {
    bug: 'a match of HTTP requests opens no port',
    found: 'soundness',
    judge: reading(({ http, ...rule }) => (http ? { ...rule, action: 'Deny' } : rule)),
  },
  {
    bug: 'all protocols but one are none',
    found: 'soundness',
    judge: reading((rule) => (rule.notProtocol === undefined ? rule : { ...rule, action: 'Deny' })),
  },
  {
    bug: 'of nets of two families the first one counts',
    found: 'soundness',
    judge: readingEntity(({ nets, ...entity }) => ({
      ...entity,
      ...(nets && { nets: nets.filter((one) => one.includes(':') === nets[0]?.includes(':')) }),
    })),
  },
  {
    bug: 'whoever is in a namespace is a pod with an account',
    found: 'soundness',
    judge: readingText((text) =>
      text
        .replaceAll('!has(projectcalico.org/serviceaccount)', 'has(a) && !has(a)')
        .replaceAll('projectcalico.org/orchestrator != "k8s"', 'has(a) && !has(a)'),
    ),
  },
  {
    bug: 'what is in no namespace has no labels',
    found: 'soundness',
    judge: (spec, border) =>
      kind.judge(spec, border).filter(({ witness }) => !/host endpoint with/.test(witness ?? '')),
  },
  {
    bug: 'without types, a policy is about ingress alone',
    found: 'soundness',
    judge: ({ egress, ...spec }, border) => kind.judge({ ...spec, ...(spec.types && egress && { egress }) }, border),
  },
];

/** `a || b && c` as `(a || b) && c`. */
function withOrFirst(text: string): string {
  const parts = text.split('&&');
  const isPlain = !/[()]/.test(text.replaceAll(/(?:has|all|global)[(][^()]*[)]/g, ''));
  return parts.length < 2 || !isPlain ? text : parts.map((part) => `(${part})`).join('&&');
}

function judgeCalico(calico: Engine): void {
  t.teardown(() => calico.stop());
  t.test('no foreigner gets through an admitted policy, and every witness does', async (t) => {
    const tally = emptyTally();
    const found: Counterexample[] = [];
    const begun = Date.now();
    await runBatches({ kind, engines: [calico], seed: 1 }, 0, (_, more, counterexample) => {
      addTo(tally, more);
      if (counterexample !== undefined) found.push(counterexample);
      return counterexample !== undefined || tally.policies >= 1_000;
    });
    t.comment(summary(tally, (Date.now() - begun) / 1_000));
    for (const { kind, text, yaml } of found) t.fail(`${kind}: ${text}\n${yaml}`);
    t.equal(tally.policies, 1_000);
    t.ok(tally.admitted > 150 && tally.admitted < 400, `${tally.admitted} are admitted`);
    t.ok(tally.witnesses > 500, `${tally.witnesses} witnesses got through`);
    t.ok(tally.unasked < tally.witnesses / 3, `${tally.unasked} witnesses that cannot be asked about`);
    t.ok(tally.flows > 100_000, `${tally.flows} flows were looked up`);
    t.equal(tally.untaken, 0, 'what Bulkhead admits is taken');
  });
  for (const { bug, found: wanted, judge, from } of bugs) {
    t.test(`a judge with a bug is found out: ${bug}`, async (t) => {
      const search = { kind: { ...kind, judge }, engines: [calico], seed: 3, asFound: true, sound: kind.judge };
      const { found, batches } = await firstFault(search, wanted, 500, from);
      t.ok(found, found?.text ?? 'nothing was found');
      t.comment(`after ${batches} batches`);
    });
  }
}

const found = await foundOrSkip('Calico judges policies', () => startEngine('calico'));
if (found !== undefined) judgeCalico(found);
