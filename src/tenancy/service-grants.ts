/** Which Services tenants may write, and which accounts write for the controllers of Services. */
import type { IpRange } from '../kubernetes/ip-range.ts';
import type { UserInfo } from '../kubernetes/user.ts';
import type { Subject } from './tenant.ts';

/** core/v1 ServiceType. */
export const serviceTypes = ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'] as const;
export type ServiceType = (typeof serviceTypes)[number];

export interface ServiceSettings {
  /** With false, nothing of the module is sent. */
  readonly judged: boolean;
  /** Of every tenant. Undefined: every type. */
  readonly types: ReadonlySet<string> | undefined;
  /** Of every tenant. Undefined: every class. */
  readonly loadBalancerClasses: ReadonlySet<string> | undefined;
  /** `granted`: aliases for names outside the cluster need a grant too, as the DNS of their owners may answer with any address. */
  readonly externalNames: 'every' | 'granted';
  /** From which every load balancer may be open. Undefined: from everywhere. */
  readonly loadBalancerSourceRanges: readonly IpRange[] | undefined;
  /** They write endpoints and the status of Services. */
  readonly controllers: readonly Subject[];
}

/** What one tenant may write beside. */
export interface ServiceGrants {
  readonly types: ReadonlySet<string>;
  readonly loadBalancerClasses: ReadonlySet<string>;
  readonly externalIPs: readonly IpRange[];
  readonly loadBalancerSourceRanges: readonly IpRange[];
}

function accounts(namespace: string, ...names: readonly string[]): readonly Subject[] {
  return names.map((name) => ({ kind: 'ServiceAccount', namespace, name }));
}

/**
 * Of Kubernetes 1.36 (cmd/kube-controller-manager/app) and of Cilium 1.20, which copies endpoints of other clusters. They keep running
 * applications reachable, so manifests/base does not send what they write: no tenant can become one of them, because `system:` names are
 * given by the cluster, and kube-system and cilium are namespaces of the platform.
 */
export const endpointControllers: readonly Subject[] = [
  ...accounts('kube-system', 'endpoint-controller', 'endpointslice-controller', 'endpointslicemirroring-controller'),
  // It removes ownerReferences and finalizers.
  ...accounts('kube-system', 'generic-garbage-collector'),
  // Where controllers have no accounts of their own (--use-service-account-credentials=false).
  { kind: 'User', name: 'system:kube-controller-manager' },
  ...accounts('kube-system', 'cilium-operator'),
  ...accounts('cilium', 'cilium-operator'),
];

/** They write the addresses of load balancers to the status of Services, and their own finalizer. */
export const serviceControllers: readonly Subject[] = [
  ...accounts('kube-system', 'service-controller', 'cloud-controller-manager', 'generic-garbage-collector'),
  { kind: 'User', name: 'system:kube-controller-manager' },
  { kind: 'User', name: 'system:cloud-controller-manager' },
];

/** Whether it writes endpoints, or the status of Services, for the cluster. */
export type IsServiceController = (user: UserInfo, of: 'endpoints' | 'status') => boolean;

/** @param nameOf a subject as the API server says it of a request */
export function compileControllers(
  { controllers }: ServiceSettings,
  nameOf: (subject: Subject) => string,
): IsServiceController {
  const users = {
    endpoints: new Set([...endpointControllers, ...controllers].map(nameOf)),
    status: new Set([...serviceControllers, ...controllers].map(nameOf)),
  };
  return ({ username }, of) => users[of].has(username);
}
