import fc from 'fast-check';
import t from 'tap';
import { createAdmission } from '../../src/admission/admission.ts';
import type { Answer, Phase, Review } from '../../src/admission/decision.ts';
import { type NamespaceSource, TooManyWait } from '../../src/admission/facts.ts';
import type { KubernetesObject } from '../../src/kubernetes/objects.ts';
import { webhookLimits } from '../../src/server/webhook-limits.ts';
import { createTenancy, undeclaredTenant } from '../../src/tenancy/tenancy.ts';
import type { Gate, Tenant } from '../../src/tenancy/tenant.ts';
import { loadCases } from '../fixtures/cases.ts';
import { cast } from '../fixtures/cast.ts';
import { findingsIn, warningsIn } from '../fixtures/denial.ts';
import { applied, operationsOf } from '../fixtures/json-patch.ts';
import { bytesOf, farDeadline, responseOf, reviewOf, type Sent, submit, uid, validate } from '../fixtures/review.ts';
import { createWorld, tenantLabel } from '../fixtures/world.ts';

const { tenancy, namespaces } = createWorld();
const phases: readonly Phase[] = ['mutate', 'validate'];
const user = cast['acme developer'];

function reviewOver(source: Partial<NamespaceSource> = {}, onDefect: (error: unknown) => void = rethrow): Review {
  return createAdmission({ tenancy: () => tenancy, namespaces: { ...namespaces, ...source }, onDefect });
}

function rethrow(error: unknown): never {
  throw error;
}

const review = reviewOver();

function ask(phase: Phase, sent: Sent): Promise<Answer> {
  return review(phase, bytesOf(reviewOf(sent)), farDeadline());
}

function pod(spec: object = {}, metadata: object = {}): KubernetesObject {
  const containers = [{ name: 'main', image: 'nginx' }];
  const meta = { name: 'web', namespace: 'acme-web', ...metadata };
  return Object.assign({ apiVersion: 'v1', kind: 'Pod', metadata: meta }, { spec: { containers, ...spec } });
}

function policy(spec: object, metadata: object = {}): KubernetesObject {
  const meta = { name: 'web', namespace: 'acme-web', ...metadata };
  return Object.assign({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: meta }, { spec });
}

