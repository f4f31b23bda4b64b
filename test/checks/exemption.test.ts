/** What exemptions let through, and what they do not. */
import t from 'tap';
import { createAdmission } from '../../src/admission/admission.ts';
import { catalogue } from '../../src/checks/catalogue.ts';
import { isExemptable } from '../../src/checks/check.ts';
import { exemptableChecks } from '../../src/exemptions/exemption-schema.ts';
import { byNamespace } from '../../src/exemptions/load-exemptions.ts';
import { parseExemption } from '../../src/exemptions/parse-exemption.ts';
import { kinds } from '../../src/kinds/kinds.ts';
import type { KubernetesObject, OwnerReference } from '../../src/kubernetes/objects.ts';
import type { UserInfo } from '../../src/kubernetes/user.ts';
import { unlined } from '../../src/tenancy/problem.ts';
import { exemptableKinds } from '../../src/tenancy/table-of-kinds.ts';
import type { Mode } from '../../src/tenancy/tenant.ts';
import { cast } from '../fixtures/cast.ts';
import { findingsIn } from '../fixtures/denial.ts';
import { bytesOf, farDeadline, responseOf, reviewOf, type Sent, submit } from '../fixtures/review.ts';
import { createWorld, tenantLabel } from '../fixtures/world.ts';

const now = Date.parse('2029-01-01T00:00:00Z');
const end = '2029-02-01T00:00:00Z';

interface Written {
  readonly name?: string;
  readonly tenant?: string;
  readonly namespace?: string;
  readonly checks?: readonly string[];
  readonly match: object;
}

function exemption({ name = 'vpn', checks = ['network-capabilities'], match, ...others }: Written) {
  const reason = 'tunnel';
  const spec = { tenant: 'acme', namespace: 'acme-web', checks, match, reason, owner: 'net', expires: end, ...others };
  const value = { apiVersion: 'bulkhead.dev/v1alpha1', kind: 'Exemption', metadata: { name }, spec };
  const loaded = parseExemption({ value, locate: unlined(name) });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.value;
}

function admission(written: readonly Written[], mode: Mode = 'enforce', at = now) {
  const { tenancy, namespaces } = createWorld(mode);
  const known = { ...tenancy, exemptions: byNamespace(written.map(exemption)) };
  return createAdmission({
    tenancy: () => known,
    namespaces,
    clock: { elapsed: () => performance.now(), wall: () => at },
    onDefect(error) {
      throw error;
    },
  });
}

const powers = { capabilities: { add: ['NET_ADMIN'] } };
const strong = (image = 'r.example/vpn:1') => ({ name: 'vpn', image, securityContext: powers });
const plain = (image = 'r.example/web') => ({ name: 'web', image });

function pod(spec: object, metadata: object = {}): KubernetesObject {
  const meta = { name: 'vpn-0', namespace: 'acme-web', labels: { [tenantLabel]: 'acme' }, ...metadata };
  return Object.assign({ apiVersion: 'v1', kind: 'Pod', metadata: meta }, { spec });
}

const groups: Readonly<Record<string, string>> = { Job: 'batch/v1', CronJob: 'batch/v1', ReplicationController: 'v1' };

function ownedBy(
  kind: string,
  name: string,
  { controller = true, apiVersion = groups[kind] ?? 'apps/v1' } = {},
): { ownerReferences: readonly OwnerReference[] } {
  return { ownerReferences: [{ apiVersion, kind, name, uid: 'u', controller }] };
}

const controllerOf = (name: string): UserInfo => ({
  username: `system:serviceaccount:kube-system:${name}`,
  groups: ['system:serviceaccounts', 'system:serviceaccounts:kube-system', 'system:authenticated'],
});
const alice = cast['acme developer'];
const replicaSets = cast.controller;
const vpn = pod({ containers: [strong()] });
const byName = { match: { names: ['vpn-0'] } };
const byOwner = { match: { owner: 'Deployment/vpn' } };
const byImage = { match: { images: ['r.example/vpn'] } };
const create = (object: KubernetesObject, user = alice): Sent => ({ user, operation: 'CREATE', object });
const made = (name: string, kind = 'ReplicaSet') => pod({ containers: [strong()] }, ownedBy(kind, name));

