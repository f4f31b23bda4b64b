/**
 * A cluster in use whose Bulkhead is dead: namespaces of tenants and of the platform, with what is in them, and the registrations of
 * manifests/base, which fail closed. No replica ever ran, so what replicas would have put in place is written by hand.
 */
import type { Test } from 'tap';
import { namedNamespaces, namespaceSelector } from '../../src/kinds/selected-namespaces.ts';
import { defaultTenantLabel } from '../../src/tenancy/default-settings.ts';
import { meshWebhook } from '../../src/tenancy/mesh-namespaces.ts';
import type { Answer } from '../apiserver/api-request.ts';
import type { ControlPlane, Output, User } from '../apiserver/control-plane.ts';
import { eventually } from '../soak/observer.ts';
import { installTenantResource, people } from './guarded-cluster.ts';
import { commandsBelow } from './outage-page.ts';
import { projectFolder } from './project-folder.ts';

export const paths = {
  namespaces: '/api/v1/namespaces',
  web: '/api/v1/namespaces/acme-web',
  old: '/api/v1/namespaces/acme-old',
  tools: '/api/v1/namespaces/old-tools',
  own: '/api/v1/namespaces/bulkhead-system',
  policies: '/apis/networking.k8s.io/v1/namespaces/acme-web/networkpolicies',
  exemptions: '/apis/bulkhead.dev/v1alpha1/exemptions',
  clusterPolicies: '/apis/policy.networking.k8s.io/v1alpha2/clusternetworkpolicies',
  endpoints: '/apis/cilium.io/v2/namespaces/acme-web/ciliumendpoints',
  cilium: '/apis/cilium.io/v2',
  calico: '/apis/crd.projectcalico.org/v1',
  deployments: '/apis/apps/v1/namespaces/acme-web/deployments',
  slices: '/apis/discovery.k8s.io/v1/namespaces/acme-web/endpointslices',
  gatewayAPI: '/apis/gateway.networking.k8s.io/v1/namespaces/acme-web',
  ingresses: '/apis/networking.k8s.io/v1/namespaces/acme-web/ingresses',
  configurations: '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations',
} as const;

export const callers = {
  admin: { user: 'admin', groups: ['system:masters'] },
  alice: people.alice,
  bob: people.bob,
  kubelet: { user: 'system:node:stand-in', groups: ['system:nodes'] },
  scheduler: { user: 'system:kube-scheduler' },
  'network plugin': { user: 'system:serviceaccount:calico-system:calico-cni-plugin' },
  'agent of Cilium': { user: 'system:serviceaccount:kube-system:cilium' },
  'operator of Cilium': { user: 'system:serviceaccount:kube-system:cilium-operator' },
  'agent of Calico': { user: 'system:serviceaccount:calico-system:calico-node' },
  'controllers of Calico': { user: 'system:serviceaccount:calico-system:calico-kube-controllers' },
  'endpoint controller': { user: 'system:serviceaccount:kube-system:endpointslice-controller' },
  'service controller': { user: 'system:serviceaccount:kube-system:service-controller' },
  // Their names are all that they share with the controllers.
  'namesake of the endpoint controller': { user: 'system:serviceaccount:acme-web:endpointslice-controller' },
  'namesake of the service controller': { user: 'system:serviceaccount:acme-web:service-controller' },
  'ingress controller': { user: 'system:serviceaccount:ingress-nginx:ingress-nginx' },
  'gateway controller': { user: 'system:serviceaccount:istio-system:istiod' },
  'namesake of MetalLB': { user: 'system:serviceaccount:acme-web:controller' },
  MetalLB: { user: 'system:serviceaccount:metallb-system:controller' },
  'quota controller': { user: 'system:serviceaccount:kube-system:resourcequota-controller' },
  'namespace controller': { user: 'system:serviceaccount:kube-system:namespace-controller' },
} as const satisfies Record<string, User>;