t.test('the answer is an AdmissionReview of v1 with the uid of the request (ADM-14)', async (t) => {
  for (const phase of phases) {
    const { status, body, decision } = await ask(phase, { user, operation: 'CREATE', object: pod() });
    const { apiVersion, kind, response } = JSON.parse(body);
    t.strictSame(
      { status, apiVersion, kind },
      { status: 200, apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' },
    );
    t.equal(response.uid, uid, `${phase} gives the uid back`);
    t.match(decision, { phase, uid, kind: 'Pod', tenant: 'acme', username: 'alice', mode: 'enforce' });
  }
});

t.test('only the mutating phase patches, and says so with its type (ADM-14)', async (t) => {
  const sent: Sent = { user, operation: 'CREATE', object: pod() };
  const mutated = responseOf((await ask('mutate', sent)).body);
  t.equal(mutated.patchType, 'JSONPatch');
  t.strictSame(operationsOf(mutated.patch ?? ''), [
    { op: 'add', path: '/metadata/labels', value: { [tenantLabel]: 'acme' } },
  ]);
  const labelled = pod({}, { labels: { [tenantLabel]: 'acme' } });
  const again = responseOf((await ask('mutate', { ...sent, object: labelled })).body);
  t.notOk('patch' in again || 'patchType' in again, 'what is right is left alone');
  const validated = responseOf((await ask('validate', { ...sent, object: labelled })).body);
  t.notOk('patch' in validated || 'patchType' in validated, 'validate never patches');
});

t.test('an update of a policy says what it opens, in the modes of the settings', async (t) => {
  const [old, updated] = [80, 81].map((port) =>
    policy({ podSelector: {}, ingress: [{ from: [{ podSelector: {} }], ports: [{ port }] }] }),
  );
  const said = async (
    mode: Tenant['mode'],
    previewModes: readonly Tenant['mode'][],
    sent: Sent = { user, operation: 'UPDATE', object: updated ?? {}, oldObject: old ?? {} },
  ) => {
    const acme = undeclaredTenant('acme');
    const known = createTenancy({ ...tenancy.settings, previewModes: new Set(previewModes) }, [{ ...acme, mode }]);
    const asked = createAdmission({ tenancy: () => known, namespaces, onDefect: rethrow });
    const { warnings = [] } = responseOf((await asked('validate', bytesOf(reviewOf(sent)), farDeadline())).body);
    return warnings.filter((line: string) => line.startsWith('preview: '));
  };
  const lines = ['opens 81', 'closes 80'].map(
    (what) => `preview: ${what}/TCP from all pods of this namespace to all pods`,
  );
  t.strictSame(await said('warn', ['warn']), lines);
  t.strictSame(await said('enforce', ['warn']), []);
  t.strictSame(await said('enforce', ['enforce']), lines);
  t.strictSame(await said('warn', []), []);

  const staged = (port: number, stagedAction?: string) => ({
    ...{ apiVersion: 'projectcalico.org/v3', kind: 'StagedKubernetesNetworkPolicy' },
    metadata: { name: 'next', namespace: 'acme-web' },
    spec: {
      ...{ podSelector: {}, policyTypes: ['Ingress'], stagedAction },
      ingress: [{ from: [{ podSelector: {} }], ports: [{ protocol: 'TCP', port }] }],
    },
  });
  const restaged = (object: object) =>
    said('warn', ['warn'], { user, operation: 'UPDATE', object, oldObject: staged(80) });
  t.strictSame(
    await restaged(staged(81)),
    lines.map((line) => line.replace('preview: ', 'preview: when enforced: ')),
    'of a staged one, what it will be',
  );
  t.strictSame(await restaged(staged(80, 'Set')), [], 'the same');
  t.strictSame(await restaged(staged(81, 'Delete')), [], 'one that takes another away is not compared');
  const ofCalico = (source: object) => ({
    ...{
      apiVersion: 'projectcalico.org/v3',
      kind: 'StagedNetworkPolicy',
      metadata: { name: 'n', namespace: 'acme-web' },
    },
    spec: { types: ['Ingress'], ingress: [{ action: 'Allow', source }] },
  });
  t.match(
    await said('warn', ['warn'], {
      ...{ user, operation: 'UPDATE' },
      ...{ object: ofCalico({ nets: ['10.0.0.0/8'] }), oldObject: ofCalico({ nets: ['10.0.0.0/9'] }) },
    }),
    [/^preview: when enforced: may open every port from 10\.128\.0\.0\/9/],
  );

  const values = (count: number) => Array.from({ length: count }, (_, index) => `v${index}`);
  const large = (count: number) =>
    policy({ podSelector: { matchExpressions: [{ key: 'app', operator: 'In', values: values(count) }] } });
  const change = (from: object, to: object): Sent => ({ user, operation: 'UPDATE', object: to, oldObject: from });
  const tooMuch = ['preview: the update changes more than a warning compares; bulkhead diff shows all of it'];
  t.strictSame(await said('warn', ['warn'], change(large(2), large(40_000))), tooMuch, 'it is not even read');
  t.strictSame(await said('warn', ['warn'], change(large(40_000), large(2))), tooMuch);
  t.strictSame(await said('warn', ['warn'], change(large(40_000), large(40_000))), [], 'it stays');
  const long = policy({ podSelector: { matchLabels: { app: 'a'.repeat(1_000_000) } } });
  t.strictSame(await said('warn', ['warn'], change(large(2), long)), tooMuch, 'a long text');
});

t.test('a policy of a soft tenant is narrowed, said and admitted; one of a hard tenant is not', async (t) => {
  const wide = { podSelector: {}, ingress: [{ from: [{ podSelector: {} }, { namespaceSelector: {} }] }] };
  const soft = policy(wide, { namespace: 'gamma-lab', labels: { app: 'web' } });
  const sent: Sent = { user: cast['gamma developer'], operation: 'CREATE', object: soft };
  const mutated = await ask('mutate', sent);
  const { patch = '', warnings } = responseOf(mutated.body);
  t.strictSame(operationsOf(patch), [
    { op: 'add', path: `/metadata/labels/${tenantLabel.replace('/', '~1')}`, value: 'gamma' },
    { op: 'add', path: '/spec/ingress/0/from/1/namespaceSelector/matchLabels', value: { [tenantLabel]: 'gamma' } },
  ]);
  t.strictSame(warnings, [
    'narrowed: bulkhead.dev/tenant: gamma was added to spec.ingress[0].from[1].namespaceSelector.matchLabels',
  ]);
  const narrowed = applied(soft, operationsOf(patch));
  const again = responseOf((await ask('mutate', { ...sent, object: narrowed })).body);
  t.strictSame(again, { uid, allowed: true, auditAnnotations: { tenant: 'gamma' } }, 'once');
  t.ok((await validate(review, { ...sent, object: narrowed })).allowed, 'what was narrowed is admitted');
  const { allowed, status } = await validate(review, sent);
  t.notOk(allowed, 'what another webhook has widened again is not');
  t.match(
    status?.message,
    /\(tenant gamma, soft isolation\)\n\n {2}spec\.ingress\[0\]\.from\[1\]\.namespaceSelector\n/,
  );
  const hard = responseOf((await ask('mutate', { user, operation: 'CREATE', object: policy(wide) })).body);
  t.strictSame(
    operationsOf(hard.patch ?? ''),
    [{ op: 'add', path: '/metadata/labels', value: { [tenantLabel]: 'acme' } }],
    'a hard tenant gets its label alone',
  );
  t.notOk(hard.warnings, 'and no warning');
});

t.test('a soft tenant whose mode is not enforce is told, and nothing is changed', async (t) => {
  for (const mode of ['warn', 'audit'] as const) {
    const world = createWorld(mode);
    const moded = createAdmission({ tenancy: () => world.tenancy, namespaces, onDefect: rethrow });
    const object = policy(
      { podSelector: {}, ingress: [{ from: [{ namespaceSelector: {} }] }] },
      { namespace: 'gamma-lab', labels: { [tenantLabel]: 'gamma' } },
    );
    const sent: Sent = { user: cast['gamma developer'], operation: 'CREATE', object };
    const mutated = responseOf((await moded('mutate', bytesOf(reviewOf(sent)), farDeadline())).body);
    t.strictSame(mutated, { uid, allowed: true, auditAnnotations: { tenant: 'gamma' } }, `${mode}: no patch`);
    const { allowed, warnings = [], auditAnnotations } = await validate(moded, sent);
    t.ok(allowed, `${mode}: admitted`);
    t.equal(auditAnnotations.checks, 'cross-tenant-ingress', `${mode}: recorded`);
    t.equal(warningsIn(warnings).length, mode === 'warn' ? 1 : 0, `${mode}: ${warnings}`);
  }
});

t.test('warnings about what was narrowed are lines of 120 characters, and not more than 8', async (t) => {
  const peers = Array.from({ length: 1000 }, () => ({ namespaceSelector: { matchLabels: { '\u202e': 'x' } } }));
  const legal = peers.map(() => ({ namespaceSelector: {} }));
  const object = (from: object[]) => policy({ podSelector: {}, ingress: [{ from }] }, { namespace: 'gamma-lab' });
  const sent = (from: object[]): Sent => ({ user: cast['gamma developer'], operation: 'CREATE', object: object(from) });
  const { warnings = [], patch = '' } = responseOf((await ask('mutate', sent(legal))).body);
  t.equal(operationsOf(patch).length, 1001, 'every peer is narrowed');
  t.equal(warnings.length, 8);
  t.equal(warnings.at(-1), '993 more warnings are not shown');
  for (const line of warnings) t.ok(line.length <= 120, line);
  t.notOk(responseOf((await ask('mutate', sent(peers))).body).warnings, 'what is not understood is left to validate');
});

t.test('the mutating phase never refuses what it can read', async (t) => {
  for (const { operation, subresource, object, oldObject, ...one } of loadCases()) {
    if (object === undefined) continue;
    const { decision } = await ask('mutate', { user: cast[one.user], operation, subresource, object, oldObject });
    t.ok(decision.allowed, one.id);
  }
});

t.test('a dry run gets the same answer, byte for byte (ADM-13)', async (t) => {
  for (const { operation, subresource, object, oldObject, ...one } of loadCases()) {
    const sent: Sent = { user: cast[one.user], operation, subresource, object, oldObject };
    for (const phase of phases) {
      const real = await ask(phase, sent);
      const dry = await ask(phase, { ...sent, dryRun: true });
      t.equal(dry.body, real.body, `${one.id}, ${phase}`);
      t.equal(dry.decision.dryRun, true, `${one.id}, ${phase}: the log tells them apart`);
    }
  }
});

t.test('a forged review is answered and nothing is written (SRV-01)', async (t) => {
  const forged: Sent = {
    user: cast['platform admin'],
    operation: 'CREATE',
    object: {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'kube-system', labels: { [tenantLabel]: 'acme' } },
    },
  };
  const before = JSON.stringify(namespaces.lookup('kube-system'));
  await submit(review, forged);
  t.equal(JSON.stringify(namespaces.lookup('kube-system')), before, 'what is known stays as it was');
});

