import t from 'tap';
import { isolatedBy } from '../../src/kinds/isolated-by.ts';
import { policyKinds } from '../../src/kinds/policy-kind.ts';
import { countIsolation, countTenants } from '../../src/reconcile/isolation-count.ts';
import { createTenancy } from '../../src/tenancy/tenancy.ts';
import { gate, label, now, settings, tcp, tenant } from '../reach/world.ts';

const kindOf = (group: string, kind: string) => {
  const found = policyKinds.find((one) => one.group === group && one.kind === kind);
  if (found === undefined) throw new Error(`${group}/${kind} is not read`);
  return found;
};
const plain = kindOf('networking.k8s.io', 'NetworkPolicy');
const cilium = kindOf('cilium.io', 'CiliumNetworkPolicy');
const calico = kindOf('projectcalico.org', 'NetworkPolicy');
const [none, ingress, egress, both] = [0, 1, 2, 3];

const policies: readonly {
  readonly says: string;
  readonly kind: typeof plain;
  readonly spec: object;
  readonly isolates: number | undefined;
}[] = [
  {
    says: 'a default-deny in both directions',
    kind: plain,
    spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] },
    isolates: both,
  },
  { says: 'one for ingress', kind: plain, spec: { podSelector: {}, policyTypes: ['Ingress'] }, isolates: ingress },
  {
    says: 'one that also opens',
    kind: plain,
    spec: { podSelector: {}, policyTypes: ['Egress'], egress: [{}] },
    isolates: egress,
  },
  {
    says: 'one of some pods',
    kind: plain,
    spec: { podSelector: { matchLabels: { app: 'web' } }, policyTypes: ['Ingress', 'Egress'] },
    isolates: none,
  },
  { says: 'one that cannot be read', kind: plain, spec: { podSelector: 'all' }, isolates: none },
  {
    says: 'one of Cilium',
    kind: cilium,
    spec: { endpointSelector: {}, ingress: [{}], egress: [{ toEntities: ['host'] }] },
    isolates: both,
  },
  {
    says: 'one of Cilium that isolates nobody',
    kind: cilium,
    spec: { endpointSelector: {}, ingress: [{ fromEntities: ['all'] }], enableDefaultDeny: { ingress: false } },
    isolates: none,
  },
  { says: 'one of Calico', kind: calico, spec: { selector: 'all()', types: ['Ingress', 'Egress'] }, isolates: both },
  { says: 'one of Calico without a selector', kind: calico, spec: { types: ['Egress'] }, isolates: egress },
  {
    says: 'one of Calico for some pods',
    kind: calico,
    spec: { selector: 'app == "web"', types: ['Ingress'] },
    isolates: none,
  },
  {
    says: 'one in another tier of Calico, which may pass on',
    kind: calico,
    spec: { tier: 'early', types: ['Ingress'] },
    isolates: none,
  },
];

t.test('the directions in which a policy isolates every pod of its namespace', async (t) => {
  for (const { says, kind, spec, isolates } of policies)
    t.equal(isolatedBy(kind, { metadata: { name: 'one', namespace: 'acme-web' }, spec }), isolates, says);
});

t.test('namespaces of tenants are counted by the directions in which they are isolated', async (t) => {
  const tenancy = createTenancy(settings, [tenant('acme'), tenant('beta')]);
  const namespace = (name: string, owner?: string, terminating = false) => ({
    ...{ name, uid: name, terminating },
    labels: owner === undefined ? {} : { [label]: owner },
  });
  const namespaces = [
    ...['denied', 'half', 'out', 'open', 'other'].map((name) => namespace(name, 'acme')),
    namespace('beta-denied', 'beta'),
    namespace('kube-system'),
    namespace('leaving', 'acme', true),
  ];
  const isolated = new Map([
    ['half', ingress],
    ['out', egress],
    ['beta-denied', both],
    ['kube-system', both],
  ]);
  t.strictSame(
    countIsolation(
      namespaces,
      tenancy,
      (name) => isolated.get(name) ?? 0,
      ({ name }) => name === 'denied' || name === 'half',
    ),
    { both: 3, ingress: 0, egress: 1, none: 2 },
    'the platform and namespaces that terminate are not; the default-deny of Bulkhead is for both',
  );
});

t.test('tenants are counted by mode, and their gates by state', async (t) => {
  const day = 86_400_000;
  const tenancy = createTenancy(settings, [
    {
      ...tenant('acme', {
        gates: [
          gate('beta', 'egress', [tcp(5432)]),
          gate('gamma', 'egress', [tcp(443)]),
          gate('beta', 'ingress', [tcp(80)], now - day),
          gate('delta', 'egress', [tcp(1)]),
        ],
      }),
      mode: 'warn',
    },
    tenant('beta', { gates: [gate('acme', 'ingress', [tcp(5432)])] }),
    tenant('gamma', {}),
    { ...tenant('delta', { gates: [gate('acme', 'ingress', [tcp(2)])] }), mode: 'audit' },
  ]);
  t.strictSame(countTenants(tenancy, now), {
    modes: { enforce: 2, warn: 1, audit: 1 },
    gates: { Open: 2, HalfOpen: 1, Mismatched: 2, Expired: 1 },
  });
});
