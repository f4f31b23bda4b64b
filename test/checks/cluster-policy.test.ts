/** What the platform is warned of in its own policies, beyond the cases of test/fixtures/cluster-policy. */
import fc from 'fast-check';
import t from 'tap';
import { warningTexts } from '../../src/admission/message.ts';
import { clusterPolicy } from '../../src/checks/cluster-policy.ts';
import { createWorld } from '../fixtures/world.ts';

const { tenancy } = createWorld();
const bordered = { ...tenancy, settings: { ...tenancy.settings, clusterPolicy: { deniesNodes: false } } };
const paula = { username: 'paula', platform: true, tenants: [] };

function found(spec: unknown, { kind = 'ClusterNetworkPolicy', metadata = {}, facts = {} } = {}) {
  const request = {
    family: 'unread',
    operation: 'CREATE',
    ...{ uid: 'u', subresource: '', name: 'x', namespace: '' },
    ...{ group: 'policy.networking.k8s.io', resource: 'clusternetworkpolicies', kind, dryRun: false },
    ...{ user: { username: 'paula', groups: [] }, object: { metadata, spec }, oldObject: undefined },
  } as const;
  const known = {
    tenancy: bordered,
    requester: paula,
    owner: 'platform',
    now: 0,
    byAgent: false,
    ownerByName: () => undefined,
    ...facts,
  } as const;
  return clusterPolicy.unread?.(request, known) ?? [];
}

const accepts = (from: object, more: object = {}) => ({
  ...{ tier: 'Admin', priority: 5, subject: { namespaces: {} } },
  ...{ ingress: [{ action: 'Accept', from: [from], ...more }] },
});
const of = (tenant: string) => ({ namespaces: { matchLabels: { 'bulkhead.dev/tenant': tenant } } });

t.test('a priority of the border', async (t) => {
  const tie = (tier: string, priority: number) => found({ tier, priority, subject: { namespaces: {} } });
  for (const priority of [98, 99]) t.match(tie('Admin', priority), [{ path: 'spec.priority' }]);
  t.strictSame(tie('Admin', 97), []);
  t.strictSame(tie('Baseline', 98), []);
  const plain = { tenancy };
  t.strictSame(found({ tier: 'Admin', priority: 98, subject: { namespaces: {} } }, { facts: plain }), []);
});

t.test('a priority that another policy has', async (t) => {
  const stored = (name: string, spec: object) => ({ metadata: { name }, spec });
  const everywhere = { namespaces: {} };
  const mine = { tier: 'Admin', priority: 5, subject: everywhere };
  const ties = (spec: object, others: readonly object[], kind = 'ClusterNetworkPolicy') =>
    found(spec, { kind, facts: { othersOfKind: others } }).map(({ path, reason, fix }) => `${path} ${reason}; ${fix}`);
  const tied = 'spec.priority is also that of other, and the order is not defined; choose another, such as';
  const rows: readonly [says: string, spec: object, other: object, found: readonly string[]][] = [
    ['everywhere', mine, mine, [`${tied} 6`]],
    ['one priority, two tiers', mine, { ...mine, tier: 'Baseline' }, []],
    ['in tier Baseline', { ...mine, tier: 'Baseline' }, { ...mine, tier: 'Baseline' }, [`${tied} 6`]],
    ['another priority', mine, { ...mine, priority: 6 }, []],
    ['one tenant is part of all', { ...mine, subject: of('acme') }, mine, [`${tied} 6`]],
    ['two tenants', { ...mine, subject: of('acme') }, { ...mine, subject: of('beta') }, []],
    [
      'pods that cannot be the same',
      { ...mine, subject: { pods: { namespaceSelector: {}, podSelector: { matchLabels: { app: 'a' } } } } },
      { ...mine, subject: { pods: { namespaceSelector: {}, podSelector: { matchLabels: { app: 'b' } } } } },
      [],
    ],
    [
      'pods that may be the same',
      { ...mine, subject: { pods: { namespaceSelector: {}, podSelector: { matchLabels: { app: 'a' } } } } },
      { ...mine, subject: { pods: { namespaceSelector: {}, podSelector: { matchLabels: { tier: 'b' } } } } },
      [`${tied} 6`],
    ],
    [
      'a subject without pods',
      mine,
      {
        ...mine,
        subject: {
          namespaces: {
            matchLabels: { a: 'b' },
            matchExpressions: [{ key: 'a', operator: 'NotIn', values: ['b'] }],
          },
        },
      },
      [],
    ],
    ['a subject that cannot be read counts as all', mine, { ...mine, subject: 7 }, [`${tied} 6`]],
    ['the last one', { ...mine, priority: 1000 }, { ...mine, priority: 1000 }, [`${tied} 999`]],
    ['the border is not proposed', { ...mine, priority: 97 }, { ...mine, priority: 97 }, [`${tied} 100`]],
  ];
  for (const [says, spec, other, expected] of rows) t.strictSame(ties(spec, [stored('other', other)]), expected, says);
  t.strictSame(ties(mine, [stored('x', mine)]), [], 'what is stored of itself');
  t.strictSame(ties(mine, [stored('other', mine)], 'AdminNetworkPolicy'), [`${tied} 6`]);
  const all = Array.from({ length: 1001 }, (_, priority) => stored(`p${priority}`, { ...mine, priority }));
  t.match(ties(mine, all)[0], /also that of p5, .*; give each a priority of its own$/);
  t.match(ties({ ...mine, priority: 98 }, [stored('other', { ...mine, priority: 98 })]), [/Bulkhead's border/], 'once');
  const request = { group: 'policy.networking.k8s.io', subresource: '', operation: 'CREATE', object: { metadata: {} } };
  const needs = (kind: string) => clusterPolicy.needs?.othersOfUnread?.({ ...request, kind } as never);
  t.strictSame(
    ['ClusterNetworkPolicy', 'AdminNetworkPolicy', 'BaselineAdminNetworkPolicy'].map(needs),
    [['v1alpha2'], ['v1alpha1'], []],
    'the only one of its kind has no priority',
  );
});

t.test('to pass comes before the denies of the border, where there is one', async (t) => {
  const passes = (from: object, more: object = {}) => ({
    ...{ tier: 'Admin', priority: 5, subject: of('acme'), ingress: [{ action: 'Pass', from: [from] }] },
    ...more,
  });
  const reason = 'passes what beta sends to acme, so the border in the network does not deny it';
  t.match(found(passes(of('beta'))), [{ path: 'spec.ingress[0].from[0]', reason, fix: 'narrow it' }]);
  t.match(found(passes({ namespaces: {} })), [{ reason }]);
  t.strictSame(found(passes(of('acme'))), [], 'inside a tenant it changes nothing');
  t.strictSame(found(passes(of('beta'), { tier: 'Baseline' })), [], 'the tier Baseline comes after the border');
  t.strictSame(found(passes(of('beta'), { priority: 100 })), [], 'it comes after the border');
  t.strictSame(found(passes(of('beta')), { facts: { tenancy } }), [], 'without a border it changes nothing');
  const monitoring = { namespaces: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } } };
  t.strictSame(found(passes(monitoring)), [], 'of the platform');
  t.match(found({ ...accepts(of('beta')), subject: of('acme') }), [{ fix: 'narrow it' }], 'to pass is no way out');
});

