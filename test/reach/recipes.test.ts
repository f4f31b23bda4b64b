/** Policies as people write them: the usual ones pass untouched, the usual mistakes are refused with a fix that mends them. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { parse, parseAllDocuments } from 'yaml';
import type { Review } from '../../src/admission/decision.ts';
import type { KubernetesObject } from '../../src/kubernetes/objects.ts';
import { createTenancy, type Tenancy } from '../../src/tenancy/tenancy.ts';
import { cast } from '../fixtures/cast.ts';
import { findingsIn } from '../fixtures/denial.ts';
import { applied, type Operation, operationsOf } from '../fixtures/json-patch.ts';
import { bytesOf, createReview, farDeadline, type Response, responseOf, reviewOf, submit } from '../fixtures/review.ts';
import { unnamedIn } from '../fixtures/unnamed.ts';
import { createWorld, tenantLabel } from '../fixtures/world.ts';

interface Mistake {
  readonly sentence: string;
  readonly attack: string;
  readonly spec: object;
  readonly fixed: readonly Operation[];
}

const { tenancy, namespaces } = createWorld();
const tenants = [...tenancy.tenants.values()];
/** Pods of a tenant reach nobody by the baseline, so that no policy is one too many (check already-allowed). */
const hard = createTenancy(
  tenancy.settings,
  tenants.map((tenant) => ({ ...tenant, network: { ...tenant.network, within: 'none' as const } })),
);
const softened = createTenancy(
  tenancy.settings,
  [...hard.tenants.values()].map((tenant) => ({ ...tenant, isolation: 'soft' as const })),
);

function reviewOver(known: Tenancy): Review {
  return createReview(known, namespaces);
}

function read(file: string): string {
  return readFileSync(new URL(`recipes/${file}`, import.meta.url), 'utf8');
}

function sent(object: KubernetesObject) {
  return { user: cast['acme developer'], operation: 'CREATE', object } as const;
}

t.test('the usual policies are admitted without a word, and get the tenant label and nothing else', async (t) => {
  const policies: KubernetesObject[] = parseAllDocuments(read('untouched.yaml')).map((document) => document.toJS());
  t.ok(policies.length > 10, `${policies.length} policies`);
  for (const [isolation, known] of [
    ['hard', hard],
    ['soft', softened],
  ] as const) {
    const review = reviewOver(known);
    for (const object of policies) {
      const named = `${object.metadata?.name}, ${isolation}`;
      const mutated = responseOf((await review('mutate', bytesOf(reviewOf(sent(object))), farDeadline())).body);
      t.strictSame(
        operationsOf(mutated.patch ?? ''),
        [{ op: 'add', path: '/metadata/labels', value: { [tenantLabel]: 'acme' } }],
        `${named}: the label alone is added`,
      );
      const { allowed, warnings, auditAnnotations } = await submit(review, sent(object));
      t.strictSame(
        { allowed, warnings, auditAnnotations },
        { allowed: true, warnings: undefined, auditAnnotations: { tenant: 'acme' } },
        `${named}: is admitted`,
      );
    }
  }
});

t.test('the usual mistakes are refused, and the fix, followed to the letter, is admitted', async (t) => {
  const many = JSON.stringify(Array.from({ length: 101 }, (_, index) => `v${index}`));
  const mistakes: readonly Mistake[] = JSON.parse(
    JSON.stringify(parse(read('mistakes.yaml'))).replaceAll('"MANY"', many),
  );
  const review = reviewOver(tenancy);
  for (const { sentence, spec, fixed } of mistakes) {
    let object = objectOf(spec);
    const findings = [...findingsIn(await refusal(review, object))];
    t.ok(findings.length > 0, `${sentence} It is refused`);
    for (const operation of fixed) {
      findings.push(...findingsIn(await refusal(review, object)));
      t.strictSame(unnamedIn(operation, object, undefined, findings), [], `${sentence} The fix names it`, { findings });
      object = applied(object, [operation]);
    }
    const { allowed, status } = await submit(review, sent(object));
    t.ok(allowed, `${sentence} Mended, it is admitted`, { status });
  }
  const attacks = new Set(mistakes.map(({ attack }) => attack));
  for (let number = 1; number <= 16; number++) {
    const id = `NP-${String(number).padStart(2, '0')}`;
    // NP-12 is about managed policies, NP-15 about what is fine.
    if (number !== 12 && number !== 15) t.ok(attacks.has(id), `${id} is among them`);
  }
});

function objectOf(spec: object): KubernetesObject {
  const metadata = { name: 'web', namespace: 'acme-web' };
  return Object.assign({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata }, { spec });
}

async function refusal(review: Review, object: KubernetesObject): Promise<string> {
  const { status }: Response = await submit(review, sent(object));
  return status?.message ?? '';
}
