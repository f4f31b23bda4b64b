/** What is told of a workload is what its pods will be refused for, and nothing that happens on the way refuses the workload itself. */
import t from 'tap';
import { createAdmission } from '../../src/admission/admission.ts';
import type { Review } from '../../src/admission/decision.ts';
import { catalogue } from '../../src/checks/catalogue.ts';
import type { KubernetesObject, Pod } from '../../src/kubernetes/objects.ts';
import { type WorkloadKind, workloadKinds } from '../../src/kubernetes/workload.ts';
import { createTenancy } from '../../src/tenancy/tenancy.ts';
import type { Mode } from '../../src/tenancy/tenant.ts';
import { loadCases } from '../fixtures/cases.ts';
import { cast, type Role } from '../fixtures/cast.ts';
import { findingsIn, warningsIn } from '../fixtures/denial.ts';
import { bytesOf, farDeadline, type Response, responseOf, reviewOf, type Sent, submit } from '../fixtures/review.ts';
import { createWorld } from '../fixtures/world.ts';

const templateIn: Readonly<Record<WorkloadKind, string>> = {
  CronJob: 'spec.jobTemplate.spec.template',
  DaemonSet: 'spec.template',
  Deployment: 'spec.template',
  Job: 'spec.template',
  ReplicaSet: 'spec.template',
  ReplicationController: 'spec.template',
  StatefulSet: 'spec.template',
};
const groups: Partial<Record<WorkloadKind, string>> = {
  CronJob: 'batch/v1',
  Job: 'batch/v1',
  ReplicationController: 'v1',
};

/** Without the quota of acme, which would have a warning of its own for each of these templates. */
function reviewIn(mode: Mode): Review {
  const { tenancy: declared, namespaces } = createWorld(mode);
  const tenants = [...declared.tenants.values()].map((tenant) => ({ ...tenant, resourceQuota: undefined }));
  const tenancy = createTenancy(declared.settings, tenants);
  const onDefect = (error: unknown) => {
    throw error;
  };
  return createAdmission({ tenancy: () => tenancy, namespaces, onDefect });
}

function workloadOf(kind: WorkloadKind, { metadata, ...pod }: Pod): KubernetesObject {
  const { name = '', namespace = '', ...others } = metadata ?? {};
  const { spec } = pod;
  const template = { metadata: others, spec };
  const holder = { spec: kind === 'CronJob' ? { jobTemplate: { spec: { template } } } : { template } };
  return Object.assign({ apiVersion: groups[kind] ?? 'apps/v1', kind, metadata: { name, namespace } }, holder);
}

async function ask(review: Review, phase: 'warn' | 'validate', sent: Sent): Promise<Response> {
  return responseOf((await review(phase, bytesOf(reviewOf(sent)), farDeadline())).body);
}

const refusing = new Set(catalogue.filter(({ protects }) => protects !== 'intent').map(({ id }) => id));
const podCases = loadCases().filter(
  ({ operation, subresource, unmutated, object }) =>
    operation === 'CREATE' && subresource === '' && !unmutated && object?.kind === 'Pod',
);
const probe: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'probe', namespace: 'acme-web' },
  spec: { hostNetwork: true, containers: [{ name: 'main' }] },
};

t.test(
  'whatever a pod is refused for is told of every kind of workload that would make it, whoever writes it',
  async (t) => {
    const review = reviewIn('enforce');
    const checks = new Set<string>();
    t.ok(podCases.length > 40, `${podCases.length} pods`);
    for (const { id, object: pod = {} } of podCases) {
      const refusal = await submit(review, { user: cast.controller, operation: 'CREATE', object: pod });
      const found = findingsIn(refusal.status?.message ?? '');
      for (const kind of workloadKinds) {
        const expected = found.map(({ check, path, why, fix }) => ({
          told: `${check} refuses the pods: ${templateIn[kind]}.${path} ${why}`,
          fix,
        }));
        for (const role of ['acme developer', 'platform admin'] satisfies Role[]) {
          const sent: Sent = { user: cast[role], operation: 'CREATE', object: workloadOf(kind, pod) };
          const { allowed, status, warnings = [], auditAnnotations } = await ask(review, 'warn', sent);
          t.strictSame({ allowed, status }, { allowed: true, status: undefined }, `${id}: the ${kind} is admitted`);
          t.strictSame(
            warningsIn(warnings),
            expected.map(({ told, fix }) => ({ told: told.length > 120 ? `${told.slice(0, 117)}...` : told, fix })),
            `${id}: the ${kind} of the ${role} is warned about`,
          );
          t.equal(auditAnnotations.checks, [...new Set(found.map(({ check }) => check))].join() || undefined);
        }
      }
      for (const { check } of found) checks.add(check);
    }
    const failing = podCases.filter(({ check, expects }) => expects === 'fail' && refusing.has(check));
    t.strictSame(checks, new Set(failing.map(({ check }) => check)), 'every check on the creation of pods');
  },
);

