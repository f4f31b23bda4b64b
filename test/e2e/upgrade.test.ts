/**
 * docs/how-to/upgrade.md, executed: the version before is replaced by this one, taken back, and replaced again. All the time a tenant's
 * policy that must be refused is refused, and its pods and policies that must be admitted are admitted. Stored are Tenants, NetworkPolicies
 * and the Secret with the certificates, and on the way a Tenant gets fields that the version before does not know.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { ControlPlane } from '../apiserver/control-plane.ts';
import { privateNetworkTest } from '../apiserver/private-network.ts';
import { openPolicy } from '../helm/release.ts';
import { eventually } from '../soak/observer.ts';
import { routing } from '../soak/soak-network.ts';
import { everybodyMayDoEverything, people } from './guarded-cluster.ts';
import { copyOfProject, shellBlocks, shellIn } from './project-folder.ts';
import { type RunningPod, replacePods, request, runPods } from './stand-in-kubelet.ts';
import { keepSending, type SteadyRequest } from './steady-requests.ts';
import { checkOut, commitBefore } from './version-before.ts';

const name = 'an upgrade and a rollback';
const selector = { namespace: 'bulkhead-system', selector: 'app.kubernetes.io/name=bulkhead' };
const mine = 'manifests/overlays/mine';
const mergePatch = 'application/merge-patch+json';
const tenant = '/apis/bulkhead.dev/v1alpha1/tenants/acme';
const policiesOf = (namespace: string): string => `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`;
const secret = '/api/v1/namespaces/bulkhead-system/secrets/bulkhead-certificates';

/** Settings that both versions know. */
const settings = `apiVersion: bulkhead.dev/v1alpha1
kind: Settings
spec:
  platform: { identities: [{ kind: Group, name: platform-team }] }
  network:
    ipFamilies: [IPv4]
    podCIDRs: [10.244.0.0/16]
    serviceCIDRs: [10.96.0.0/12]
    nodeCIDRs: [192.168.0.0/16]
`;

/** Tenants are objects, and each version has an image of its own. */
const overlay = (tag: string): string => `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [../self-managed]
patches:
  - target: { kind: Deployment, name: bulkhead }
    patch: |
      - { op: test, path: /spec/template/spec/containers/0/args/1, value: --tenants=/etc/bulkhead/tenants }
      - { op: remove, path: /spec/template/spec/containers/0/args/1 }
configMapGenerator:
  - { name: bulkhead-settings, namespace: bulkhead-system, behavior: merge, files: [bulkhead.yaml] }
generatorOptions: { disableNameSuffixHash: true }
images: [{ name: bulkhead, newTag: ${tag} }]
`;

/** With fields that both versions know. */
const tenants = `apiVersion: bulkhead.dev/v1alpha1
kind: Tenant
metadata: { name: acme }
spec:
  members: [{ kind: Group, name: acme-developers }]
  namespaces: { prefix: acme-, limit: 20, resourceQuota: { hard: { requests.cpu: "40", pods: "500" } } }
  network:
    egressCIDRs: [203.0.113.0/24]
    gates: [{ tenant: beta, direction: egress, ports: [{ protocol: TCP, port: 5432 }] }]
---
apiVersion: bulkhead.dev/v1alpha1
kind: Tenant
metadata: { name: beta }
spec:
  members: [{ kind: Group, name: beta-developers }]
  network:
    within: namespace
    gates: [{ tenant: acme, direction: ingress, ports: [{ protocol: TCP, port: 5432 }] }]
`;

const resources = { requests: { cpu: '10m', memory: '16Mi' } };
const pod = { metadata: { name: 'web' }, spec: { containers: [{ name: 'main', image: 'busybox', resources }] } };
const gate = {
  metadata: { name: 'to-the-database' },
  spec: {
    podSelector: {},
    policyTypes: ['Egress'],
    egress: [
      {
        to: [{ namespaceSelector: { matchLabels: { 'bulkhead.dev/tenant': 'beta' } } }],
        ports: [{ protocol: 'TCP', port: 5432 }],
      },
    ],
  },
};
/** Selects a namespace by a name that the new version reserves for the tenant. */
const byName = {
  metadata: { name: 'by-name' },
  spec: {
    podSelector: {},
    ingress: [{ from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'shop' } } }] }],
  },
};
const onHost = { metadata: { name: 'host' }, spec: { ...pod.spec, hostNetwork: true } };