const ephemeral = (user: UserInfo, image = 'r.example/netshoot'): Sent => ({
  user,
  operation: 'UPDATE',
  subresource: 'ephemeralcontainers',
  oldObject: pod({ containers: [plain()] }),
  object: pod({ containers: [plain()], ephemeralContainers: [{ ...strong(image), name: 'debugger' }] }),
});
const onCall: UserInfo = { username: 'ona', groups: ['on-call', 'system:authenticated'] };
const breakGlass = { checks: ['ephemeral-containers'], match: { requesters: [{ kind: 'Group', name: 'on-call' }] } };

const operator: UserInfo = { username: 'system:serviceaccount:widgets:operator', groups: ['system:authenticated'] };
const byWidget = {
  match: {
    owner: 'Widget.example.com/vpn',
    requesters: [{ kind: 'ServiceAccount', namespace: 'widgets', name: 'operator' }],
  },
};
const widget = (kind = 'Widget', apiVersion = 'example.com/v1', name = 'vpn') =>
  pod({ containers: [strong()] }, ownedBy(kind, name, { apiVersion }));

const admitted: readonly (readonly [sentence: string, exemption: Written, sent: Sent])[] = [
  ['the pod that is named', byName, create(vpn)],
  [
    'a pod with the service account',
    { match: { serviceAccounts: ['vpn'] } },
    create(pod({ serviceAccountName: 'vpn', containers: [strong()] })),
  ],
  ['a pod without a service account has the default one', { match: { serviceAccounts: ['default'] } }, create(vpn)],
  ['an image in any version', byImage, create(vpn)],
  ['with a digest', byImage, create(pod({ containers: [strong('r.example/vpn@sha256:ab')] }))],
  ['without a version', byImage, create(pod({ containers: [strong('r.example/vpn')] }))],
  ['beside a container of another image without powers', byImage, create(pod({ containers: [plain(), strong()] }))],
  ['an init container with the image', byImage, create(pod({ containers: [plain()], initContainers: [strong()] }))],
  ['the exact version', { match: { images: ['r.example/vpn:1'] } }, create(vpn)],
  [
    'what concerns the pod as a whole, if every container has the image',
    { checks: ['host-network'], ...byImage },
    create(pod({ hostNetwork: true, containers: [{ name: 'a', image: 'r.example/vpn' }] })),
  ],
  ['a pod of a Deployment', byOwner, create(made('vpn-5d8bc'), replicaSets)],
  [
    'sent by a controller manager with one account',
    byOwner,
    create(made('vpn-5d8bc'), { username: 'system:kube-controller-manager', groups: [] }),
  ],
  [
    'a pod of a StatefulSet',
    { match: { owner: 'StatefulSet/vpn' } },
    create(made('vpn', 'StatefulSet'), controllerOf('statefulset-controller')),
  ],
  [
    'a pod of a CronJob',
    { match: { owner: 'CronJob/vpn' } },
    create(made('vpn-29123456', 'Job'), controllerOf('job-controller')),
  ],
  [
    'a pod of a ReplicationController',
    { match: { owner: 'ReplicationController/vpn' } },
    create(made('vpn', 'ReplicationController'), controllerOf('replication-controller')),
  ],
  ['a pod of a kind of another group, which its operator creates', byWidget, create(widget(), operator)],
  ['the on-call engineer', breakGlass, ephemeral(onCall)],
  [
    'all given fields together',
    { match: { kinds: ['Pod'], names: ['vpn-0'], images: ['r.example/vpn'] } },
    create(vpn),
  ],
];

for (const [sentence, written, sent] of admitted)
  t.test(`exempted: ${sentence}`, async (t) => {
    const answer = await submit(admission([written]), sent);
    t.ok(answer.allowed, answer.status?.message ?? 'it is admitted');
    t.equal(answer.warnings, undefined, 'nobody is warned');
    t.equal(answer.auditAnnotations.exemptions, 'vpn', 'the audit log names it');
    t.equal(answer.auditAnnotations.checks, undefined, 'it is no finding');
    t.notOk((await submit(admission([]), sent)).allowed, 'without it this is refused');
    const expired = await submit(admission([written], 'enforce', Date.parse(end)), sent);
    t.notOk(expired.allowed, 'from its end on it is refused');
    t.ok((await submit(admission([written], 'enforce', Date.parse(end) - 1), sent)).allowed, 'and not before');
  });

