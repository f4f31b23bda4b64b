/**
 * Exemptions on a real API server, as objects and as files: test/field/exception-for-one-workload, in which one workload may do what the
 * others may not.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { parseAllDocuments } from 'yaml';
import { backstop } from '../../src/commands/backstop.ts';
import { clusterTest } from '../apiserver/cluster-test.ts';
import type { ControlPlane, Output } from '../apiserver/control-plane.ts';
import { eventually } from '../soak/observer.ts';
import {
  everybodyMayDoEverything,
  type GuardedCluster,
  guard,
  installTenantResource,
  tenantObjects,
} from './guarded-cluster.ts';

const folder = 'test/field/exception-for-one-workload';
const config = join(folder, 'settings.yaml');

const nina = { user: 'nina', groups: ['north-developers'] };
const ona = { user: 'ona', groups: ['on-call'] };
const replicaSets = {
  user: 'system:serviceaccount:kube-system:replicaset-controller',
  groups: ['system:serviceaccounts', 'system:serviceaccounts:kube-system'],
};

interface Written {
  readonly name: string;
  readonly checks?: readonly string[];
  readonly match: object;
  readonly namespace?: string;
  /** Milliseconds from now. */
  readonly lasts?: number;
}

const month = 30 * 24 * 3_600_000;

function exemption({
  name,
  checks = ['network-capabilities'],
  match,
  namespace = 'north-web',
  lasts = month,
}: Written) {
  const expires = new Date(Date.now() + lasts).toISOString();
  const spec = { tenant: 'north', namespace, checks, match, reason: 'tunnel', owner: 'net', expires };
  return JSON.stringify({ apiVersion: 'bulkhead.dev/v1alpha1', kind: 'Exemption', metadata: { name }, spec });
}

interface Stage {
  readonly cluster: GuardedCluster;
  as(user: { readonly user: string; readonly groups: readonly string[] }, ...command: string[]): Promise<Output>;
  applyAs(user: { readonly user: string; readonly groups: readonly string[] }, text: string): Promise<Output>;
}

async function stage(t: Test, plane: ControlPlane): Promise<Stage> {
  const cluster = await guard(plane, tenantObjects, plane.adminKubeconfig, { config });
  t.teardown(() => cleared(plane, cluster));
  for (const part of ['tenants', 'namespaces'])
    t.match(await cluster.kubectl('platform', ['apply', '-f', join(folder, part)]), { code: 0 }, part);
  for (const namespace of ['north-web', 'north-jobs'])
    await cluster.kubectl('platform', ['create', 'serviceaccount', 'vpn', '-n', namespace]);
  const kubeconfigFor = (user: typeof nina) => plane.kubeconfigFor({ user: user.user, groups: [...user.groups] });
  return {
    cluster,
    as: async (user, ...command) =>
      plane.kubectl(await kubeconfigFor({ user: user.user, groups: [...user.groups] }), command),
    applyAs: async (user, text) =>
      plane.kubectl(await kubeconfigFor({ user: user.user, groups: [...user.groups] }), ['create', '-f', '-'], {
        stdin: text,
      }),
  };
}

/** What a test leaves is not there for the next one, but for its namespaces. */
async function cleared(plane: ControlPlane, cluster: GuardedCluster): Promise<void> {
  const admin = (...command: string[]) => plane.kubectl(plane.adminKubeconfig, command);
  await admin('delete', 'exemptions', '--all');
  await admin('delete', 'pods', '--all', '--namespace=north-web', '--force', '--grace-period=0');
  await cluster.stop();
  await admin('delete', 'validatingwebhookconfigurations,mutatingwebhookconfigurations', '--all');
}

const vpn = readFileSync(join(folder, 'objects/01-vpn.yaml'), 'utf8');
const mesh = readFileSync(join(folder, 'objects/02-mesh-without-cni-plugin.yaml'), 'utf8');

