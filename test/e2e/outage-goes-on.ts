/** What goes on, row by row of docs/outage.md: the requests that are sent while every replica is dead. */
import { eventually } from '../soak/observer.ts';
import {
  balanced,
  bindingOf,
  closedDoor,
  type DeadCluster,
  endpointsOf,
  jobPod,
  named,
  paths,
  platformPods,
  pod,
  type Sent,
  workload,
} from './outage-stage.ts';

/** Requests that succeed, and what is seen after them. */
export interface GoesOn {
  readonly sends: readonly Sent[];
  readonly after?: (cluster: DeadCluster) => Promise<void>;
}

const { web, own, policies } = paths;
const system = '/api/v1/namespaces/kube-system';
const annotated = { metadata: { annotations: { mended: 'true' } } };
const certificateRequest =
  'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIeE1JR1lBZ0VBTURZeEhUQWJCZ05WQkFNTUZITjVjM1JsYlRwdWIyUmxPbk4wWVc1a0xXbHVNUlV3RXdZRApWUVFLREF4emVYTjBaVzA2Ym05a1pYTXdXVEFUQmdjcWhrak9QUUlCQmdncWhrak9QUU1CQndOQ0FBUVZFQ0RGCmtrNFZ3SSszdkh6RU1DdEZhMmFDZmV0U3RMUktOaGs5NTBpKzNNdFNSOGJuQjFYOGd0cFZZTGtKQWpVeHN1dkYKZU9KeDdLWHJmcnRMMDV2eG9BQXdDZ1lJS29aSXpqMEVBd0lEU0FBd1JRSWdZSktVTnF3bVhqMjVNcVFFU0NTUwpCSCs1U0FycjlWRTF0MDd6TE1oM3dIRUNJUUNFMkxuaHhidlZJOG9lL2xaTXdtQ2JWU3Z6VXRLc2t4bmpaMWhKCnJ4b1dVQT09Ci0tLS0tRU5EIENFUlRJRklDQVRFIFJFUVVFU1QtLS0tLQo=';

const identity = named('cilium.io/v2', 'CiliumIdentity', '4711', { 'security-labels': { 'k8s:app': 'web' } });
const ciliumNode = named('cilium.io/v2', 'CiliumNode', 'stand-in', { spec: {} });
const endpoint = named('cilium.io/v2', 'CiliumEndpoint', 'web', { status: { id: 7, identity: { id: 4711 } } });
const calico = (kind: string, name: string) => named('crd.projectcalico.org/v1', kind, name);

