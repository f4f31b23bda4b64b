import t from 'tap';
import { decode, understoodResources } from '../../src/admission/decode.ts';
import { cast } from '../fixtures/cast.ts';
import { bytesOf, reviewOf, type Sent, uid } from '../fixtures/review.ts';

const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'acme-web', labels: { app: 'web' } },
  spec: { containers: [{ name: 'main', image: 'nginx' }] },
};
const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'acme-web' } };
const user = cast['acme developer'];
const creation: Sent = { user, operation: 'CREATE', object: pod };

/** The review of a pod's creation with the value at a path of the request replaced, or removed by undefined. */
function reviewWith(path: string, value: unknown, sent: Sent = creation): unknown {
  const review = structuredClone<unknown>(reviewOf(sent));
  const steps = path.split('.');
  const last = steps.pop() ?? '';
  let target: unknown = review;
  for (const step of steps) {
    if (typeof target === 'object' && target !== null) target = Reflect.get(target, step);
  }
  if (typeof target === 'object' && target !== null) Reflect.set(target, last, value);
  return review;
}

function reasonOf(body: Buffer): { uid: string; reason: string } | 'decoded' {
  const decoded = decode(body);
  return decoded.ok ? 'decoded' : { uid: decoded.uid, reason: decoded.reason };
}

t.test('a body that gives no uid is nobody’s', async (t) => {
  const bodies: readonly [sentence: string, body: string, reason: string][] = [
    ['an empty body', '', 'the body is not JSON'],
    ['half a review', '{"kind":"AdmissionReview","request":{"uid":"1"', 'the body is not JSON'],
    ['a text', '"AdmissionReview"', 'the body is not an AdmissionReview with a request'],
    ['a list', '[]', 'the body is not an AdmissionReview with a request'],
    ['null', 'null', 'the body is not an AdmissionReview with a request'],
    ['a review without a request', '{"request":null}', 'the body is not an AdmissionReview with a request'],
    ['a response', '{"response":{"uid":"1"}}', 'the body is not an AdmissionReview with a request'],
    ['a request that is a list', '{"request":[]}', 'the body is not an AdmissionReview with a request'],
    ['an empty uid', '{"request":{"uid":""}}', 'request.uid is missing'],
    ['a uid that is a number', '{"request":{"uid":7}}', 'request.uid is missing'],
    ['a uid beyond measure', `{"request":{"uid":"${'x'.repeat(257)}"}}`, 'request.uid is missing'],
  ];
  for (const [sentence, body, reason] of bodies) {
    t.strictSame(reasonOf(Buffer.from(body)), { uid: '', reason }, sentence);
  }
});