/** The update of a stored pod. */
const update = (before: object, after: object, user = alice, subresource = ''): Sent => ({
  user,
  operation: 'UPDATE',
  subresource,
  oldObject: pod(before),
  object: pod(after),
});
const container = (image: string, name = 'vpn') => ({ name, image });
const onNode = (...images: readonly string[]) => ({
  hostNetwork: true,
  containers: images.map((image, index) => container(image, `c${index}`)),
});
const debugged = (spec: object, image: string) => ({ ...spec, ephemeralContainers: [container(image, 'debugger')] });
const nodeByImage = { checks: ['host-network'], ...byImage };
const nodeByOwner = { checks: ['host-network'], ...byOwner };

const later: readonly (readonly [sentence: string, exemptions: readonly Written[], sent: Sent, admitted: boolean])[] = [
  ['another version of its image', [nodeByImage], update(onNode('r.example/vpn:1'), onNode('r.example/vpn:2')), true],
  ['another image (EXM-06)', [nodeByImage], update(onNode('r.example/vpn:1'), onNode('r.example/evil')), false],
  [
    'another image beside the exempted one (EXM-06)',
    [nodeByImage],
    update(onNode('r.example/vpn:1', 'r.example/vpn:1'), onNode('r.example/vpn:1', 'r.example/evil')),
    false,
  ],
  [
    'another image of an init container (EXM-06)',
    [nodeByImage],
    update(
      { ...onNode('r.example/vpn'), initContainers: [container('r.example/vpn', 'init')] },
      { ...onNode('r.example/vpn'), initContainers: [container('r.example/evil', 'init')] },
    ),
    false,
  ],
  ['another image, of a workload (EXM-06)', [nodeByOwner], update(onNode('a'), onNode('r.example/evil')), false],
  ['another image, by a controller', [nodeByOwner], update(onNode('a'), onNode('r.example/evil'), replicaSets), false],
  [
    'a debugger with the exempted image',
    [nodeByImage],
    update(onNode('r.example/vpn'), debugged(onNode('r.example/vpn'), 'r.example/vpn'), alice, 'ephemeralcontainers'),
    true,
  ],
  [
    'a debugger with another image (EXM-06)',
    [nodeByImage],
    update(onNode('r.example/vpn'), debugged(onNode('r.example/vpn'), 'r.example/evil'), alice, 'ephemeralcontainers'),
    false,
  ],
  [
    'a debugger of the on-call engineer',
    [nodeByImage, { ...breakGlass, name: 'call', checks: ['host-network'] }],
    update(
      onNode('r.example/vpn'),
      debugged(onNode('r.example/vpn'), 'r.example/netshoot'),
      onCall,
      'ephemeralcontainers',
    ),
    true,
  ],
  [
    'another image of the container with powers (EXM-06)',
    [byImage],
    update({ containers: [strong(), plain()] }, { containers: [strong('r.example/evil'), plain()] }),
    false,
  ],
  [
    'another image of the container without powers',
    [byImage],
    update({ containers: [strong(), plain()] }, { containers: [strong(), plain('r.example/other')] }),
    true,
  ],
  [
    'a debugger beside the container with powers',
    [byImage],
    update(
      { containers: [strong()] },
      debugged({ containers: [strong()] }, 'r.example/other'),
      alice,
      'ephemeralcontainers',
    ),
    true,
  ],
  [
    'a debugger that sees the processes of the container with powers (EXM-06)',
    [byImage],
    update(
      { containers: [strong()] },
      { containers: [strong()], ephemeralContainers: [{ ...plain('r.example/evil'), targetContainerName: 'vpn' }] },
      alice,
      'ephemeralcontainers',
    ),
    false,
  ],
  [
    'another image beside it, in a pod that shares its processes (EXM-06)',
    [byImage],
    update(
      { shareProcessNamespace: true, containers: [strong(), plain('r.example/vpn')] },
      { shareProcessNamespace: true, containers: [strong(), plain('r.example/evil')] },
    ),
    false,
  ],
  [
    'another image in a pod without findings',
    [],
    update({ containers: [plain()] }, { containers: [plain('x')] }),
    true,
  ],
  ['another image, of a pod from before', [], update(onNode('a'), onNode('b')), false],
  ['a deadline, of a pod from before', [], update(onNode('a'), { ...onNode('a'), activeDeadlineSeconds: 9 }), true],
  ['its status', [], update(onNode('a'), onNode('a'), alice, 'status'), true],
  [
    'a label and a finalizer, of a pod that was debugged before',
    [],
    {
      ...update(debugged(onNode('a'), 'b'), {}),
      object: pod(debugged(onNode('a'), 'b'), { labels: { [tenantLabel]: 'acme', app: 'x' }, finalizers: ['x.io/y'] }),
    },
    true,
  ],
];
for (const [sentence, written, sent, isAdmitted] of later)
  t.test(`of a running pod ${isAdmitted ? 'admitted' : 'refused'}: ${sentence}`, async (t) => {
    const answer = await submit(admission(written), sent);
    t.equal(answer.allowed, isAdmitted, answer.status?.message ?? 'it is admitted');
    if (isAdmitted) {
      t.equal(answer.warnings, undefined, 'without a warning');
      return;
    }
    t.match(answer.status?.message, /fix: leave the images as they are and add no container/);
    const ofNode = /^ {2}spec\.hostNetwork$/m.test(answer.status?.message ?? '');
    const { allowed } = await submit(admission(written, 'warn'), sent);
    t.equal(allowed, !ofNode, 'a tenant in mode warn is warned, but for what reaches its node');
  });

