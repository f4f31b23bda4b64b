/** Policies that would be contained only while names that nobody has reserved are the tenant's: none is admitted as it is. */
import t from 'tap';
import { createAdmission } from '../../src/admission/admission.ts';
import type { Review } from '../../src/admission/decision.ts';
import type { KubernetesObject } from '../../src/kubernetes/objects.ts';
import type { Mode } from '../../src/tenancy/tenant.ts';
import { cast, type Role } from '../fixtures/cast.ts';
import { findingsIn } from '../fixtures/denial.ts';
import { applied, operationsOf } from '../fixtures/json-patch.ts';
import { bytesOf, farDeadline, responseOf, reviewOf, type Sent, submit } from '../fixtures/review.ts';
import { createWorld, tenantLabel } from '../fixtures/world.ts';

function reviewIn(mode: Mode): Review {
  const { tenancy, namespaces } = createWorld(mode);
  const onDefect = (error: unknown) => {
    throw error;
  };
  return createAdmission({ tenancy: () => tenancy, namespaces, onDefect });
}

function policy(namespace: string, name: string): KubernetesObject {
  const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': name } };
  const spec = { podSelector: {}, policyTypes: ['Ingress'], ingress: [{ from: [{ namespaceSelector }] }] };
  return Object.assign(
    { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'by-name', namespace } },
    { spec },
  );
}

const from = (role: Role, namespace: string, name: string): Sent => ({
  user: cast[role],
  operation: 'CREATE',
  object: policy(namespace, name),
});

t.test('hard isolation refuses it, and names the prefix under which it would be proven', async (t) => {
  const review = reviewIn('enforce');
  const { allowed, status } = await submit(review, from('acme developer', 'acme-web', 'warehouse'));
  t.notOk(allowed);
  t.match(findingsIn(status?.message ?? ''), [
    {
      why: /^matches the namespace warehouse, but that name is not reserved for acme/,
      fix: /^add bulkhead\.dev\/tenant: acme to its matchLabels, or .*, or select only names that begin with acme-, which are reserved to it; or ask the platform to reserve the name \(namespaces\.names of tenant acme\)$/,
    },
  ]);
  const there = await submit(review, from('acme developer', 'acme-web', 'eta-web'));
  t.equal(
    there.status?.message.replaceAll('eta-web', 'warehouse'),
    status?.message,
    'whether others have such a namespace is not told',
  );
  t.ok((await submit(review, from('acme developer', 'acme-web', 'acme-warehouse'))).allowed, 'the fix is admitted');
});

t.test('soft isolation narrows it, and then nothing is left that a new namespace could change', async (t) => {
  const review = reviewIn('enforce');
  for (const name of ['warehouse', 'eta-web']) {
    const sent = from('gamma developer', 'gamma-lab', name);
    const { patch = '', warnings } = responseOf((await review('mutate', bytesOf(reviewOf(sent)), farDeadline())).body);
    t.equal(warnings?.length, 1, 'with a warning');
    const narrowed = applied(policy('gamma-lab', name), operationsOf(patch));
    t.match(narrowed, {
      spec: { ingress: [{ from: [{ namespaceSelector: { matchLabels: { [tenantLabel]: 'gamma' } } }] }] },
    });
    const { allowed, status } = await submit(review, { ...sent, object: narrowed });
    t.ok(allowed, status?.message ?? name);
  }
});

t.test('as long as the mode only warns, it is told like everything else', async (t) => {
  const { allowed, warnings } = await submit(reviewIn('warn'), from('acme developer', 'acme-web', 'warehouse'));
  t.ok(allowed);
  t.match(warnings, [/^cross-tenant-ingress: .* matches the namespace warehouse/]);
});