/** Namespaces of the platform as OpenShift and Cozystack have them, with what runs there. */
export const platformPods: readonly (readonly [namespace: string, pod: string])[] = [
  ['openshift-ovn-kubernetes', 'ovnkube-node'],
  ['openshift-cluster-csi-drivers', 'aws-ebs-csi-driver-node'],
  ['openshift-machine-api', 'cluster-autoscaler'],
  ['openshift-monitoring', 'node-exporter'],
  ['cozy-cilium', 'cilium'],
  ['cozy-linstor', 'linstor-csi-node'],
  ['cozy-cluster-autoscaler', 'cluster-autoscaler'],
  ['calico-system', 'calico-node'],
];

export type Caller = keyof typeof callers;

export type Sent = readonly [caller: Caller, method: string, path: string, body?: object];

export interface DeadCluster {
  readonly plane: ControlPlane;
  /** A PATCH is a merge patch. */
  send(caller: Caller, method: string, path: string, body?: object): Promise<Answer>;
  kubectl(caller: Caller, command: readonly string[], stdin?: string): Promise<Output>;
  /** A command of the page, as the administrator types it. */
  shell(command: string): Promise<Output>;
}

export function pod(name: string, spec: object = {}, metadata: object = {}): object {
  return {
    metadata: { name, ...metadata },
    spec: { containers: [{ name: 'main', image: 'example.org/web' }], ...spec },
  };
}

/** A custom resource says of which kind it is. */
export function named(apiVersion: string, kind: string, name: string, fields: object = {}): object {
  return { apiVersion, kind, metadata: { name }, ...fields };
}

export const closedDoor = {
  metadata: { name: 'bulkhead-default-deny', labels: { 'app.kubernetes.io/managed-by': 'bulkhead' } },
  spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] },
};

/** As network.clusterPolicy puts one in place. */
const border = {
  apiVersion: 'policy.networking.k8s.io/v1alpha2',
  kind: 'ClusterNetworkPolicy',
  metadata: { name: 'bulkhead-acme', labels: { 'app.kubernetes.io/managed-by': 'bulkhead' } },
  spec: { tier: 'Admin', priority: 7, subject: { namespaces: { matchLabels: { 'bulkhead.dev/tenant': 'acme' } } } },
};

export function exemption(name: string): object {
  const spec = {
    tenant: 'acme',
    namespace: 'acme-web',
    checks: ['host-network'],
    match: { names: ['vpn-0'] },
    reason: 'tunnel',
    owner: 'network team',
    expires: '2090-01-01T00:00:00Z',
  };
  return { apiVersion: 'bulkhead.dev/v1alpha1', kind: 'Exemption', metadata: { name }, spec };
}

export function endpointsOf(name: string): object {
  const endpoints = [{ addresses: ['10.244.1.2'] }];
  const labels = { 'kubernetes.io/service-name': 'web' };
  return { metadata: { name, labels }, addressType: 'IPv4', endpoints, ports: [{ port: 8080 }] };
}

export const webService = { service: { name: 'web', port: { number: 80 } } };

/** What a controller says of a load balancer. */
export const balanced = { status: { loadBalancer: { ingress: [{ ip: '198.51.100.9' }] } } };

export function workload(name: string): object {
  const template = {
    metadata: { labels: { app: name } },
    spec: { containers: [{ name: 'main', image: 'example.org/web' }] },
  };
  return { metadata: { name }, spec: { replicas: 1, selector: { matchLabels: { app: name } }, template } };
}

export async function deadCluster(t: Test, plane: ControlPlane): Promise<DeadCluster> {
  const kubeconfigs = new Map<Caller, string>();
  for (const [caller, user] of Object.entries(callers) as [Caller, User][])
    kubeconfigs.set(caller, await plane.kubeconfigFor(user));
  const cluster: DeadCluster = {
    plane,
    shell: await projectFolder(t, plane),
    send: (caller, method, path, body) => {
      const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
      return plane.request(method, path, body, { contentType, kubeconfig: kubeconfigs.get(caller) ?? '' });
    },
    kubectl: (caller, command, stdin) =>
      plane.kubectl(kubeconfigs.get(caller) ?? '', command, stdin === undefined ? {} : { stdin }),
  };
  await furnish(cluster);
  await register(cluster);
  return cluster;
}