const steady: readonly SteadyRequest[] = [
  { says: 'a policy that opens the border', path: policiesOf('acme-web'), object: openPolicy, admitted: false },
  {
    says: 'a pod on the network of its node',
    path: '/api/v1/namespaces/acme-web/pods',
    object: onHost,
    admitted: false,
  },
  { says: 'a pod', path: '/api/v1/namespaces/acme-web/pods', object: pod, admitted: true },
  { says: 'a policy through a gate', path: policiesOf('acme-web'), object: gate, admitted: true },
  { says: 'a namespace', path: '/api/v1/namespaces', object: { metadata: { name: 'acme-new' } }, admitted: true },
];

const commit = commitBefore();
if (commit === undefined)
  // A checkout without history is no mistake; .github/workflows/ci.yaml fetches it, which test/docs/github.test.ts holds.
  t.pass(name, { skip: 'the version before is not in the history of this checkout: git fetch --unshallow --tags' });
else
  await privateNetworkTest(import.meta.url, name, (t, plane) => story(t, plane, commit), { apiServerFlags: [routing] });

async function story(t: Test, plane: ControlPlane, commit: string): Promise<void> {
  await everybodyMayDoEverything(plane);
  const alice = await plane.kubeconfigFor(people.alice);
  const bob = await plane.kubeconfigFor(people.bob);
  const folders = { before: await checkOut(t, commit), now: await copyOfProject(t) };
  const shells = { before: await shellIn(plane, folders.before), now: await shellIn(plane, folders.now) };
  for (const tag of ['before', 'now'] as const) {
    await mkdir(join(folders[tag], mine));
    await writeFile(join(folders[tag], mine, 'kustomization.yaml'), overlay(tag));
    await writeFile(join(folders[tag], mine, 'bulkhead.yaml'), settings);
    await writeFile(join(folders[tag], 'tenants.yaml'), tenants);
  }
  const run = async (tag: Version, command: string, code = 0): Promise<string> => {
    const output = await shells[tag](command.replaceAll('manifests/overlays/example', mine));
    t.equal(output.code, code, `${tag}: ${command}`, { ...output });
    return output.stdout + output.stderr;
  };
  const [[apply = '', ...waits] = [], [audit = ''] = []] = await shellBlocks('docs/how-to/upgrade.md');
  const program = (tag: Version) => [process.execPath, join(folders[tag], 'src/main.ts')] as const;

  let last = 1;
  const addresses = (): string[] => [`10.0.1.${++last}`, `10.0.1.${++last}`];
  await run('before', apply);
  let pods: readonly RunningPod[] = await runPods(plane, selector, addresses(), program('before'));
  const all = [...pods];
  t.teardown(() => Promise.all(all.map((pod) => pod.kill())));
  for (const wait of waits) await run('before', wait);
  await fillCluster(plane, run);
  const authority = await dataOf(plane, secret);
  const before = await namespacesOf(plane);

  /** Applies that version, replaces the pods as a Deployment does, and shows that no answer to a tenant was another meanwhile. */
  const changeTo = async (t: Test, tag: Version): Promise<void> => {
    const sending = keepSending(plane, alice, steady);
    await run(tag, apply);
    pods = await replacePods(plane, selector, pods, addresses(), program(tag), (pod) => pod.terminate());
    all.push(...pods);
    for (const wait of waits) await run(tag, wait);
    for (const [says, { right, retryable, wrong }] of await sending.stop()) {
      t.strictSame(wrong, [], `${says}: ${right} times the right answer`);
      t.ok(right > 10, `${says}: that is often`);
      t.ok(retryable.length <= right / 10, `${says}: tried again ${retryable.length} times`);
    }
    const denied = (await plane.request('GET', `${policiesOf('acme-web')}/open`)).status;
    t.equal(denied, 404, 'nothing that must be refused is stored');
    t.strictSame(await dataOf(plane, secret), authority, 'the certificates are the same');
  };

  await t.test('an upgrade', async (t) => {
    await changeTo(t, 'now');
    t.strictSame(await namespacesOf(plane), before, 'tenants are as they were');
    t.equal((await plane.request('GET', `${policiesOf('acme-web')}/stored`)).status, 200, 'policies as well');
    t.match(await conditionOf(plane), { type: 'Ready', status: 'True' });
  });

  await t.test('fields and policies that only this version knows', async (t) => {
    const { status, text } = await plane.request('POST', policiesOf('acme-web'), byName, { kubeconfig: alice });
    t.equal(status, 403, 'the name shop is not reserved for acme', { text });
    t.equal(await createShop(plane, bob), 201, 'and beta may take it');
    await reserve(plane);
    await eventually('the name is reserved', async () => {
      return (await plane.request('POST', policiesOf('acme-web'), byName, { kubeconfig: alice })).status === 201;
    });
    t.equal(await createShop(plane, bob), 403, 'beta may not any more');
    const defaults = '/api/v1/namespaces/acme-web/limitranges/bulkhead-defaults';
    await eventually('containers have defaults', async () => (await plane.request('GET', defaults)).status === 200);
  });

  await t.test('the audit of the version before says what must go first', async (t) => {
    const report = await run('before', audit, 1);
    t.match(report, /tenants\.bulkhead\.dev\/acme: spec\.namespaces\.names: is not a known field/);
    t.match(report, /tenants\.bulkhead\.dev\/acme: spec\.namespaces\.containerDefaults: is not a known field/);
    t.match(
      report,
      'acme, which is no tenant that is declared',
      'with definitions of this version it would not load the tenant',
    );
    t.match(report, /^cross-tenant-ingress .* NetworkPolicy acme-web\/by-name /m);
    await request(plane, 'DELETE', `${policiesOf('acme-web')}/by-name`, undefined);
  });

  await t.test('a rollback', async (t) => {
    await changeTo(t, 'before');
    t.strictSame(await namespacesOf(plane), before, 'the definition of before has dropped the new fields');
    t.match(await conditionOf(plane), { type: 'Ready', status: 'True' }, 'so the tenant is in force');
    t.equal(await createShop(plane, bob), 201, 'the name is free again, which is why the policy had to go');
    await run('before', audit);
  });

  await t.test('the next upgrade', async (t) => {
    // Until now etcd holds the fields, and they would come back.
    const metadata = { annotations: { 'example.com/written': 'by the platform' } };
    await request(plane, 'PATCH', tenant, { metadata }, mergePatch);
    await changeTo(t, 'now');
    t.strictSame(await namespacesOf(plane), before, 'what was dropped, and then written, stays away');
    await reserve(plane);
    await eventually('it is there when it is applied again', async () => (await createShop(plane, bob)) === 403);
    t.match(await conditionOf(plane), { type: 'Ready', status: 'True' });
  });
}

