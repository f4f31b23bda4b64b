/** Who writes a workload whose pods will be refused is told by kubectl, and is never held up. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type WorkloadKind, workloadKinds } from '../../src/kubernetes/workload.ts';
import type { ControlPlane } from '../apiserver/control-plane.ts';
import { eventually } from '../soak/observer.ts';
import { guardedTest } from './guarded-cluster.ts';

const labels = { app: 'agent' };
/** The quota of the example tenant counts requests. */
const resources = { requests: { cpu: '10m', memory: '8Mi' } };
const main = { name: 'main', image: 'busybox', resources };
const merge = { contentType: 'application/merge-patch+json' };
const deployments = '/apis/apps/v1/namespaces/acme-web/deployments';
const warning =
  'Warning: host-network refuses the pods: spec.template.spec.hostNetwork is true: the pod would use the address of its node, whi...';

/** The defaults that the API server does not fill in are those of the kind. */
function workload(kind: WorkloadKind, spec: object, name = kind.toLowerCase(), metadata: object = {}) {
  const onceOnly = kind === 'Job' || kind === 'CronJob';
  const template = {
    metadata: { labels },
    spec: { containers: [main], ...(onceOnly && { restartPolicy: 'Never' }), ...spec },
  };
  const specs: Readonly<Record<WorkloadKind, object>> = {
    CronJob: { schedule: '0 0 1 1 *', jobTemplate: { spec: { template } } },
    DaemonSet: { selector: { matchLabels: labels }, template },
    Deployment: { selector: { matchLabels: labels }, template },
    Job: { template },
    ReplicaSet: { selector: { matchLabels: labels }, template },
    ReplicationController: { selector: labels, template },
    StatefulSet: { selector: { matchLabels: labels }, serviceName: 'agent', template },
  };
  const apiVersion = onceOnly ? 'batch/v1' : kind === 'ReplicationController' ? 'v1' : 'apps/v1';
  return { apiVersion, kind, metadata: { name, namespace: 'acme-web', ...metadata }, spec: specs[kind] };
}

