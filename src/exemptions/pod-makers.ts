/** Which object makes the pods of a workload, and which controller sends them to the API server. */
import { entry } from '../kubernetes/objects.ts';

export interface PodMaker {
  /** The API group of the workload, and of that object. */
  readonly group: '' | 'apps' | 'batch';
  /** The kind in the pod's controlling ownerReference. */
  readonly kind: string;
  /** The controller's service account in kube-system. */
  readonly account: string;
  /** What follows the name of the workload in the name of that object; undefined: the workload itself is that object. */
  readonly suffix?: RegExp;
}

/**
 * Suffix of a ReplicaSet: a 32-bit hash in decimal, in the alphabet of rand.SafeEncodeString (k8s.io/apimachinery). Suffix of a
 * CronJob's Job: minutes since the epoch.
 */
const makers: Readonly<Record<string, PodMaker>> = {
  CronJob: { group: 'batch', kind: 'Job', account: 'job-controller', suffix: /^-[0-9]{1,20}$/ },
  DaemonSet: { group: 'apps', kind: 'DaemonSet', account: 'daemon-set-controller' },
  Deployment: {
    group: 'apps',
    kind: 'ReplicaSet',
    account: 'replicaset-controller',
    suffix: /^-[bcdfghjklmnpqrstvwxz2456789]{1,10}$/,
  },
  Job: { group: 'batch', kind: 'Job', account: 'job-controller' },
  ReplicaSet: { group: 'apps', kind: 'ReplicaSet', account: 'replicaset-controller' },
  ReplicationController: { group: '', kind: 'ReplicationController', account: 'replication-controller' },
  StatefulSet: { group: 'apps', kind: 'StatefulSet', account: 'statefulset-controller' },
};

export const ownerKinds: readonly string[] = Object.keys(makers);

/** Undefined: no workload of Kubernetes makes pods under this kind. */
export function makerOf(ownerKind: string): PodMaker | undefined {
  return entry(makers, ownerKind);
}

/** Of an `apiVersion`; the core group is empty. */
export function groupOf(apiVersion: unknown): string {
  return typeof apiVersion === 'string' && apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
}

/** Without --use-service-account-credentials all controllers are one user. */
export function usernamesOf({ account }: PodMaker): readonly string[] {
  return [`system:serviceaccount:kube-system:${account}`, 'system:kube-controller-manager'];
}

/** Whether an object of this name is the one that makes the pods of an owner with that name, as far as names tell. */
export function isMadeFor(owner: string, { suffix }: PodMaker, name: string): boolean {
  if (!name.startsWith(owner)) return false;
  const rest = name.slice(owner.length);
  return suffix === undefined ? rest === '' : suffix.test(rest);
}
