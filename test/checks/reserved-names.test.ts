/** TEN-24: a refused name says nothing about who has reserved it. */
import t from 'tap';
import type { StringMap } from '../../src/kubernetes/objects.ts';
import { createTenancy, undeclaredTenant } from '../../src/tenancy/tenancy.ts';
import { cast, type Role } from '../fixtures/cast.ts';
import { createReview, type Sent, submit } from '../fixtures/review.ts';
import { createWorld, settings, tenantLabel } from '../fixtures/world.ts';

const world = createWorld();
const unprefixed = {
  ...undeclaredTenant('unprefixed'),
  members: [{ kind: 'Group', name: 'eta-developers' } as const],
};
const tenancy = createTenancy(settings, [
  ...[...world.tenancy.tenants.values()].filter(({ name }) => name !== 'eta'),
  unprefixed,
]);
const review = createReview(tenancy, world.namespaces);

async function refusalOf(role: Role, metadata: { readonly name: string }, labels: StringMap): Promise<object> {
  const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { ...metadata, labels } };
  const sent: Sent = { user: cast[role], operation: 'CREATE', object };
  const answer = JSON.stringify(await submit(review, sent));
  return JSON.parse(answer.replaceAll(metadata.name, 'NAME'));
}

t.test('the refusal of a reserved name is the same byte for byte', async (t) => {
  const ofPlatform = ['kube-q', 'openshift-q', 'bulkhead-q', 'kube-system', 'ingress-nginx'];
  const rows: readonly [role: Role, label: string | undefined, foreign: readonly string[], fix: string][] = [
    [
      'acme developer',
      undefined,
      ['beta-q', 'gamma-q'],
      'choose a name that is not reserved, or one that begins with acme-',
    ],
    [
      'acme developer',
      'acme',
      ['beta-q', 'gamma-q'],
      'choose a name that is not reserved, or one that begins with acme-',
    ],
    [
      'service account in acme-web',
      undefined,
      ['beta-q'],
      'choose a name that is not reserved, or one that begins with acme-',
    ],
    [
      'member of acme and beta',
      'beta',
      ['gamma-q'],
      'choose a name that is not reserved, or one that begins with acme- or beta-',
    ],
    ['eta developer', undefined, ['acme-q', 'beta-q'], 'choose a name that is not reserved'],
  ];
  for (const [role, label, foreign, fix] of rows) {
    const labels = label === undefined ? {} : { [tenantLabel]: label };
    const [first, ...others] = await Promise.all(
      [...foreign, ...ofPlatform].map((name) => refusalOf(role, { name }, labels)),
    );
    t.match(first, { allowed: false, status: { code: 403, message: `fix: ${fix}\n` } }, `${role}: what may be created`);
    for (const [index, other] of others.entries())
      t.strictSame(other, first, `${role}: ${[...foreign, ...ofPlatform][index + 1]}`);
  }
});

t.test('the platform, and the tenant itself, read for whom a name is reserved', async (t) => {
  const reason = 'NAME is reserved for tenant acme';
  for (const role of ['platform admin', 'member of acme and beta'] as const)
    t.match(
      await refusalOf(role, { name: 'acme-q' }, { [tenantLabel]: 'beta' }),
      { status: { message: reason } },
      role,
    );
});