export const goesOn: Readonly<Record<string, GoesOn>> = {
  'Pods, policies, quotas and other objects in `kube-system`': {
    sends: [
      ['admin', 'POST', `${system}/pods`, pod('dns')],
      ['admin', 'PATCH', `${system}/pods/dns`, { metadata: { labels: { app: 'dns' } } }],
      [
        'admin',
        'POST',
        '/apis/networking.k8s.io/v1/namespaces/kube-system/networkpolicies',
        { ...closedDoor, metadata: { name: 'dns' } },
      ],
      ['admin', 'POST', `${system}/resourcequotas`, { metadata: { name: 'few' }, spec: { hard: { services: '9' } } }],
      ['admin', 'POST', `${system}/configmaps`, { metadata: { name: 'dns' } }],
      ['admin', 'DELETE', `${system}/pods/dns`],
    ],
  },
  'Pods of network plugins, storage drivers and autoscalers, and all other objects, in namespaces of the platform': {
    sends: platformPods.flatMap(([namespace, name]): readonly Sent[] => {
      const inside = `/api/v1/namespaces/${namespace}`;
      const policies = `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`;
      const podIP = '10.244.3.7';
      return [
        ['admin', 'POST', `${inside}/pods`, pod(name, { hostNetwork: true })],
        ['scheduler', 'POST', `${inside}/pods/${name}/binding`, bindingOf(name)],
        ['kubelet', 'PATCH', `${inside}/pods/${name}/status`, { status: { podIP, podIPs: [{ ip: podIP }] } }],
        ['network plugin', 'PATCH', `${inside}/pods/${name}/status`, annotated],
        ['admin', 'POST', policies, { ...closedDoor, metadata: { name } }],
        ['admin', 'POST', `${inside}/resourcequotas`, { metadata: { name }, spec: { hard: { services: '9' } } }],
      ];
    }),
    after: async ({ plane }) => {
      for (const [namespace, name] of platformPods) {
        const { text } = await plane.request('GET', `/api/v1/namespaces/${namespace}/pods/${name}`);
        if (!text.includes('"podIP":"10.244.3.7"')) throw new Error(text);
      }
    },
  },
  'Cilium writes endpoints, identities and nodes; Calico writes IPAM blocks, host endpoints and its configuration': {
    sends: [
      ['operator of Cilium', 'POST', `${paths.cilium}/ciliumidentities`, identity],
      ['agent of Cilium', 'POST', `${paths.cilium}/ciliumnodes`, ciliumNode],
      ['agent of Cilium', 'PATCH', `${paths.cilium}/ciliumnodes/stand-in`, annotated],
      ['agent of Cilium', 'POST', paths.endpoints, endpoint],
      ['agent of Cilium', 'PATCH', `${paths.endpoints}/web`, { status: { identity: { id: 4712 } } }],
      ['agent of Cilium', 'DELETE', `${paths.endpoints}/web`],
      ['operator of Cilium', 'DELETE', `${paths.cilium}/ciliumidentities/4711`],
      ['agent of Calico', 'POST', `${paths.calico}/felixconfigurations`, calico('FelixConfiguration', 'node.stand-in')],
      ['agent of Calico', 'POST', `${paths.calico}/ipamblocks`, calico('IPAMBlock', '10-244-1-0-26')],
      ['agent of Calico', 'PATCH', `${paths.calico}/ipamblocks/10-244-1-0-26`, annotated],
      ['controllers of Calico', 'DELETE', `${paths.calico}/ipamblocks/10-244-1-0-26`],
      ['controllers of Calico', 'POST', `${paths.calico}/hostendpoints`, calico('HostEndpoint', 'stand-in')],
    ],
  },
  'Tenants delete policy kinds that Bulkhead does not read': {
    sends: [['alice', 'DELETE', '/apis/k8s.ovn.org/v1/namespaces/acme-web/egressfirewalls/default']],
  },
  'Objects in `bulkhead-system`: the Deployment, the pods of its ReplicaSets, Secrets': {
    sends: [
      [
        'admin',
        'PATCH',
        '/apis/apps/v1/namespaces/bulkhead-system/deployments/bulkhead',
        { spec: { template: { metadata: { annotations: { mended: 'true' } } } } },
      ],
      ['admin', 'POST', `${own}/secrets`, { metadata: { name: 'mended' } }],
      ['admin', 'PATCH', `${own}/configmaps/bulkhead-settings`, annotated],
      ['admin', 'PATCH', '/apis/networking.k8s.io/v1/namespaces/bulkhead-system/networkpolicies/bulkhead', annotated],
    ],
    after: ({ plane }) =>
      eventually('new pods of Bulkhead', async () =>
        (await plane.request('GET', `${own}/pods`)).text.includes('"mended":"true"'),
      ),
  },
  'Nodes join, report and are cordoned': {
    sends: [
      ['kubelet', 'POST', '/api/v1/nodes', { metadata: { name: 'new' } }],
      ['kubelet', 'PATCH', '/api/v1/nodes/new/status', { status: { conditions: [{ type: 'Ready', status: 'True' }] } }],
      [
        'admin',
        'PATCH',
        '/api/v1/nodes/new',
        { metadata: { labels: { pool: 'blue' } }, spec: { unschedulable: true } },
      ],
      ['admin', 'DELETE', '/api/v1/nodes/new'],
    ],
  },
  'Leases of nodes and of leader elections': {
    sends: ['kube-node-lease', 'kube-system', 'bulkhead-system'].map((namespace) => [
      'kubelet',
      'POST',
      `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`,
      { metadata: { name: 'stand-in' }, spec: { holderIdentity: 'stand-in' } },
    ]),
  },
  'Certificate signing requests': {
    sends: [
      [
        'kubelet',
        'POST',
        '/apis/certificates.k8s.io/v1/certificatesigningrequests',
        {
          metadata: { name: 'stand-in' },
          spec: { request: certificateRequest, signerName: 'example.org/nodes', usages: ['client auth'] },
        },
      ],
      [
        'admin',
        'PATCH',
        '/apis/certificates.k8s.io/v1/certificatesigningrequests/stand-in/approval',
        { status: { conditions: [{ type: 'Approved', status: 'True', reason: 'Known', message: 'a node' }] } },
      ],
    ],
  },
  'Webhook configurations and admission policies are changed and deleted': {
    sends: [
      ['admin', 'PATCH', `${paths.configurations}/bulkhead`, annotated],
      ['admin', 'DELETE', `${paths.configurations}/bulkhead?dryRun=All`],
      [
        'admin',
        'DELETE',
        '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/bulkhead-host-network?dryRun=All',
      ],
    ],
  },
  'Roles, bindings, service accounts and their tokens': {
    sends: [
      ['admin', 'POST', '/apis/rbac.authorization.k8s.io/v1/clusterroles', { metadata: { name: 'mended' }, rules: [] }],
      [
        'alice',
        'POST',
        '/apis/rbac.authorization.k8s.io/v1/namespaces/acme-web/rolebindings',
        {
          metadata: { name: 'view' },
          roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
        },
      ],
      ['alice', 'POST', `${web}/serviceaccounts`, { metadata: { name: 'deployer' } }],
      ['alice', 'POST', `${web}/serviceaccounts/deployer/token`, { spec: { audiences: [] } }],
    ],
  },
  'Custom resource definitions': {
    sends: [
      ['admin', 'PATCH', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/tenants.bulkhead.dev', annotated],
    ],
  },
  'The controllers of Kubernetes write endpoints, and the addresses of load balancers': {
    sends: [
      ['endpoint controller', 'POST', paths.slices, endpointsOf('web-1')],
      ['endpoint controller', 'PATCH', `${paths.slices}/web-1`, { endpoints: [{ addresses: ['10.244.1.3'] }] }],
      ['service controller', 'PATCH', `${web}/services/balanced/status`, balanced],
    ],
  },
  'Controllers write the status of Ingresses, Gateways and routes, and remove their finalizers': {
    sends: [
      ['ingress controller', 'PATCH', `${paths.ingresses}/web/status`, balanced],
      ['ingress controller', 'PATCH', `${paths.ingresses}/web`, { metadata: { finalizers: null } }],
      [
        'gateway controller',
        'PATCH',
        `${paths.gatewayAPI}/gateways/web/status`,
        { status: { addresses: [{ type: 'IPAddress', value: '198.51.100.9' }] } },
      ],
      ['gateway controller', 'PATCH', `${paths.gatewayAPI}/httproutes/web/status`, { status: { parents: [] } }],
    ],
    after: async ({ plane }) => {
      for (const path of [`${paths.ingresses}/web`, `${paths.gatewayAPI}/gateways/web`]) {
        const { text } = await plane.request('GET', path);
        if (!text.includes('198.51.100.9') || text.includes('example.org/load-balancer')) throw new Error(text);
      }
    },
  },
  'Tenants delete Services and endpoints': {
    sends: [
      ['alice', 'DELETE', `${paths.slices}/web-1`],
      ['alice', 'DELETE', `${web}/services/balanced`],
    ],
  },
  'ConfigMaps, Secrets, Deployments and other objects of tenants that are not listed below': {
    sends: [
      ['alice', 'POST', `${web}/configmaps`, { metadata: { name: 'web' } }],
      ['alice', 'POST', `${web}/secrets`, { metadata: { name: 'web' } }],
      ['alice', 'POST', paths.deployments, workload('web')],
      ['alice', 'PATCH', `${paths.deployments}/web/scale`, { spec: { replicas: 2 } }],
      [
        'alice',
        'POST',
        '/api/v1/namespaces/acme-web/events',
        { metadata: { name: 'e' }, involvedObject: { namespace: 'acme-web' } },
      ],
    ],
  },
  'Kubelets report the status of pods, and their addresses': {
    sends: [
      [
        'kubelet',
        'PATCH',
        `${web}/pods/running/status`,
        {
          status: {
            phase: 'Running',
            conditions: [{ type: 'Ready', status: 'True' }],
            hostIP: '10.0.0.1',
            hostIPs: [{ ip: '10.0.0.1' }],
            podIP: '10.244.1.2',
            podIPs: [{ ip: '10.244.1.2' }],
          },
        },
      ],
    ],
  },
  'The scheduler binds pending pods': {
    sends: [['scheduler', 'POST', `${web}/pods/waiting/binding`, bindingOf('waiting')]],
  },
  'Pods can be deleted and evicted; the Job controller can remove its finalizers': {
    sends: [
      ['alice', 'DELETE', `${web}/pods/ending`],
      ['admin', 'POST', `${web}/pods/evicted/eviction`, { metadata: { name: 'evicted' } }],
    ],
    after: async ({ plane, send }) => {
      const name = (await jobPod(plane))?.metadata.name;
      await send('kubelet', 'PATCH', `${web}/pods/${name}/status`, { status: { phase: 'Succeeded' } });
      await eventually(
        'the Job lets go of its pod',
        async () => (await jobPod(plane))?.metadata.finalizers === undefined,
      );
    },
  },
  'Tenants delete their own policies and quotas': {
    sends: [
      ['alice', 'DELETE', `${policies}/own`],
      ['alice', 'DELETE', `${web}/resourcequotas/own`],
    ],
  },
  'Controllers report the status of namespaces': {
    sends: [
      [
        'namespace controller',
        'PATCH',
        `${web}/status`,
        { status: { conditions: [{ type: 'Checked', status: 'True' }] } },
      ],
    ],
  },
  'Terminating namespaces without managed objects are removed': {
    sends: [['admin', 'PATCH', `${paths.tools}/configmaps/stays`, { metadata: { finalizers: null } }]],
    after: ({ plane }) =>
      eventually('it is gone', async () => (await plane.request('GET', paths.tools)).status === 404),
  },
};
