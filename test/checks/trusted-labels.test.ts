import t from 'tap';
import { cast, type Role } from '../fixtures/cast.ts';
import { findingsIn } from '../fixtures/denial.ts';
import { createReview, submit } from '../fixtures/review.ts';
import { createWorld, tenantLabel } from '../fixtures/world.ts';

const { tenancy, namespaces } = createWorld();
const review = createReview(tenancy, namespaces);
const key = 'networking.example.com/role';
type Labels = Readonly<Record<string, string>>;

async function change(role: Role, name: string, before: Labels, after: Labels): Promise<readonly string[]> {
  const namespace = (labels: Labels) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels: { 'kubernetes.io/metadata.name': name, ...labels } },
  });
  const { allowed, status } = await submit(review, {
    user: cast[role],
    operation: 'UPDATE',
    object: namespace(after),
    oldObject: namespace(before),
  });
  return allowed ? [] : findingsIn(status?.message ?? '').map(({ check, path }) => `${check} ${path}`);
}

t.test('what is misplaced already can be changed otherwise, and taken away', async (t) => {
  const old = { [key]: 'ingress' };
  t.same(await change('platform admin', 'infra-old', old, { ...old, team: 'edge' }), []);
  t.same(await change('platform admin', 'infra-old', old, {}), []);
  t.same(await change('platform admin', 'infra-old', old, { [key]: 'spare' }), []);
  const ofAcme = { [tenantLabel]: 'acme', [key]: 'ingress' };
  t.same(await change('acme developer', 'acme-web', ofAcme, { ...ofAcme, team: 'web' }), [], 'by its tenant as well');
});

t.test('nobody makes more of it', async (t) => {
  const found = [`trusted-labels metadata.labels[${key}]`];
  t.same(await change('platform admin', 'infra-old', { [key]: 'spare' }, { [key]: 'ingress' }), found);
  t.same(
    await change('platform admin', 'acme-edge', { [key]: 'spare' }, { [key]: 'spare', [tenantLabel]: 'acme' }),
    found,
  );
  const ofAcme = { [tenantLabel]: 'acme' };
  t.same(await change('platform admin', 'acme-web', ofAcme, { ...ofAcme, [key]: '' }), found);
  const reserved = [`reserved-labels metadata.labels[${key}]`];
  t.same(await change('acme developer', 'acme-web', ofAcme, { ...ofAcme, [key]: 'ingress' }), reserved, 'told once');
  t.same(
    await change('acme developer', 'acme-web', { ...ofAcme, [key]: 'ingress' }, ofAcme),
    reserved,
    'nor removes it',
  );
});
