/** The chart in a cluster, by the commands of docs/how-to/helm.md: installed, upgraded, rolled back, taken out of the way, uninstalled. */
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Test } from 'tap';
import { version as bulkheadVersion } from '../../src/commands/build.ts';
import { foundOrSkip } from '../apiserver/cluster-test.ts';
import type { ControlPlane } from '../apiserver/control-plane.ts';
import { privateNetworkTest } from '../apiserver/private-network.ts';
import { findHelm, type HelmVersion, helmVersions } from '../helm/helm.ts';
import {
  closeByHand,
  configurations,
  isGone,
  isRefused,
  keepTrying,
  narrow,
  openPolicy,
  ownedFields,
  refusedOnce,
  remains,
  watchConfigurations,
} from '../helm/release.ts';
import { eventually } from '../soak/observer.ts';
import { routing } from '../soak/soak-network.ts';
import { everybodyMayDoEverything } from './guarded-cluster.ts';
import { projectFolder, shellBlocks } from './project-folder.ts';
import { type RunningPod, replacePods, runPods } from './stand-in-kubelet.ts';

const page = 'docs/how-to/helm.md';
const selector = { namespace: 'bulkhead-system', selector: 'app.kubernetes.io/name=bulkhead' };
const program = [process.execPath, `--import=${resolve('test/soak/quick-trust.ts')}`, resolve('src/main.ts')] as const;
const policies = '/apis/networking.k8s.io/v1/namespaces/acme-web/networkpolicies';
const podsOfAcme = '/api/v1/namespaces/acme-web/pods';
const podOfAcme = { metadata: { name: 'web' }, spec: { containers: [{ name: 'web', image: 'example.org/web' }] } };
const definition = 'customresourcedefinition tenants.bulkhead.dev';
const policyKind = 'validatingadmissionpolicies';
const kept = [
  'APIService <none> v1alpha1.bulkhead.dev',
  ...['exemptions', 'gaterequests', 'tenants'].map((one) => `CustomResourceDefinition <none> ${one}.bulkhead.dev`),
];
const alice = { user: 'alice', groups: ['acme-developers'] };
const name = 'the chart in a cluster';
/** After a rollback to the first revision, in milliseconds. */
const mostOpen = 10_000;

const helms = await Promise.all(helmVersions.map((version) => foundOrSkip(name, () => findHelm(version))));
if (!helms.includes(undefined))
  await privateNetworkTest(
    import.meta.url,
    name,
    async (t, plane) => {
      await everybodyMayDoEverything(plane);
      for (const version of helmVersions) await t.test(`Helm ${version}`, (t) => life(t, plane, version));
    },
    { apiServerFlags: [routing] },
  );