t.test('a broken review is refused with its uid and what is wrong', async (t) => {
  const reviews: readonly [sentence: string, path: string, value: unknown, reason: string][] = [
    [
      'v1beta1 verifies no uid, so it is not spoken (ADM-14)',
      'apiVersion',
      'admission.k8s.io/v1beta1',
      'only admission.k8s.io/v1 AdmissionReview is understood',
    ],
    ['another kind of review', 'kind', 'SubjectAccessReview', 'only admission.k8s.io/v1 AdmissionReview is understood'],
    ['no resource', 'request.resource', undefined, 'request.resource is not an object'],
    ['a resource that is text', 'request.resource', 'pods', 'request.resource is not an object'],
    ['no version', 'request.resource.version', undefined, 'request.resource.version is not a string'],
    ['no plural', 'request.resource.resource', '', 'request.resource.resource is not a string'],
    [
      'namespaces of another group are no namespaces (TEN-14)',
      'request.resource',
      { group: 'evil.io', version: 'v1', resource: 'namespaces' },
      'evil.io/v1 namespaces is not a resource that Bulkhead understands',
    ],
    [
      'a version that is not known (ADM-07)',
      'request.resource',
      { group: 'networking.k8s.io', version: 'v2', resource: 'networkpolicies' },
      'networking.k8s.io/v2 networkpolicies is not a resource that Bulkhead understands',
    ],
    [
      'the group of another resource',
      'request.resource',
      { group: '', version: 'v1', resource: 'networkpolicies' },
      'v1 networkpolicies is not a resource that Bulkhead understands',
    ],
    [
      'a subresource that is not known',
      'request.subResource',
      'exec',
      'v1 pods/exec is not a resource that Bulkhead understands',
    ],
    [
      'a subresource is never cut (TEN-18)',
      'request.subResource',
      'status/extra',
      'v1 pods/status/extra is not a resource that Bulkhead understands',
    ],
    [
      'a subresource is never trimmed (TEN-18)',
      'request.subResource',
      'status ',
      'v1 pods/status  is not a resource that Bulkhead understands',
    ],
    ['a subresource that is a number', 'request.subResource', 1, 'request.subResource is not a string'],
    ['no kind', 'request.kind', undefined, 'request.kind is not an object'],
    [
      'a kind that is not the resource’s',
      'request.kind.kind',
      'Service',
      'request.kind is not the v1 Pod that belongs to pods',
    ],
    ['a kind of another version', 'request.kind.version', 'v2', 'request.kind is not the v1 Pod that belongs to pods'],
    ['no operation', 'request.operation', undefined, 'request.operation is none of CREATE, UPDATE, DELETE'],
    ['CONNECT', 'request.operation', 'CONNECT', 'request.operation is none of CREATE, UPDATE, DELETE'],
    ['small letters', 'request.operation', 'create', 'request.operation is none of CREATE, UPDATE, DELETE'],
    ['no object', 'request.object', null, 'request.object is not an object'],
    ['an object that is a list', 'request.object', [pod], 'request.object is not an object'],
    ['an object of another kind', 'request.object.kind', 'Service', 'request.object is not a v1 Pod'],
    ['an object of another version', 'request.object.apiVersion', 'v2', 'request.object is not a v1 Pod'],
    ['an object without metadata', 'request.object.metadata', undefined, 'request.object.metadata is not an object'],
    ['a name that is a number', 'request.object.metadata.name', 1, 'request.object.metadata.name is not a string'],
    ['labels as a list', 'request.object.metadata.labels', [], 'request.object.metadata.labels is not an object'],
    [
      'a label that is a number',
      'request.object.metadata.labels',
      { app: 1 },
      'request.object.metadata.labels holds something that is not a string',
    ],
    [
      'an annotation that is null',
      'request.object.metadata.annotations',
      { note: null },
      'request.object.metadata.annotations holds something that is not a string',
    ],
    [
      'owner references as a map',
      'request.object.metadata.ownerReferences',
      {},
      'request.object.metadata.ownerReferences is not a list',
    ],
    [
      'finalizers as text',
      'request.object.metadata.finalizers',
      'x',
      'request.object.metadata.finalizers is not a list',
    ],
    ['a spec that is text', 'request.object.spec', 'hostNetwork', 'request.object.spec is not an object'],
    ['no user', 'request.userInfo', undefined, 'request.userInfo is not an object'],
    ['a user name that is a list', 'request.userInfo.username', ['alice'], 'request.userInfo.username is not a string'],
    ['groups as text', 'request.userInfo.groups', 'platform-team', 'request.userInfo.groups is not a list'],
    ['a group that is a map', 'request.userInfo.groups', [{}], 'request.userInfo.groups is not a string'],
    [
      'another name in the request (ADM-15)',
      'request.name',
      'db',
      'the request and its objects disagree about the name',
    ],
    [
      'another namespace in the request (ADM-15)',
      'request.namespace',
      'beta-data',
      'the request and its objects disagree about the namespace',
    ],
  ];
  for (const [sentence, path, value, reason] of reviews) {
    t.strictSame(reasonOf(bytesOf(reviewWith(path, value))), { uid, reason }, sentence);
  }
  const nowhere = reviewWith('request.namespace', '', {
    ...creation,
    object: { ...pod, metadata: { name: 'web' } },
  });
  t.strictSame(reasonOf(bytesOf(nowhere)), { uid, reason: 'request.namespace is missing' }, 'a pod in no namespace');
  const named = reviewWith('request.namespace', 'kube-system', { user, operation: 'CREATE', object: namespace });
  const reason = 'the request and its objects disagree about the namespace';
  t.strictSame(reasonOf(bytesOf(named)), { uid, reason }, 'a Namespace of another name (ADM-15)');
  const tenant = { apiVersion: 'bulkhead.dev/v1alpha1', kind: 'Tenant', metadata: { name: 'acme' } };
  const quota = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'own', namespace: 'acme-web' } };
  const counted: Sent = { user, operation: 'CREATE', object: quota };
  for (const [path, value, wrong] of [
    ['spec', { hard: { pods: 1 } }, 'spec.hard holds something that is not a string'],
    ['status', 'none', 'status is not an object'],
    ['status', { hard: ['pods'] }, 'status.hard is not an object'],
    ['status', { used: { pods: null } }, 'status.used holds something that is not a string'],
  ] as const) {
    const body = bytesOf(reviewWith(`request.object.${path}`, value, counted));
    t.strictSame(reasonOf(body), { uid, reason: `request.object.${wrong}` }, 'amounts that are none');
  }
  const workload = (kind: string, apiVersion: string, spec: object): Sent => ({
    user,
    operation: 'CREATE',
    object: Object.assign({ apiVersion, kind, metadata: { name: 'web', namespace: 'acme-web' } }, { spec }),
  });
  const deployment = workload('Deployment', 'apps/v1', {});
  const cronJob = workload('CronJob', 'batch/v1', { jobTemplate: { spec: { template: {} } } });
  for (const [sent, path, value, wrong] of [
    [deployment, 'object.spec.template', [], 'request.object.spec.template is not an object'],
    [deployment, 'object.spec.template', { spec: 'none' }, 'request.object.spec.template.spec is not an object'],
    [
      deployment,
      'object.spec.template',
      { metadata: { labels: { app: 1 } } },
      'request.object.spec.template.metadata.labels holds something that is not a string',
    ],
    [
      cronJob,
      'object.spec.jobTemplate.spec.template',
      { metadata: { annotations: [] } },
      'request.object.spec.jobTemplate.spec.template.metadata.annotations is not an object',
    ],
    [cronJob, 'object.spec.jobTemplate', 'none', 'request.object.spec.jobTemplate is not an object'],
    [cronJob, 'object.kind', 'Job', 'request.object is not a batch/v1 CronJob'],
    [deployment, 'subResource', 'scale', 'apps/v1 deployments/scale is not a resource that Bulkhead understands'],
    [
      deployment,
      'resource.resource',
      'statefulsets',
      'request.kind is not the apps/v1 StatefulSet that belongs to statefulsets',
    ],
  ] as const) {
    t.strictSame(reasonOf(bytesOf(reviewWith(`request.${path}`, value, sent))), { uid, reason: wrong }, 'a workload');
  }
  const placed = reviewWith('request.namespace', 'acme-web', { user, operation: 'CREATE', object: tenant });
  t.strictSame(reasonOf(bytesOf(placed)), { uid, reason: 'a Tenant is in no namespace' }, 'a Tenant in a namespace');
});