await clusterTest('exemptions', async (t, plane) => {
  await installTenantResource(plane);
  await t.test('an exemption ends to the moment, and tells of it', (t) => ends(t, plane));
  await t.test('one workload may do what the others may not', (t) => oneWorkload(t, plane));
  await t.test('what is exempted in a running pod keeps to its images', (t) => images(t, plane));
  await t.test('the on-call engineer debugs a pod of a tenant', (t) => debugged(t, plane));
  await t.test('the backstop honours exemptions without Bulkhead', (t) => backstopAlone(t, plane));
});

async function oneWorkload(t: Test, plane: ControlPlane): Promise<void> {
  const { cluster, as, applyAs } = await stage(t, plane);
  const gone = (name: string) => as(nina, 'delete', 'pod', name, '-n', 'north-web', '--force', '--grace-period=0');
  const isRefused = async (text: string, by: typeof nina, check: RegExp, sentence: string) => {
    let answer: Output = { code: 0, stdout: '', stderr: '' };
    await eventually(sentence, async () => {
      answer = await applyAs(by, text);
      // Until the baseline is there, every pod is refused with another reason.
      return !/not isolated|try again|not known/.test(answer.stderr);
    });
    t.equal(answer.code, 1, sentence);
    t.match(answer.stderr, check, sentence);
  };
  const allow = (written: Written) => cluster.kubectl('platform', ['apply', '-f', '-'], exemption(written));
  const isAdmitted = (text: string, by: typeof nina, sentence: string) =>
    eventually(sentence, async () => (await applyAs(by, text)).code === 0);

  await isRefused(vpn, nina, /NET_ADMIN lets the container change or leave its network/, 'the VPN is refused');
  await isRefused(mesh, replicaSets, /NET_ADMIN/, 'so is the init container of a mesh');

  const own = await applyAs(nina, exemption({ name: 'own', match: { names: ['vpn-0'] } }));
  t.match(own, { code: 1, stderr: /would be created by nina, who is no platform identity/ }, 'EXM-01: not by a tenant');
  const identity = await allow({ name: 'identity', checks: ['foreign-namespace'], match: { names: ['vpn-0'] } });
  t.match(identity, { code: 1, stderr: /Unsupported value: "foreign-namespace"/ }, 'EXM-02: identity is not exempted');
  const malformed: readonly (readonly [sentence: string, written: Written, message: RegExp])[] = [
    ['nor is a whole namespace', { name: 'bad', match: { kinds: ['Pod'] } }, /matches every object of the namespace/],
    [
      'an owner makes pods',
      { name: 'bad', match: { owner: 'Service/web' } },
      /is no workload of Kubernetes that makes/,
    ],
    [
      'one of another API group only with the account of its controller',
      { name: 'bad', match: { owner: 'Deployment.example.com/web' } },
      /add requesters: the account of the controller/,
    ],
    ['an image is whole', { name: 'bad', match: { images: ['r/vpn:'] } }, /is no image, so nothing matches it/],
    [
      'an owner and a requester never match together',
      { name: 'bad', match: { owner: 'Deployment/web', requesters: [{ kind: 'User', name: 'ona' }] } },
      /owner and requesters cannot match together/,
    ],
    [
      'images belong to pods',
      { name: 'bad', match: { kinds: ['NetworkPolicy'], images: ['web'] } },
      /say something about pods/,
    ],
    [
      'a requester is not everybody',
      { name: 'bad', match: { requesters: [{ kind: 'Group', name: 'system:authenticated' }] } },
      /is everybody; list those who are meant/,
    ],
    [
      'Tenants are not exempted',
      { name: 'bad', match: { kinds: ['Tenant'], names: ['a'] } },
      /Unsupported value: "Tenant"/,
    ],
  ];
  for (const [sentence, written, message] of malformed)
    t.match(await allow(written), { code: 1, stderr: message }, sentence);

  t.match(await allow({ name: 'vpn', match: { serviceAccounts: ['vpn'], images: ['registry.example.com/vpn'] } }), {
    code: 0,
    stderr: '',
  });
  await isAdmitted(vpn, nina, 'the VPN is admitted');
  const copy = (change: (text: string) => string) => change(vpn.replace('vpn-0', 'vpn-1'));
  const other = copy((text) => text.replace('serviceAccountName: vpn, ', ''));
  await isRefused(other, nina, /NET_ADMIN/, 'EXM-02: another workload in that namespace is refused');
  const image = copy((text) => text.replace('registry.example.com/vpn', 'registry.example.com/vpn-evil'));
  await isRefused(image, nina, /NET_ADMIN/, 'EXM-05: another image is refused');
  const rider = copy((text) =>
    text.replace(
      'containers: [',
      'containers: [{ name: rider, image: nginx, securityContext: { capabilities: { add: [NET_RAW] } } }, ',
    ),
  );
  await isRefused(rider, nina, /NET_RAW/, 'EXM-04: a second container is refused');
  await isRefused(vpn.replace('north-web', 'north-jobs'), nina, /NET_ADMIN/, 'another namespace too');
  t.match(
    await cluster.metrics(),
    /bulkhead_exemptions_used_total\{check="network-capabilities"\} [1-9]/,
    'it is counted',
  );

  t.match(await allow({ name: 'mesh', match: { owner: 'Deployment/basket' } }), { code: 0 });
  const owned = (name: string) =>
    `${mesh}`.replace(
      'namespace: north-web,',
      `namespace: north-web, ownerReferences: [{ apiVersion: apps/v1, kind: ReplicaSet, name: ${name}, uid: 8b9f6e4c-1, controller: true }],`,
    );
  await isAdmitted(owned('basket-5d8'), replicaSets, 'the pod of the Deployment is admitted');
  await gone('basket-5d8-k3');
  await isRefused(owned('basket-5d8'), nina, /NET_ADMIN/, 'EXM-03: not with an owner that a tenant wrote');
  await isRefused(owned('basket-evil-5d8'), replicaSets, /NET_ADMIN/, 'nor of another Deployment');

  const removed = await cluster.kubectl('platform', ['delete', 'exemption', 'mesh']);
  t.match(removed, { code: 0 });
  await eventually('without the exemption it is refused again', async () => {
    const { code } = await applyAs(replicaSets, owned('basket-5d8'));
    if (code === 0) await gone('basket-5d8-k3');
    return code === 1;
  });
}

