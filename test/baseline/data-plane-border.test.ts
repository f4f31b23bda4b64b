/** The objects of a border, without an engine; test/engines/data-plane-border.test.ts asks Cilium what they do. */
import t from 'tap';
import { borderPriorities, dataPlaneBorder, isDenyName, tenantOfName } from '../../src/baseline/data-plane-border.ts';
import { knownRange } from '../../src/kubernetes/ip-range.ts';
import { defaultSettings } from '../../src/tenancy/default-settings.ts';
import type { ProtectedRange, Settings } from '../../src/tenancy/settings.ts';
import { createTenancy, undeclaredTenant } from '../../src/tenancy/tenancy.ts';
import type { Tenant } from '../../src/tenancy/tenant.ts';

const acme = undeclaredTenant('acme');
const borderOf = (more: Partial<Settings>, tenant = acme) =>
  dataPlaneBorder(tenant, createTenancy({ ...defaultSettings, ...more }, [tenant]), 0);
const range = (name: string, text: string): ProtectedRange => ({
  ...{ name, text, range: knownRange(text), kind: 'cluster' },
});
const deniedBy = (more: Partial<Settings>) =>
  borderOf(more)
    .denies.flatMap(({ spec }) => spec.egress ?? [])
    .flatMap(({ to = [] }) => to)
    .flatMap((peer) => ('networks' in peer ? peer.networks : []));

t.test('passes come before denies, whatever the names are', async (t) => {
  const { passes, denies } = borderOf({});
  t.ok(passes.every(({ spec }) => spec.priority === borderPriorities.pass));
  t.ok(denies.every(({ spec }) => spec.priority === borderPriorities.deny));
  t.ok(borderPriorities.pass < borderPriorities.deny);
  t.strictSame(
    [...passes, ...denies].map(({ metadata }) => metadata.name),
    ['bulkhead-acme.within', 'bulkhead-acme.service.dns', 'bulkhead-acme.deny'],
  );
});

t.test('in other clusters of a mesh a gate passes what both Tenants declare, and nothing of requests', async (t) => {
  const port = (first: number) => ({ protocol: 'TCP', first, last: first }) as const;
  const gate = { tenant: 'beta', direction: 'egress', ports: [port(80), port(90)], expires: undefined } as const;
  const mirror = { tenant: 'acme', direction: 'ingress', expires: undefined } as const;
  const of = (name: string, gates: Tenant['network']['gates']): Tenant => {
    const tenant = undeclaredTenant(name);
    return { ...tenant, network: { ...tenant.network, gates } };
  };
  const own = of('acme', [{ ...gate, clusters: new Set(['west']) }]);
  const other = of('beta', [
    { ...mirror, ports: [port(80)] },
    { ...mirror, ports: [port(90)], agreed: true },
  ]);
  const { passes } = dataPlaneBorder(own, createTenancy(defaultSettings, [own, other]), 0);
  const rules = passes
    .filter(({ metadata }) => metadata.name.includes('.gate'))
    .flatMap(({ spec }) => spec.egress ?? []);
  const portsOf = (elsewhere: boolean) =>
    rules
      .filter(({ to }) => JSON.stringify(to).includes('io.cilium.k8s.policy.cluster') === elsewhere)
      .flatMap(({ protocols = [] }) => protocols.map((one) => JSON.stringify(one).replace(/\D/g, '')))
      .sort();
  t.strictSame(portsOf(false), ['80', '90']);
  t.strictSame(portsOf(true), ['80']);
});

t.test('nodes are denied where the settings say so, and Services never', async (t) => {
  const protectedRanges = [
    ...defaultSettings.protectedRanges,
    range('node network', '10.0.0.0/8'),
    range('service network', '10.96.0.0/12'),
  ];
  t.notMatch(deniedBy({ protectedRanges }).join(), /\b10\./);
  const denied = deniedBy({ protectedRanges, clusterPolicy: { deniesNodes: true } });
  t.ok(denied.includes('10.0.0.0/10') && denied.includes('10.112.0.0/12'), denied.join());
  t.notOk(denied.some((one) => one.startsWith('10.96.') || one === '10.0.0.0/8'));
  t.ok(denied.includes('169.254.0.0/16') && denied.includes('64:ff9b::a9fe:0/112'));
});

t.test('hostile names of tenants and services give names of their own', async (t) => {
  const names = ['a', 'a-within', 'deny', 'service', 'gate', 'x'.repeat(63)].flatMap((name) => {
    const { passes, denies } = borderOf({}, undeclaredTenant(name));
    return [...passes, ...denies].map(({ metadata }) => [name, metadata.name] as const);
  });
  t.equal(new Set(names.map(([, name]) => name)).size, names.length);
  for (const [tenant, name] of names) {
    t.equal(tenantOfName(name), tenant);
    t.ok(name.length <= 253);
  }
  for (const other of ['bulkhead-', 'bulkhead-.deny', 'bulkhead-default-deny', 'acme.deny'])
    t.equal(tenantOfName(other), undefined, other);
  t.notOk(isDenyName('bulkhead-acme.service.deny'));
});