const twice = (one: object, other: object): readonly Written[] => [
  { name: 'one', match: one },
  { name: 'other', match: other },
];
const both = { kinds: ['Pod'], names: ['vpn-0'], serviceAccounts: ['vpn'] };

const refused: readonly (readonly [sentence: string, exemptions: readonly Written[], sent: Sent])[] = [
  ['another pod', [byName], create(pod({ containers: [strong()] }, { name: 'vpn-1' }))],
  [
    'a name that is still to be generated',
    [byName],
    create(pod({ containers: [strong()] }, { name: undefined, generateName: 'vpn-0' })),
  ],
  ['another check (EXM-02)', [{ ...byName, checks: ['host-network'] }], create(vpn)],
  ['another namespace (EXM-02)', [{ ...byName, namespace: 'acme-db' }], create(vpn)],
  ['a namespace of another tenant', [{ ...byName, tenant: 'beta' }], create(vpn)],
  ['one field of several', [{ match: both }], create(vpn)],
  [
    'two exemptions that cover it only together (EXM-04)',
    twice({ images: ['r.example/vpn'] }, { images: ['r.example/proxy'] }),
    create(pod({ containers: [strong(), strong('r.example/proxy')] })),
  ],
  [
    'a second container with powers (EXM-04)',
    [byImage],
    create(pod({ containers: [strong(), strong('r.example/evil')] })),
  ],
  [
    'an init container with powers',
    [byImage],
    create(pod({ containers: [strong()], initContainers: [strong('r.example/evil')] })),
  ],
  ['a container without an image', [byImage], create(pod({ containers: [{ name: 'vpn', securityContext: powers }] }))],
  [
    'the image beside the powers',
    [byImage],
    create(pod({ containers: [{ name: 'vpn', image: 'r.example/vpn' }, strong('r.example/evil')] })),
  ],
  [
    'what concerns the whole pod, where another image is in it',
    [{ checks: ['host-network'], ...byImage }],
    create(pod({ hostNetwork: true, containers: [strong(), plain()] })),
  ],
  [
    'a second container that sees the processes of the first (EXM-04)',
    [byImage],
    create(pod({ shareProcessNamespace: true, containers: [strong(), plain()] })),
  ],
  ['a repository that begins so (EXM-05)', [byImage], create(pod({ containers: [strong('r.example/vpn-evil')] }))],
  ['one below it', [byImage], create(pod({ containers: [strong('r.example/vpn/evil')] }))],
  [
    'a registry that the entry is taken for (EXM-05)',
    [{ match: { images: ['r.example'] } }],
    create(pod({ containers: [strong('r.example:5000/evil')] })),
  ],
  ['another tag', [{ match: { images: ['r.example/vpn:2'] } }], create(vpn)],
  [
    'the tag before another digest (EXM-05)',
    [{ match: { images: ['r.example/vpn:1'] } }],
    create(pod({ containers: [strong('r.example/vpn:1@sha256:ab')] })),
  ],
  ['an owner that the requester wrote (EXM-03)', [byOwner], create(made('vpn-5d8bc'))],
  [
    'a controller of the tenant’s own with that name',
    [byOwner],
    create(made('vpn-5d8bc'), { ...replicaSets, username: 'system:serviceaccount:acme-web:replicaset-controller' }),
  ],
  [
    'an owner that is not the controller',
    [byOwner],
    create(pod({ containers: [strong()] }, ownedBy('ReplicaSet', 'vpn-5d8bc', { controller: false })), replicaSets),
  ],
  [
    'a ReplicaSet of another group (EXM-03)',
    [byOwner],
    create(
      pod({ containers: [strong()] }, ownedBy('ReplicaSet', 'vpn-5d8bc', { apiVersion: 'example.com/v1' })),
      replicaSets,
    ),
  ],
  ['the owner of another group that the tenant wrote (EXM-03)', [byWidget], create(widget())],
  ['its operator for another object', [byWidget], create(widget('Widget', 'example.com/v1', 'web'), operator)],
  [
    'its operator for a kind of that name in another group',
    [byWidget],
    create(widget('Widget', 'example.org/v1'), operator),
  ],
  ['a kind that looks like one with its group', [byWidget], create(widget('Widget.example', 'com/v1'), operator)],
  ['a Deployment whose name begins so', [byOwner], create(made('vpn-evil-5d8bc'), replicaSets)],
  ['a ReplicaSet of the name of the Deployment', [byOwner], create(made('vpn'), replicaSets)],
  [
    'a Job with the name of such a ReplicaSet',
    [byOwner],
    create(made('vpn-5d8bc', 'Job'), controllerOf('job-controller')),
  ],
  [
    'an owner reference that is no object',
    [byOwner],
    create(pod({ containers: [strong()] }, { ownerReferences: [null] }), replicaSets),
  ],
  ['a debugger of somebody else', [breakGlass], ephemeral(alice)],
  ['a user with the name of the group', [breakGlass], ephemeral({ username: 'on-call', groups: [] })],
  ['the on-call engineer who creates the pod', [breakGlass], create(vpn, onCall)],
  [
    'a debugger whose owner reference was patched in (EXM-03)',
    [{ ...byOwner, checks: ['ephemeral-containers'] }],
    ephemeral(replicaSets),
  ],
];