async function ends(t: Test, plane: ControlPlane): Promise<void> {
  const own = await plane.request('POST', '/api/v1/namespaces', { metadata: { name: 'bulkhead-system' } });
  t.equal(own.status, 201);
  const { cluster, as, applyAs } = await stage(t, plane);
  const lasts = 15_000;
  const ends = Date.now() + lasts;
  const written = exemption({ name: 'vpn', match: { names: ['vpn-0'] }, lasts });
  const applied = await cluster.kubectl('platform', ['apply', '-f', '-'], written);
  t.match(
    applied,
    { code: 0, stderr: /Warning: exemption-document: spec.expires is within a week/ },
    'a warning says so',
  );
  await eventually('it is admitted', async () => (await applyAs(nina, vpn)).code === 0);
  const ready = async () => {
    const path = '-o=jsonpath={.status.conditions[0].status} {.status.conditions[0].reason}';
    return (await cluster.kubectl('platform', ['get', 'exemption', 'vpn', path])).stdout;
  };
  await eventually('its status says that it ends soon', async () => (await ready()) === 'True EndsSoon');
  const events = async () => (await as(nina, 'get', 'events', '-n', 'north-web')).stdout;
  await eventually('so does an Event for those who work there', async () => /ExemptionEndsSoon/.test(await events()));
  await as(nina, 'delete', 'pod', 'vpn-0', '-n', 'north-web', '--force', '--grace-period=0');
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, ends - Date.now()) + 100));
  t.match(await applyAs(nina, vpn), { code: 1, stderr: /NET_ADMIN/ }, 'EXM-02: after its end the VPN is refused');
  await eventually('its status says that it has expired', async () => (await ready()) === 'False Expired');
  await eventually('so does an Event', async () => /ExemptionExpired/.test(await events()));

  const astray = exemption({ name: 'astray', match: { names: ['a'] }, namespace: 'south-data' });
  const nothing = await cluster.kubectl('platform', ['apply', '-f', '-'], astray);
  t.match(
    nothing,
    { code: 0, stderr: /south-data is not a namespace of tenant north/ },
    'one that matches nothing is told',
  );
  const ours = ['get', 'events', '-n', 'bulkhead-system', '-o=jsonpath={range .items[*]}{.reason}: {.message}{end}'];
  await eventually('so does an Event', async () =>
    /ExemptionMatchesNothing: exemption astray: .*south-data is not a namespace of tenant north/.test(
      (await cluster.kubectl('platform', ours)).stdout,
    ),
  );
  const theirs = await cluster.kubectl('platform', ['get', 'events', '-n', 'south-data', '-o=name']);
  t.match(theirs, { code: 0, stdout: '' }, 'the owner of that namespace does not read of it');

  const late = exemption({ name: 'late', match: { names: ['a'] }, lasts: -1 });
  t.match(
    await cluster.kubectl('platform', ['apply', '-f', '-'], late),
    { code: 0, stderr: /Warning: exemption-document: spec\.expires has passed, so nothing is exempted/ },
    'one that has expired is warned of',
  );
}

