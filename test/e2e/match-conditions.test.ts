/**
 * What the match conditions leave out, and what they do not: the ordinary call of a controller is no review, and the same call with
 * something hostile in it is one, and is refused.
 */
import type { Test } from 'tap';
import { namespaceControllers } from '../../src/checks/namespace-finalize.ts';
import type { User } from '../apiserver/control-plane.ts';
import { eventually } from '../soak/observer.ts';
import { type GuardedCluster, guardedTest } from './guarded-cluster.ts';

const collections = {
  Namespace: '/api/v1/namespaces',
  Pod: '/api/v1/pods',
  NetworkPolicy: '/apis/networking.k8s.io/v1/networkpolicies',
  ResourceQuota: '/api/v1/resourcequotas',
} as const;
const everyone = ['system:serviceaccounts', 'system:authenticated'];
const [namespaceController = '', ...otherNames] = namespaceControllers;
const gone = '/api/v1/namespaces/acme-gone';
const web = '/api/v1/namespaces/acme-web';
const merge = 'application/merge-patch+json';

interface Sent {
  readonly status: number;
  /** How many reviews of that kind Bulkhead answered meanwhile. */
  readonly reviews: number;
  readonly text: string;
}

type Row = readonly [sentence: string, reviews: 0 | 1 | 2, check: string, method: string, path: string, body: unknown];