async function life(t: Test, plane: ControlPlane, version: HelmVersion): Promise<void> {
  const helm = await findHelm(version);
  if ('missing' in helm) throw new Error(helm.missing);
  const shell = await projectFolder(t, plane, [dirname(helm.path)]);
  const run = async (command: string): Promise<string> => {
    const { code, stdout, stderr } = await shell(command);
    t.equal(code, 0, command, { stdout, stderr });
    return stdout;
  };
  const [
    installs = [],
    objects = [],
    settings = [],
    upgrades = [],
    rollbacks = [],
    emergencies = [],
    removals = [],
    leftovers = [],
    ,
    moves = [],
  ] = await shellBlocks(page);
  const [install = '', ...waits] = installs;
  const [upgrade = ''] = upgrades;
  const [rollback = ''] = rollbacks;
  const [uninstall = ''] = removals;
  const [move = ''] = moves;
  const inObjects = version === 4;
  // What Helm 3 overwrites, Helm 4 reports.
  const forced = version === 4 ? ' --force-conflicts' : '';
  const values = resolve(plane.directory, `values-${version}.yaml`);
  const withValues = (command: string): string => command.replace('values.yaml', values);
  const kubeconfig = await plane.kubeconfigFor(alice);
  let last = version * 10;
  // One replica is enough for the rest, and takes less time.
  const replicas = version === 4 ? 2 : 1;
  const [shown, tenants] = (await filesOfPage()).map((text) =>
    text.replace(
      'namespaces: { prefix: acme- }',
      'namespaces: { prefix: acme-, resourceQuota: { hard: { pods: "0" } } }',
    ),
  ) as [string, string];
  const others = `${shown.slice(0, shown.indexOf('tenancy:'))}tenancy: { from: objects }\n`;
  await writeFile(values, `${inObjects ? others : shown}replicas: ${replicas}\n`);
  const objectFile = resolve(plane.directory, 'tenants.yaml');
  await writeFile(objectFile, tenants);
  const addresses = (): string[] => Array.from({ length: replicas }, () => `10.0.1.${++last}`);

  const absent = resolve(plane.directory, `absent-${version}.yaml`);
  const withAbsent = (command: string): string => command.replace('values.yaml', absent);
  await writeFile(absent, `${withoutSettings(shown)}existingSettings: { configMap: absent }\n`);
  // The namespace comes with the chart, and the ConfigMap after it.
  await run(`${withAbsent(install)} --dry-run=server`);
  const notes = await run(withValues(install));
  t.match(notes, `Bulkhead ${bulkheadVersion} is installed.`);
  for (const command of [...waits, ...emergencies]) t.match(notes, command, 'the notes say what to do next');
  t.notMatch(notes, /There is no tenant yet|no platform identities/, 'and nothing that does not hold');
  let pods: readonly RunningPod[] = await runPods(plane, selector, addresses(), program);
  t.teardown(() => Promise.all(pods.map((pod) => pod.kill())));
  for (const command of waits) await run(command);
  if (inObjects) for (const command of objects) await run(command.replace('tenants.yaml', objectFile));
  await openForAcme(plane);
  await isRefused(plane, kubeconfig);
  const owned = await ownedFields(plane);

  const backstop = '--set-file backstop=manifests/examples/backstop.yaml';

  /** @returns what the webhooks were like meanwhile */
  const throughout = async (t: Test, command: string, replaced: boolean) => {
    const attempts = keepTrying(plane, kubeconfig);
    const versions = await watchConfigurations(plane);
    await run(command);
    if (replaced) pods = await replacePods(plane, selector, pods, addresses(), program);
    for (const wait of waits.slice(replaced ? 0 : 1)) await run(wait);
    const { refused, admitted } = await attempts.stop();
    t.strictSame(admitted, [], `nothing is admitted, and Bulkhead has refused ${refused} attempts`);
    t.ok(refused > 3, 'which are several');
    return versions.stop();
  };

  await t.test('an upgrade opens nothing, and changes what it brings', async (t) => {
    await run(`sed -i 's/timeoutSeconds: 5/timeoutSeconds: 6/' manifests/helm/bulkhead/templates/webhooks-*.yaml`);
    await run(`sed -i 's/Which namespaces the tenant may have/Upgraded/' manifests/helm/bulkhead/templates/crds.yaml`);
    await run(`sed -i 's/^version: .*/version: 0.1.1/' manifests/helm/bulkhead/Chart.yaml`);
    const { ignoring } = await throughout(t, `${withValues(upgrade)} --set podAnnotations.upgrade=one`, true);
    t.strictSame(ignoring, [], 'no webhook is ever Ignore');
    t.strictSame(await ownedFields(plane), owned, 'what Bulkhead owns stays');
    t.strictSame(await timeouts(plane), [2, 6], 'the rest is upgraded');
    t.match(await run(`kubectl get ${definition} -o yaml`), 'Upgraded', 'definitions too');
  });

  await t.test(
    'an upgrade without the values of before is refused, and a release in a namespace of a tenant',
    async (t) => {
      const bare = withValues(upgrade).replace(/ --values \S+/, ' --set replicas=3');
      const { code, stderr } = await shell(bare);
      t.equal(code, 1);
      t.match(stderr, /settings is empty, and the settings in force are not; an upgrade needs all your values again/);
      const inTenant = await shell(withValues(install).replace('kube-system', 'acme-web'));
      t.equal(inTenant.code, 1, 'nor is a release that a tenant could write');
      t.match(
        inTenant.stderr,
        /cannot be in acme-web, a namespace of tenant acme: members who write the Secret of a release/,
      );
      if (inObjects) return;
      t.match(
        (await shell(`${bare} --set settings.mesh=none`)).stderr,
        /tenancy\.tenants is empty, and there are tenants/,
      );
    },
  );

  await t.test('settings in a ConfigMap that does not exist are refused, and those in force stay', async (t) => {
    for (const command of [upgrade, install.replace('install bulkhead', 'install another')]) {
      const { code, stderr } = await shell(withAbsent(command));
      t.equal(code, 1, command);
      t.match(stderr, /existingSettings\.configMap is absent, and bulkhead-system has no ConfigMap.*apply it first/);
    }
    t.match(await run('kubectl -n bulkhead-system get configmaps -o name'), 'configmap/bulkhead-settings\n');
  });

  await t.test('a rollback', async (t) => {
    await run(`${withValues(upgrade)} --set podAnnotations.upgrade=one ${backstop}`);
    t.not(await run(`kubectl get ${policyKind} -o name`), '', 'the backstop is there');
    t.strictSame((await throughout(t, rollback, false)).ignoring, [], 'no webhook is ever Ignore');
    t.equal(await run(`kubectl get ${policyKind} -o name`), '', 'and gone');
    const first = rollback.replace('bulkhead', 'bulkhead 1');
    if (version === 4) {
      const { code, stderr } = await shell(first);
      t.equal(code, 1);
      t.match(stderr, /conflict.*"bulkhead-selector"/s, 'the first revision contradicts what Bulkhead has written');
    }
    // The exception of docs/decisions/0033: as after an installation, until Bulkhead writes its own again.
    const { ignoring, mendedAfter } = await throughout(t, first + forced, false);
    t.not(ignoring.length, 0, 'what the first revision has is applied');
    t.ok(mendedAfter < mostOpen, `and mended after ${Math.round(mendedAfter)} ms`);
    t.strictSame(await timeouts(plane), [2, 5], 'to the beginning');
    t.strictSame(await ownedFields(plane), owned, 'what Bulkhead owns is as it was');
    t.notMatch(await run(`kubectl get ${definition} -o yaml`), 'Upgraded', 'definitions too');
  });

  if (version === 3) {
    await t.test('settings move to a ConfigMap of the platform, whose changes are noticed', async (t) => {
      const [, , document = '', named = ''] = await filesOfPage();
      const file = resolve(plane.directory, 'settings.yaml');
      const apply = async (text: string): Promise<void> => {
        await writeFile(file, text);
        for (const command of settings) await run(command.replace('settings.yaml', file));
      };
      await apply(document);
      await writeFile(values, `${withoutSettings(shown)}${named}replicas: ${replicas}\n`);
      t.strictSame((await throughout(t, withValues(upgrade), true)).ignoring, [], 'no webhook is ever Ignore');
      const names = await run('kubectl -n bulkhead-system get configmaps -o name');
      t.match(names, 'configmap/platform-settings\n');
      t.notMatch(names, 'bulkhead-settings');
      const bare = await shell(withValues(upgrade).replace(/ --values \S+/, ' --set tenancy.from=objects'));
      t.match(bare.stderr, /settings is empty, and the settings in force are not.*platform-settings/s);
      await apply(document.replace('spec:\n', 'spec:\n      docsURL: https://wiki.example/bulkhead\n'));
      for (const pod of pods) await pod.refresh();
      await eventually('it is in force without an upgrade', async () =>
        (await plane.request('POST', `${policies}?dryRun=All`, openPolicy, { kubeconfig })).text.includes(
          'https://wiki.',
        ),
      );
    });
  }

  // Helm 4 writes every object, Helm 3 what has changed; what it overwrites, Helm 4 reports. So the harder cases are those of Helm 4.
  if (version === 4) {
    await t.test('one command takes it out of the way, and an upgrade brings it back', async (t) => {
      for (const command of emergencies) await run(command);
      await eventually('a policy is admitted', async () => (await open(plane, kubeconfig)) === 201);
      await run(withValues(upgrade));
      await run(waits[1] ?? '');
      await isRefused(plane, kubeconfig);
      t.equal((await ownedFields(plane)).length, owned.length);
    });

    await t.test('an upgrade repairs it while it is down', async (t) => {
      for (const pod of pods) await pod.kill();
      await eventually('calls fail', async () => (await open(plane, kubeconfig)) === 500);
      await run(`${withValues(upgrade)} --set podAnnotations.upgrade=repair ${backstop}`);
      t.match(await run('kubectl -n bulkhead-system get deployment bulkhead -o yaml'), 'upgrade: repair');
    });
  }

  if (version === 3) {
    await t.test('Helm 4 upgrades what Helm 3 has installed', async (t) => {
      const next = await findHelm(4);
      if ('missing' in next) throw new Error(next.missing);
      const { ignoring } = await throughout(t, withValues(upgrade).replace(/^helm/, next.path), false);
      t.strictSame(ignoring, [], 'no webhook is ever Ignore');
    });
  }

  await t.test('an uninstallation leaves what belongs to others, and nothing that refuses', async (t) => {
    if (version === 4) await refusedOnce(t, plane, () => shell(uninstall));
    // The page says to run it again where an API server has still called a webhook that is deleted.
    if ((await shell(uninstall)).code !== 0) await run(uninstall);
    for (const pod of pods) await pod.kill();
    await isGone(plane);
    t.strictSame(await remains(t, run), kept, 'nothing is left but the definitions');
    t.equal(await run('kubectl get tenants -o name'), inObjects ? 'tenant.bulkhead.dev/acme\n' : '');
    const policy = `${policies}/bulkhead-default-deny`;
    t.equal((await plane.request('GET', policy)).status, 200, 'tenants stay isolated');
    t.equal(await open(plane, kubeconfig), 201, 'nothing is refused');
    t.match(
      await plane.request('POST', podsOfAcme, podOfAcme),
      { status: 403, text: /bulkhead-quota/ },
      'but by a quota',
    );
    for (const command of leftovers) await run(command);
    t.equal((await plane.request('POST', podsOfAcme, podOfAcme)).status, 201, 'which one command deletes');
    t.equal((await plane.request('GET', policy)).status, 404, 'with all else that was managed');
    await plane.request('DELETE', `${podsOfAcme}/${podOfAcme.metadata.name}?gracePeriodSeconds=0`);
    await plane.request('DELETE', '/api/v1/nodes/stand-in');
  });

  if (version === 3) return;
  await t.test('it takes over what kustomize has applied', async (t) => {
    await run('kubectl apply -k manifests/overlays/self-managed');
    await closeByHand(plane);
    await run(withValues(move) + forced);
    const [webhook] = (await ownedFields(plane)).filter((one) => one.webhook === 'bulkhead validate.bulkhead.dev');
    t.match(webhook, { failurePolicy: 'Fail', namespaceSelector: narrow }, 'and leaves the webhooks as they are');
  });
}

