/** The same policy, before and after what it was admitted under has changed. */
import t from 'tap';
import type { NamespaceRecord } from '../../src/admission/facts.ts';
import { createNamespaceStore } from '../../src/admission/namespace-store.ts';
import { judgeStoredPolicy, type NonCompliantPolicy } from '../../src/admission/stored-policy.ts';
import { istioAuthorizationPolicy } from '../../src/kinds/istio-authorization-policy/istio-authorization-policy.ts';
import type { PolicyKind } from '../../src/kinds/kind.ts';
import { networkPolicy } from '../../src/kinds/network-policy/network-policy.ts';
import { policyKinds } from '../../src/kinds/policy-kind.ts';
import type { NetworkPolicy } from '../../src/kubernetes/objects.ts';
import type { Settings } from '../../src/tenancy/settings.ts';
import { createTenancy } from '../../src/tenancy/tenancy.ts';
import type { Gate, Tenant } from '../../src/tenancy/tenant.ts';
import { dns, gate, label, nameLabel, now, protect, range, settings, tcp, tenant } from '../reach/world.ts';

interface World {
  readonly acme: Tenant;
  readonly beta: Tenant;
  readonly settings: Settings;
  readonly namespaces: readonly NamespaceRecord[];
  readonly now: number;
}

const record = (name: string, owner?: string): NamespaceRecord => ({
  name,
  uid: name,
  labels: { [nameLabel]: name, ...(owner !== undefined && { [label]: owner }) },
  terminating: false,
});
const gates = (...some: Gate[]): Partial<Tenant['network']> => ({ gates: some });
const agreed: World = {
  acme: tenant(
    'acme',
    { ...gates(gate('beta', 'egress', [tcp(5432)])), egressRanges: [range('203.0.113.0/24')] },
    'acme-',
  ),
  beta: tenant('beta', gates(gate('acme', 'ingress', [tcp(5432)])), 'beta-'),
  settings,
  namespaces: [record('acme-web', 'acme'), record('beta-data', 'beta'), record('monitoring')],
  now,
};

function judged(
  policy: NetworkPolicy,
  changed: Partial<World> = {},
  kind: PolicyKind = networkPolicy,
): NonCompliantPolicy | undefined {
  const { acme, beta, settings, namespaces, now } = { ...agreed, ...changed };
  const tenancy = createTenancy(settings, [acme, beta]);
  const store = createNamespaceStore(() => tenancy);
  for (const one of namespaces) store.set(one);
  return judgeStoredPolicy(kind, policy, { tenancy, namespaces: store, now });
}

const policy = (spec: object, metadata: object = {}): NetworkPolicy => ({
  metadata: { name: 'one', namespace: 'acme-web', ...metadata },
  spec: { podSelector: {}, ...spec },
});
const to = (peer: object, ...ports: object[]) =>
  policy({ policyTypes: ['Egress'], egress: [{ to: [peer], ...(ports.length > 0 && { ports }) }] });
const database = to({ namespaceSelector: { matchLabels: { [label]: 'beta' } } }, { port: 5432 });
const partner = to({ ipBlock: { cidr: '203.0.113.7/32' } });
const later = to({ namespaceSelector: { matchLabels: { [nameLabel]: 'acme-later' } } });
const resolver = to(
  { namespaceSelector: { matchLabels: { [nameLabel]: 'kube-system' } }, podSelector: dns.podSelector },
  { port: 53, protocol: 'UDP' },
);

const peer = 'spec.egress[0].to[0].namespaceSelector';
const block = 'spec.egress[0].to[0].ipBlock';
const changes: readonly (readonly [what: string, policy: NetworkPolicy, changed: Partial<World>, found: string])[] = [
  ['the other half of its gate is gone', database, { beta: tenant('beta') }, `cross-tenant-egress ${peer}`],
  ['its own half is gone', database, { acme: tenant('acme') }, `cross-tenant-egress ${peer}`],
  [
    'the gate is narrowed to other ports',
    database,
    { beta: tenant('beta', gates(gate('acme', 'ingress', [tcp(5433)]))) },
    `cross-tenant-egress ${peer}`,
  ],
  [
    'the gate has expired',
    database,
    { beta: tenant('beta', gates(gate('acme', 'ingress', [tcp(5432)], now))) },
    `cross-tenant-egress ${peer}`,
  ],
  ['its addresses are granted no more', partner, { acme: tenant('acme') }, `ip-block ${block}`],
  [
    'its addresses belong to the nodes now',
    partner,
    { settings: { ...settings, protectedRanges: [protect('node network', '203.0.113.0/28')] } },
    `ip-block ${block}`,
  ],
  ['the prefix is given up', later, { acme: tenant('acme') }, `cross-tenant-egress ${peer}`],
  [
    'somebody else has the reserved name',
    later,
    { namespaces: [...agreed.namespaces, record('acme-later', 'beta')] },
    `cross-tenant-egress ${peer}`,
  ],
  [
    'the shared service is no more',
    resolver,
    { settings: { ...settings, sharedServices: [] } },
    `cross-tenant-egress ${peer}`,
  ],
  [
    'its namespace is given to another tenant',
    later,
    { namespaces: [record('acme-web', 'beta')] },
    `cross-tenant-egress ${peer}`,
  ],
];