async function furnish({ plane, send, kubectl }: DeadCluster): Promise<void> {
  const done = async (method: string, path: string, body?: object): Promise<void> => {
    const { status, text } = await send('admin', method, path, body);
    if (status >= 300) throw new Error(`${method} ${path}: ${text}`);
  };
  const apiGroup = 'rbac.authorization.k8s.io';
  await done('POST', `/apis/${apiGroup}/v1/clusterrolebindings`, {
    metadata: { name: 'everybody' },
    subjects: [{ kind: 'Group', name: 'system:authenticated', apiGroup }],
    roleRef: { kind: 'ClusterRole', name: 'cluster-admin', apiGroup },
  });
  await installTenantResource(plane);
  succeeded(await kubectl('admin', ['apply', '-f', 'manifests/overlays/example/tenants']));
  await done('POST', paths.exemptions, exemption('vpn'));
  await done('POST', paths.clusterPolicies, border);
  await done('POST', '/api/v1/nodes', {
    metadata: { name: 'stand-in', labels: { 'topology.kubernetes.io/zone': 'a' } },
  });
  for (const name of ['acme-web', 'acme-old']) {
    await done('POST', paths.namespaces, { metadata: { name, labels: { 'bulkhead.dev/tenant': 'acme' } } });
    await done('POST', `/apis/networking.k8s.io/v1/namespaces/${name}/networkpolicies`, closedDoor);
  }
  await done('POST', paths.namespaces, { metadata: { name: 'old-tools' } });
  for (const [name] of platformPods) await done('POST', paths.namespaces, { metadata: { name } });
  await done('POST', paths.policies, { ...closedDoor, metadata: { name: 'own' } });
  await done(
    'POST',
    '/apis/k8s.ovn.org/v1/namespaces/acme-web/egressfirewalls',
    named('k8s.ovn.org/v1', 'EgressFirewall', 'default'),
  );
  const quotas = `${paths.web}/resourcequotas`;
  await done('POST', quotas, { metadata: { name: 'own' }, spec: { hard: { configmaps: '9' } } });
  const { labels } = closedDoor.metadata;
  await done('POST', quotas, { metadata: { name: 'bulkhead-quota', labels }, spec: { hard: { services: '9' } } });
  const inhabited = ['acme-web', 'kube-system', ...platformPods.map(([name]) => name)];
  for (const path of inhabited.map((name) => `${paths.namespaces}/${name}/serviceaccounts/default`))
    await eventually(`${path} is there`, async () => (await send('admin', 'GET', path)).status === 200);
  for (const name of ['running', 'waiting', 'ending', 'evicted']) await done('POST', `${paths.web}/pods`, pod(name));
  await done('POST', `${paths.web}/pods/running/binding`, bindingOf('running'));
  await done('POST', '/apis/batch/v1/namespaces/acme-web/jobs', {
    metadata: { name: 'once' },
    spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'example.org/once' }] } } },
  });
  await eventually('the Job has its pod', async () => (await jobPod(plane)) !== undefined);
  for (const [name, type] of [['counted'], ['web'], ['kept', 'LoadBalancer'], ['balanced', 'LoadBalancer']] as const)
    await done('POST', `${paths.web}/services`, { metadata: { name }, spec: { type, ports: [{ port: 80 }] } });
  const finalizers = ['example.org/load-balancer'];
  await done('POST', paths.ingresses, { metadata: { name: 'web', finalizers }, spec: { defaultBackend: webService } });
  for (const [plural, kind, spec] of [
    ['gateways', 'Gateway', { gatewayClassName: 'shared', listeners: [{ name: 'http', port: 80, protocol: 'HTTP' }] }],
    ['httproutes', 'HTTPRoute', { parentRefs: [{ name: 'web' }] }],
  ] as const)
    await done('POST', `${paths.gatewayAPI}/${plural}`, named('gateway.networking.k8s.io/v1', kind, 'web', { spec }));
  await eventually('the quota counts', async () => {
    const { text } = await send('admin', 'GET', `${quotas}/bulkhead-quota`);
    return text.includes('"used":{"services":"4"}');
  });
  // The first is held by a pod, before which no policy of it is deleted.
  const stays = { name: 'stays', finalizers: ['example.org/stays'] };
  const account = `${paths.old}/serviceaccounts/default`;
  await eventually(`${account} is there`, async () => (await send('admin', 'GET', account)).status === 200);
  await done('POST', `${paths.old}/pods`, pod('stays', {}, stays));
  await done('POST', `${paths.tools}/configmaps`, { metadata: stays });
  for (const held of [`${paths.old}/pods/stays`, `${paths.tools}/configmaps/stays`]) {
    const [namespace = ''] = held.split(/\/(?:pods|configmaps)/);
    await done('DELETE', namespace);
    await eventually(`${held} is being deleted`, async () =>
      (await send('admin', 'GET', held)).text.includes('"deletionTimestamp"'),
    );
  }
}

