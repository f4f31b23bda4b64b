/**
 * The Kubernetes objects that Bulkhead reads, as the API server sends them.
 * Source: the Kubernetes API, core/v1 and networking.k8s.io/v1. Only the fields that a rule reads are declared; all others
 * pass through unchanged. A field that is `null` in JSON means the same as a missing one.
 */
import type { LabelSelector } from './label-selector.ts';

/** Labels and annotations. The keys are the user's: read them with {@link entry}, never by index (`constructor` is legal). */
export type StringMap = Readonly<Record<string, string>>;

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean | null;
}

export interface ObjectMeta {
  readonly name?: string;
  readonly generateName?: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly deletionTimestamp?: string | null;
  readonly labels?: StringMap | null;
  readonly annotations?: StringMap | null;
  readonly ownerReferences?: readonly OwnerReference[] | null;
  readonly finalizers?: readonly string[] | null;
  readonly managedFields?: readonly unknown[] | null;
}

export interface KubernetesObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: ObjectMeta;
}

export interface Namespace extends KubernetesObject {
  readonly spec?: { readonly finalizers?: readonly string[] | null } | null;
  readonly status?: { readonly phase?: string } | null;
}

export interface ContainerPort {
  readonly containerPort?: number;
  readonly hostPort?: number;
  readonly hostIP?: string;
  readonly protocol?: string;
}

/** Amounts by the name of the resource; the name is the user's. */
export interface ResourceRequirements {
  readonly requests?: Readonly<Record<string, string | number>> | null;
  readonly limits?: Readonly<Record<string, string | number>> | null;
}

/** The action of a probe or a lifecycle hook. `exec` and `grpc` have no host. */
export interface Handler {
  readonly httpGet?: { readonly host?: string | null } | null;
  readonly tcpSocket?: { readonly host?: string | null } | null;
}

export interface Container {
  readonly name?: string;
  readonly image?: string | null;
  /** Of an ephemeral container: whose processes it sees. */
  readonly targetContainerName?: string | null;
  readonly resources?: ResourceRequirements | null;
  readonly ports?: readonly ContainerPort[] | null;
  readonly livenessProbe?: Handler | null;
  readonly readinessProbe?: Handler | null;
  readonly startupProbe?: Handler | null;
  readonly lifecycle?: { readonly postStart?: Handler | null; readonly preStop?: Handler | null } | null;
  readonly securityContext?: {
    readonly privileged?: boolean | null;
    readonly capabilities?: { readonly add?: readonly string[] | null } | null;
  } | null;
}

/** Without the sources that the API server itself, a storage class or the node's own disk fills. */
export interface Volume {
  readonly name?: string;
  readonly hostPath?: object | null;
  readonly nfs?: { readonly server?: string } | null;
  readonly iscsi?: { readonly targetPortal?: string; readonly portals?: readonly string[] | null } | null;
  readonly cephfs?: { readonly monitors?: readonly string[] | null } | null;
  readonly rbd?: { readonly monitors?: readonly string[] | null } | null;
  readonly glusterfs?: object | null;
  readonly gitRepo?: object | null;
  readonly quobyte?: object | null;
  readonly scaleIO?: object | null;
  readonly storageos?: object | null;
  readonly azureFile?: object | null;
  readonly flexVolume?: { readonly driver?: string } | null;
  readonly csi?: { readonly driver?: string } | null;
}

/** A missing operator is `Equal`. Without a key, which takes `Exists`: every taint with that effect, or every taint. */
export interface Toleration {
  readonly key?: string | null;
  readonly operator?: string | null;
  readonly value?: string | null;
  readonly effect?: string | null;
}

export interface PodSpec {
  readonly hostNetwork?: boolean | null;
  readonly hostPID?: boolean | null;
  readonly hostIPC?: boolean | null;
  readonly shareProcessNamespace?: boolean | null;
  readonly containers?: readonly Container[] | null;
  readonly initContainers?: readonly Container[] | null;
  readonly ephemeralContainers?: readonly Container[] | null;
  /** For all containers together (since Kubernetes 1.34). */
  readonly resources?: ResourceRequirements | null;
  readonly volumes?: readonly Volume[] | null;
  readonly nodeName?: string | null;
  readonly tolerations?: readonly Toleration[] | null;
  readonly resourceClaims?: readonly unknown[] | null;
  readonly serviceAccountName?: string | null;
  readonly runtimeClassName?: string | null;
  readonly securityContext?: { readonly sysctls?: readonly { readonly name?: string }[] | null } | null;
  readonly dnsConfig?: { readonly nameservers?: readonly string[] | null } | null;
}