t.test('a collection delete sends no name (ADM-16)', async (t) => {
  const managed = policy(
    { podSelector: {} },
    { name: 'bulkhead-default-deny', labels: { 'app.kubernetes.io/managed-by': 'bulkhead' } },
  );
  const { status } = await validate(review, { user, operation: 'DELETE', oldObject: managed, name: '' });
  t.match(status?.message, /^NetworkPolicy acme-web\/bulkhead-default-deny: is managed by Bulkhead/);
});

t.test('a name that is still to be generated (ADM-04)', async (t) => {
  const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { generateName: 'acme-' } };
  const mutated = await ask('mutate', { user: cast['member of acme and beta'], operation: 'CREATE', object });
  const label = operationsOf(responseOf(mutated.body).patch ?? '');
  t.strictSame(label, [{ op: 'add', path: '/metadata/labels', value: { [tenantLabel]: 'acme' } }], 'begins as it says');
  const web = pod({ hostNetwork: true }, { name: undefined, generateName: 'web-' });
  const { status } = await validate(review, { user, operation: 'CREATE', object: web });
  t.match(status?.message, /^Pod acme-web\/web-\*: uses the network of its node/, 'is shown with a star');
});

t.test('what is not understood is refused in both phases (ADM-06, ADM-07)', async (t) => {
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'web', namespace: 'acme-web' } };
  const known = reviewOf({ user, operation: 'CREATE', object: pod() });
  const kind = { group: '', version: 'v1', kind: 'Secret' };
  const resource = { group: '', version: 'v1', resource: 'secrets' };
  const unknown = { ...known, request: { ...known.request, kind, resource, object: secret } };
  for (const phase of phases) {
    const { status, body, decision } = await review(phase, bytesOf(unknown), farDeadline());
    const { allowed, status: said } = responseOf(body);
    t.strictSame(
      { status, allowed, said },
      {
        status: 200,
        allowed: false,
        said: {
          status: 'Failure',
          code: 400,
          reason: 'BadRequest',
          message: 'v1 secrets is not a resource that Bulkhead understands',
        },
      },
      phase,
    );
    t.match(decision, { uid, allowed: false, code: 400 });
    const nobody = await review(phase, Buffer.from('{'), farDeadline());
    t.equal(nobody.status, 400, `${phase} without a uid`);
    t.strictSame(
      JSON.parse(nobody.body),
      {
        kind: 'Status',
        apiVersion: 'v1',
        status: 'Failure',
        code: 400,
        reason: 'BadRequest',
        message: 'the body is not JSON',
      },
      'is a Status, whose message the API server quotes',
    );
  }
});

