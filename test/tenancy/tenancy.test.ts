import { deepStrictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { defaultSettings } from '../../src/tenancy/default-settings.ts';
import { reservedIn } from '../../src/tenancy/reserved-names.ts';
import type { Settings } from '../../src/tenancy/settings.ts';
import { createTenancy, type Owner, undeclaredTenant } from '../../src/tenancy/tenancy.ts';
import type { Gate, Subject, Tenant } from '../../src/tenancy/tenant.ts';

function tenant(name: string, more: Partial<Tenant> = {}): Tenant {
  return { ...undeclaredTenant(name), ...more };
}
const gate = (tenant: string, direction: Gate['direction'], expires?: number): Gate => ({
  tenant,
  direction,
  ports: [],
  expires,
});
const gated = (name: string, ...gates: readonly Gate[]) =>
  tenant(name, { network: { within: 'tenant', egressRanges: [], egress: [], vouched: [], names: [], gates } });

const developers: Subject = { kind: 'Group', name: 'acme-developers' };
const deployer: Subject = { kind: 'ServiceAccount', namespace: 'argocd', name: 'deployer' };
const acme = tenant('acme', {
  members: [developers, deployer, { kind: 'User', name: 'alice' }],
  reserved: reservedIn({ namespaces: { prefix: 'acme-' } }),
});
const beta = tenant('beta', {
  members: [{ kind: 'User', name: 'alice' }],
  reserved: reservedIn({ namespaces: { prefix: 'beta-', prefixes: ['b-', 'be-ta-'], names: ['payments', 'x-y'] } }),
});
const tenancy = createTenancy(defaultSettings, [beta, acme]);
const nameOf = (owner: Owner | undefined) => (owner === undefined || owner === 'platform' ? owner : owner.name);

const requesters: readonly (readonly [
  sentence: string,
  username: string,
  groups: string[],
  home: Owner | undefined,
  who: string,
])[] = [
  ['a user that nobody lists is a stranger', 'mallory', [], undefined, 'stranger'],
  ['a user is a member by name, of every tenant that lists it', 'alice', [], undefined, 'acme, beta'],
  ['names are compared with their letter case (ADM-18)', 'Alice', [], undefined, 'stranger'],
  ['a name that looks the same is another one (ADM-18)', 'аlice', [], undefined, 'stranger'],
  [
    'a name with a dot is no pattern (ADM-18, CVE-2026-39350)',
    'system:serviceaccount:argocd:deplo.er',
    [],
    undefined,
    'stranger',
  ],
  ['a group makes a member', 'bob', ['x', 'acme-developers'], undefined, 'acme'],
  ['a user is not the group of the same name', 'acme-developers', [], undefined, 'stranger'],
  ['a group is not the user of the same name', 'bob', ['alice'], undefined, 'stranger'],
  ['a listed service account is a member', 'system:serviceaccount:argocd:deployer', [], 'platform', 'acme'],
  [
    'the same name in another namespace is another service account (ADM-18, CVE-2023-46254)',
    'system:serviceaccount:evil:deployer',
    [],
    undefined,
    'stranger',
  ],
  ['a longer name does not begin to be one', 'system:serviceaccount:argocd:deployer:x', [], acme, 'stranger'],
  ['a service account speaks for the tenant it lives in', 'system:serviceaccount:acme-ci:default', [], acme, 'acme'],
  [
    'a service account of the platform speaks for nobody',
    'system:serviceaccount:monitoring:default',
    [],
    'platform',
    'stranger',
  ],
  [
    'a service account in a namespace of an undeclared tenant speaks for nobody',
    'system:serviceaccount:x:y',
    [],
    undeclaredTenant('old'),
    'stranger',
  ],
  ['a person lives nowhere', 'bob', [], acme, 'stranger'],
  ['members come by name order, each once', 'alice', ['acme-developers'], undefined, 'acme, beta'],
  ['system:masters is the platform', 'kubernetes-admin', ['system:masters'], undefined, 'platform'],
  ['the platform speaks for no tenant, also when one lists it', 'alice', ['system:masters'], undefined, 'platform'],
  ['Bulkhead is the platform', 'system:serviceaccount:bulkhead-system:bulkhead', [], undefined, 'platform'],
  ['another account of that name is not (ADM-18)', 'system:serviceaccount:evil:bulkhead', [], undefined, 'stranger'],
  [
    'the controllers of Kubernetes are not the platform',
    'system:serviceaccount:kube-system:replicaset-controller',
    ['system:serviceaccounts', 'system:authenticated'],
    'platform',
    'stranger',
  ],
  ['a user whose name is empty is a stranger', '', [], undefined, 'stranger'],
];
for (const [sentence, username, groups, home, who] of requesters) {
  t.test(sentence, async (t) => {
    const requester = tenancy.requester({ username, groups }, home);
    t.equal(requester.username, username);
    t.equal(requester.platform ? 'platform' : requester.tenants.map(({ name }) => name).join(', ') || 'stranger', who);
    if (requester.platform) t.strictSame(requester.tenants, []);
  });
}

const reservations: readonly (readonly [name: string, owner: string | undefined])[] = [
  ['acme-web', 'acme'],
  ['acme-', 'acme'],
  ['acme', undefined],
  ['acmeweb', undefined],
  ['acme.web', undefined],
  ['beta-x-y', 'beta'],
  ['my-acme-web', undefined],
  ['b-x', 'beta'],
  ['b', undefined],
  ['be-ta-x', 'beta'],
  ['be-x', undefined],
  ['payments', 'beta'],
  ['payments-x', undefined],
  ['payment', undefined],
  ['Payments', undefined],
  ['x-y', 'beta'],
  ['x-', undefined],
  ['x-y-z', undefined],
  ['kube-system', 'platform'],
  ['kube-anything', 'platform'],
  ['default', 'platform'],
  ['defaults', undefined],
  ['openshift-monitoring', 'platform'],
  ['bulkhead-system', 'platform'],
  ['', undefined],
  ['-', undefined],
  [`acme-${'x'.repeat(100_000)}`, 'acme'],
];
t.test('names are reserved by name and by prefix', async (t) => {
  for (const [name, owner] of reservations)
    t.equal(nameOf(tenancy.reservation(name)), owner, `${name.slice(0, 40)} is reserved to ${owner}`);
});

t.test('a label says who owns a namespace', async (t) => {
  t.equal(tenancy.ownerByLabels({ 'bulkhead.dev/tenant': 'acme' }), acme);
  t.equal(tenancy.ownerByLabels({ tenant: 'acme' }), 'platform');
  t.equal(tenancy.ownerByLabels(undefined), 'platform');
  t.equal(tenancy.ownerByLabels(null), 'platform');
  t.equal(tenancy.ownerByLabels({ 'bulkhead.dev/tenant': 'bulkhead_probe' }), 'platform', 'that of the probe');
  for (const name of ['gone', '', 'constructor', '__proto__']) {
    t.strictSame(
      tenancy.ownerByLabels({ 'bulkhead.dev/tenant': name }),
      undeclaredTenant(name),
      `${name} is nobody's, and closed`,
    );
  }
  const inherited = createTenancy({ ...defaultSettings, tenantLabel: 'constructor' }, [acme]);
  t.equal(inherited.ownerByLabels({}), 'platform', 'a key that every object has by birth is no label');
});

t.test('a gate is its two halves, each until it expires', async (t) => {
  const own = gate('right', 'egress', 1000);
  const [ownLater, theirs, other] = [gate('right', 'egress'), gate('left', 'ingress'), gate('left', 'egress')];
  const left = gated('left', own, ownLater);
  const both = createTenancy(defaultSettings, [left, gated('right', theirs, other)]);
  t.strictSame(both.gates(left, 'right', 'egress', 999), { own: [own, ownLater], theirs: [theirs] });
  t.strictSame(
    both.gates(left, 'right', 'egress', 1000),
    { own: [ownLater], theirs: [theirs] },
    'from its expiry on it is shut',
  );
  t.strictSame(
    both.gates(left, 'right', 'ingress', 0),
    { own: [], theirs: [other] },
    'each direction has its own gates',
  );
  t.strictSame(both.gates(left, 'nobody', 'egress', 0), { own: [], theirs: [] });
});

t.test('tenants come by name order, and the first declaration stands', async (t) => {
  const again = createTenancy(defaultSettings, [beta, acme, tenant('acme', { mode: 'audit' })]);
  t.strictSame([...again.tenants.keys()], ['acme', 'beta']);
  t.equal(again.tenants.get('acme'), acme);
});

t.test('who asks is found as a search through all lists would find it', async (t) => {
  const name: fc.Arbitrary<string> = fc.constantFrom('a', 'b', 'system:serviceaccount:a:b');
  const subject: fc.Arbitrary<Subject> = fc.oneof(
    fc.record({ kind: fc.constantFrom('User' as const, 'Group' as const), name }),
    fc.constant<Subject>({ kind: 'ServiceAccount', namespace: 'a', name: 'b' }),
  );
  const property = fc.property(
    fc.array(subject, { maxLength: 1 }),
    fc.array(fc.array(subject, { maxLength: 3 }), { maxLength: 4 }),
    name,
    fc.array(name, { maxLength: 2 }),
    (identities, members, username, groups) => {
      const settings: Settings = { ...defaultSettings, platform: { ...defaultSettings.platform, identities } };
      const tenants = members.map((list, index) => tenant(`t${index}`, { members: list }));
      const is = (one: Subject) => {
        if (one.kind === 'ServiceAccount') return username === `system:serviceaccount:${one.namespace}:${one.name}`;
        return one.kind === 'User' ? username === one.name : groups.includes(one.name);
      };
      const platform = identities.some(is);
      const requester = createTenancy(settings, tenants).requester({ username, groups }, undefined);
      deepStrictEqual([requester.username, requester.platform], [username, platform]);
      deepStrictEqual(requester.tenants, platform ? [] : tenants.filter((one) => one.members.some(is)));
    },
  );
  t.doesNotThrow(() => fc.assert(property, { numRuns: 300 }));
});
