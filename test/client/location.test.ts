import t from 'tap';
import type { ClusterLocation } from '../../src/client/authentication.ts';
import { locateCluster } from '../../src/client/location.ts';

const pod = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' };
const inPod: ClusterLocation = {
  kind: 'in-cluster',
  host: '10.96.0.1',
  port: '443',
  directory: '/var/run/secrets/kubernetes.io/serviceaccount',
};

t.test('which cluster is meant', async (t) => {
  const table: readonly [string, string | undefined, Record<string, string>, ClusterLocation | undefined][] = [
    ['the file that is asked for, before anything else', 'a', pod, { kind: 'kubeconfig', path: 'a' }],
    ['the account of the pod', undefined, pod, inPod],
    ['half of a pod is none', undefined, { KUBERNETES_SERVICE_HOST: '10.96.0.1' }, undefined],
    ['never the cluster that kubectl happens to speak to', undefined, { KUBECONFIG: 'b', HOME: '/h' }, undefined],
  ];
  for (const [name, kubeconfig, environment, expected] of table) {
    t.same(locateCluster(kubeconfig, environment), expected, name);
  }
});