t.test('facts that cannot be had', async (t) => {
  const away = reviewOver({
    lookup: () => undefined,
    fetch: () => Promise.reject(new Error('connect ECONNREFUSED 10.96.0.1:443')),
  });
  const sent: Sent = { user, operation: 'CREATE', object: pod() };
  const { allowed, status } = await validate(away, sent);
  t.notOk(allowed, 'validate refuses');
  t.strictSame(
    status,
    {
      status: 'Failure',
      code: 503,
      reason: 'ServiceUnavailable',
      message:
        'Pod acme-web/web: cannot be judged now: the API server could not be asked\n  fix: try again in 1 second',
      details: { retryAfterSeconds: 1 },
    },
    'for now, and says when to try again',
  );
  const mutated = responseOf((await away('mutate', bytesOf(reviewOf(sent)), farDeadline())).body);
  t.strictSame(mutated, { uid, allowed: false, status, auditAnnotations: {} }, 'mutate says the same (SRV-18)');
});

t.test(
  'SRV-18: without facts the mutating phase answers a retryable 503, so validate does not refuse with 403',
  async (t) => {
    const labels = { [tenantLabel]: 'gamma' };
    const wide = { podSelector: {}, ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: 'web' } } }] }] };
    const metadata = { name: 'wide', namespace: 'gamma-lab', labels };
    const rows: readonly [what: string, sent: Sent][] = [
      ['a pod without its label', { user, operation: 'CREATE', object: pod() }],
      [
        'a policy that could have been narrowed',
        {
          user: cast['gamma developer'],
          operation: 'CREATE',
          object: Object.assign(
            { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata },
            { spec: wide },
          ),
        },
      ],
      [
        'a namespace that a service account creates',
        {
          user: cast['service account in acme-web'],
          operation: 'CREATE',
          object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'acme-shop' } },
        },
      ],
    ];
    for (const [what, sent] of rows) {
      // Under pressure: the same replica, or another one, has the facts a moment later.
      let pressure = true;
      const busy = reviewOver({
        lookup: (name) => (pressure ? undefined : namespaces.lookup(name)),
        fetch: () => Promise.reject(new TooManyWait()),
      });
      const mutated = responseOf((await busy('mutate', bytesOf(reviewOf(sent)), farDeadline())).body);
      t.match(mutated, { allowed: false, status: { code: 503, details: { retryAfterSeconds: 1 } } }, what);
      pressure = false;
      const { status } = await validate(busy, sent);
      t.equal(status?.code, 403, `${what}: without this, validate would refuse it for good`);
    }
  },
);

