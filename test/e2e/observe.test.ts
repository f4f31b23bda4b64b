/** `enforcement: observe` on a real API server, as kubectl shows it; and that `enforce` begins where it ends, without a restart. */
import { cp, readFile, writeFile } from 'node:fs/promises';
import { clusterTest } from '../apiserver/cluster-test.ts';
import { applyConfigurations, everybodyMayDoEverything, people, startBulkhead } from './guarded-cluster.ts';
import { request, until } from './stand-in-kubelet.ts';

const onTheNodeNetwork = `
apiVersion: v1
kind: Pod
metadata: { name: NAME, namespace: acme-web, labels: { io.cilium.k8s.policy.cluster: other } }
spec: { hostNetwork: true, containers: [{ name: main, image: nginx }] }
`;
const open = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: NAME, namespace: acme-web }
spec: { podSelector: {}, ingress: [{ from: [{ namespaceSelector: {} }] }] }
`;

await clusterTest('observe', async (t, plane) => {
  const config = `${plane.directory}/settings.yaml`;
  const settings = await readFile('manifests/overlays/example/bulkhead.yaml', 'utf8');
  const say = (enforcement: 'observe' | 'enforce') =>
    writeFile(config, settings.replace(/^spec:$/m, `spec:\n  enforcement: ${enforcement}`));
  await say('observe');
  const tenants = `${plane.directory}/tenants`;
  await cp('manifests/overlays/example/tenants', tenants, { recursive: true });
  const beta = await readFile(`${tenants}/beta.yaml`, 'utf8');
  await writeFile(`${tenants}/beta.yaml`, beta.replace(/^spec:$/m, 'spec:\n  mode: audit'));
  for (const [name, labels] of [
    ['bulkhead-system', {}],
    ['acme-web', { 'bulkhead.dev/tenant': 'acme' }],
    ['beta-data', { 'bulkhead.dev/tenant': 'beta' }],
  ] as const)
    await request(plane, 'POST', '/api/v1/namespaces', { metadata: { name, labels } });
  await everybodyMayDoEverything(plane);
  const running = await startBulkhead(plane, plane.adminKubeconfig, { config, tenants, managesWebhooks: true });
  t.teardown(() => running.stop());
  await applyConfigurations(plane, running.ports.webhook, `${plane.directory}/certificates/ca.crt`);
  const alice = await plane.kubeconfigFor(people.alice);
  const apply = (manifest: string, name: string) =>
    plane.kubectl(alice, ['create', '-f', '-'], { stdin: manifest.replace('NAME', name) });
  const itemsOf = async (path: string) => {
    const { body } = await plane.request('GET', path);
    return (body as { items: { reason?: string; message?: string; metadata: { name: string } }[] }).items;
  };
  /** The keys that the selectors of the webhooks inside namespaces ask for. */
  const selectedBy = async () => {
    const { body } = await plane.request(
      'GET',
      '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/bulkhead',
    );
    const { webhooks } = body as { webhooks: { namespaceSelector: { matchExpressions: { key: string }[] } }[] };
    return [
      ...new Set(webhooks.map((one) => one.namespaceSelector.matchExpressions.map(({ key }) => key).join())),
    ].join(' and ');
  };
  // The webhook of the mesh selects by name.
  const ofTenants = 'kubernetes.io/metadata.name,bulkhead.dev/tenant and kubernetes.io/metadata.name';
  const failurePolicies = async () => {
    const list = await itemsOf('/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations');
    const webhooks = list.flatMap((one) => (one as unknown as { webhooks: { failurePolicy: string }[] }).webhooks);
    return [...new Set(webhooks.map(({ failurePolicy }) => failurePolicy))].sort().join();
  };
  let attempts = 0;
  const asked = async (manifest: string, says: RegExp) =>
    says.test((await apply(manifest, `try-${attempts++}`)).stderr);

  await t.test('what would be refused is created, and kubectl shows why and the fix', async (t) => {
    await until(() => asked(onTheNodeNetwork, /would refuse/), 'the API server to ask Bulkhead');
    const pod = await apply(onTheNodeNetwork, 'node');
    t.equal(pod.code, 0);
    t.match(pod.stderr, /^Warning: host-network would refuse this: spec\.hostNetwork is true/m);
    t.match(pod.stderr, /^Warning: host-network: fix: remove hostNetwork/m);
    const policy = await apply(open, 'open');
    t.equal(policy.code, 0);
    t.match(policy.stderr, /^Warning: cross-tenant-ingress would refuse this: /m);
    const { body } = await plane.request('GET', '/api/v1/namespaces/acme-web/pods/node');
    t.notMatch(body, { metadata: { labels: { 'bulkhead.dev/tenant': 'acme' } } }, 'no label is added');
  });

  await t.test('Events name what would be refused, and who writes reserved keys', async (t) => {
    const messages = async (namespace: string, reason: string) =>
      (await itemsOf(`/api/v1/namespaces/${namespace}/events`))
        .filter((event) => event.reason === reason)
        .map(({ message }) => message ?? '');
    await until(async () => (await messages('acme-web', 'WouldBeRefused')).length === 1, 'the Event');
    t.match(await messages('acme-web', 'WouldBeRefused'), [
      /^(Pod|NetworkPolicy) acme-web\/\S+ of alice would be refused: /,
    ]);
    await until(async () => (await messages('bulkhead-system', 'ReservedKeyWritten')).length > 0, 'the pair');
    t.match(await messages('bulkhead-system', 'ReservedKeyWritten'), [
      'alice writes the reserved key io.cilium.* on a Pod',
    ]);
  });

  await t.test('of a tenant in mode audit it says what its mode enforce would refuse', async (t) => {
    const onAPort = onTheNodeNetwork
      .replace('acme-web', 'beta-data')
      .replace(/labels: {.*?}/, 'labels: {}')
      .replace('hostNetwork: true, ', '')
      .replace('image: nginx', 'image: nginx, ports: [{ containerPort: 80, hostPort: 80 }]');
    const counted = async () => {
      const text = await (await fetch(`http://127.0.0.1:${running.ports.metrics}/metrics`)).text();
      return Number(/^bulkhead_findings_total\{check="host-ports",mode="observe"\} (\d+)$/m.exec(text)?.[1] ?? 0);
    };
    const before = await counted();
    const bob = await plane.kubeconfigFor(people.bob);
    const { code, stderr } = await plane.kubectl(bob, ['create', '-f', '-'], { stdin: onAPort.replace('NAME', 'b') });
    t.equal(code, 0);
    t.match(
      stderr,
      /^Warning: host-ports would refuse this in mode enforce: spec\.containers\[0\]\.ports\[0\]\.hostPort is 80/m,
    );
    t.match(stderr, /^Warning: host-ports: fix: /m);
    const told = async () =>
      (await itemsOf('/api/v1/namespaces/beta-data/events')).flatMap(({ reason, message }) =>
        reason === 'WouldBeRefused' ? message : [],
      );
    await until(async () => (await told()).length === 1, 'the Event');
    t.match(await told(), [
      /^Pod beta-data\/b of bob would be refused in mode enforce \(beta is in mode audit\): host-ports: /,
    ]);
    t.equal(await counted(), before + 1, 'the metric');
  });

  await t.test('nothing is put in place, and webhooks stay Ignore', async (t) => {
    const policies = await itemsOf('/apis/networking.k8s.io/v1/namespaces/acme-web/networkpolicies');
    t.notOk(policies.some(({ metadata }) => metadata.name.startsWith('bulkhead-')));
    t.equal(await failurePolicies(), 'Ignore');
    t.equal(await selectedBy(), 'kubernetes.io/metadata.name', 'every namespace is selected');
  });

  await t.test('enforce refuses, puts the baseline in place and sets Fail, without a restart', async (t) => {
    await say('enforce');
    await until(async () => (await failurePolicies()) === 'Fail,Ignore', 'the webhooks to get Fail', 60_000);
    t.equal(await selectedBy(), ofTenants, 'those of tenants are selected');
    await until(() => asked(onTheNodeNetwork, /denied the request/), 'the denial');
    t.match((await apply(open, 'open-again')).stderr, /denied the request: NetworkPolicy acme-web\/open-again: /);
    const baseline = '/apis/networking.k8s.io/v1/namespaces/acme-web/networkpolicies/bulkhead-default-deny';
    await until(async () => (await plane.request('GET', baseline)).status === 200, 'the baseline', 30_000);
  });

  await t.test('back to observe: an Event says that the default-deny policy stays', async (t) => {
    await say('observe');
    const kept = async () =>
      (await itemsOf('/api/v1/namespaces/acme-web/events')).find(({ reason }) => reason === 'BaselineKept')?.message;
    await until(async () => (await kept()) !== undefined, 'the Event', 30_000);
    t.match(
      await kept(),
      /^bulkhead-default-deny stays, although the settings say observe; to open the namespace delete it: kubectl/,
    );
    await until(() => asked(open, /would refuse/), 'observe');
    t.equal(await selectedBy(), ofTenants, 'with Fail those of tenants');
    await applyConfigurations(plane, running.ports.webhook, `${plane.directory}/certificates/ca.crt`);
    t.equal(await failurePolicies(), 'Ignore', 'the manifests are applied again');
    await until(async () => (await selectedBy()) === 'kubernetes.io/metadata.name', 'every namespace to be selected');
  });
});