export function bindingOf(name: string, labels: object = {}): object {
  return { metadata: { name, labels }, target: { kind: 'Node', name: 'stand-in' } };
}

export interface StoredPod {
  readonly metadata: { readonly name: string; readonly finalizers?: readonly string[] };
}

export async function jobPod(plane: ControlPlane): Promise<StoredPod | undefined> {
  const { body } = await plane.request('GET', `${paths.web}/pods?labelSelector=job-name=once`);
  return (body as { items: StoredPod[] }).items[0];
}

/** Everything of manifests/base and the backstop, closed as running replicas would have closed it. */
async function register(cluster: DeadCluster): Promise<void> {
  const { kubectl, shell } = cluster;
  succeeded(await kubectl('admin', ['apply', '-k', 'manifests/base']));
  for (const command of await commandsBelow('The backstop')) succeeded(await shell(command));
  await turnOn(cluster);
}

/** What guards, by its resource. */
export async function guarding({ plane }: DeadCluster): Promise<readonly (readonly [string, Configuration])[]> {
  const found: [string, Configuration][] = [];
  for (const kind of ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations']) {
    const { body } = await plane.request('GET', `/apis/admissionregistration.k8s.io/v1/${kind}`);
    for (const one of (body as { items: Configuration[] }).items)
      if (!one.webhooks.every(({ name }) => onlyWarns(name))) found.push([kind, one]);
  }
  return found;
}

const onlyWarns = (webhook: string): boolean => webhook.startsWith('warn.');

export async function turnOn(cluster: DeadCluster): Promise<void> {
  const { send, kubectl } = cluster;
  for (const [kind, { metadata, webhooks }] of await guarding(cluster)) {
    const selectorOf = (name: string) =>
      name === meshWebhook ? namedNamespaces(['istio-system']) : namespaceSelector(defaultTenantLabel);
    const replacement = webhooks.flatMap(({ name, namespaceSelector: own }, index) => [
      ...(onlyWarns(name) ? [] : [{ op: 'replace', path: `/webhooks/${index}/failurePolicy`, value: 'Fail' }]),
      ...(own?.matchExpressions
        ? [{ op: 'replace', path: `/webhooks/${index}/namespaceSelector`, value: selectorOf(name) }]
        : []),
    ]);
    succeeded(
      await kubectl('admin', ['patch', kind, metadata.name, '--type=json', `--patch=${JSON.stringify(replacement)}`]),
    );
  }
  const refuses = async (path: string, body: object): Promise<boolean> =>
    (await send('admin', 'POST', `${path}?dryRun=All`, body)).text.includes('failed calling webhook');
  await eventually('every configuration has failurePolicy Fail', async () => {
    const answers = [
      await refuses(paths.namespaces, { metadata: { name: 'probe' } }),
      await refuses(`${paths.web}/pods`, pod('probe')),
      await refuses(`${paths.web}/resourcequotas`, { metadata: { name: 'probe' }, spec: {} }),
    ];
    return answers.every(Boolean);
  });
  await eventually('the backstop holds', async () => {
    const path = `${paths.namespaces}/kube-system?dryRun=All`;
    return (await send('bob', 'PATCH', path, { metadata: { labels: { mine: '' } } })).text.includes(
      'foreign-namespace',
    );
  });
}

export interface Configuration {
  readonly metadata: { readonly name: string; readonly generation: number };
  readonly webhooks: readonly {
    readonly name: string;
    readonly failurePolicy: string;
    readonly namespaceSelector?: { readonly matchExpressions?: readonly object[] };
  }[];
}

export function succeeded({ code, stdout, stderr }: Output): string {
  if (code !== 0) throw new Error(`${stdout}${stderr}`);
  return stdout;
}
