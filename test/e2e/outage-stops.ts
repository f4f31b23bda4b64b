/** What waits and what is refused, row by row of docs/outage.md, while every replica is dead. */
import { eventually } from '../soak/observer.ts';
import {
  balanced,
  bindingOf,
  closedDoor,
  type DeadCluster,
  endpointsOf,
  exemption,
  named,
  paths,
  pod,
  type Sent,
  webService,
} from './outage-stage.ts';

const { web, policies } = paths;
const system = '/api/v1/namespaces/kube-system';
const annotated = { metadata: { annotations: { mended: 'true' } } };
const addressed = { metadata: { annotations: { 'cni.projectcalico.org/podIP': '10.244.1.2/32' } } };
const unreached = 'failed calling webhook';
export const clusterwide = named('cilium.io/v2', 'CiliumClusterwideNetworkPolicy', 'late', {
  spec: { endpointSelector: {}, ingress: [{ fromEntities: ['all'] }] },
});

/** Seen while Bulkhead is dead, and over once it is turned off. */
export interface Waits {
  begins(cluster: DeadCluster): Promise<void>;
  ends(cluster: DeadCluster): Promise<void>;
}

export const waits: Readonly<Record<string, Waits>> = {
  'Deployments, Jobs and other workloads of tenants get no new pods': {
    begins: ({ plane }) =>
      eventually('ReplicaFailure', async () => {
        const { text } = await plane.request('GET', '/apis/apps/v1/namespaces/acme-web/replicasets');
        return text.includes('"type":"ReplicaFailure"') && text.includes(unreached);
      }),
    ends: ({ plane }) =>
      eventually('it gets its pods', async () => {
        const { body } = await plane.request('GET', `${web}/pods?labelSelector=app=web`);
        return (body as { items: unknown[] }).items.length === 2;
      }),
  },
  'Terminating namespaces of tenants are not removed': {
    async begins({ plane, send }) {
      await send('admin', 'PATCH', `${paths.old}/pods/stays`, { metadata: { finalizers: null } });
      await eventually('NamespaceDeletionContentFailure', async () => {
        const { text } = await plane.request('GET', paths.old);
        return text.includes('Failed to delete all resource types') && text.includes(unreached);
      });
    },
    ends: ({ plane }) => eventually('it is gone', async () => (await plane.request('GET', paths.old)).status === 404),
  },
  'Pods to which the network plugin writes annotations get no network': {
    async begins({ plane, send }) {
      const { text } = await send('network plugin', 'PATCH', `${web}/pods/running/status`, addressed);
      if (!text.includes(unreached)) throw new Error(text);
      if ((await plane.request('GET', `${web}/pods/running`)).text.includes('projectcalico')) throw new Error('it has');
    },
    async ends({ send }) {
      const { status, text } = await send('network plugin', 'PATCH', `${web}/pods/running/status`, addressed);
      if (status !== 200) throw new Error(text);
    },
  },
  'Counts of managed quotas do not go down': {
    async begins({ plane, send }) {
      await send('alice', 'DELETE', `${web}/services/counted`);
      await send('alice', 'DELETE', `${web}/services/web`);
      const status = `${web}/resourcequotas/bulkhead-quota/status`;
      const { text } = await send('quota controller', 'PATCH', status, { status: { used: { services: '0' } } });
      if (!text.includes(unreached)) throw new Error(text);
      if ((await plane.request('GET', status)).text.includes('"services":"0"')) throw new Error('it counted');
    },
    ends: ({ plane }) =>
      eventually('it counts', async () =>
        (await plane.request('GET', `${web}/resourcequotas/bulkhead-quota`)).text.includes('"used":{"services":"1"}'),
      ),
  },
};