t.test('a peer of a later version, which the definitions of today do not let through', async (t) => {
  const spec = { subject: { namespaces: {} }, ingress: [{ action: 'Deny', from: [{ accounts: ['web'] }] }] };
  const reason = 'has no known field, so engines deny everybody';
  t.match(found(spec, { kind: 'BaselineAdminNetworkPolicy' }), [{ path: 'spec.ingress[0].from[0]', reason }]);
  const mended = { ...spec, ingress: [{ action: 'Deny', from: [{ namespaces: {} }] }] };
  t.strictSame(found(mended, { kind: 'BaselineAdminNetworkPolicy' }), []);
});

t.test('who is let in by whom', async (t) => {
  const rows: readonly [says: string, spec: object, reason: string | undefined][] = [
    ['a tenant at itself', { ...accepts(of('acme')), subject: of('acme') }, undefined],
    ['a tenant at another', { ...accepts(of('beta')), subject: of('acme') }, 'lets beta reach acme without a gate'],
    [
      'a tenant at the platform',
      {
        ...accepts(of('beta')),
        subject: { namespaces: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } } },
      },
      undefined,
    ],
    [
      'everybody at a tenant',
      { ...accepts(of('x')), subject: of('acme'), ingress: [{ action: 'Accept' }] },
      'lets beta reach acme without a gate',
    ],
    [
      'namespaces without a tenant',
      accepts({ namespaces: { matchExpressions: [{ key: 'bulkhead.dev/tenant', operator: 'DoesNotExist' }] } }),
      undefined,
    ],
    [
      'a name that is reserved to a tenant',
      {
        ...accepts({ namespaces: { matchLabels: { 'kubernetes.io/metadata.name': 'beta-data' } } }),
        subject: of('acme'),
      },
      'lets beta reach acme without a gate',
    ],
    [
      'a key of Cilium with a colon is everybody',
      {
        ...accepts({ pods: { podSelector: { matchExpressions: [{ key: 'reserved:host', operator: 'Exists' }] } } }),
        subject: of('acme'),
      },
      'lets beta reach acme without a gate',
    ],
    ['a rule that denies', { ...accepts(of('beta')), ingress: [{ action: 'Deny', from: [of('beta')] }] }, undefined],
    ['tier Baseline, which NetworkPolicies override', { ...accepts(of('beta')), tier: 'Baseline' }, undefined],
    [
      'a named port, for which no gate stands',
      { ...accepts(of('beta'), { protocols: [{ destinationNamedPort: 'db' }] }), subject: of('acme') },
      'lets beta reach acme without a gate',
    ],
  ];
  for (const [says, spec, reason] of rows) t.strictSame(found(spec)[0]?.reason, reason, says);
});

t.test('what Bulkhead writes, and what others write, is not warned of', async (t) => {
  const metadata = { name: 'bulkhead-acme.deny', labels: { 'app.kubernetes.io/managed-by': 'bulkhead' } };
  t.strictSame(found(accepts({ namespaces: {} }), { metadata }), []);
  t.strictSame(found(accepts({ namespaces: {} }), { facts: { requester: { ...paula, platform: false } } }), []);
});

t.test('each warning fits one line', async (t) => {
  const [first] = found(accepts({ namespaces: {} }));
  if (first === undefined) throw new Error('nothing was found');
  const judged = { ...first, check: clusterPolicy.id, headline: '', refuses: false, refusesInEnforce: false };
  const texts = warningTexts([judged]);
  t.equal(texts.length, 1);
  t.ok((texts[0] ?? '').length <= 120, `${texts[0]}`);
});

t.test('whatever is written, it is read', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(
        fc.anything(),
        fc.constantFrom('ClusterNetworkPolicy', 'AdminNetworkPolicy', 'BaselineAdminNetworkPolicy'),
        (spec, kind) => {
          found(spec, { kind });
          found({ ingress: [spec], egress: [{ action: 'Allow', to: [spec], ports: [spec] }] }, { kind });
          return true;
        },
      ),
      { numRuns: 500 },
    ),
  );
});