async function images(t: Test, plane: ControlPlane): Promise<void> {
  const { cluster, as, applyAs } = await stage(t, plane);
  const allow = async (written: Written) =>
    t.match(await cluster.kubectl('platform', ['apply', '-f', '-'], exemption(written)), { code: 0 }, written.name);
  const checks = ['host-network'];
  await allow({ name: 'vpn', checks, match: { images: ['registry.example.com/vpn'] } });
  const onNode = (name: string) =>
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'north-web' },
      spec: { hostNetwork: true, containers: [{ name: 'main', image: 'registry.example.com/vpn:1' }] },
    });
  await eventually('the pod is there', async () => (await applyAs(nina, onNode('tunnel'))).code === 0);
  const set = (image: string) => as(nina, 'set', 'image', 'pod/tunnel', '-n', 'north-web', `main=${image}`);
  const debug = (who: typeof nina, image: string) => as(who, 'debug', 'tunnel', '-n', 'north-web', `--image=${image}`);
  t.match(await set('registry.example.com/vpn:2'), { code: 0 }, 'another version is admitted');
  const refused = {
    code: 1,
    stderr: /spec\.hostNetwork\n.*\n {4}fix: leave the images as they are.*\n {4}host-network, docs/,
  };
  t.match(await set('nginx'), refused, 'EXM-06: another image is refused');
  t.match(await debug(nina, 'nginx'), refused, 'EXM-06: so is a container that is added');
  t.match(await debug(nina, 'registry.example.com/vpn:2'), { code: 0 }, 'one of the exempted image is not');
  t.match(await debug(ona, 'registry.example.com/netshoot'), refused, 'nor may the on-call engineer');
  await allow({ name: 'on-call', checks, match: { requesters: [{ kind: 'Group', name: 'on-call' }] } });
  await eventually(
    'who needs an exemption',
    async () => (await debug(ona, 'registry.example.com/netshoot')).code === 0,
  );

  for (const name of ['vpn', 'on-call']) await cluster.kubectl('platform', ['delete', 'exemption', name]);
  await eventually('without it the image stays', async () => (await set('registry.example.com/vpn:3')).code === 1);
  t.match(await set('registry.example.com/vpn:3'), refused);
  for (const command of [
    ['label', 'pod', 'tunnel', 'app=tunnel'],
    ['annotate', 'pod', 'tunnel', 'note=old'],
    ['patch', 'pod', 'tunnel', '--type=merge', '-p', '{"metadata":{"finalizers":["example.org/stays"]}}'],
    ['patch', 'pod', 'tunnel', '--type=merge', '-p', '{"metadata":{"finalizers":null}}'],
    ['patch', 'pod', 'tunnel', '--type=merge', '-p', '{"spec":{"activeDeadlineSeconds":900}}'],
    ['patch', 'pod', 'tunnel', '--subresource=status', '--type=merge', '-p', '{"status":{"message":"old"}}'],
    ['delete', 'pod', 'tunnel', '--force', '--grace-period=0'],
  ])
    t.match(await as(nina, ...command, '-n', 'north-web'), { code: 0 }, `${command.join(' ')}: it is not stuck`);
}

