/**
 * Bulkhead as it is installed: the commands of docs/how-to/install.md, the objects that kustomize makes, the real process
 * with the rights of its service account, called by the API server through its Service.
 */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Test } from 'tap';
import { understoodResources } from '../../src/admission/decode.ts';
import { runCommandLine } from '../../src/commands/command-line.ts';
import { optionalResources } from '../../src/configuration/expected-rules.ts';
import type { DoctorReport } from '../../src/report/doctor-report.ts';
import type { ControlPlane, Output } from '../apiserver/control-plane.ts';
import { privateNetworkTest } from '../apiserver/private-network.ts';
import { openPolicy } from '../helm/release.ts';
import { everybodyMayDoEverything } from './guarded-cluster.ts';
import { projectFolder, shellBlocks } from './project-folder.ts';
import { type RunningPod, request, runPods, until } from './stand-in-kubelet.ts';

const mergePatch = 'application/merge-patch+json';
/** What kubelets send. */
const strategicPatch = 'application/strategic-merge-patch+json';
const web = '/api/v1/namespaces/acme-web/pods/web';
const selector = { namespace: 'bulkhead-system', selector: 'app.kubernetes.io/name=bulkhead' };
const program = [process.execPath, resolve('src/main.ts')] as const;
const objects = 'manifests/overlays/objects/kustomization.yaml';
const alice = { user: 'alice', groups: ['acme-developers'] };

await privateNetworkTest(
  import.meta.url,
  'installed as the manual says',
  async (t, plane) => {
    const shell = await projectFolder(t, plane);
    const [installation = [], emergency = [], removal = []] = await shellBlocks('docs/how-to/install.md');
    const [apply = '', rollout = '', closed = ''] = installation;
    succeeded(t, apply, await shell(apply));
    const pods = await runPods(plane, selector, ['10.0.1.2', '10.0.1.3'], program);
    for (const command of [rollout, closed]) succeeded(t, command, await shell(command));
    await everybodyMayDoEverything(plane);
    const kubeconfig = await plane.kubeconfigFor(alice);
    // While the pods started, handshakes were let pass.
    const passed = await passedUnasked(plane);

    await t.test('the rules name resources that exist', (t) => realResources(t, plane));
    await t.test('doctor finds nothing wrong with the webhooks', (t) => wellCalled(t, plane));
    await t.test('tenants are kept apart', (t) => keptApart(t, plane, kubeconfig));
    await t.test('only writes that change metadata are judged', (t) => judgedWrites(t, plane, kubeconfig, pods));
    t.strictSame(await passedUnasked(plane), passed, 'since it fails closed nothing has passed unasked');
    await t.test('the rights of the service account are enough', (t) => enoughRights(t, plane));
    for (const pod of pods) await pod.kill();
    await t.test('without Bulkhead nobody is locked out', (t) => notLockedOut(t, plane, pods));
    await t.test('one command takes it out of the way', async (t) => {
      for (const command of emergency) succeeded(t, command, await shell(command));
      const status = async () => (await plane.request('POST', '/api/v1/namespaces/acme-web/pods', pod('freed'))).status;
      await until(async () => (await status()) === 201, 'pods to be admitted again');
    });
    await t.test('and then it can be removed', async (t) => {
      for (const command of removal) succeeded(t, command, await shell(command));
      const at = async (path: string) => (await plane.request('GET', path)).status;
      t.equal(await at('/api/v1/namespaces/bulkhead-system'), 404, 'its namespace is gone');
      const policies = '/apis/networking.k8s.io/v1/namespaces/acme-web/networkpolicies';
      t.equal(await at(`${policies}/bulkhead-default-deny`), 200, 'tenants stay closed');
    });
    await t.test('an overlay alone can be applied as well, with nothing else installed', async (t) => {
      const applied = 'kubectl apply -k manifests/overlays/self-managed';
      succeeded(t, applied, await shell(applied));
      await until(async () => (await podNames(plane)).length === 2, 'its pods, which the restricted standard admits');
    });
    await t.test('the overlay for tenants as objects, as far as a first denial', async (t) => {
      // The pods of the other overlay have never run, and must not be taken for those of this one.
      const command = 'kubectl -n bulkhead-system delete deployment bulkhead --cascade=foreground';
      succeeded(t, command, await shell(command));
      const [applied = '', given = ''] = await commandsOfObjects();
      succeeded(t, applied, await shell(applied));
      await plane.request('DELETE', '/api/v1/nodes/stand-in');
      const others = await runPods(plane, selector, ['10.0.1.4', '10.0.1.5'], program);
      t.teardown(() => Promise.all(others.map((pod) => pod.kill())));
      for (const command of [rollout, closed]) succeeded(t, command, await shell(command));
      await firstDenial(t, plane, kubeconfig, async () => succeeded(t, given, await shell(given)));
    });
  },
  { apiServerFlags: ['--enable-aggregator-routing=true'] },
);

