import { type Authentication, type ClusterLocation, inClusterAuthentication } from './authentication.ts';
import type { Clock } from './clock.ts';
import { kubeconfigAuthentication } from './kubeconfig.ts';

/** Where the kubelet mounts the service account of a pod. */
const serviceAccountDirectory = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * The kubeconfig that is asked for, or else the pod's own service account. KUBECONFIG and ~/.kube/config do not count, because Bulkhead
 * writes to its cluster. Reads no file. Undefined: nothing says where a cluster is.
 *
 * @param environment the variables of the process
 */
export function locateCluster(
  kubeconfig: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): ClusterLocation | undefined {
  if (kubeconfig !== undefined) return { kind: 'kubeconfig', path: kubeconfig };
  const host = environment.KUBERNETES_SERVICE_HOST;
  const port = environment.KUBERNETES_SERVICE_PORT;
  return host && port ? { kind: 'in-cluster', host, port, directory: serviceAccountDirectory } : undefined;
}

export function authenticationAt(location: ClusterLocation, clock: Clock): Authentication {
  return location.kind === 'in-cluster' ? inClusterAuthentication(location, clock) : kubeconfigAuthentication(location);
}