t.test('while the tenants are not known nobody is judged', async (t) => {
  const early = createAdmission({ tenancy: () => undefined, namespaces, onDefect: rethrow });
  for (const one of [cast['acme developer'], cast['platform admin'], cast.stranger]) {
    const sent: Sent = { user: one, operation: 'CREATE', object: pod() };
    const { allowed, status } = await validate(early, sent);
    t.notOk(allowed, `${one.username} is refused`);
    t.match(
      status,
      {
        code: 503,
        message: /cannot be judged now: the tenants are not known\n {2}fix: try again/,
        details: { retryAfterSeconds: 1 },
      },
      'for now, and not as a stranger',
    );
    const mutated = responseOf((await early('mutate', bytesOf(reviewOf(sent)), farDeadline())).body);
    t.strictSame(mutated, { uid, allowed: false, status, auditAnnotations: {} }, 'in both phases (SRV-18)');
  }
});

t.test('a namespace that does not exist', async (t) => {
  const sent: Sent = { user, operation: 'CREATE', object: pod({}, { namespace: 'nowhere' }) };
  const { status } = await validate(review, sent);
  t.equal(status?.code, 503);
  t.match(status?.message, /cannot be judged now: namespace nowhere is not known/);
});

t.test('a check that fails closes the door, and shows nothing of itself', async (t) => {
  for (const mode of ['enforce', 'warn', 'audit'] as const) {
    const world = createWorld(mode);
    const moded = createAdmission({ tenancy: () => world.tenancy, namespaces, onDefect: rethrow });
    const { allowed, status } = await validate(moded, { user, operation: 'CREATE', object: pod({ containers: {} }) });
    const found = findingsIn(status?.message ?? '');
    t.notOk(allowed, `${mode}: refused`);
    t.strictSame(
      found.find(({ check }) => check === 'host-ports'),
      {
        check: 'host-ports',
        path: 'the whole object',
        why: 'could not be decided: the check failed with TypeError, and what is not understood is not admitted',
        fix: 'this is a defect of Bulkhead; please report it with the object',
      },
      `${mode}: and it says which check`,
    );
    t.notMatch(status?.message, /\.ts|at .*\(/, `${mode}: without a stack`);
  }
});

t.test('a defect anywhere else is refused, and told to the log alone', async (t) => {
  const defects: unknown[] = [];
  const broken = new Error('secret of the inside');
  const failing = createAdmission({
    tenancy: () => rethrow(broken),
    namespaces,
    onDefect: (error) => defects.push(error),
  });
  for (const phase of phases) {
    const { status, body } = await failing(
      phase,
      bytesOf(reviewOf({ user, operation: 'CREATE', object: pod() })),
      farDeadline(),
    );
    const response = responseOf(body);
    t.strictSame([status, response.uid, response.allowed, response.status?.code], [200, uid, false, 500], phase);
    t.notMatch(body, /secret/, `${phase} keeps it to itself`);
  }
  t.strictSame(defects, [broken, broken]);
});

t.test('keys that mean something to JavaScript get a real verdict (SRV-05, SRV-06, POD-13)', async (t) => {
  const keys = ['__proto__', 'constructor', 'toString', 'valueOf', 'hasOwnProperty', 'prototype'];
  const map = JSON.stringify(Object.fromEntries(keys.map((key) => [key, 'x']))).replace('{', '{"__proto__":"x",');
  const strange: KubernetesObject = JSON.parse(`{
    "apiVersion": "v1", "kind": "Pod",
    "metadata": { "name": "web", "namespace": "acme-web", "labels": ${map}, "annotations": ${map} },
    "spec": {
      "containers": [{ "name": "main", "image": "nginx" }],
      "volumes": [{ "name": "data", "csi": { "driver": "secrets-store.csi.k8s.io", "volumeAttributes": ${map} } }]
    }
  }`);
  const { allowed } = await submit(review, { user, operation: 'CREATE', object: strange });
  t.ok(allowed, 'a harmless pod is admitted');
  const mutated = responseOf((await ask('mutate', { user, operation: 'CREATE', object: strange })).body);
  const stored = applied(strange, operationsOf(mutated.patch ?? ''));
  t.strictSame(Object.keys(stored.metadata?.labels ?? {}), [
    ...Object.keys(strange.metadata?.labels ?? {}),
    tenantLabel,
  ]);
  const harmful = Object.assign({}, strange, { spec: { hostNetwork: true, containers: [] } });
  const refused = await submit(review, { user, operation: 'CREATE', object: harmful });
  t.strictSame(
    findingsIn(refused.status?.message ?? '').map(({ check }) => check),
    ['host-network'],
    'a harmful one is refused',
  );
  const prototype: KubernetesObject = JSON.parse(
    `{ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "web", "namespace": "acme-web", "labels":
      { "__proto__": "${tenantLabel}" } }, "spec": { "containers": [] } }`,
  );
  const bare = await validate(review, { user, operation: 'CREATE', object: prototype });
  t.strictSame(
    findingsIn(bare.status?.message ?? '').map(({ check }) => check),
    ['pod-tenant-label'],
  );
});

t.test('objects as large as etcd takes them pass through, as the API server writes them', async (t) => {
  const note = '<'.repeat(1.5 * 1024 * 1024);
  const large = pod({}, { labels: { [tenantLabel]: 'acme' }, annotations: { note } });
  const oldObject = pod({}, { labels: { [tenantLabel]: 'acme' }, annotations: { note: `${note.slice(1)}y` } });
  const body = Buffer.from(
    JSON.stringify(reviewOf({ user, operation: 'UPDATE', object: large, oldObject })).replaceAll('<', '\\u003c'),
  );
  t.ok(body.length > 18 * 1024 * 1024 && body.length < webhookLimits.bodyBytes, 'six bytes for each, twice');
  const answer = await reviewOver({})('validate', body, farDeadline());
  t.equal(responseOf(answer.body).allowed, true);
  const peers = Array.from({ length: 20_000 }, () => ({ podSelector: { matchLabels: { app: 'web' } } }));
  const many = policy({ podSelector: {}, policyTypes: ['Ingress'], ingress: [{ from: peers }] });
  const { status } = await submit(review, { user, operation: 'CREATE', object: many });
  t.match(status?.message, /goes beyond the 1000 peers of one policy that are examined/, 'too many peers (NP-14)');
});

t.test('deep nesting gets an answer (SRV-04)', async (t) => {
  const depth = 200_000;
  const deep = `${'['.repeat(depth)}${']'.repeat(depth)}`;
  const text = JSON.stringify(reviewOf({ user, operation: 'UPDATE', object: policy({}), oldObject: policy({}) }));
  const quiet = reviewOver({}, () => undefined);
  const { status, body } = await quiet(
    'validate',
    Buffer.from(text.replaceAll('"spec":{}', `"spec":{"ingress":${deep}}`)),
    farDeadline(),
  );
  t.equal(status, 200);
  t.equal(responseOf(body).allowed, false);
});

t.test('any bytes get an answer (ADM-06)', async (t) => {
  const quiet = reviewOver({}, () => undefined);
  const phase = fc.constantFrom(...phases);
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 400 }).map((one) => Buffer.from(one)),
    fc.json().map((text) => Buffer.from(text)),
  );
  const property = fc.assert(
    fc.asyncProperty(phase, bytes, async (phase, body) => {
      const { status, body: answer } = await quiet(phase, body, farDeadline());
      return status === 400 && JSON.parse(answer).kind === 'Status';
    }),
    { numRuns: 500 },
  );
  await t.resolves(property);
});

