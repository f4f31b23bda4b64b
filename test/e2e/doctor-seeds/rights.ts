import type { Json } from '../doctored-cluster.ts';
import { crds, type Seed, untilServed } from './seed.ts';

const acme = { kind: 'Group', name: 'acme-developers' };
const grant = (
  [group = '', resources = '', verbs = '']: readonly [group: string, resources: string, verbs: string],
  subject: Json = acme,
  namespace?: string,
): Pick<Seed, 'make'> => ({
  make: (cluster) =>
    cluster.granted(
      { apiGroups: [group], resources: resources.split(' '), verbs: verbs.split(' ') },
      subject,
      namespace,
    ),
});
const customResource = (group: string, plural: string, kind: string): readonly [string, Json] => [
  crds,
  {
    metadata: {
      name: `${plural}.${group}`,
      annotations: { 'api-approved.kubernetes.io': 'https://github.com/kubernetes-sigs/network-policy-api' },
    },
    spec: {
      ...{ group, scope: 'Cluster', names: { plural, singular: kind.toLowerCase(), kind } },
      versions: [
        {
          ...{ name: 'v1alpha1', served: true, storage: true },
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        },
      ],
    },
  },
];

export const rights: readonly Seed[] = [
  { wrong: 'a member is an administrator', ids: ['right-everything'], ...grant(['*', '*', '*']) },
  { wrong: 'every resource of a group', ids: ['right-wildcard'], ...grant(['', '*', 'patch']) },
  {
    wrong: 'every resource, inside its own namespace',
    ids: ['right-wildcard'],
    says: /"severity":"warning"/,
    ...grant(['networking.k8s.io', '*', '*'], acme, 'acme-web'),
  },
  {
    wrong: 'pods/status for all that are authenticated',
    ids: ['right-in-foreign-namespace', 'right-pod-status'],
    ...grant(['', 'pods/status', 'patch'], { kind: 'Group', name: 'system:authenticated' }),
  },
  { wrong: 'bind', ids: ['right-bind'], ...grant(['rbac.authorization.k8s.io', 'clusterroles', 'bind']) },
  { wrong: 'impersonate', ids: ['right-impersonate'], ...grant(['', 'users', 'impersonate']) },
  { wrong: 'port-forward everywhere', ids: ['right-portforward'], ...grant(['', 'pods/portforward', 'create']) },
  {
    wrong: 'the proxy to kubelets',
    ids: ['right-proxy'],
    ...grant(['', 'nodes/proxy', 'get'], { kind: 'User', name: 'a\nb\u001b[31m' }),
  },
  {
    wrong: 'admission webhooks for an account of a tenant',
    ids: ['right-webhook-configurations'],
    ...grant(['admissionregistration.k8s.io', 'validatingwebhookconfigurations', 'delete'], {
      ...{ kind: 'ServiceAccount', namespace: 'acme-web', name: 'deployer', apiGroup: '' },
    }),
  },
  { wrong: 'labels and taints of nodes', ids: ['right-nodes'], ...grant(['', 'nodes', 'patch']) },
  { wrong: 'volumes of the cluster', ids: ['right-volumes'], ...grant(['', 'persistentvolumes', 'create']) },
  { wrong: 'all namespaces', ids: ['right-namespaces'], ...grant(['', 'namespaces', 'delete']) },
  {
    wrong: 'a member of one tenant in a namespace of another',
    ids: ['right-in-foreign-namespace'],
    says: /a member of acme has ClusterRole seeded in a namespace of tenant beta/,
    ...grant(['', 'configmaps', 'create'], acme, 'beta-data'),
  },
  {
    wrong: 'a member that writes policies of Cilium in the namespace of Bulkhead',
    ids: ['right-in-foreign-namespace'],
    ...grant(['cilium.io', 'ciliumnetworkpolicies', 'create'], acme, 'bulkhead-system'),
  },
  {
    wrong: 'a member that writes in every namespace',
    ids: ['right-in-foreign-namespace'],
    says: /a member of acme has ClusterRole seeded in every namespace/,
    ...grant(['', 'pods', 'create']),
  },
  {
    wrong: 'an account that nobody lists may change the Deployments of all, and so that of Bulkhead',
    ids: ['right-in-foreign-namespace'],
    says: /"severity":"warning"/,
    ...grant(['apps', 'deployments', 'patch'], { kind: 'User', name: 'carol' }),
  },
  {
    wrong: 'an account that nobody lists in the namespace of Bulkhead',
    ids: ['right-in-foreign-namespace'],
    ...grant(['', 'configmaps', 'patch'], { kind: 'User', name: 'carol' }, 'bulkhead-system'),
  },
  { wrong: 'Secrets of all', ids: ['right-secrets'], ...grant(['', 'secrets', 'list']) },
  {
    wrong: 'definitions of resources',
    ids: ['right-api-extensions'],
    ...grant(['apiextensions.k8s.io', 'customresourcedefinitions', 'delete']),
  },
  {
    wrong: 'a policy kind that is not judged',
    ids: ['right-uncovered-policy'],
    async make(cluster) {
      const group = 'policy.networking.k8s.io';
      const kind = customResource(group, 'adminnetworkpolicies', 'AdminNetworkPolicy');
      const gone = await cluster.made(kind);
      await untilServed(cluster, `/apis/${group}/v1alpha1`, (text) => text.includes('"adminnetworkpolicies"'));
      const revoked = await cluster.granted(
        { apiGroups: [group], resources: ['adminnetworkpolicies'], verbs: ['create'] },
        acme,
      );
      return async () => {
        await revoked();
        await gone();
      };
    },
  },
];
