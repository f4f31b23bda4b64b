/** Ten ordinary objects of each kind are admitted without a warning; test/e2e/routes.test.ts sends them to a real API server. */
import t from 'tap';
import { createTenancy } from '../../src/tenancy/tenancy.ts';
import { attachmentTypes, imports, ordinaryNeighbours, ordinaryObjects } from '../e2e/neighbours-ordinary.ts';
import { cast } from '../fixtures/cast.ts';
import { createReview, submit } from '../fixtures/review.ts';
import { createWorld } from '../fixtures/world.ts';

const { tenancy, namespaces } = createWorld();
const settings = {
  ...tenancy.settings,
  attachmentTypes: new Set(attachmentTypes),
  policyKinds: [...tenancy.settings.policyKinds, { ...imports, tenants: new Set(imports.tenants) }],
};
const known = createTenancy(settings, [...tenancy.tenants.values()]);
const review = createReview(known, namespaces);

for (const [kind, ordinary] of Object.entries(ordinaryNeighbours))
  t.test(`${kind}: ten ordinary ones are admitted without a warning`, async (t) => {
    t.ok(ordinary.objects.length >= 10);
    const user = cast['acme developer'];
    for (const object of ordinaryObjects(kind, ordinary)) {
      const { allowed, warnings, status } = await submit(review, { user, operation: 'CREATE', object });
      t.ok(allowed, JSON.stringify(object), { status });
      t.strictSame(warnings ?? [], []);
    }
  });