export interface Pod extends KubernetesObject {
  readonly spec?: PodSpec | null;
  readonly status?: {
    readonly podIP?: string | null;
    readonly podIPs?: readonly { readonly ip?: string }[] | null;
    readonly hostIP?: string | null;
    readonly hostIPs?: readonly { readonly ip?: string }[] | null;
  } | null;
}

/** networking.k8s.io/v1 IPBlock. */
export interface IpBlock {
  readonly cidr: string;
  readonly except?: readonly string[] | null;
}

/** networking.k8s.io/v1 NetworkPolicyPeer: `null` or missing is "not given", `{}` is "selects everything". */
export interface NetworkPolicyPeer {
  readonly podSelector?: LabelSelector | null;
  readonly namespaceSelector?: LabelSelector | null;
  readonly ipBlock?: IpBlock | null;
}

export interface NetworkPolicyPort {
  readonly protocol?: string | null;
  readonly port?: number | string | null;
  readonly endPort?: number | null;
}

export interface NetworkPolicyIngressRule {
  readonly from?: readonly NetworkPolicyPeer[] | null;
  readonly ports?: readonly NetworkPolicyPort[] | null;
}

export interface NetworkPolicyEgressRule {
  readonly to?: readonly NetworkPolicyPeer[] | null;
  readonly ports?: readonly NetworkPolicyPort[] | null;
}

export interface NetworkPolicySpec {
  readonly podSelector?: LabelSelector | null;
  readonly policyTypes?: readonly string[] | null;
  readonly ingress?: readonly NetworkPolicyIngressRule[] | null;
  readonly egress?: readonly NetworkPolicyEgressRule[] | null;
}

/** Any kind with rules about who may talk to whom. What its fields mean, src/kinds/ says. */
export interface Policy extends KubernetesObject {
  readonly spec?: unknown;
}

export interface NetworkPolicy extends KubernetesObject {
  readonly spec?: NetworkPolicySpec | null;
}

/** bulkhead.dev/v1alpha1. What is in it, tenancy/parse-tenant.ts says. */
export interface TenantObject extends KubernetesObject {
  readonly spec?: unknown;
}

/** bulkhead.dev/v1alpha1. What is in it, exemptions/parse-exemption.ts says. */
export interface ExemptionObject extends KubernetesObject {
  readonly spec?: unknown;
}

/** bulkhead.dev/v1alpha1. What is in it, gates/parse-gate-request.ts says. */
export interface GateRequestObject extends KubernetesObject {
  readonly spec?: unknown;
}

/** core/v1 ResourceQuota. Maps from the name of a resource to a quantity (quantity.ts). */
export interface ResourceQuota extends KubernetesObject {
  readonly spec?: { readonly hard?: StringMap | null } | null;
  readonly status?: {
    /** What is enforced: the `hard` of the spec, once the quota controller has followed it. */
    readonly hard?: StringMap | null;
    readonly used?: StringMap | null;
  } | null;
}

/** The ownerReference of the controller that manages the object, or undefined (meta/v1 OwnerReference). */
export function controllerOf({ metadata }: KubernetesObject): OwnerReference | undefined {
  return metadata?.ownerReferences?.find(({ controller }) => controller === true);
}

/** The value under a key that a user chose, or undefined. Safe for `__proto__`, `constructor` and the like. */
export function entry<Value>(map: Readonly<Record<string, Value>> | null | undefined, key: string): Value | undefined {
  return map !== null && map !== undefined && Object.hasOwn(map, key) ? map[key] : undefined;
}

/** The API server sets it on every namespace, to the name, and it cannot be changed (core/v1 Namespace). */
export const namespaceNameLabel = 'kubernetes.io/metadata.name';

/**
 * On no pod, but Cilium selects pods of a cluster of its mesh by it. To a selector with this key it adds no condition for the own cluster
 * (cilium/cilium pkg/k8s, isPodSelectorSelectingCluster).
 */
export const meshClusterLabel = 'io.cilium.k8s.policy.cluster';