t.test('an update and a delete are judged by the stored object too', async (t) => {
  const update: Sent = { user, operation: 'UPDATE', object: pod, oldObject: pod };
  const missing = reviewWith('request.oldObject', null, update);
  t.strictSame(
    reasonOf(bytesOf(missing)),
    { uid, reason: 'request.oldObject is not an object' },
    'an update without it',
  );
  const other = reviewWith('request.oldObject.metadata.name', 'db', update);
  const reason = 'the request and its objects disagree about the name';
  t.strictSame(reasonOf(bytesOf(other)), { uid, reason }, 'an update of another object');
  const deletion = reviewWith('request.oldObject', null, { user, operation: 'DELETE', oldObject: pod });
  t.strictSame(
    reasonOf(bytesOf(deletion)),
    { uid, reason: 'request.oldObject is not an object' },
    'a delete without it',
  );
});

t.test('what a request says is read', async (t) => {
  const read = (sent: Sent, path = 'request.options', value: unknown = null) => {
    const decoded = decode(bytesOf(reviewWith(path, value, sent)));
    if (!decoded.ok) throw new Error(decoded.reason);
    return decoded.request;
  };
  t.match(
    read({ ...creation, dryRun: true }),
    { kind: 'Pod', uid, operation: 'CREATE', subresource: '', name: 'web', namespace: 'acme-web', dryRun: true },
    'a pod',
  );
  t.strictSame(read(creation).user, user, 'the user is the one of the request');
  t.equal(read(creation).dryRun, false, 'a request is no dry run unless it says so');
  t.match(
    read({ user, operation: 'DELETE', oldObject: pod, name: '' }),
    { operation: 'DELETE', name: 'web', object: pod, oldObject: undefined },
    'a collection delete sends no name, and the stored object has it (ADM-16)',
  );
  t.match(
    read({ user, operation: 'CREATE', object: namespace }),
    { kind: 'Namespace', name: 'acme-web', namespace: 'acme-web' },
    'the namespace of a Namespace is its name',
  );
  const generated = { ...namespace, metadata: { generateName: 'acme-' } };
  t.match(
    read({ user, operation: 'CREATE', object: generated }),
    { name: '', namespace: '' },
    'a name that is still to be generated is empty (ADM-04)',
  );
  const binding = {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { name: 'web', namespace: 'acme-web' },
    target: { kind: 'Node', name: 'node-1' },
  };
  const bound = { user, operation: 'CREATE', object: binding, subresource: 'binding' } as const;
  t.match(read(bound), { kind: 'Pod', subresource: 'binding', name: 'web' }, 'a Binding is about its pod (ADM-02)');
  const { subresource, ...posted } = bound;
  t.match(
    read(posted, 'request.resource.resource', 'bindings'),
    { kind: 'Pod', subresource, name: 'web' },
    'also when it is posted to bindings',
  );
  t.match(
    read(creation, 'request.object.metadata.labels', null),
    { object: { metadata: { labels: null } } },
    'null means the same as missing',
  );
});

