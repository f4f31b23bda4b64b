/** An object of a file gets the verdict of the webhooks: for every case that creates an object. */
import t from 'tap';
import { createAdmission } from '../../src/admission/admission.ts';
import { systemClock } from '../../src/admission/clock.ts';
import { judgeWritten } from '../../src/admission/written-object.ts';
import { resourceOfObject } from '../../src/kinds/kind-of-object.ts';
import { isMap } from '../../src/kubernetes/json.ts';
import { loadCases } from '../fixtures/cases.ts';
import { cast } from '../fixtures/cast.ts';
import { submit } from '../fixtures/review.ts';
import { createWorld } from '../fixtures/world.ts';

const cases = loadCases().filter((one) => one.operation === 'CREATE' && !one.unmutated);

for (const mode of ['enforce', 'warn'] as const)
  t.test(`every case that creates an object is judged as by the webhooks, in mode ${mode}`, async (t) => {
    const { tenancy, namespaces } = createWorld(mode);
    const onDefect = (error: unknown) => {
      throw error;
    };
    const review = createAdmission({ tenancy: () => tenancy, namespaces, onDefect });
    const sources = { tenancy, namespaces, clock: systemClock, now: Date.now(), timeBudget: 5000 };
    let refusals = 0;
    for (const one of cases) {
      const { object, user, subresource } = one;
      const answer = await submit(review, { user: cast[user], operation: 'CREATE', subresource, object });
      if (!isMap(object)) throw new Error(`${one.id} has no object`);
      const { apiVersion = '', kind = '', metadata } = one.object ?? {};
      const resource = resourceOfObject(
        apiVersion,
        kind,
        tenancy.settings.policyKinds.map((listed) => listed.resource),
      );
      if (resource === undefined) {
        t.fail(`${one.id}: ${apiVersion} ${kind} is of a kind that is judged`);
        continue;
      }
      const written = { resource, object, namespace: metadata?.namespace ?? '', author: cast[user] };
      const verdict = await judgeWritten(written, sources);
      const checks = answer.auditAnnotations?.checks?.split(',') ?? [];
      if (verdict.refused !== undefined) {
        t.equal(answer.allowed, false, `${one.id}: ${verdict.refused}`);
        continue;
      }
      const found = verdict.judged.filter(({ exemption }) => exemption === undefined);
      t.strictSame([...new Set(found.map(({ check }) => check))], checks, `${one.id}: the same checks`);
      const refused = resource.family !== 'workload' && found.some(({ refuses }) => refuses);
      if (refused) refusals++;
      t.equal(refused, !answer.allowed, `${one.id}: ${one.sentence}`);
    }
    t.ok(cases.length > 200 && refusals > 50, `${cases.length} cases, ${refusals} refusals`);
  });
