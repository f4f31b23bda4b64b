import t from 'tap';
import type { ClusterLocation } from '../../src/cluster/authentication.ts';
import { locateCluster } from '../../src/cluster/location.ts';

const pod = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' };
const files = (...paths: string[]): ClusterLocation => ({ kind: 'kubeconfig', paths, context: undefined });
const inPod: ClusterLocation = {
  kind: 'in-cluster',
  host: '10.96.0.1',
  port: '443',
  directory: '/var/run/secrets/kubernetes.io/serviceaccount',
};

t.test('which cluster is meant', async (t) => {
  const table: readonly [
    string,
    { kubeconfig?: string; context?: string },
    Record<string, string>,
    ClusterLocation | undefined,
  ][] = [
    [
      'the file that is asked for, before anything else',
      { kubeconfig: 'a' },
      { ...pod, KUBECONFIG: 'b', HOME: '/h' },
      files('a'),
    ],
    ['the account of the pod', {}, { ...pod, KUBECONFIG: 'b', HOME: '/h' }, inPod],
    ['half of a pod is none', {}, { KUBERNETES_SERVICE_HOST: '10.96.0.1', HOME: '/h' }, files('/h/.kube/config')],
    [
      'a context has a meaning in a kubeconfig only',
      { context: 'c' },
      { ...pod, HOME: '/h' },
      { kind: 'kubeconfig', paths: ['/h/.kube/config'], context: 'c' },
    ],
    ['KUBECONFIG, which may name several', {}, { KUBECONFIG: 'b::c', HOME: '/h' }, files('b', 'c')],
    ['an empty KUBECONFIG is none', {}, { KUBECONFIG: '', HOME: '/h' }, files('/h/.kube/config')],
    ['nothing says it', {}, {}, undefined],
  ];
  for (const [name, asked, environment, expected] of table) t.same(locateCluster(asked, environment), expected, name);
});
