import type { Test } from 'tap';
import { rules } from '../../src/backstop/backstop.ts';
import { backstop } from '../../src/commands/backstop.ts';
import { networkKindsTest } from '../apiserver/stored-definitions.ts';
import { eventually } from '../soak/observer.ts';
import { goesOn } from './outage-goes-on.ts';
import { overlaid } from './outage-overlay.ts';
import { commandsBelow, shownText, tableBelow } from './outage-page.ts';
import {
  closedDoor,
  type DeadCluster,
  deadCluster,
  guarding,
  named,
  paths,
  platformPods,
  pod,
  succeeded,
  turnOn,
} from './outage-stage.ts';
import { clusterwide, refused, waits } from './outage-stops.ts';

await networkKindsTest(
  'every replica is dead',
  async (t, plane) => {
    const cluster = await deadCluster(t, plane);
    await t.test('what goes on', (t) => whatGoesOn(t, cluster));
    await t.test('what waits', async (t) => {
      const rows = await tableBelow('What waits');
      t.strictSame(
        rows.map(([what]) => what),
        Object.keys(waits),
        'the page lists what is executed',
      );
      for (const [what, { begins }] of Object.entries(waits)) {
        await begins(cluster);
        t.pass(what);
      }
    });
    await t.test('what is refused', (t) => whatIsRefused(t, cluster));
    await t.test('an overlay lets a controller of the settings write', (t) => overlaid(t, cluster));
    await t.test('the manifests are applied again', (t) => appliedAgain(t, cluster));
    await t.test('one command turns Bulkhead off', (t) => turnOff(t, cluster));
    await t.test('while it is off, the backstop holds', (t) => backstopHolds(t, cluster));
    await t.test('the API server has nothing against the backstop', (t) => typeChecked(t, cluster));
    await t.test('Bulkhead is turned on again', async (t) => {
      succeeded(await cluster.kubectl('admin', ['apply', '-k', 'manifests/base']));
      await turnOn(cluster);
      t.match((await cluster.send('alice', 'POST', `${paths.web}/pods`, pod('late'))).text, 'failed calling webhook');
    });
    await t.test('and everything is removed', (t) => removed(t, cluster));
  },
  // The API server then looks for replicas itself, and needs no network to find that there are none.
  { apiServerFlags: ['--enable-aggregator-routing=true'] },
);

async function whatGoesOn(t: Test, cluster: DeadCluster): Promise<void> {
  const rows = await tableBelow('What continues');
  t.strictSame(
    rows.map(([what]) => what),
    Object.keys(goesOn),
    'the page lists what is executed',
  );
  for (const [what, { sends, after }] of Object.entries(goesOn)) {
    for (const [caller, method, path, body] of sends) {
      const { status, text } = await cluster.send(caller, method, path, body);
      t.ok(status < 300, `${what}: ${caller} ${method} ${path}`, { status, text });
    }
    await after?.(cluster);
    t.pass(what);
  }
}