async function debugged(t: Test, plane: ControlPlane): Promise<void> {
  const { cluster, as, applyAs } = await stage(t, plane);
  const text = readFileSync(join(folder, 'objects/03-on-call.yaml'), 'utf8');
  const [web, debugged] = parseAllDocuments(text).map((document) => JSON.stringify(document.toJS()));
  await eventually('the pod is there', async () => (await applyAs(nina, `${web}`)).code === 0);
  const kubeconfig = await plane.kubeconfigFor({ user: 'oncall', groups: ['platform-team'] });
  const raw = ['replace', '--raw', '/api/v1/namespaces/north-web/pods/web/ephemeralcontainers', '-f', '-'];
  const replace = () => plane.kubectl(kubeconfig, raw, { stdin: `${debugged}` });
  t.match(await replace(), { code: 1, stderr: /NET_ADMIN/ }, 'the platform itself is refused by default');
  const platform = {
    images: ['registry.example.com/netshoot'],
    requesters: [{ kind: 'Group', name: 'platform-team' }],
  };
  const theirs = exemption({ name: 'platform', checks: ['ephemeral-containers'], match: platform });
  t.match(await cluster.kubectl('platform', ['apply', '-f', '-'], theirs), { code: 0 });
  await eventually('an exemption lets it', async () => (await replace()).code === 0);

  const debug = (who: typeof nina, image = 'registry.example.com/netshoot') =>
    as(who, 'debug', 'web', '-n', 'north-web', `--image=${image}`, '--profile=netadmin', '--target=web');
  t.match(await debug(ona), { code: 1, stderr: /NET_ADMIN/ }, 'it is refused by default');
  const match = {
    images: ['registry.example.com/netshoot'],
    requesters: [{ kind: 'Group', name: 'on-call' }],
  };
  const written = exemption({ name: 'on-call', checks: ['ephemeral-containers'], match });
  t.match(await cluster.kubectl('platform', ['apply', '-f', '-'], written), { code: 0 });
  await eventually('the engineer may', async () => (await debug(ona)).code === 0);
  t.match(await debug(nina), { code: 1, stderr: /NET_ADMIN/ }, 'the tenant may not');
  t.match(await debug(ona, 'nginx'), { code: 1, stderr: /NET_ADMIN/ }, 'nor the engineer with another image');
}

