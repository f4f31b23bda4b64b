/** The border against the naive evaluator: 10,000 policies here, as many as wanted with `npm run search`. */
import fc from 'fast-check';
import t from 'tap';
import { metadataRanges } from '../../src/tenancy/metadata-ranges.ts';
import type { ProtectedRange, Settings } from '../../src/tenancy/settings.ts';
import { createTenancy } from '../../src/tenancy/tenancy.ts';
import { emptyTally } from './border-proof.ts';
import { search, summary } from './search.ts';
import { judge, now, settings, tenant } from './world.ts';

t.test('no admitted policy lets a foreigner through, and no refusal is without one who would get through', (t) => {
  const tally = emptyTally();
  const counterexample = search(10_000, 5, tally);
  t.equal(counterexample, undefined, counterexample ?? 'nothing was found');
  const { cases, admitted, verdicts, agreed, addresses, unprovenInVain } = tally;
  t.comment(summary(tally));
  t.equal(cases, 10_000);
  const judged = Object.values(verdicts).reduce((sum, count) => sum + count, 0);
  for (const [verdict, count] of Object.entries(verdicts))
    t.ok(count > judged / 50, `${verdict} occurs ${count} times`);
  t.ok(admitted > cases / 5 && admitted < cases / 2, `${admitted} are admitted`);
  t.ok(agreed > verdicts.contained / 50, `${agreed} times pods of others get through by agreement`);
  t.ok(addresses > verdicts.contained / 50, `${addresses} times addresses are contained`);
  t.ok(unprovenInVain < cases / 1000, `${unprovenInVain} are unproven although nobody gets through`);
  t.end();
});

/** Settings that are not read: what each of them makes of the settings of a world. */
const bugs: Readonly<Record<string, (settings: Settings) => Partial<Settings>>> = {
  'a service for selected tenants is for every tenant': ({ sharedServices }) => ({
    sharedServices: sharedServices.map(({ tenants, ...service }) =>
      tenants === undefined || 'labels' in tenants ? service : { ...service, tenants },
    ),
  }),
  'load balancers are outside the cluster': ({ protectedRanges }) => ({
    protectedRanges: protectedRanges.filter(({ name }) => name !== 'load balancer network'),
  }),
  'nothing is protected by a name': ({ protectedRanges }) => ({
    protectedRanges: protectedRanges.filter(({ name }) => name !== 'database'),
  }),
  'no cloud has metadata addresses of its own': ({ protectedRanges }) => ({
    protectedRanges: [...protectedRanges.filter(isOfNoCloud), ...metadataRanges('none')],
  }),
  'the metadata addresses of every cloud are protected': ({ protectedRanges }) => ({
    protectedRanges: [...protectedRanges.filter(isOfNoCloud), ...metadataRanges('all')],
  }),
};

function isOfNoCloud({ kind }: ProtectedRange): boolean {
  return kind === 'cluster';
}

/** The case of the seed with which the search begins, where a bug is found late. */
const pathOf: Readonly<Record<string, string>> = { 'no cloud has metadata addresses of its own': '8408' };

for (const [bug, change] of Object.entries(bugs)) {
  t.test(`a judge with a bug is found out: ${bug}`, (t) => {
    const found = search(20_000, 2, emptyTally(), pathOf[bug], (border) => {
      const { settings } = border.tenancy;
      return { ...border, tenancy: { ...border.tenancy, settings: { ...settings, ...change(settings) } } };
    });
    t.ok(found, 'there is a counterexample');
    t.comment(found?.split('\n').slice(0, 2).join('\n'));
    t.end();
  });
}

t.test('whatever stands in a spec gets an answer', (t) => {
  const border = { tenant: tenant('acme'), namespace: 'acme-web', tenancy: createTenancy(settings, []), now };
  const word = fc.constantFrom(
    ...['podSelector', 'namespaceSelector', 'ipBlock', 'from', 'to', 'ports', 'port', 'cidr', 'except'],
    ...['matchLabels', 'matchExpressions', 'key', 'operator', 'values', '__proto__', 'constructor'],
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
  t.pass('5,000 of them');
  t.end();
});