for (const [sentence, written, sent] of refused)
  t.test(`not exempted: ${sentence}`, async (t) => {
    const answer = await submit(admission(written), sent);
    t.notOk(answer.allowed);
    t.equal(answer.auditAnnotations.exemptions, undefined);
  });

t.test('identity is never exempted (EXM-02)', async (t) => {
  const reserved = { checks: ['reserved-labels'], match: { names: ['vpn-0'] } };
  const labels = { [tenantLabel]: 'acme', 'io.kubernetes.pod.namespace': 'kube-system' };
  const annotations = { 'linkerd.io/inject': 'disabled' };
  const review = admission([reserved]);
  const own = await submit(review, create(pod({ containers: [plain()] }, { annotations })));
  t.match(own, { allowed: true, auditAnnotations: { exemptions: 'vpn' } }, 'a key of the own protection is');
  const answer = await submit(review, create(pod({ containers: [plain()] }, { labels, annotations })));
  const paths = findingsIn(answer.status?.message ?? '').map(({ path }) => path);
  t.strictSame(paths, ['metadata.labels[io.kubernetes.pod.namespace]'], 'a key of identity is refused');
  const namespace = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'vpn-0', labels: { [tenantLabel]: 'beta' } },
  };
  t.notOk((await submit(review, create(namespace))).allowed, 'a namespace is not exempted by a name');
});

