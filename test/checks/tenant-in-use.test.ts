import t from 'tap';
import { createAdmission } from '../../src/admission/admission.ts';
import type { NamespaceRecord } from '../../src/admission/facts.ts';
import { createNamespaceStore } from '../../src/admission/namespace-store.ts';
import { baselineOf, defaultDenyName } from '../../src/baseline/baseline.ts';
import type { KubernetesObject } from '../../src/kubernetes/objects.ts';
import { createTenancy, type Tenancy } from '../../src/tenancy/tenancy.ts';
import { cast } from '../fixtures/cast.ts';
import { type Sent, submit } from '../fixtures/review.ts';
import { createWorld, settings, tenantLabel } from '../fixtures/world.ts';

const { tenants } = createWorld('audit').tenancy;
const before = createTenancy(settings, [...tenants.values()]);
const after = createTenancy(
  settings,
  [...tenants.values()].filter(({ name }) => name !== 'acme'),
);
const { 'acme developer': alice, 'beta developer': bob, 'platform admin': platform } = cast;

/** A replica that knows of these tenants and namespaces. */
function replica(tenancy: Tenancy, records: readonly NamespaceRecord[], closed = true) {
  const store = createNamespaceStore(() => tenancy);
  for (const one of records) store.set(one);
  const review = createAdmission({
    tenancy: () => tenancy,
    namespaces: {
      ...store,
      isFree: () => false,
      fetch: async (name) => store.lookup(name),
      hasPods: async () => false,
    },
    baselines: { isIsolated: () => closed, whenIsolated: async () => closed, fetchIsolated: async () => closed },
    onDefect(error) {
      throw error;
    },
  });
  return (sent: Sent) => submit(review, sent);
}

const tenant = (name: string): KubernetesObject => ({
  apiVersion: 'bulkhead.dev/v1alpha1',
  kind: 'Tenant',
  metadata: { name },
});
const namespace = (name: string, labels = {}): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels },
});
const orphan: NamespaceRecord = { name: 'acme-web', uid: '1', labels: { [tenantLabel]: 'acme' }, terminating: false };
const stored = namespace(orphan.name, orphan.labels);

t.test('a namespace that is created while its tenant is deleted elsewhere is nobody’s, and closed', async (t) => {
  const [one, other] = [replica(before, []), replica(before, [])];
  const deleted = await one({ user: platform, operation: 'DELETE', oldObject: tenant('acme') });
  const created = await other({ user: alice, operation: 'CREATE', object: namespace('acme-web') });
  t.strictSame([deleted.allowed, created.allowed], [true, true], 'neither knows of the other');

  const owner = after.ownerByLabels(orphan.labels);
  t.match(owner, { name: 'acme', mode: 'enforce', isolation: 'hard', members: [], network: { gates: [] } });
  if (owner === 'platform') throw new Error('it must not be the platform’s');
  const names = baselineOf(orphan.name, owner, settings).map(({ metadata }) => metadata.name);
  t.ok(names.includes(defaultDenyName), 'its baseline has the default-deny, although the tenant was in mode audit');

  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace: 'acme-web' } };
  const policy = (peer: object) => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'web', namespace: 'acme-web' },
    spec: { podSelector: {}, policyTypes: ['Egress'], egress: [{ to: [peer], ports: [{ port: 5432 }] }] },
  });
  const toBeta = { namespaceSelector: { matchLabels: { [tenantLabel]: 'beta' } } };
  const labelled = (label: string) => namespace('acme-web', { ...orphan.labels, team: label });
  const rows: readonly (readonly [sentence: string, code: number | undefined, sent: Sent])[] = [
    ['its member changes it', 403, { user: alice, operation: 'UPDATE', object: labelled('shop'), oldObject: stored }],
    ['its member deletes it', 403, { user: alice, operation: 'DELETE', oldObject: stored }],
    ['another tenant changes it', 403, { user: bob, operation: 'UPDATE', object: labelled('b'), oldObject: stored }],
    ['its member creates another', 403, { user: alice, operation: 'CREATE', object: namespace('acme-two') }],
    [
      'the platform creates another',
      403,
      { user: platform, operation: 'CREATE', object: namespace('acme-two', orphan.labels) },
    ],
    ['a policy opens what was a gate', 403, { user: alice, operation: 'CREATE', object: policy(toBeta) }],
    [
      'the platform takes it away',
      undefined,
      { user: platform, operation: 'UPDATE', object: namespace('acme-web'), oldObject: stored },
    ],
    ['the platform deletes it', undefined, { user: platform, operation: 'DELETE', oldObject: stored }],
  ];
  const later = replica(after, [orphan]);
  for (const [sentence, code, sent] of rows) {
    const { allowed, status } = await later(sent);
    t.strictSame([allowed, status?.code], [code === undefined, code], sentence, { said: status?.message });
  }
  const held = await replica(after, [orphan], false)({ user: alice, operation: 'CREATE', object: pod });
  t.equal(held.status?.code, 503, 'a pod waits until it is closed');

  const opened = await replica(before, [orphan])({ user: alice, operation: 'CREATE', object: policy(toBeta) });
  t.ok(opened.allowed, 'all this ends when the tenant is declared anew');
});
