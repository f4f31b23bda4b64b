import { delimiter, join } from 'node:path';
import type { ClusterLocation } from './authentication.ts';

/** Where the kubelet mounts the service account of a pod. */
const serviceAccountDirectory = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * Decides which cluster is meant, in the order of kubectl and client-go: the file that is asked for, then the pod's own
 * service account, then KUBECONFIG, then ~/.kube/config. Reads no file.
 * Undefined: nothing says where a cluster is.
 *
 * @param environment the variables of the process
 */
export function locateCluster(
  asked: { readonly kubeconfig?: string | undefined; readonly context?: string | undefined },
  environment: Readonly<Record<string, string | undefined>>,
): ClusterLocation | undefined {
  const { kubeconfig, context } = asked;
  if (kubeconfig !== undefined) return { kind: 'kubeconfig', paths: [kubeconfig], context };
  const host = environment.KUBERNETES_SERVICE_HOST;
  const port = environment.KUBERNETES_SERVICE_PORT;
  // A context only has a meaning in a kubeconfig.
  if (host && port && context === undefined)
    return { kind: 'in-cluster', host, port, directory: serviceAccountDirectory };
  const paths = (environment.KUBECONFIG ?? '').split(delimiter).filter((path) => path !== '');
  if (paths.length > 0) return { kind: 'kubeconfig', paths, context };
  const home = environment.HOME;
  return home ? { kind: 'kubeconfig', paths: [join(home, '.kube', 'config')], context } : undefined;
}