t.test('what the other checks find is refused all the same', async (t) => {
  const answer = await submit(admission([byName]), create(pod({ hostPID: true, containers: [strong()] })));
  const checks = findingsIn(answer.status?.message ?? '').map(({ check }) => check);
  t.strictSame(checks, ['host-namespaces']);
});

t.test('a policy can be exempted by its name', async (t) => {
  const meta = { name: 'open', namespace: 'acme-web', labels: { [tenantLabel]: 'acme' } };
  const open = { podSelector: {}, policyTypes: ['Ingress'], ingress: [{}] };
  const object = Object.assign(
    { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: meta },
    { spec: open },
  );
  const match = { kinds: ['NetworkPolicy'], names: ['open'] };
  t.notOk((await submit(admission([]), create(object))).allowed);
  t.ok((await submit(admission([{ checks: ['cross-tenant-ingress'], match }]), create(object))).allowed);
});

const template = (kind: string, name: string, metadata: object = {}) =>
  Object.assign(
    { apiVersion: 'apps/v1', kind, metadata: { name, namespace: 'acme-web', ...metadata } },
    { spec: { template: { metadata: { labels: { [tenantLabel]: 'acme' } }, spec: { containers: [strong()] } } } },
  );
const warned: readonly (readonly [sentence: string, exemption: Written, object: KubernetesObject, warned: boolean])[] =
  [
    ['the Deployment itself', byOwner, template('Deployment', 'vpn'), false],
    ['its ReplicaSet', byOwner, template('ReplicaSet', 'vpn-5d8bc', ownedBy('Deployment', 'vpn')), false],
    ['a template with the image', byImage, template('Deployment', 'other'), false],
    ['another Deployment', byOwner, template('Deployment', 'other'), true],
    [
      'a ReplicaSet of a Deployment of another group',
      byOwner,
      template('ReplicaSet', 'vpn-5d8bc', ownedBy('Deployment', 'vpn', { apiVersion: 'example.com/v1' })),
      true,
    ],
    ['a StatefulSet of that name', byOwner, template('StatefulSet', 'vpn'), true],
    ['a workload with the name of a pod', { match: { names: ['vpn'] } }, template('Deployment', 'vpn'), true],
    [
      'a workload that an exempted requester writes',
      { match: { requesters: [{ kind: 'User', name: 'alice' }] } },
      template('Deployment', 'vpn'),
      true,
    ],
  ];
for (const [sentence, written, object, isWarned] of warned)
  t.test(`${isWarned ? 'warned about' : 'not warned about'}: ${sentence}`, async (t) => {
    const review = admission([written]);
    const { body } = await review('warn', bytesOf(reviewOf(create(object))), farDeadline());
    const answer = responseOf(body);
    const warnings = answer.warnings?.join('\n') ?? '';
    t.equal(warnings.includes('network-capabilities'), isWarned, warnings);
  });

t.test('in mode audit an exempted object is no finding', async (t) => {
  const answer = await submit(admission([byName], 'audit'), create(vpn));
  t.match(answer, { allowed: true, auditAnnotations: { exemptions: 'vpn', checks: undefined } });
});

t.test('what can be exempted: the checks that protect a border or nodes', async (t) => {
  const border = catalogue.filter(
    ({ protects, pod, policy, neighbour, unread }) =>
      isExemptable(protects) && (pod ?? policy ?? neighbour ?? unread) !== undefined,
  );
  t.strictSame(exemptableChecks.toSorted(), [...border.map(({ id }) => id), 'reserved-labels'].toSorted());
  const families = new Set(['policy', 'pod', 'neighbour']);
  // Of Roles and RoleBindings nothing is refused.
  const looked = kinds
    .filter(({ family, reviews }) => families.has(family) && reviews.some(({ phase }) => phase !== 'warn'))
    .map(({ kind }) => kind);
  // Calico has kinds of the same name, to which the same exemptions apply.
  const wanted = [...new Set(looked.filter((kind) => kind !== 'Binding'))];
  t.strictSame(exemptableKinds, wanted, 'exemptableKinds has the kinds of the table, in its order');
});