t.test('what is understood is a frozen list of real resources', async (t) => {
  t.strictSame(understoodResources, [
    'v1/namespaces',
    'v1/namespaces/status',
    'v1/namespaces/finalize',
    'v1/pods',
    'v1/pods/ephemeralcontainers',
    'v1/pods/status',
    'v1/pods/resize',
    'v1/pods/binding',
    'v1/bindings',
    'networking.k8s.io/v1/networkpolicies',
    'cilium.io/v2/ciliumnetworkpolicies',
    'projectcalico.org/v3/networkpolicies',
    'crd.projectcalico.org/v1/networkpolicies',
    'projectcalico.org/v3/stagednetworkpolicies',
    'crd.projectcalico.org/v1/stagednetworkpolicies',
    'projectcalico.org/v3/stagedkubernetesnetworkpolicies',
    'crd.projectcalico.org/v1/stagedkubernetesnetworkpolicies',
    'projectcalico.org/v3/networksets',
    'crd.projectcalico.org/v1/networksets',
    'v1/services',
    'v1/services/status',
    'v1/endpoints',
    'discovery.k8s.io/v1/endpointslices',
    'networking.k8s.io/v1/ingresses',
    'networking.k8s.io/v1/ingresses/status',
    'gateway.networking.k8s.io/v1/gateways',
    'gateway.networking.k8s.io/v1beta1/gateways',
    'gateway.networking.k8s.io/v1/listenersets',
    'gateway.networking.k8s.io/v1/httproutes',
    'gateway.networking.k8s.io/v1beta1/httproutes',
    'gateway.networking.k8s.io/v1/grpcroutes',
    'gateway.networking.k8s.io/v1alpha2/grpcroutes',
    'gateway.networking.k8s.io/v1/tlsroutes',
    'gateway.networking.k8s.io/v1alpha3/tlsroutes',
    'gateway.networking.k8s.io/v1alpha2/tlsroutes',
    'gateway.networking.k8s.io/v1/tcproutes',
    'gateway.networking.k8s.io/v1alpha2/tcproutes',
    'gateway.networking.k8s.io/v1/udproutes',
    'gateway.networking.k8s.io/v1alpha2/udproutes',
    'gateway.networking.k8s.io/v1/referencegrants',
    'gateway.networking.k8s.io/v1beta1/referencegrants',
    'gateway.networking.x-k8s.io/v1alpha1/xlistenersets',
    'rbac.authorization.k8s.io/v1/roles',
    'rbac.authorization.k8s.io/v1/rolebindings',
    'security.istio.io/v1/authorizationpolicies',
    'security.istio.io/v1beta1/authorizationpolicies',
    'v1/resourcequotas',
    'v1/resourcequotas/status',
    'bulkhead.dev/v1alpha1/tenants',
    'bulkhead.dev/v1alpha1/tenants/status',
    'bulkhead.dev/v1alpha1/exemptions',
    'bulkhead.dev/v1alpha1/exemptions/status',
    'bulkhead.dev/v1alpha1/gaterequests',
    'bulkhead.dev/v1alpha1/gaterequests/status',
    'apps/v1/deployments',
    'apps/v1/statefulsets',
    'apps/v1/daemonsets',
    'apps/v1/replicasets',
    'batch/v1/jobs',
    'batch/v1/cronjobs',
    'v1/replicationcontrollers',
  ]);
});