await guardedTest('what nobody guards is not asked about', async (t, cluster) => {
  const { plane } = cluster;
  await prepared(cluster);

  await t.test('namespaces', async (t) => {
    const alice = await cluster.kubeconfig('alice');
    const carol = await cluster.kubeconfig('carol');
    const status = { status: { conditions: [{ type: 'Checked', status: 'True' }] } };
    const stolen = { metadata: { labels: { 'bulkhead.dev/tenant': 'beta' } } };
    await rows(t, cluster, carol, 'Namespace', [
      ['a status that a controller reports', 0, '', 'PATCH', `${web}/status`, status],
      ['an update that changes nothing', 0, '', 'PATCH', web, { metadata: { labels: { unknown: null } } }],
    ]);
    await rows(t, cluster, alice, 'Namespace', [
      ['ADM-01: a status with a label', 1, 'tenant-label-frozen', 'PATCH', `${web}/status`, { ...status, ...stolen }],
      ['ADM-01: a label', 1, 'tenant-label-frozen', 'PATCH', web, stolen],
    ]);
    await rows(t, cluster, carol, 'Namespace', [
      [
        'TEN-03: a status with an annotation of a stranger',
        1,
        'foreign-namespace',
        'PATCH',
        `${web}/status`,
        { ...status, metadata: { annotations: { note: 'mine' } } },
      ],
      ['a finalizer', 1, 'foreign-namespace', 'PATCH', web, { metadata: { finalizers: ['example.org/stays'] } }],
      [
        'ADM-17: an owner',
        1,
        'namespace-owner-references',
        'PATCH',
        web,
        { metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'n', uid: 'u' }] } },
      ],
    ]);
  });

  await t.test('the end of a namespace', async (t) => {
    const terminating = (await plane.request('GET', gone)).body as { metadata: object };
    const inUse = (await plane.request('GET', web)).body as { metadata: object };
    const end = (namespace: { metadata: object }, metadata = {}): unknown => ({
      ...namespace,
      metadata: { ...namespace.metadata, ...metadata },
      spec: { finalizers: [] },
    });
    const labels = { 'kubernetes.io/metadata.name': 'acme-gone', 'bulkhead.dev/tenant': 'beta' };
    const finalize = `${gone}/finalize?dryRun=All`;
    const one = { user: namespaceController, groups: everyone };
    await rows(t, cluster, await kubeconfigOf(cluster, one), 'Namespace', [
      ['the namespace controller lets a namespace go', 0, '', 'PUT', finalize, end(terminating)],
      ['ADM-01: not with a label', 1, 'tenant-label-frozen', 'PUT', finalize, end(terminating, { labels })],
      [
        'not with an annotation',
        1,
        'foreign-namespace',
        'PUT',
        finalize,
        end(terminating, { annotations: { note: 'mine' } }),
      ],
      ['not one that is in use', 1, 'namespace-finalize', 'PUT', `${web}/finalize?dryRun=All`, end(inUse)],
    ]);
    for (const name of otherNames) {
      await rows(t, cluster, await kubeconfigOf(cluster, { user: name }), 'Namespace', [
        [`${name} does so in a cluster of one account`, 0, '', 'PUT', finalize, end(terminating)],
      ]);
    }
    const forged = ['alice', `${namespaceController}x`, 'system:serviceaccount:acme-web:namespace-controller'];
    for (const name of forged) {
      const kubeconfig = await kubeconfigOf(cluster, { user: name, groups: ['acme-developers', ...everyone] });
      await rows(t, cluster, kubeconfig, 'Namespace', [
        [`ADM-18: ${name} does not`, 1, 'namespace-finalize', 'PUT', finalize, end(terminating)],
      ]);
    }
  });

  await t.test('pods', async (t) => {
    const pod = `${web}/pods/web`;
    const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'kube-root-ca.crt', uid: 'u' };
    await rows(t, cluster, await cluster.kubeconfig('alice'), 'Pod', [
      ['a finalizer is put on', 0, '', 'PATCH', pod, { metadata: { finalizers: ['example.org/stays'] } }],
      ['a finalizer is taken off', 0, '', 'PATCH', pod, { metadata: { finalizers: null } }],
      ['a pod is adopted', 0, '', 'PATCH', `${pod}?dryRun=All`, { metadata: { ownerReferences: [owner] } }],
      // Reviews: mutate and validate.
      ['a label that nobody guards', 2, '', 'PATCH', pod, { metadata: { labels: { app: 'web' } } }],
      [
        'POD-10: the label of another tenant',
        2,
        'pod-tenant-label',
        'PATCH',
        pod,
        { metadata: { finalizers: ['example.org/stays'], labels: { 'bulkhead.dev/tenant': 'beta' } } },
      ],
      [
        'POD-07: an address of its own choice',
        2,
        'reserved-labels',
        'PATCH',
        pod,
        { metadata: { annotations: { 'cni.projectcalico.org/ipAddrs': '["10.0.0.1"]' } } },
      ],
    ]);
  });

  await t.test('addresses of pods', async (t) => {
    const running = `${web}/pods/running`;
    const status = `${running}/status`;
    const [podIP, hostIP] = ['10.244.1.2', '10.0.0.1'];
    const given = { phase: 'Running', podIP, podIPs: [{ ip: podIP }], hostIP, hostIPs: [{ ip: hostIP }] };
    const stolen = { podIP: '10.244.7.9', podIPs: [{ ip: '10.244.7.9' }] };
    const ready = (value: string) => ({ status: { conditions: [{ type: 'Checked', status: value }] } });
    const annotated = (value: string | null) => ({
      metadata: { annotations: { 'cni.projectcalico.org/podIP': value } },
    });
    const alice = await cluster.kubeconfig('alice');
    const as = (user: string, ...groups: string[]) => kubeconfigOf(cluster, { user, groups });
    const address = 'pod-addresses';

    await rows(t, cluster, await as('system:node:node-1', 'system:nodes'), 'Pod', [
      ['a kubelet reports the address of its pod', 0, '', 'PATCH', status, { status: given }],
      ['its plugin may write annotations with its identity', 1, '', 'PATCH', status, annotated('10.244.1.2/32')],
    ]);
    await rows(t, cluster, alice, 'Pod', [
      ['a condition of a tenant', 0, '', 'PATCH', status, ready('True')],
      ['POD-22: the address of another pod', 1, address, 'PATCH', status, { status: stolen }],
      [
        'POD-22: one more address',
        1,
        address,
        'PATCH',
        status,
        { status: { podIPs: [{ ip: podIP }, { ip: 'fd00::9' }] } },
      ],
      ['POD-22: no address', 1, address, 'PATCH', status, { status: { podIP: null, podIPs: null } }],
      [
        'POD-22: another node',
        1,
        address,
        'PATCH',
        status,
        { status: { hostIP: '10.0.0.9', hostIPs: [{ ip: '10.0.0.9' }] } },
      ],
      ['POD-22: before the pod has a node', 1, address, 'PATCH', `${web}/pods/web/status`, { status: stolen }],
      ['POD-20: an annotation', 2, address, 'PATCH', running, annotated('10.244.7.9/32')],
      ['POD-20: by its status', 1, address, 'PATCH', status, annotated('10.244.7.9/32')],
      ['POD-20: it is taken away', 1, address, 'PATCH', status, annotated(null)],
    ]);
    // Outside of the group system:nodes, whose members the API server holds to their own pods.
    for (const user of ['system:node:node-2', 'system:node:', 'system:node:node-1x'])
      await rows(t, cluster, await as(user), 'Pod', [
        [`POD-22: ${user} is not its node`, 1, address, 'PATCH', status, { status: stolen }],
        [`ADM-18: nor has it one that has none`, 1, address, 'PATCH', `${web}/pods/web/status`, { status: stolen }],
        [`POD-20: nor writes ${user} annotations`, 1, address, 'PATCH', status, annotated('10.244.7.9/32')],
      ]);
    await rows(t, cluster, await as('system:serviceaccount:kube-system:calico-cni-plugin', ...everyone), 'Pod', [
      ['a network plugin writes its annotations', 1, '', 'PATCH', status, annotated('10.244.1.3/32')],
      ['and by the pod itself', 2, '', 'PATCH', running, annotated('10.244.1.2/32')],
      ['POD-22: but no address in the status', 1, address, 'PATCH', status, { status: stolen }],
    ]);
    for (const namespace of ['acme-web', 'no-such-namespace'])
      await rows(t, cluster, await as(`system:serviceaccount:${namespace}:calico-cni-plugin`, ...everyone), 'Pod', [
        [`POD-20: not so an account of ${namespace}`, 1, address, 'PATCH', status, annotated('10.244.7.9/32')],
      ]);
    const target = { apiVersion: 'v1', kind: 'Node', name: 'node-1' };
    await rows(t, cluster, await as('system:kube-scheduler'), 'Pod', [
      [
        'POD-20: nor does a Binding bring one',
        1,
        address,
        'POST',
        `${web}/pods/web/binding?dryRun=All`,
        { metadata: { name: 'web', ...annotated('10.244.7.9/32').metadata }, target },
      ],
    ]);
    await rows(t, cluster, await cluster.kubeconfig('platform'), 'Pod', [
      ['the platform mends an address', 1, '', 'PATCH', status, { status: stolen }],
    ]);
    const { body } = await plane.request('GET', running);
    t.match(body, { metadata: annotated('10.244.1.2/32').metadata, status: stolen }, 'what is stored in the end');
  });

  await t.test('deletes', async (t) => {
    const policies = '/apis/networking.k8s.io/v1/namespaces/acme-web/networkpolicies';
    await rows(t, cluster, await cluster.kubeconfig('alice'), 'NetworkPolicy', [
      ['a policy of his own', 0, '', 'DELETE', `${policies}/own?dryRun=All`, undefined],
      [
        'ADM-16: all of them',
        1,
        'managed-policy',
        'DELETE',
        `${policies}?labelSelector=app.kubernetes.io/managed-by`,
        undefined,
      ],
      ['NP-12: the closed door', 1, 'managed-policy', 'DELETE', `${policies}/bulkhead-default-deny`, undefined],
    ]);
    const quotas = `${web}/resourcequotas`;
    await rows(t, cluster, await cluster.kubeconfig('alice'), 'ResourceQuota', [
      ['a quota of his own', 0, '', 'DELETE', `${quotas}/own?dryRun=All`, undefined],
      ['the quota of the tenant', 1, 'managed-quota', 'DELETE', `${quotas}/bulkhead-quota`, undefined],
    ]);
  });

  const metrics = (await plane.metrics()).split('\n').filter((line) => !line.endsWith(' 0'));
  const samples = (name: string) => metrics.filter((line) => line.startsWith(name));
  t.strictSame(samples('apiserver_admission_match_condition_evaluation_errors_total'), [], 'no condition fails (R4)');
  t.strictSame(samples('apiserver_admission_webhook_fail_open_count'), [], 'nothing was let pass unasked');
  t.not(
    samples('apiserver_admission_match_condition_exclusions_total{').length,
    0,
    'the API server counts what it left out',
  );
});