t.test('a review with anything anywhere gets an answer with its uid (ADM-06)', async (t) => {
  const quiet = reviewOver({}, () => undefined);
  const cases = loadCases();
  const change = fc.tuple(
    fc.constantFrom(...phases),
    fc.nat(cases.length - 1),
    fc.nat(),
    fc.jsonValue({ maxDepth: 3 }),
  );
  const property = fc.assert(
    fc.asyncProperty(change, async ([phase, index, where, value]) => {
      const one = cases[index];
      if (one === undefined) return false;
      const { operation, subresource, object, oldObject } = one;
      const sent = reviewOf({ user: cast[one.user], operation, subresource, object, oldObject });
      const request = replaced(sent.request, where, value);
      const { status, body } = await quiet(phase, bytesOf({ ...sent, request: { ...request, uid } }), farDeadline());
      const response = responseOf(body);
      return status === 200 && response.uid === uid && typeof response.allowed === 'boolean';
    }),
    { numRuns: 1000 },
  );
  await t.resolves(property);
});

/** A copy of the value in which one of its parts, the one that `where` falls on, is another. */
function replaced(value: object, where: number, by: unknown): object {
  let count = 0;
  const text = JSON.stringify(value, (_key, part) => {
    count++;
    return part;
  });
  const target = 1 + (where % (count - 1));
  let position = 0;
  // Counted the same way as above: JSON.stringify visits parts in one order.
  return JSON.parse(JSON.stringify(JSON.parse(text), (_key, part) => (position++ === target ? by : part)));
}