async function backstopAlone(t: Test, plane: ControlPlane): Promise<void> {
  await everybodyMayDoEverything(plane);
  const kubectl = (command: readonly string[], stdin = '') => plane.kubectl(plane.adminKubeconfig, command, { stdin });
  for (const part of ['tenants', 'namespaces'])
    t.match(await kubectl(['apply', '-f', join(folder, part)]), { code: 0 }, part);
  const matches = {
    image: { images: ['registry.example.com/vpn'] },
    deployment: { owner: 'Deployment/basket', images: ['registry.example.com/basket:1'] },
    ona: { requesters: [{ kind: 'Group', name: 'on-call' }] },
    widget: {
      owner: 'Widget.example.com/cache',
      requesters: [{ kind: 'ServiceAccount', namespace: 'widgets', name: 'operator' }],
    },
  };
  for (const [name, match] of Object.entries(matches)) {
    const checks =
      name === 'image' ? ['network-capabilities', 'host-network'] : ['network-capabilities', 'ephemeral-containers'];
    t.match(await kubectl(['create', '-f', '-'], exemption({ name, checks, match })), { code: 0 }, name);
  }
  const printed = await backstop({ tenants: undefined, config }, plane.adminKubeconfig);
  const applied = await kubectl(['apply', '-f', '-'], printed);
  t.match(applied, { code: 0 }, 'it can be applied');
  t.notMatch(applied.stderr, /Warning/, 'and its expressions fit the types');

  const pod = (spec: object, ownerReferences: readonly object[] = [], namespace = 'north-web') =>
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { generateName: 'a-', namespace, ownerReferences },
      spec,
    });
  const strong = (image: string, name = 'main') => ({ name, image, securityContext: { privileged: true } });
  const plain = (image: string) => ({ name: 'plain', image });
  const by = (name: string, kind = 'ReplicaSet', apiVersion = 'apps/v1') => [
    { apiVersion, kind, name, uid: '8b9f6e4c-1', controller: true },
  ];
  const operator = { user: 'system:serviceaccount:widgets:operator', groups: ['system:serviceaccounts'] };
  const widget = pod({ containers: [strong('nginx')] }, by('cache', 'Widget', 'example.com/v1'));
  const vpnImage = strong('registry.example.com/vpn:2');
  const basket = { containers: [strong('registry.example.com/basket:1')] };
  const cases: readonly (readonly [sentence: string, admitted: boolean, who: typeof nina, pod: string])[] = [
    ['another image is refused', false, nina, pod({ containers: [strong('nginx')] })],
    ['the image is admitted', true, nina, pod({ containers: [vpnImage] })],
    ['beside a container without privilege', true, nina, pod({ containers: [vpnImage, plain('nginx')] })],
    ['EXM-04: not beside one with', false, nina, pod({ containers: [vpnImage, strong('nginx', 'rider')] })],
    [
      'EXM-04: nor with an init container',
      false,
      nina,
      pod({ containers: [vpnImage], initContainers: [strong('nginx', 'i')] }),
    ],
    [
      'EXM-05: an image that begins so is refused',
      false,
      nina,
      pod({ containers: [strong('registry.example.com/vpn-2')] }),
    ],
    ['EXM-02: in another namespace', false, nina, pod({ containers: [vpnImage] }, [], 'north-jobs')],
    ['EXM-02: in one of another tenant', false, nina, pod({ containers: [vpnImage] }, [], 'south-data')],
    ['EXM-02: another check', false, nina, pod({ hostPID: true, containers: [vpnImage] })],
    ['the network of the node, with that image alone', true, nina, pod({ hostNetwork: true, containers: [vpnImage] })],
    [
      'not with another image in the pod',
      false,
      nina,
      pod({ hostNetwork: true, containers: [vpnImage, plain('nginx')] }),
    ],
    ['the pod of a Deployment', true, replicaSets, pod(basket, by('basket-5d8'))],
    ['EXM-03: not when a tenant sends it', false, nina, pod(basket, by('basket-5d8'))],
    ['EXM-03: nor for another Deployment', false, replicaSets, pod(basket, by('basket-evil-5d8'))],
    [
      'EXM-03: nor for a ReplicaSet of another group',
      false,
      replicaSets,
      pod(basket, by('basket-5d8', 'ReplicaSet', 'example.com/v1')),
    ],
    ['a kind of another group', true, operator, widget],
    ['EXM-03: not when a tenant sends it', false, nina, widget],
    ['nor another group', false, operator, widget.replace('example.com/v1', 'example.org/v1')],
    ['nor another object', false, operator, widget.replace('cache', 'other')],
    [
      'nor a kind that looks like one with its group',
      false,
      operator,
      pod({ containers: [strong('nginx')] }, by('cache', 'Widget.example', 'com/v1')),
    ],
    ['a requester', true, ona, pod({ containers: [strong('nginx')] })],
  ];
  const create = async (user: typeof nina, text: string) =>
    plane.kubectl(await plane.kubeconfigFor(user), ['create', '-f', '-', '--dry-run=server'], { stdin: text });
  const [, , first, refused] = cases[0] ?? [];
  if (first === undefined || refused === undefined) throw new Error('there is no first case');
  await eventually('the rules are in force', async () => (await create(first, refused)).code === 1);
  for (const [sentence, admitted, who, text] of cases) {
    const { code, stderr } = await create(who, text);
    t.equal(code, admitted ? 0 : 1, sentence, { stderr });
    if (!admitted) t.match(stderr, /ValidatingAdmissionPolicy 'bulkhead-/, sentence);
  }
  const own = await create(nina, exemption({ name: 'own', match: { names: ['a'] } }));
  t.match(own, { code: 1, stderr: /'bulkhead-exemption-writers'/ }, 'EXM-01: a tenant writes none');
  const platform = { user: 'paul', groups: ['platform-team'] };
  t.match(await create(platform, exemption({ name: 'own', match: { names: ['a'] } })), { code: 0 }, 'the platform may');
}