/** Requests that are refused because the webhook cannot be reached. */
export const refused: Readonly<Record<string, readonly Sent[]>> = {
  'A namespace is created': [
    ['alice', 'POST', paths.namespaces, { metadata: { name: 'acme-new' } }],
    ['admin', 'POST', paths.namespaces, { metadata: { name: 'new' } }],
  ],
  'A namespace is deleted': [['admin', 'DELETE', web]],
  'A namespace, also one of the platform, gets other labels, annotations, owner references, finalizers or field managers':
    [
      ['alice', 'PATCH', web, { metadata: { labels: { team: 'web' } } }],
      ['admin', 'PATCH', `${system}/status`, { metadata: { annotations: { note: 'x' } } }],
      ['admin', 'PATCH', '/api/v1/namespaces/default', { metadata: { finalizers: ['example.org/stays'] } }],
    ],
  'A pod is created in a namespace of a tenant': [
    ['alice', 'POST', `${web}/pods`, pod('late')],
    ['admin', 'POST', `${web}/pods`, pod('late')],
  ],
  'A pod gets other labels or annotations, or another image': [
    ['alice', 'PATCH', `${web}/pods/running`, { metadata: { labels: { app: 'x' } } }],
    ['alice', 'PATCH', `${web}/pods/running`, { spec: { containers: [{ name: 'main', image: 'example.org/new' }] } }],
  ],
  'A pod gets another address, unless the kubelet of its node writes it': [
    ['alice', 'PATCH', `${web}/pods/running/status`, { status: { podIP: '10.9.9.9', podIPs: [{ ip: '10.9.9.9' }] } }],
    ['admin', 'PATCH', `${web}/pods/running/status`, { status: { hostIP: '10.9.9.9', hostIPs: [{ ip: '10.9.9.9' }] } }],
  ],
  'A pod gets an ephemeral container': [
    [
      'alice',
      'PATCH',
      `${web}/pods/running/ephemeralcontainers`,
      { spec: { ephemeralContainers: [{ name: 'debug', image: 'example.org/debug' }] } },
    ],
  ],
  'A Binding adds a label to its pod': [
    ['scheduler', 'POST', `${web}/pods/running/binding`, bindingOf('running', { app: 'x' })],
  ],
  'A network policy is created or changed': [
    ['alice', 'POST', policies, { ...closedDoor, metadata: { name: 'late' } }],
    ['admin', 'PATCH', `${policies}/bulkhead-default-deny`, annotated],
  ],
  'A policy kind that Bulkhead does not read is created or changed': [
    [
      'alice',
      'POST',
      '/apis/multicluster.x-k8s.io/v1alpha1/namespaces/acme-web/serviceexports',
      named('multicluster.x-k8s.io/v1alpha1', 'ServiceExport', 'late'),
    ],
    ['admin', 'POST', `${paths.cilium}/ciliumclusterwidenetworkpolicies`, clusterwide],
    ['alice', 'POST', paths.endpoints, named('cilium.io/v2', 'CiliumEndpoint', 'forged')],
  ],
  'A Service is created or changed': [
    ['alice', 'POST', `${web}/services`, { metadata: { name: 'late' }, spec: { ports: [{ port: 80 }] } }],
    ['alice', 'PATCH', `${web}/services/kept`, { spec: { externalIPs: ['192.0.2.7'] } }],
    ['alice', 'DELETE', `${web}/services/kept?propagationPolicy=Orphan`],
  ],
  'Endpoints or an EndpointSlice are created or changed by others than the controllers of Kubernetes': [
    ['alice', 'POST', paths.slices, endpointsOf('late')],
    ['namesake of the endpoint controller', 'POST', paths.slices, endpointsOf('late')],
    ['service controller', 'POST', paths.slices, endpointsOf('late')],
    [
      'alice',
      'POST',
      `${web}/endpoints`,
      { metadata: { name: 'late' }, subsets: [{ addresses: [{ ip: '192.0.2.7' }] }] },
    ],
  ],
  'The address of a load balancer is written by others than the controllers of Kubernetes': (
    ['alice', 'namesake of the service controller', 'endpoint controller', 'MetalLB'] as const
  ).map((caller) => [caller, 'PATCH', `${web}/services/kept/status`, balanced]),
  'An Ingress, a Gateway or a route is created or changed, or gets labels or annotations by way of its status': [
    ['alice', 'POST', paths.ingresses, { metadata: { name: 'late' }, spec: { defaultBackend: webService } }],
    ['alice', 'PATCH', `${paths.ingresses}/web/status`, annotated],
    ['ingress controller', 'PATCH', `${paths.ingresses}/web/status`, annotated],
    ['ingress controller', 'PATCH', `${paths.ingresses}/web`, { metadata: { finalizers: ['example.org/late'] } }],
    ['gateway controller', 'PATCH', `${paths.gatewayAPI}/gateways/web`, annotated],
    [
      'gateway controller',
      'PATCH',
      `${paths.gatewayAPI}/httproutes/web`,
      { spec: { hostnames: ['beta.example.com'] } },
    ],
  ],
  'A managed policy is deleted': [['admin', 'DELETE', `${policies}/bulkhead-default-deny`]],
  'A quota is created or changed': [
    ['alice', 'POST', `${web}/resourcequotas`, { metadata: { name: 'late' }, spec: { hard: { configmaps: '9' } } }],
    ['admin', 'PATCH', `${web}/resourcequotas/bulkhead-quota`, annotated],
  ],
  'A Tenant is created, changed or deleted': [
    ['admin', 'PATCH', '/apis/bulkhead.dev/v1alpha1/tenants/acme', annotated],
    ['admin', 'DELETE', '/apis/bulkhead.dev/v1alpha1/tenants/beta'],
  ],
  'An Exemption is created, changed or deleted': [
    ['admin', 'POST', paths.exemptions, exemption('late')],
    ['admin', 'PATCH', `${paths.exemptions}/vpn`, annotated],
    ['admin', 'PATCH', `${paths.exemptions}/vpn/status`, { status: { observedGeneration: 1 } }],
    ['admin', 'DELETE', `${paths.exemptions}/vpn`],
  ],
};