/** Two namespaces of acme, of which one is held on its way out, with a pod, a policy and a quota. */
async function prepared(cluster: GuardedCluster): Promise<void> {
  const { plane } = cluster;
  const kubeconfig = await cluster.kubeconfig('alice');
  const done = async (method: string, path: string, body?: object): Promise<void> => {
    const { status, text } = await plane.request(method, path, body, { kubeconfig });
    if (status >= 300) throw new Error(`${method} ${path}: ${text}`);
  };
  for (const name of ['acme-web', 'acme-gone']) await done('POST', '/api/v1/namespaces', { metadata: { name } });
  const policies = '/apis/networking.k8s.io/v1/namespaces/acme-web/networkpolicies';
  for (const path of [
    `${policies}/bulkhead-default-deny`,
    `${web}/resourcequotas/bulkhead-quota`,
    `${web}/serviceaccounts/default`,
  ])
    await eventually(`${path} is there`, async () => (await plane.request('GET', path)).status === 200);
  await done('POST', policies, { metadata: { name: 'own' }, spec: { podSelector: {}, policyTypes: ['Ingress'] } });
  await done('POST', `${web}/resourcequotas`, { metadata: { name: 'own' }, spec: { hard: { configmaps: '9' } } });
  const resources = { requests: { cpu: '10m', memory: '16Mi' } };
  for (const name of ['web', 'running'])
    await done('POST', `${web}/pods`, {
      metadata: { name },
      spec: { containers: [{ name: 'main', image: 'example.org/web', resources }] },
    });
  const target = { apiVersion: 'v1', kind: 'Node', name: 'node-1' };
  const bound = await plane.request('POST', `${web}/pods/running/binding`, { metadata: { name: 'running' }, target });
  if (bound.status !== 201) throw new Error(bound.text);
  await done('POST', `${gone}/configmaps`, { metadata: { name: 'stays', finalizers: ['example.org/stays'] } });
  await done('DELETE', gone);
  // Its controller writes the status a last time, and then waits for the ConfigMap.
  await eventually('the namespace waits for its ConfigMap', async () =>
    (await plane.request('GET', gone)).text.includes('NamespaceFinalizersRemaining'),
  );
}