function withoutSettings(values: string): string {
  return values.slice(0, values.indexOf('settings:')) + values.slice(values.indexOf('tenancy:'));
}

/** The namespace of acme; it is there already when the second Helm comes. */
async function openForAcme(plane: ControlPlane): Promise<void> {
  const metadata = { name: 'acme-web', labels: { 'bulkhead.dev/tenant': 'acme' } };
  const created = async () => (await plane.request('POST', '/api/v1/namespaces', { metadata })).status;
  await eventually('tenant acme is known', async () => [201, 409].includes(await created()));
  const policy = `${policies}/bulkhead-default-deny`;
  await eventually('it is isolated', async () => (await plane.request('GET', policy)).status === 200);
}

async function open(plane: ControlPlane, kubeconfig: string): Promise<number> {
  return (await plane.request('POST', `${policies}?dryRun=All`, openPolicy, { kubeconfig })).status;
}

async function timeouts(plane: ControlPlane): Promise<readonly number[]> {
  const all = (await configurations(plane)).flatMap(({ webhooks }) => webhooks.map((one) => one.timeoutSeconds));
  return [...new Set(all)].sort();
}

/** The files that the page shows: the values, a tenant as an object, settings as an object, and the values that name these. */
async function filesOfPage(): Promise<readonly string[]> {
  const found = (await readFile(page, 'utf8')).matchAll(/^```yaml\n([\s\S]*?)^```$/gm);
  return [...found].map(([, text = '']) => text);
}
