/** A prefix that is declared over namespaces of others, from the Tenant to the policies that select them by name. */
import t from 'tap';
import { createAdmission } from '../../src/admission/admission.ts';
import type { NamespaceRecord, NamespaceSource } from '../../src/admission/facts.ts';
import { createNamespaceStore } from '../../src/admission/namespace-store.ts';
import type { KubernetesObject } from '../../src/kubernetes/objects.ts';
import { createTenancy } from '../../src/tenancy/tenancy.ts';
import { cast } from '../fixtures/cast.ts';
import { findingsIn } from '../fixtures/denial.ts';
import { type Sent, submit } from '../fixtures/review.ts';
import { createWorld, settings, tenantLabel } from '../fixtures/world.ts';

const { tenants } = createWorld().tenancy;
const tenancy = createTenancy(settings, [...tenants.values()]);
const record = (name: string, tenant?: string): NamespaceRecord => ({
  name,
  uid: name,
  labels: tenant === undefined ? {} : { [tenantLabel]: tenant },
  terminating: false,
});

/** A replica whose memory knows of the first namespaces, in a cluster that has the others too. */
function replica(known: readonly NamespaceRecord[], others: readonly NamespaceRecord[] = [], broken = false) {
  const store = createNamespaceStore(() => tenancy);
  for (const one of known) store.set(one);
  const asked: string[] = [];
  const fetch: NamespaceSource['fetch'] = async (name) => {
    asked.push(name);
    if (broken) throw new Error('ECONNREFUSED');
    return [...known, ...others].find((one) => one.name === name);
  };
  const review = createAdmission({
    tenancy: () => tenancy,
    namespaces: { ...store, isFree: () => false, fetch, hasPods: async () => true },
    onDefect(error) {
      throw error;
    },
  });
  return { store, asked, send: (sent: Sent) => submit(review, sent) };
}

function policy(...names: string[]): KubernetesObject {
  const matchExpressions = [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: names }];
  const metadata = { name: 'by-name', namespace: 'acme-web' };
  const spec = {
    podSelector: {},
    policyTypes: ['Ingress'],
    ingress: [{ from: [{ namespaceSelector: { matchExpressions } }] }],
  };
  return Object.assign({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata }, { spec });
}

const written = (...names: string[]): Sent => ({
  user: cast['acme developer'],
  operation: 'CREATE',
  object: policy(...names),
});
const web = record('acme-web', 'acme');

t.test('a name that others have from before it was reserved is not the tenant’s', async (t) => {
  for (const holder of ['beta', 'nobody-declared', undefined]) {
    for (const [sentence, { send }] of [
      ['memory knows', replica([web, record('acme-x', holder)])],
      ['the API server does', replica([web], [record('acme-x', holder)])],
    ] as const) {
      const { allowed, status } = await send(written('acme-x'));
      t.notOk(allowed, `${sentence}: ${holder}`);
      t.match(findingsIn(status?.message ?? ''), [
        {
          check: 'cross-tenant-ingress',
          path: 'spec.ingress[0].from[0].namespaceSelector',
          why: /^matches the namespace acme-x, which is not of acme although that name is reserved to it; for example/,
        },
      ]);
      t.notMatch(status?.message, /beta|nobody-declared/, 'nobody is told of');
    }
  }
});

t.test('it is the tenant’s once they have it no more', async (t) => {
  const { store, send } = replica([web, record('acme-x', 'beta')]);
  t.notOk((await send(written('acme-x'))).allowed);
  store.set(record('acme-x', 'acme'));
  t.ok((await send(written('acme-x'))).allowed, 'it was given to the tenant');
  const gone = replica([web]);
  t.ok((await gone.send(written('acme-x', 'acme-y'))).allowed, 'there is none');
  t.strictSame([...new Set(gone.asked)].sort(), ['acme-x', 'acme-y'], 'as the API server said');
});

t.test('what memory knows is not asked for, and what proves itself neither', async (t) => {
  const { asked, send } = replica([web, record('acme-x', 'acme')]);
  t.ok((await send(written('acme-x', 'acme-web'))).allowed);
  t.notOk((await send(written('free'))).allowed);
  t.ok((await send({ ...written(), operation: 'DELETE', object: undefined, oldObject: policy('acme-y') })).allowed);
  t.strictSame(asked, []);
});

t.test('while nobody can say who has a name, the policy is to be tried again', async (t) => {
  const { send } = replica([web], [], true);
  t.match(await send(written('acme-x')), { allowed: false, status: { code: 503 } });
  t.ok((await send(written('acme-web'))).allowed, 'others are not held up');
});

t.test(
  'a Tenant whose prefix covers namespaces of others is admitted, and they are told to the platform alone',
  async (t) => {
    const names = ['theta-e', 'theta-b', 'theta-c'].map((name) => record(name, 'beta'));
    const { send } = replica([...names, record('theta-d'), record('theta-a', 'theta'), record('thetas', 'beta')]);
    const object = Object.assign(
      { apiVersion: 'bulkhead.dev/v1alpha1', kind: 'Tenant', metadata: { name: 'theta' } },
      { spec: { members: [{ kind: 'Group', name: 'theta-developers' }], namespaces: { prefix: 'theta-' } } },
    );
    const { allowed, warnings } = await send({ user: cast['platform admin'], operation: 'CREATE', object });
    t.ok(allowed);
    t.strictSame(warnings, [
      'prefix-in-use: spec.namespaces.prefix covers 4 namespaces of others: theta-b, theta-c and 2 more',
      'prefix-in-use: fix: choose another prefix, or delete them: until then no policy of the tenant may select them by name',
    ]);
    const stranger = await send({ user: cast.stranger, operation: 'CREATE', object });
    t.notOk(stranger.allowed);
    t.notMatch(JSON.stringify(stranger), /theta-b/);
    for (const prefix of [undefined, '', 7, null, {}]) {
      const spec = { ...object.spec, namespaces: prefix === undefined ? 7 : { prefix } };
      const { warnings } = await send({
        user: cast['platform admin'],
        operation: 'CREATE',
        object: { ...object, ...{ spec } },
      });
      t.notMatch(JSON.stringify(warnings ?? []), /prefix-in-use/, `${JSON.stringify(prefix)} is no prefix`);
    }
  },
);
