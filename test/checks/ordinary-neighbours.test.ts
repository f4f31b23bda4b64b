/** Ten ordinary objects of each kind are admitted without a warning; test/e2e sends those of the Gateway API to a real API server. */
import t from 'tap';
import { createTenancy } from '../../src/tenancy/tenancy.ts';
import { ordinaryNeighbours } from '../e2e/gateway-ordinary.ts';
import { cast } from '../fixtures/cast.ts';
import { createReview, submit } from '../fixtures/review.ts';
import { createWorld } from '../fixtures/world.ts';

const { tenancy, namespaces } = createWorld();
const settings = { ...tenancy.settings, rights: { ...tenancy.settings.rights, judged: true } };
const known = createTenancy(settings, [...tenancy.tenants.values()]);
const review = createReview(known, namespaces);

for (const [kind, { apiVersion, objects }] of Object.entries(ordinaryNeighbours))
  t.test(`${kind}: ten ordinary ones are admitted without a warning`, async (t) => {
    t.ok(objects.length >= 10);
    for (const [index, one] of objects.entries()) {
      const object = { apiVersion, kind, metadata: { name: `ordinary-${index}`, namespace: 'acme-web' }, ...one };
      const { allowed, warnings, status } = await submit(review, {
        ...{ user: cast['acme developer'], operation: 'CREATE' },
        object,
      });
      t.ok(allowed, JSON.stringify(one), { status });
      t.strictSame(warnings ?? [], []);
    }
  });