/** What is said of each finding, without its fix. */
function warnedOf(lines: readonly string[] = []): readonly string[] {
  return warningsIn(lines).map(({ told }) => told);
}

t.test('what is told follows the mode of the tenant as it does for its pods', async (t) => {
  const user = cast['acme developer'];
  const relabelled = { ...probe, metadata: { ...probe.metadata, labels: { 'bulkhead.dev/tenant': 'beta' } } };
  const containers = [{ name: 'main', image: 'main', ports: [{ containerPort: 80, hostPort: 80 }] }];
  const object = workloadOf('Deployment', { ...relabelled, spec: { containers } });
  const warned = await ask(reviewIn('warn'), 'warn', { user, operation: 'CREATE', object });
  t.match(warnedOf(warned.warnings), [
    /^pod-tenant-label refuses the pods: /,
    /^host-ports: spec\.template\.spec\.containers\[0\]\.ports\[0\]\.hostPort /,
  ]);
  const audited = await ask(reviewIn('audit'), 'warn', { user, operation: 'CREATE', object });
  t.match(warnedOf(audited.warnings), [/^pod-tenant-label refuses the pods: /], 'what is only recorded is not told');
  t.equal(warnedOf(audited.warnings).length, 1);
  t.equal(audited.auditAnnotations.checks, 'host-ports,pod-tenant-label', 'and is recorded');
  const onNode = await ask(reviewIn('audit'), 'warn', {
    ...{ user, operation: 'CREATE' },
    object: workloadOf('Deployment', probe),
  });
  t.match(warnedOf(onNode.warnings), [/^host-network refuses the pods: /], 'what reaches nodes is told in every mode');
});

t.test('a workload is told about when it comes and when it changes, not when it goes', async (t) => {
  const review = reviewIn('enforce');
  const user = cast['acme developer'];
  const bad = workloadOf('StatefulSet', probe);
  const good = workloadOf('StatefulSet', { ...probe, spec: { containers: [] } });
  const told = async (sent: Omit<Sent, 'user'>) =>
    warnedOf((await ask(review, 'warn', { user, ...sent })).warnings).length;
  t.equal(await told({ operation: 'UPDATE', object: bad, oldObject: good }), 1, 'it becomes bad');
  t.equal(await told({ operation: 'UPDATE', object: good, oldObject: bad }), 0, 'it becomes good');
  t.equal(await told({ operation: 'DELETE', oldObject: bad }), 0, 'it is deleted');
  const elsewhere = workloadOf('DaemonSet', { ...probe, metadata: { name: 'agent', namespace: 'default' } });
  t.equal(await told({ operation: 'CREATE', object: elsewhere }), 0, 'in a namespace of the platform');
  const empty = { apiVersion: 'v1', kind: 'ReplicationController', metadata: { name: 'none', namespace: 'acme-web' } };
  t.equal(await told({ operation: 'CREATE', object: empty }), 0, 'without a template');
});

t.test('nothing that goes wrong refuses a workload', async (t) => {
  const world = createWorld();
  const object = workloadOf('Deployment', probe);
  const sent: Sent = { user: cast['acme developer'], operation: 'CREATE', object };
  const defects: unknown[] = [];
  const onDefect = (error: unknown) => defects.push(error);
  const fetch = async () => {
    throw new Error('no answer');
  };
  const { tenancy, namespaces } = world;
  const lost = { ...namespaces, lookup: () => undefined, fetch };
  const rows: readonly [what: string, review: Review, body: Buffer, code: number][] = [
    [
      'the tenants are not known',
      createAdmission({ tenancy: () => undefined, namespaces, onDefect }),
      bytesOf(reviewOf(sent)),
      503,
    ],
    [
      'the namespace cannot be looked up',
      createAdmission({ tenancy: () => tenancy, namespaces: lost, onDefect }),
      bytesOf(reviewOf(sent)),
      503,
    ],
    [
      'it is not understood',
      reviewIn('enforce'),
      bytesOf(
        reviewOf({
          ...sent,
          object: { ...object, metadata: { name: 'x', namespace: 'acme-web', labels: null } },
          subresource: 'scale',
        }),
      ),
      400,
    ],
    [
      'Bulkhead has a defect',
      createAdmission({
        tenancy: () => {
          throw new Error('a defect');
        },
        namespaces,
        onDefect,
      }),
      bytesOf(reviewOf(sent)),
      500,
    ],
  ];
  for (const [what, review, body, code] of rows) {
    const answer = await review('warn', body, farDeadline());
    const { allowed, status, warnings } = responseOf(answer.body);
    t.strictSame({ allowed, status, warnings }, { allowed: true, status: undefined, warnings: undefined }, what);
    t.equal(answer.status, 200, `${what}: a review is answered`);
    t.match(answer.decision, { phase: 'warn', allowed: true, code, reason: /./ }, `${what}: log and metrics know`);
  }
  t.equal(defects.length, 1);
  const judged = await ask(reviewIn('enforce'), 'validate', sent);
  t.match(judged, { allowed: true, warnings: [/^host-network refuses the pods: /] }, 'nor where pods are refused');
});
