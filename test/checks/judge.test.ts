import t from 'tap';
import { createAdmission } from '../../src/admission/admission.ts';
import type { KubernetesObject } from '../../src/kubernetes/objects.ts';
import { cast } from '../fixtures/cast.ts';
import { findingsIn, warningsIn } from '../fixtures/denial.ts';
import { createReview, type Sent, submit } from '../fixtures/review.ts';
import { createWorld, tenantLabel } from '../fixtures/world.ts';

const { tenancy, namespaces } = createWorld();
const review = createReview(tenancy, namespaces);
const user = cast['acme developer'];

function policy(spec: object, metadata: object = {}): KubernetesObject {
  const labels = { [tenantLabel]: 'acme' };
  const meta = { name: 'legacy', namespace: 'acme-web', labels, ...metadata };
  return Object.assign({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: meta }, { spec });
}

const open = { podSelector: {}, policyTypes: ['Ingress'], ingress: [{}] };

t.test('a policy that was open before it was judged (ADM-11, ADM-22)', async (t) => {
  const oldObject = policy(open);
  const update = (object: KubernetesObject) => submit(review, { user, operation: 'UPDATE', object, oldObject });

  const annotated = await update(policy(open, { annotations: { note: 'to be mended' } }));
  t.ok(annotated.allowed, 'can be annotated');
  t.strictSame(
    warningsIn(annotated.warnings ?? []).map(({ told }) => told),
    ['cross-tenant-ingress: spec.ingress[0] lists no peers, so it allows every pod and every external address'],
    'with a warning',
  );
  t.equal(annotated.auditAnnotations.checks, 'cross-tenant-ingress', 'and a note in the audit log');
  t.ok((await update(policy(open, { finalizers: [] }))).allowed, 'can lose its finalizers');
  t.ok((await submit(review, { user, operation: 'DELETE', oldObject })).allowed, 'can be deleted');

  const wider = { ...open, podSelector: null };
  t.notOk((await update(policy(wider))).allowed, 'is judged whole once its spec changes, however little');
  const relabelled = await update(policy(open, { labels: { [tenantLabel]: 'beta' } }));
  t.strictSame(
    findingsIn(relabelled.status?.message ?? '').map(({ check }) => check),
    ['policy-tenant-label'],
    'is held to what concerns identity all the same',
  );
});

t.test('everything that is wrong is reported at once, the gravest first', async (t) => {
  const object = Object.assign(
    { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace: 'acme-web', labels: { host: 'x' } } },
    {
      spec: {
        hostNetwork: true,
        hostPID: true,
        containers: [{ name: 'main', image: 'nginx', securityContext: { privileged: true } }],
      },
    },
  );
  const { status, auditAnnotations } = await submit(review, { user, operation: 'CREATE', object });
  const checks = ['host-network', 'host-namespaces', 'network-capabilities', 'reserved-labels'];
  t.strictSame(
    findingsIn(status?.message ?? '').map(({ check }) => check),
    checks,
  );
  t.equal(auditAnnotations.checks, checks.join(','));
  t.match(status?.message, /^Pod acme-web\/web: uses the network of its node \(tenant acme, hard isolation\)\n/);
});

t.test('in warn mode what refuses and what warns are told apart', async (t) => {
  const world = createWorld('warn');
  const warning = createAdmission({
    tenancy: () => world.tenancy,
    namespaces,
    onDefect: (error) => t.fail(`${error}`),
  });
  const sent: Sent = { user, operation: 'CREATE', object: policy(open, { labels: { [tenantLabel]: 'beta' } }) };
  const { status, warnings = [] } = await submit(warning, sent);
  t.strictSame(
    findingsIn(status?.message ?? '').map(({ check }) => check),
    ['policy-tenant-label'],
    'identity refuses',
  );
  t.match(warnings, [/^cross-tenant-ingress: spec.ingress\[0\] /], 'the border warns');
});

t.test('a peer that can never match is admitted with a word in every mode but audit', async (t) => {
  const never = {
    matchLabels: { [tenantLabel]: 'acme' },
    matchExpressions: [{ key: tenantLabel, operator: 'DoesNotExist' }],
  };
  const object = policy({ ...open, ingress: [{ from: [{ namespaceSelector: never }] }] }, { name: 'dead' });
  const { allowed, warnings = [] } = await submit(review, { user, operation: 'CREATE', object });
  t.ok(allowed);
  t.match(warnings, [/^dead-rule: spec\.ingress\[0\]\.from\[0\]/]);

  const world = createWorld('audit');
  const recording = createAdmission({
    ...world,
    tenancy: () => world.tenancy,
    onDefect: (error) => t.fail(`${error}`),
  });
  const recorded = await submit(recording, { user, operation: 'CREATE', object });
  t.equal(recorded.warnings, undefined, 'in mode audit nothing is said');
  t.equal(recorded.auditAnnotations.checks, 'dead-rule', 'but recorded');
});