/** What the head of the overlay says: how it is applied, and its tenants. */
async function commandsOfObjects(): Promise<readonly string[]> {
  return [...(await readFile(objects, 'utf8')).matchAll(/^# {3}(kubectl .*)$/gm)].map(([, command = '']) => command);
}

/** @param apply creates the tenants as objects */
async function firstDenial(
  t: Test,
  plane: ControlPlane,
  kubeconfig: string,
  apply: () => Promise<void>,
): Promise<void> {
  const metadata = { name: 'acme-objects' };
  const create = () => plane.request('POST', '/api/v1/namespaces', { metadata }, { kubeconfig });
  t.match(await create(), { status: 403, text: /no owner/ }, 'alice is a member of no tenant yet');
  await apply();
  await until(async () => (await create()).status === 201, 'the tenant to be in force');
  const { body } = await plane.request('GET', '/api/v1/namespaces/acme-objects');
  t.match(body, { metadata: { labels: { 'bulkhead.dev/tenant': 'acme' } } });
  const { code, stderr } = await plane.kubectl(kubeconfig, ['-n', 'acme-objects', 'create', '-f', '-'], {
    stdin: JSON.stringify({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', ...openPolicy }),
  });
  t.equal(code, 1, 'a policy that opens the border is refused');
  t.match(stderr, 'NetworkPolicy acme-objects/open: allows traffic from other tenants (tenant acme, hard isolation)');
}

/** The rest of the cluster has no nodes, and no network plugin. */
async function wellCalled(t: Test, plane: ControlPlane): Promise<void> {
  const lines: string[] = [];
  const settings = [
    '--config',
    'manifests/overlays/example/bulkhead.yaml',
    '--tenants',
    'manifests/overlays/example/tenants',
  ];
  const surroundings = { print: (line: string) => lines.push(line), environment: {} };
  await runCommandLine(['doctor', '-o', 'json', '--kubeconfig', plane.adminKubeconfig, ...settings], surroundings);
  const { findings, notLookedAt } = JSON.parse(lines.join('\n')) as DoctorReport;
  const about = findings.filter(({ id }) => /^(webhook|certificate|replicas|disruption)-/.test(id));
  t.match(about, [{ id: 'certificate-not-seen', where: 'service bulkhead-system/bulkhead:443' }]);
  t.equal(about.length, 1);
  t.strictSame(notLookedAt, []);
}

async function realResources(t: Test, plane: ControlPlane): Promise<void> {
  const served = new Set<string>();
  for (const version of [
    'v1',
    'apps/v1',
    'batch/v1',
    'networking.k8s.io/v1',
    'discovery.k8s.io/v1',
    'rbac.authorization.k8s.io/v1',
    'bulkhead.dev/v1alpha1',
  ]) {
    const { body } = await plane.request('GET', version === 'v1' ? '/api/v1' : `/apis/${version}`);
    for (const { name } of (body as { readonly resources: readonly { readonly name: string }[] }).resources)
      served.add(`${version}/${name}`);
  }
  // Not every cluster has the kinds of Cilium.
  for (const resource of understoodResources)
    t.ok(served.has(resource) || optionalResources.has(resource), `${resource} is served (R2)`);
}

async function keptApart(t: Test, plane: ControlPlane, kubeconfig: string): Promise<void> {
  succeeded(t, 'a namespace', await plane.kubectl(kubeconfig, ['apply', '-f', example('namespace-acme-web')]));
  const namespace = await plane.request('GET', '/api/v1/namespaces/acme-web');
  t.match(namespace.body, { metadata: { labels: { 'bulkhead.dev/tenant': 'acme' } } }, 'gets the label of its tenant');
  const policies = '/apis/networking.k8s.io/v1/namespaces/acme-web/networkpolicies';
  const closed = async () => (await plane.request('GET', `${policies}/bulkhead-default-deny`)).status === 200;
  await until(closed, 'the default-deny policy');
  t.pass('and is closed');
  const account = '/api/v1/namespaces/acme-web/serviceaccounts/default';
  await until(async () => (await plane.request('GET', account)).status === 200, 'the account of its pods');
  succeeded(t, 'a pod', await plane.kubectl(kubeconfig, ['apply', '-f', example('pod-web')]));
  const stored = await plane.request('GET', web);
  t.match(stored.body, { metadata: { labels: { 'bulkhead.dev/tenant': 'acme' } } }, 'gets it as well');
  const { code, stderr } = await plane.kubectl(kubeconfig, ['apply', '-f', example('pod-on-the-node')]);
  t.equal(code, 1, 'a pod on the network of its node is refused');
  t.match(stderr, 'admission webhook "validate.bulkhead.dev" denied the request:');
  t.match(stderr, 'Pod acme-web/probe: uses the network of its node (tenant acme, hard isolation)');
  t.match(stderr, 'spec.hostNetwork', 'and the refusal says why');
}

async function judgedWrites(
  t: Test,
  plane: ControlPlane,
  kubeconfig: string,
  pods: readonly RunningPod[],
): Promise<void> {
  const write = async (method: string, path: string, body: unknown, as = kubeconfig) => {
    const before = await podReviews(pods);
    const contentType = method === 'PATCH' ? strategicPatch : 'application/json';
    const { status, body: answer } = await plane.request(method, path, body, { contentType, kubeconfig: as });
    return { status, reviews: (await podReviews(pods)) - before, text: JSON.stringify(answer) };
  };
  const label = (value: string) => ({ metadata: { name: 'web', labels: { 'bulkhead.dev/tenant': value } } });
  const topology = { 'topology.kubernetes.io/zone': 'a', 'kubernetes.io/hostname': 'stand-in' };
  const target = { target: { kind: 'Node', name: 'stand-in' } };
  const conditions = [{ type: 'Ready', status: 'True' }];

  t.match(
    await write('PATCH', `${web}/status`, { status: { phase: 'Running', conditions } }),
    { status: 200, reviews: 0 },
    'what a kubelet reports is not',
  );
  t.match(
    await write('PATCH', `${web}/status`, { ...label('beta'), status: { phase: 'Running' } }),
    { status: 403, reviews: 1, text: 'pod-tenant-label' },
    'a status that brings a label is (ADM-01)',
  );
  for (const path of [`${web}/binding`, '/api/v1/namespaces/acme-web/bindings']) {
    t.match(
      await write('POST', path, { ...label('beta'), ...target }),
      { status: 403, reviews: 1, text: 'pod-tenant-label' },
      'a Binding that brings a label is (ADM-02)',
    );
  }
  const plain = { metadata: { name: 'web' }, ...target };
  t.match(
    await write('POST', `${web}/binding`, plain),
    { status: 403, reviews: 1, text: 'pod-scheduler' },
    'and so is a plain one of somebody who is no scheduler (POD-09)',
  );
  const scheduler = await plane.kubeconfigFor({ user: 'system:kube-scheduler' });
  const annotated = { metadata: { name: 'web', annotations: { 'cni.projectcalico.org/ipAddrs': '["10.244.9.9"]' } } };
  t.match(
    await write('POST', `${web}/binding`, { ...annotated, ...target }, scheduler),
    { status: 403, reviews: 1, text: 'reserved-labels' },
    'and what the scheduler itself would write to the pod with it',
  );
  t.match(
    await write('POST', `${web}/binding`, { metadata: { name: 'web', labels: topology }, ...target }, scheduler),
    { status: 201, reviews: 0 },
    'a Binding as the scheduler makes it is not',
  );
  const resized = { containers: [{ name: 'web', resources: { requests: { cpu: '200m' } } }] };
  t.match(
    await write('PATCH', `${web}/resize`, { ...label('beta'), spec: resized }),
    { status: 200, reviews: 0 },
    'a resize is not',
  );
  t.match(
    (await plane.request('GET', web)).body,
    { metadata: { labels: { 'bulkhead.dev/tenant': 'acme' } }, spec: resized },
    'because the API server takes no metadata from it',
  );

  const metrics = await plane.metrics();
  const samples = (name: string) => metrics.split('\n').filter((line) => line.startsWith(name) && !line.endsWith(' 0'));
  const prefix = 'apiserver_admission_match_condition';
  t.not(samples(`${prefix}_exclusions_total{`).length, 0, 'the API server evaluates the conditions');
  t.strictSame(samples(`${prefix}_evaluation_errors_total`), [], 'without an error (R4)');
}

/** What was refused to the service account, were it only once, would stand in the audit log. */
async function enoughRights(t: Test, plane: ControlPlane): Promise<void> {
  const account = 'system:serviceaccount:bulkhead-system:bulkhead';
  const events = (await plane.auditEvents()).filter(({ user }) => user.username === account);
  const uses = (verb: string, resource: string) =>
    events.some((event) => event.verb === verb && event.objectRef?.resource === resource);
  for (const resource of ['namespaces', 'networkpolicies', 'resourcequotas'])
    t.ok(uses('list', resource) || uses('watch', resource), `${resource} are followed`);
  for (const kind of ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'])
    t.ok(uses('list', kind) && uses('patch', kind), `${kind} are followed and completed`);
  for (const verb of ['get', 'create', 'list']) t.ok(uses(verb, 'secrets'), `${verb} of the Secret is used`);
  t.ok(uses('patch', 'networkpolicies') && uses('patch', 'resourcequotas'), 'the baseline is applied');
  // What the webhook refuses is the handshake; test/e2e/rights.test.ts looks at the rights one by one.
  const refused = events.filter(({ annotations }) => annotations?.['authorization.k8s.io/decision'] === 'forbid');
  t.strictSame(
    refused.map(({ verb, requestURI }) => `${verb} ${requestURI}`),
    [],
    'and nothing was forbidden',
  );
}

async function notLockedOut(t: Test, plane: ControlPlane, pods: readonly RunningPod[]): Promise<void> {
  const refused = await plane.request('POST', '/api/v1/namespaces/acme-web/pods', pod('late'));
  t.match(JSON.stringify(refused.body), 'failed calling webhook', 'what a tenant creates is refused');
  const writes: readonly [what: string, method: string, path: string, body: unknown][] = [
    ['a pod of kube-system', 'POST', '/api/v1/namespaces/kube-system/pods', pod('dns')],
    [
      'a policy of kube-system',
      'POST',
      '/apis/networking.k8s.io/v1/namespaces/kube-system/networkpolicies',
      { metadata: { name: 'dns' }, spec: { podSelector: {} } },
    ],
    [
      'the lease of a node',
      'POST',
      '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases',
      { metadata: { name: 'stand-in' }, spec: { holderIdentity: 'stand-in' } },
    ],
    ['a node', 'PATCH', '/api/v1/nodes/stand-in', { metadata: { labels: { pool: 'blue' } } }],
    ['the status of a tenant’s pod', 'PATCH', `${web}/status`, { status: { reason: 'Evicted' } }],
    [
      'a Deployment of a tenant',
      'POST',
      '/apis/apps/v1/namespaces/acme-web/deployments',
      {
        metadata: { name: 'later' },
        spec: {
          selector: { matchLabels: { app: 'later' } },
          template: {
            metadata: { labels: { app: 'later' } },
            spec: { containers: [{ name: 'main', image: 'busybox' }] },
          },
        },
      },
    ],
    ['a ConfigMap of a tenant', 'POST', '/api/v1/namespaces/acme-web/configmaps', { metadata: { name: 'later' } }],
    [
      'the settings of Bulkhead',
      'PATCH',
      '/api/v1/namespaces/bulkhead-system/configmaps/bulkhead-settings',
      { metadata: { annotations: { mended: 'true' } } },
    ],
    [
      'the registration itself',
      'PATCH',
      '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/bulkhead',
      { metadata: { annotations: { mended: 'true' } } },
    ],
  ];
  for (const [what, method, path, body] of writes) {
    const contentType = method === 'PATCH' ? mergePatch : 'application/json';
    const { status, body: answer } = await plane.request(method, path, body, { contentType });
    t.equal(status, method === 'POST' ? 201 : 200, `${what} can be written`, { answer: JSON.stringify(answer) });
  }
  const own = '/api/v1/namespaces/bulkhead-system/pods';
  for (const { name } of pods) await request(plane, 'DELETE', `${own}/${name}?gracePeriodSeconds=0`, undefined);
  await until(async () => (await podNames(plane)).length === pods.length, 'new pods of Bulkhead');
  t.pass('Bulkhead gets new pods');
}

async function podNames(plane: ControlPlane): Promise<string[]> {
  const { body } = await plane.request('GET', '/api/v1/namespaces/bulkhead-system/pods');
  return (body as { items: { metadata: { name: string } }[] }).items.map(({ metadata }) => metadata.name);
}

async function passedUnasked(plane: ControlPlane): Promise<string[]> {
  return (await plane.metrics())
    .split('\n')
    .filter((line) => line.startsWith('apiserver_admission_webhook_fail_open_count{'));
}

function pod(name: string): object {
  // The quota of tenant acme counts these.
  const resources = { requests: { cpu: '10m', memory: '16Mi' } };
  return { metadata: { name }, spec: { containers: [{ name: 'main', image: 'busybox', resources }] } };
}

function example(name: string): string {
  return resolve(`manifests/examples/objects/${name}.yaml`);
}

/** How often a replica was asked about a Pod, mutate and validate together. */
async function podReviews(pods: readonly RunningPod[]): Promise<number> {
  let count = 0;
  for (const { address, portOf } of pods) {
    const metrics = await (await fetch(`http://${address}:${portOf('metrics')}/metrics`)).text();
    for (const [, value] of metrics.matchAll(/^bulkhead_reviews_total\{[^}]*kind="Pod"[^}]*\} (\d+)$/gm))
      count += Number(value);
  }
  return count;
}

function succeeded(t: Test, what: string, { code, stdout, stderr }: Output): void {
  t.equal(code, 0, what, { stdout, stderr });
}