type Version = 'before' | 'now';

async function fillCluster(
  plane: ControlPlane,
  run: (tag: Version, command: string) => Promise<string>,
): Promise<void> {
  await run('before', 'kubectl apply -f tenants.yaml');
  for (const [name, owner] of [
    ['acme-web', 'acme'],
    ['beta-data', 'beta'],
  ] as const) {
    const metadata = { name, labels: { 'bulkhead.dev/tenant': owner } };
    await eventually(`tenant ${owner} is known`, async () =>
      [201, 409].includes((await plane.request('POST', '/api/v1/namespaces', { metadata })).status),
    );
    const policy = `${policiesOf(name)}/bulkhead-default-deny`;
    await eventually(`${name} is isolated`, async () => (await plane.request('GET', policy)).status === 200);
  }
  const account = '/api/v1/namespaces/acme-web/serviceaccounts/default';
  await eventually('pods have an account', async () => (await plane.request('GET', account)).status === 200);
  await request(plane, 'POST', policiesOf('acme-web'), { ...gate, metadata: { name: 'stored' } });
}

interface StoredTenant {
  readonly spec: { readonly namespaces: object };
  readonly status: { readonly conditions: readonly { readonly type: string; readonly status: string }[] };
}

async function stored(plane: ControlPlane): Promise<StoredTenant> {
  return (await plane.request('GET', tenant)).body as StoredTenant;
}

async function namespacesOf(plane: ControlPlane): Promise<object> {
  return (await stored(plane)).spec.namespaces;
}

async function conditionOf(plane: ControlPlane): Promise<object | undefined> {
  return (await stored(plane)).status.conditions.find(({ type }) => type === 'Ready');
}

/** Fields that the version before does not know; without the first, others may take the name. */
async function reserve(plane: ControlPlane): Promise<void> {
  const namespaces = { names: ['shop'], containerDefaults: { requests: { cpu: '20m' } } };
  await request(plane, 'PATCH', tenant, { spec: { namespaces } }, mergePatch);
}

/** Whether a member of beta gets a namespace of the name that acme's policy selects. */
async function createShop(plane: ControlPlane, kubeconfig: string): Promise<number> {
  const object = { metadata: { name: 'shop' } };
  return (await plane.request('POST', '/api/v1/namespaces?dryRun=All', object, { kubeconfig })).status;
}

async function dataOf(plane: ControlPlane, path: string): Promise<unknown> {
  return ((await plane.request('GET', path)).body as { readonly data: unknown }).data;
}