async function whatIsRefused(t: Test, cluster: DeadCluster): Promise<void> {
  const rows = await tableBelow('What is rejected');
  t.strictSame(
    rows.map(([what]) => what),
    Object.keys(refused),
    'the page lists what is executed',
  );
  for (const [what = '', phase] of rows) {
    for (const [caller, method, path, body] of refused[what] ?? []) {
      const { status, text } = await cluster.send(caller, method, path, body);
      const sentence = `${what}: ${caller} ${method} ${path}`;
      t.equal(status, 500, sentence, { text });
      const unreached = new RegExp(
        `failed calling webhook \\\\"${phase}\\.((filtered|network|services|routes)\\.)?bulkhead\\.dev\\\\"`,
      );
      t.match(text, unreached, `${sentence}: says who was not reached`);
    }
  }
  const late = JSON.stringify({ apiVersion: 'v1', kind: 'Pod', ...pod('late') });
  const { stderr } = await cluster.kubectl('alice', ['create', '-n', 'acme-web', '-f', '-'], late);
  t.equal(stderr.trim().replace(/(svc:443\/)[^"]*/, '$1...'), await shownText(), 'the page shows what people read');
}

/** The manifests select every namespace. No version of a configuration has that and failurePolicy Fail. */
async function appliedAgain(t: Test, cluster: DeadCluster): Promise<void> {
  const before = await guarding(cluster);
  succeeded(await cluster.kubectl('admin', ['apply', '-k', 'manifests/base']));
  const after = await guarding(cluster);
  t.equal(after.length, 4);
  for (const [index, [, { metadata, webhooks }]] of after.entries()) {
    t.equal(metadata.generation, (before[index]?.[1].metadata.generation ?? 0) + 1, `${metadata.name}: one write`);
    for (const { name, failurePolicy, namespaceSelector } of webhooks) {
      t.equal(failurePolicy, 'Ignore', `${name} of ${metadata.name}`);
      t.notMatch(JSON.stringify(namespaceSelector), 'bulkhead.dev/tenant', `${name} of ${metadata.name}`);
    }
  }
  for (const [namespace, name] of platformPods) {
    const path = `${paths.namespaces}/${namespace}/pods`;
    const { status, text } = await cluster.send('admin', 'POST', path, pod(`${name}-again`));
    t.equal(status, 201, `${namespace}/${name} is created`, { text });
  }
  const { status } = await cluster.send('kubelet', 'PATCH', `${paths.web}/pods/running/status`, {
    status: { podIP: '10.244.1.9', podIPs: [{ ip: '10.244.1.9' }] },
  });
  t.equal(status, 200, 'kubelets report the addresses of pods');
  await turnOn(cluster);
}

async function turnOff(t: Test, cluster: DeadCluster): Promise<void> {
  const commands = await commandsBelow('Turn Bulkhead off');
  t.equal(commands.length, 1, 'it is one command');
  for (const command of commands) t.match(succeeded(await cluster.shell(command)), 'deleted');
  await eventually('pods are admitted', async () => {
    const { status } = await cluster.send('alice', 'POST', `${paths.web}/pods?dryRun=All`, pod('freed'));
    return status === 201;
  });
  for (const [what, { ends }] of Object.entries(waits)) {
    await ends(cluster);
    t.pass(`${what}: it goes on`);
  }
}

function namespaceOf(tenant: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'fresh', labels: { 'bulkhead.dev/tenant': tenant } },
  };
}

async function backstopHolds(t: Test, cluster: DeadCluster): Promise<void> {
  const documented = (await tableBelow('The backstop')).map(([cell = '']) => /^\[(.*)\]/.exec(cell)?.[1]);
  t.strictSame(documented, [...new Set(rules.map(({ check }) => check.id))], 'the page lists its rules');
  const web = await cluster.plane.request('GET', paths.web);
  const moved = { ...(web.body as { metadata: object }), metadata: { ...(web.body as { metadata: object }).metadata } };
  Object.assign(moved.metadata, { labels: { 'bulkhead.dev/tenant': 'beta' } });
  const hostile = pod('probe', { hostNetwork: true });
  const relabel = ['bulkhead.dev/tenant=beta', '--overwrite'];
  const door = ['networkpolicy', 'bulkhead-default-deny', '-n', 'acme-web'];
  const merge = (patch: object) => ['--type=merge', `--patch=${JSON.stringify(patch)}`];
  const attempts: readonly [who: 'alice' | 'bob', check: string, command: readonly string[], stdin?: object][] = [
    ['alice', 'tenant-label-frozen', ['label', 'namespace', 'acme-web', ...relabel]],
    ['bob', 'tenant-label-frozen', ['label', 'namespace', 'acme-web', 'bulkhead.dev/tenant-']],
    [
      'bob',
      'tenant-label-frozen',
      [
        'patch',
        'namespace',
        'acme-web',
        '--subresource=status',
        ...merge({ metadata: { labels: { 'bulkhead.dev/tenant': 'beta' } } }),
      ],
    ],
    ['alice', 'tenant-label-frozen', ['replace', '--raw', `${paths.web}/finalize`, '-f', '-'], moved],
    ['bob', 'foreign-namespace', ['create', 'namespace', 'nobodys']],
    ['bob', 'foreign-namespace', ['create', '-f', '-'], namespaceOf('acme')],
    ['bob', 'foreign-namespace', ['label', 'namespace', 'kube-system', 'team=beta']],
    ['bob', 'foreign-namespace', ['delete', 'namespace', 'kube-node-lease']],
    ['alice', 'managed-policy', ['delete', ...door]],
    ['alice', 'managed-policy', ['delete', 'networkpolicies', '--all', '-n', 'acme-web']],
    ['alice', 'managed-policy', ['patch', ...door, ...merge({ spec: { policyTypes: ['Ingress'] } })]],
    ['alice', 'managed-policy', ['label', ...door, 'app.kubernetes.io/managed-by-']],
    [
      'alice',
      'managed-policy',
      ['create', '-n', 'acme-web', '-f', '-'],
      { ...closedDoor, kind: 'NetworkPolicy', apiVersion: 'networking.k8s.io/v1', metadata: { name: 'bulkhead-mine' } },
    ],
    ['alice', 'platform-kinds', ['create', '-f', '-'], clusterwide],
    ['alice', 'platform-kinds', ['create', '-f', '-'], named('cilium.io/v2', 'CiliumNode', 'forged', { spec: {} })],
    ['alice', 'platform-kinds', ['patch', 'ciliumnode', 'stand-in', ...merge({ spec: { bootid: 'forged' } })]],
    ['alice', 'unknown-policy-kind', ['create', '-f', '-'], named('k8s.ovn.org/v1', 'ClusterEgressRule', 'open')],
    ['alice', 'host-network', ['create', '-n', 'acme-web', '-f', '-'], { ...hostile, kind: 'Pod', apiVersion: 'v1' }],
  ];
  for (const [who, check, command, stdin] of attempts) {
    const { code, stderr } = await cluster.kubectl(who, command, stdin && JSON.stringify(stdin));
    t.equal(code, 1, `${who} cannot: kubectl ${command.join(' ')}`, { stderr });
    t.match(
      stderr,
      `(${check}, docs/checks/${check}.md)`,
      `${who}: kubectl ${command.join(' ')}: is told by which check`,
    );
  }
  const written = { spec: { bootid: 'after-a-restart' } };
  succeeded(await cluster.kubectl('agent of Cilium', ['patch', 'ciliumnode', 'stand-in', ...merge(written)]));
  succeeded(await cluster.kubectl('bob', ['create', '-f', '-'], JSON.stringify(namespaceOf('beta'))));
  const tenant = '/apis/bulkhead.dev/v1alpha1/tenants/acme';
  const path = `${paths.web}/pods?dryRun=All`;
  // The page takes the tenants from files. This one reads the objects.
  const documents = await backstop({ config: 'manifests/overlays/example/bulkhead.yaml', tenants: undefined });
  const apply = ['apply', '--server-side', '--force-conflicts', '-f', '-'];
  succeeded(await cluster.kubectl('admin', apply, documents));
  const onPort = pod('port', {
    containers: [{ name: 'main', image: 'main', ports: [{ containerPort: 80, hostPort: 80 }] }],
  });
  const sends = async (body: object) => (await cluster.send('alice', 'POST', path, body)).status;
  await cluster.send('admin', 'PATCH', tenant, { spec: { mode: 'warn' } });
  await eventually('in mode warn a port of the node is admitted', async () => (await sends(onPort)) === 201);
  t.equal(await sends(hostile), 403, 'the network of the node is not, in any mode');
  await cluster.send('admin', 'PATCH', tenant, { spec: { mode: 'enforce' } });
  await eventually('in mode enforce neither is', async () => (await sends(onPort)) === 403);
  t.pass('what protects a border follows the mode of the Tenant object');
}

interface Policies {
  readonly items: readonly {
    readonly metadata: { readonly name: string; readonly generation: number };
    readonly status?: {
      readonly observedGeneration?: number;
      readonly typeChecking?: { readonly expressionWarnings?: unknown };
    };
  }[];
}

async function typeChecked(t: Test, { plane }: DeadCluster): Promise<void> {
  const path = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies';
  const read = async () => ((await plane.request('GET', path)).body as Policies).items;
  await eventually('the expressions are checked', async () =>
    (await read()).every(({ metadata, status }) => status?.observedGeneration === metadata.generation),
  );
  const items = await read();
  t.equal(items.length, rules.length, 'all of them are there');
  for (const { metadata, status } of items)
    t.strictSame(status?.typeChecking?.expressionWarnings ?? [], [], `${metadata.name}: no warnings about its types`);
}

async function removed(t: Test, cluster: DeadCluster): Promise<void> {
  const { plane, kubectl } = cluster;
  const border = `${paths.clusterPolicies}/bulkhead-acme`;
  const base = succeeded(await kubectl('admin', ['get', '-k', 'manifests/base', '-o', 'name']))
    .trim()
    .split('\n');
  t.ok(base.length > 10, `${base.length} objects were installed`);
  t.equal((await plane.request('GET', border)).status, 200, 'a border in the network is there');
  const commands = await commandsBelow('Remove everything');
  t.equal(commands.length, 5, 'in two blocks');
  for (const command of commands) {
    const { code, stdout, stderr } = await cluster.shell(command);
    t.equal(code, 0, command, { stdout, stderr });
  }
  t.equal((await plane.request('GET', border)).status, 404, 'it is gone');
  const left = await kubectl('admin', ['get', '-k', 'manifests/base', '-o', 'name', '--ignore-not-found']);
  t.equal(left.stdout.trim(), '', 'nothing of what was installed is left', { stderr: left.stderr });
  const kinds =
    'validatingadmissionpolicies,validatingadmissionpolicybindings,validatingwebhookconfigurations,mutatingwebhookconfigurations';
  const { stdout } = await kubectl('admin', ['get', kinds, '-o', 'name']);
  t.notMatch(stdout, 'bulkhead', 'nothing that stands in the way');
  const { text } = await plane.request('GET', paths.policies);
  t.notMatch(text, 'bulkhead-default-deny', 'the policies are gone');
  t.match(await plane.request('GET', `${paths.web}/pods/running`), { status: 200 }, 'what tenants run is not touched');
  t.equal((await cluster.send('alice', 'DELETE', paths.web)).status, 200, 'namespaces can be deleted');
  await eventually('and come to their end', async () => {
    for (const name of ['running', 'waiting'])
      await plane.request('DELETE', `${paths.web}/pods/${name}?gracePeriodSeconds=0`);
    return (await plane.request('GET', paths.web)).status === 404;
  });
}