t.test('a gate is closed from the moment at which it expires, by the clock of the request', async (t) => {
  const expires = Date.parse('2026-12-01T00:00:00Z');
  const half = (name: string, other: string, direction: Gate['direction']): Tenant => ({
    ...undeclaredTenant(name),
    network: { ...undeclaredTenant(name).network, gates: [{ tenant: other, direction, ports: [], expires }] },
  });
  const both = createTenancy(tenancy.settings, [half('acme', 'beta', 'ingress'), half('beta', 'acme', 'egress')]);
  const from = [{ namespaceSelector: { matchLabels: { [tenantLabel]: 'beta' } } }];
  const labelled = { labels: { [tenantLabel]: 'acme' } };
  const sent: Sent = {
    user: cast['platform admin'],
    operation: 'CREATE',
    object: policy({ ingress: [{ from }] }, labelled),
  };
  let now = expires - 1;
  const clock = { wall: () => now, elapsed: () => performance.now() };
  const review = createAdmission({ tenancy: () => both, namespaces, clock, onDefect: rethrow });
  const findings = async () => (await review('validate', bytesOf(reviewOf(sent)), farDeadline())).decision.checks;
  t.strictSame(await findings(), [], 'a millisecond before');
  now = expires;
  t.strictSame(await findings(), ['cross-tenant-ingress'], 'at that moment');
});