await guardedTest('kubectl warns about workloads whose pods will be refused', async (t, cluster) => {
  const { plane } = cluster;
  const { code, stderr } = await cluster.kubectl('alice', ['create', 'namespace', 'acme-web']);
  t.equal(code, 0, stderr);
  const create = (object: object, ...options: string[]) =>
    cluster.kubectl('alice', ['create', ...options, '-f', '-'], JSON.stringify(object));

  for (const kind of workloadKinds) {
    const bad = workload(kind, { hostNetwork: true });
    const place = kind === 'CronJob' ? 'spec.jobTemplate.spec.template' : 'spec.template';
    for (const options of [['--dry-run=server'], []]) {
      const told = await create(bad, ...options);
      t.equal(told.code, 0, `${kind}: it is admitted ${told.stderr}`);
      const lines = told.stderr.split('\n').filter((line) => line.startsWith('Warning: '));
      t.equal(lines.length, 2, `${kind}: there is one warning, and its fix ${told.stderr}`);
      t.match(lines[1], 'Warning: host-network: fix: ', kind);
      t.match(lines[0], `Warning: host-network refuses the pods: ${place}.spec.hostNetwork is true: `, kind);
    }
  }
  t.match(
    (await create(workload('Deployment', { hostNetwork: true }, 'again'))).stderr,
    `${warning}\n`,
    'to the letter',
  );
  // Of a message, kubectl prints the first line.
  await eventually('its pods are refused, and kubectl get events says why', async () => {
    const { stdout } = await cluster.kubectl('alice', ['get', 'events', '-n', 'acme-web']);
    return /FailedCreate .*: uses the network of its node \(tenant acme, hard isolation\)/.test(stdout);
  });
  const good = await create(workload('Deployment', {}, 'good'));
  t.strictSame([good.code, good.stderr], [0, ''], 'a good one is admitted without a word');

  await t.test('kubectl create deployment is warned of the quota, and a LimitRange gives it its pods', async (t) => {
    const deployment = ['create', 'deployment', 'plain', '--image=busybox', '-n', 'acme-web'];
    const plain = await cluster.kubectl('alice', deployment);
    t.equal(plain.code, 0, 'it is admitted');
    t.equal(
      plain.stderr,
      'Warning: quota-without-requests: spec.template.spec.containers[0] needs requests of cpu and memory, or a LimitRange\n' +
        'Warning: quota-without-requests: fix: state them, or ask for a LimitRange in the namespace that sets defaults\n',
    );
    const pods = () => cluster.kubectl('alice', ['get', 'pods', '-n', 'acme-web', '-l', 'app=plain', '-o', 'name']);
    await eventually('the API server refuses its pods', async () => {
      const { stdout } = await cluster.kubectl('alice', ['get', 'events', '-n', 'acme-web', '-o', 'json']);
      return stdout.includes('failed quota: bulkhead-quota: must specify requests.cpu for: busybox');
    });
    t.equal((await pods()).stdout, '');
    const range = ['apply', '-f', 'manifests/examples/objects/limit-range.yaml'];
    t.match(await cluster.kubectl('platform', range), { code: 0, stderr: '' });
    // The controller of the ReplicaSet tries again ever more seldom.
    t.match(await cluster.kubectl('alice', ['delete', 'deployment', 'plain', '-n', 'acme-web']), { code: 0 });
    t.match(await cluster.kubectl('alice', deployment), { code: 0 });
    await eventually('with the defaults of the LimitRange it has its pod', async () => (await pods()).stdout !== '');
    t.match(await cluster.kubectl('platform', ['delete', 'limitrange', 'defaults', '-n', 'acme-web']), { code: 0 });
  });

  await t.test('who changes no template is not asked about', async (t) => {
    const asked = async (send: () => Promise<{ readonly status: number }>) => {
      const before = await warningsAsked(plane);
      const { status } = await send();
      t.ok(status === 200 || status === 201, `it is written (${status})`);
      return (await warningsAsked(plane)) - before;
    };
    const kubeconfig = await cluster.kubeconfig('alice');
    const patch = (path: string, body: object) => () =>
      plane.request('PATCH', `${deployments}/${path}`, body, { ...merge, kubeconfig });
    t.equal(await asked(patch('deployment', { metadata: { labels: { team: 'shop' } } })), 0, 'a label');
    t.equal(await asked(patch('deployment', { spec: { replicas: 3 } })), 0, 'the number of replicas');
    t.equal(await asked(patch('deployment/scale', { spec: { replicas: 2 } })), 0, 'the same by its subresource');
    t.equal(await asked(patch('deployment/status', { status: { observedGeneration: 1 } })), 0, 'the status');
    const onTheNode = { spec: { template: { spec: { hostNetwork: true } } } };
    t.equal(await asked(patch('good', onTheNode)), 1, 'but who changes one is');
    const schedule = () =>
      plane.request(
        'PATCH',
        '/apis/batch/v1/namespaces/acme-web/cronjobs/cronjob',
        { spec: { suspend: true } },
        {
          ...merge,
          kubeconfig,
        },
      );
    t.equal(await asked(schedule), 0, 'a CronJob is suspended');

    const { body } = await plane.request('GET', `${deployments}/deployment`);
    const { uid } = (body as { metadata: { uid: string } }).metadata;
    const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'deployment', uid, controller: true };
    const child = workload('ReplicaSet', { hostNetwork: true }, 'child', { ownerReferences: [owner] });
    const createChild = () =>
      plane.request('POST', '/apis/apps/v1/namespaces/acme-web/replicasets', child, { kubeconfig });
    t.equal(await asked(createChild), 0, 'nor about what a controller makes of it');
  });

  const metrics = (await plane.metrics()).split('\n');
  const errors = metrics.filter(
    (line) => line.startsWith('apiserver_admission_match_condition_evaluation_errors_total') && !line.endsWith(' 0'),
  );
  t.strictSame(errors, [], 'the conditions are evaluated without an error');

  await cluster.stop();
  const late = await create(workload('Deployment', { hostNetwork: true }, 'late'));
  t.strictSame([late.code, late.stderr], [0, ''], 'without Bulkhead it is admitted, and nobody warns');
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'late', namespace: 'acme-web' }, spec: {} };
  t.match((await create(pod, '--validate=false')).stderr, /failed calling webhook/, 'where its pod is not');
});

/** How often the API server asked for warnings; its counters follow in a moment. */
async function warningsAsked(plane: ControlPlane): Promise<number> {
  await sleep(50);
  let count = 0;
  for (const line of (await plane.metrics()).split('\n')) {
    if (!/^apiserver_admission_webhook_request_total\{.*name="warn\.bulkhead\.dev"/.test(line)) continue;
    count += Number(line.split(' ').at(-1));
  }
  return count;
}