for (const [what, stored, changed, found] of changes) {
  t.test(`a policy is non-compliant from when ${what}`, async (t) => {
    t.equal(judged(stored), undefined, 'not before');
    const after = judged(stored, changed);
    t.same(
      after?.findings.map(({ check, path }) => `${check} ${path}`),
      [found],
    );
    t.match(after, { kind: 'NetworkPolicy', namespace: 'acme-web', name: 'one' });
  });
}

t.test('a gate is open until the moment that it names', async (t) => {
  const beta = tenant('beta', gates(gate('acme', 'ingress', [tcp(5432)], now)));
  t.equal(judged(database, { beta, now: now - 1 }), undefined);
  t.ok(judged(database, { beta, now }));
});

const open = { policyTypes: ['Ingress'], ingress: [{}] };
const managed = { labels: { 'app.kubernetes.io/managed-by': 'bulkhead' } };

t.test('a policy is judged in every mode, and whatever else is wrong with it is not asked', async (t) => {
  for (const mode of ['enforce', 'warn', 'audit'] as const)
    t.match(judged(policy(open), { acme: { ...agreed.acme, mode } }), { tenant: { mode } });
  // Labelled as another tenant's, dead and without pods: none of that makes it non-compliant.
  t.equal(judged(policy({ policyTypes: ['Ingress'], ingress: [] }, { labels: { [label]: 'beta' } })), undefined);
});

t.test('rules of a direction that policyTypes leaves out are listed too (NP-21)', async (t) => {
  t.match(judged(policy({ policyTypes: ['Egress'], ingress: [{}] })), { findings: [{ path: 'spec.ingress[0]' }] });
  t.match(judged(policy({ policyTypes: ['Ingress'], egress: [{}] })), { findings: [{ path: 'spec.egress[0]' }] });
  t.equal(judged(policy({ policyTypes: ['Egress'], ingress: [{ from: [{ podSelector: {} }] }] })), undefined);
});

t.test('the policies of the platform, and those that Bulkhead keeps, are left out', async (t) => {
  t.ok(judged(policy(open)));
  t.equal(judged(policy(open, { namespace: 'monitoring' })), undefined);
  t.equal(judged(policy(open, { namespace: 'gone-by-now' })), undefined);
  t.equal(judged(policy(open, { name: 'bulkhead-allow-dns', ...managed })), undefined);
  t.ok(judged(policy(open, { name: 'bulkhead-allow-dns' })), 'the name alone is not enough');
  t.ok(judged(policy(open, managed)), 'nor is the label');
});

t.test(
  'a policy of a kind that the settings do not have read is non-compliant, unless they give the kind',
  async (t) => {
    const unread = policyKinds.filter(({ section }) => section !== undefined && settings[section] === undefined);
    t.ok(unread.includes(istioAuthorizationPolicy));
    for (const kind of unread) {
      const resource = `${kind.plural}.${kind.group}`;
      t.match(judged(policy({}), {}, kind), {
        kind: kind.kind,
        findings: [{ check: 'unknown-policy-kind', path: 'kind', reason: new RegExp(`^${resource} may open`) }],
      });
      const given = (...tenants: string[]) => ({
        settings: { ...settings, policyKinds: [{ resource, tenants: new Set(tenants) }] },
      });
      t.equal(judged(policy({}), given('acme'), kind), undefined);
      t.ok(judged(policy({}), given('beta'), kind), 'to another tenant');
      t.equal(judged(policy({}, { namespace: 'monitoring' }), {}, kind), undefined, 'of the platform');
    }
  },
);

t.test('a policy that cannot be judged is non-compliant', async (t) => {
  const thrower = policy(open);
  Object.defineProperty(thrower, 'spec', {
    get() {
      throw new Error('no');
    },
  });
  t.match(judged(thrower), { findings: [{ check: 'border', reason: /could not be decided/ }] });
});