async function kubeconfigOf({ plane }: GuardedCluster, user: User): Promise<string> {
  return plane.kubeconfigFor(user);
}

async function rows(
  t: Test,
  cluster: GuardedCluster,
  kubeconfig: string,
  kind: keyof typeof collections,
  all: readonly Row[],
): Promise<void> {
  for (const [sentence, reviews, check, method, path, body] of all) {
    const sent = await send(cluster, kubeconfig, kind, method, path, body);
    t.equal(sent.reviews, reviews, `${sentence}: ${reviews} reviews`, { found: sent.text.slice(0, 1000) });
    if (check === '') t.equal(sent.status, 200, `${sentence}: is done`, { found: sent.text.slice(0, 1000) });
    else t.match(sent, { status: 403, text: `docs/checks/${check}.md` }, `${sentence}: is refused by ${check}`);
  }
}

async function send(
  { plane, metrics }: GuardedCluster,
  kubeconfig: string,
  kind: keyof typeof collections,
  method: string,
  path: string,
  body: unknown,
): Promise<Sent> {
  const count = async (): Promise<number> => {
    let sum = 0;
    for (const line of (await metrics()).matchAll(/^bulkhead_reviews_total\{(.*)\} (\d+)$/gm))
      if (line[1]?.includes(`kind="${kind}"`)) sum += Number(line[2]);
    return sum;
  };
  // With an older object in its cache, the API server asks a second time (GuaranteedUpdate of its etcd3 store). A list waits for the cache.
  await plane.request('GET', collections[kind]);
  const before = await count();
  const contentType = method === 'PATCH' ? merge : 'application/json';
  const { status, text } = await plane.request(method, path, body, { kubeconfig, contentType });
  return { status, text, reviews: (await count()) - before };
}
