import t from 'tap';
import { baselineOf } from '../../src/baseline/baseline.ts';
import type { NetworkPolicy } from '../../src/kubernetes/objects.ts';
import { readNetworkPolicy } from '../../src/reach/dialects/network-policy.ts';
import { cutOff } from '../../src/reach/isolation.ts';
import type { Isolation } from '../../src/reach/model.ts';
import { settings, tenant } from '../baseline/samples.ts';

const web = { metadata: { labels: { app: 'web' } } };

function isolations(...specs: readonly object[]): readonly Isolation[] {
  return specs.flatMap((spec) => {
    const policy: NetworkPolicy = JSON.parse(JSON.stringify({ spec }));
    return readNetworkPolicy(policy).isolates;
  });
}

t.test('a pod loses the directions in which no policy selects it', async (t) => {
  const app = (name: string) => ({ podSelector: { matchLabels: { app: name } } });
  const rows: readonly [what: string, specs: readonly object[], lost: readonly string[]][] = [
    ['no policy: everything', [], ['ingress', 'egress']],
    ['a policy of other pods', [{ ...app('db'), policyTypes: ['Ingress', 'Egress'] }], ['ingress', 'egress']],
    ['a policy for ingress', [{ ...app('web'), policyTypes: ['Ingress'] }], ['egress']],
    ['a policy for egress alone', [{ ...app('web'), policyTypes: ['Egress'], ingress: [{}] }], ['ingress']],
    [
      'one for each',
      [
        { ...app('web'), policyTypes: ['Ingress'] },
        { ...app('web'), policyTypes: ['Egress'] },
      ],
      [],
    ],
    [
      'one that opens everything isolates too',
      [{ ...app('web'), policyTypes: ['Ingress'], ingress: [{}] }],
      ['egress'],
    ],
    ['without types: ingress', [app('web')], ['egress']],
    ['without types and with an empty list of egress rules: ingress', [{ ...app('web'), egress: [] }], ['egress']],
    ['without types and with egress rules: both', [{ ...app('web'), egress: [{}] }], []],
    ['an empty list of types is none', [{ ...app('web'), policyTypes: [], egress: [{}] }], []],
    ['an empty selector selects every pod', [{ podSelector: {}, policyTypes: ['Ingress', 'Egress'] }], []],
    ['a missing one too', [{ podSelector: null, policyTypes: ['Ingress', 'Egress'] }], []],
    [
      'a selector by expression',
      [{ podSelector: { matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['db'] }] }, egress: [{}] }],
      [],
    ],
    [
      'a selector that cannot be read selects none',
      [{ podSelector: { matchExpressions: [{ key: 'app', operator: 'Like', values: ['w'] }] } }],
      ['ingress', 'egress'],
    ],
    [
      'a selector that contradicts itself selects none',
      [
        {
          podSelector: {
            matchLabels: { app: 'web' },
            matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['web'] }],
          },
        },
      ],
      ['ingress', 'egress'],
    ],
    ['types that are not understood isolate nothing', [{ policyTypes: ['Ingress', 'Both'] }], ['ingress', 'egress']],
    [
      'a label that is called like what every object has',
      [{ podSelector: { matchLabels: { constructor: 'x' } } }],
      ['ingress', 'egress'],
    ],
  ];
  for (const [what, specs, lost] of rows) t.same(cutOff(web, isolations(...specs)), lost, what);
  t.same(cutOff({ metadata: {} }, isolations(app('web'))), ['ingress', 'egress'], 'a pod without labels');
  t.same(cutOff({ metadata: { labels: null } }, isolations({ podSelector: {} })), ['egress'], 'the same on the wire');
});

t.test('pods that no policy reaches lose nothing', async (t) => {
  for (const [what, pod] of [
    ['a pod on the network of its node', { ...web, spec: { hostNetwork: true } }],
    ['a pod that has done its work', { ...web, status: { phase: 'Succeeded' } }],
    ['a pod that has failed', { ...web, status: { phase: 'Failed' } }],
  ] as const)
    t.equal(cutOff(pod, []), undefined, what);
  t.same(cutOff({ ...web, spec: { hostNetwork: false }, status: { phase: 'Running' } }, []), ['ingress', 'egress']);
});

t.test('in a namespace that has its baseline nothing is left to cut off', async (t) => {
  const baseline = baselineOf('acme-web', tenant({}), settings([]));
  const found = baseline.flatMap((object) =>
    object.kind === 'NetworkPolicy' ? readNetworkPolicy(object).isolates : [],
  );
  t.same(cutOff(web, found), []);
  t.same(cutOff(web, found.slice(0, 1)), [], 'by the closed door alone');
});
