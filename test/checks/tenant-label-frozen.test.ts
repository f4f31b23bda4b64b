import fc from 'fast-check';
import t from 'tap';
import { createAdmission } from '../../src/admission/admission.ts';
import type { Namespace, StringMap } from '../../src/kubernetes/objects.ts';
import { cast } from '../fixtures/cast.ts';
import { type Sent, submit } from '../fixtures/review.ts';
import { createWorld, tenantLabel } from '../fixtures/world.ts';

const { tenancy, namespaces } = createWorld();

const key = fc.constantFrom(tenantLabel, tenantLabel.toUpperCase(), 'team', '__proto__', 'kubernetes.io/metadata.name');
const value = fc.constantFrom('acme', 'beta', 'gamma', 'omega', '', 'Acme');
const map: fc.Arbitrary<StringMap | null | undefined> = fc.oneof(
  fc.constantFrom(null, undefined),
  fc.array(fc.tuple(key, value), { maxLength: 4 }).map((entries) => Object.fromEntries(entries)),
);
const namespace: fc.Arbitrary<Namespace> = fc
  .tuple(fc.constantFrom('acme-web', 'kube-system', 'warehouse'), map, map, fc.boolean(), fc.boolean())
  .map(([name, labels, annotations, terminating, finalized]) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name,
      ...(labels !== undefined && { labels }),
      ...(annotations !== undefined && { annotations }),
      ...(terminating && { deletionTimestamp: '2026-11-20T10:00:00Z' }),
    },
    spec: { finalizers: finalized ? [] : ['kubernetes'] },
  }));
const { 'platform admin': platform, ...others } = cast;

function labelOf(namespace: Namespace): string | undefined {
  const labels = new Map(Object.entries(namespace.metadata?.labels ?? {}));
  return labels.get(tenantLabel);
}

const update = fc
  .tuple(namespace, namespace, fc.constantFrom('', 'status', 'finalize'))
  .map(([oldObject, changed, subresource]) => {
    // An update never changes the name.
    const object = { ...changed, metadata: { ...changed.metadata, name: oldObject.metadata?.name ?? '' } };
    return { object, oldObject, subresource };
  });

t.test('no admitted update by anybody but the platform changes the tenant label (TEN-01, ADM-01)', async (t) => {
  const review = createAdmission({ tenancy: () => tenancy, namespaces, onDefect: (error) => t.fail(`${error}`) });
  let admitted = 0;
  let changing = 0;
  const property = fc.asyncProperty(update, fc.constantFrom(...Object.values(others)), async (request, user) => {
    const sent: Sent = { user, operation: 'UPDATE', ...request };
    const { allowed } = await submit(review, sent);
    const changes = labelOf(request.object) !== labelOf(request.oldObject);
    if (allowed) admitted++;
    if (changes) changing++;
    return !(allowed && changes);
  });
  await t.resolves(fc.assert(property, { numRuns: 2000 }));
  t.ok(admitted > 100 && changing > 100, 'many were admitted and many tried', { admitted, changing });
});

t.test('no admitted update, by anybody, leaves a namespace to a tenant that is not declared', async (t) => {
  const review = createAdmission({ tenancy: () => tenancy, namespaces, onDefect: (error) => t.fail(`${error}`) });
  const property = fc.asyncProperty(update, async (request) => {
    const { allowed } = await submit(review, { user: platform, operation: 'UPDATE', ...request });
    const [before, after] = [labelOf(request.oldObject), labelOf(request.object)];
    return !allowed || after === before || after === undefined || tenancy.tenants.has(after);
  });
  await t.resolves(fc.assert(property, { numRuns: 500 }));
});
