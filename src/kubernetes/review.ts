/** AdmissionReview of admission.k8s.io/v1, after decoding. */
import type {
  ExemptionObject,
  GateRequestObject,
  KubernetesObject,
  Namespace,
  NetworkPolicy,
  Pod,
  Policy,
  ResourceQuota,
  TenantObject,
} from './objects.ts';
import type { UserInfo } from './user.ts';
import type { Workload, WorkloadKind } from './workload.ts';

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE';

interface RequestOf<Family extends string, Kind extends string, Subject> {
  /** From the table of kinds. Requests of one family are judged by the same function of a check. */
  readonly family: Family;
  readonly kind: Kind;
  readonly uid: string;
  readonly operation: Operation;
  /** Empty for the object itself; `status`, `finalize`, `ephemeralcontainers`, `binding` and so on otherwise. Never trimmed or split (TEN-18). */
  readonly subresource: string;
  /** The name of the object; empty while the API server has not generated it (generateName before the validating phase). */
  readonly name: string;
  /** The namespace of the object; for a Namespace its own name, for a Tenant, an Exemption or another cluster-scoped object empty. */
  readonly namespace: string;
  readonly user: UserInfo;
  readonly dryRun: boolean;
  /** CREATE, UPDATE: the new object. DELETE: the object that is deleted. */
  readonly object: Subject;
  /** UPDATE: the stored object. Otherwise undefined. */
  readonly oldObject: Subject | undefined;
}

export type NamespaceRequest = RequestOf<'namespace', 'Namespace', Namespace>;
/**
 * Pods, and Bindings (subresource `binding`): a Binding's labels and annotations are written to the pod it binds (ADM-02).
 * Checks also see the template of a workload as the creation of a pod (subresource `template`), before mutating webhooks.
 */
export interface PodRequest extends RequestOf<'pod', 'Pod', Pod> {
  /** Of a template: the workload that holds it. */
  readonly workload?: Pick<WorkloadRequest, 'kind' | 'name' | 'object'>;
}
interface PolicyRequestOf<Kind extends string, Subject> extends RequestOf<'policy', Kind, Subject> {
  /** Group, version and plural, by which the table of kinds is asked: `networking.k8s.io/v1/networkpolicies`. */
  readonly resource: string;
}
export type PolicyRequest = PolicyRequestOf<string, Policy>;
export type NetworkPolicyRequest = PolicyRequestOf<'NetworkPolicy', NetworkPolicy>;
export type TenantRequest = RequestOf<'tenant', 'Tenant', TenantObject>;
export type ExemptionRequest = RequestOf<'exemption', 'Exemption', ExemptionObject>;
export type GateRequestRequest = RequestOf<'gate', 'GateRequest', GateRequestObject>;
export type ResourceQuotaRequest = RequestOf<'quota', 'ResourceQuota', ResourceQuota>;
export type WorkloadRequest = RequestOf<'workload', WorkloadKind, Workload>;
/** An object of an API group that carries network policy, of a kind that no entry of the table reads. Its shape is unknown. */
export interface UnreadRequest extends RequestOf<'unread', string, KubernetesObject> {
  /** Empty for a cluster-scoped object. */
  readonly namespace: string;
  readonly group: string;
  /** The plural. */
  readonly resource: string;
}
/** An object that leads traffic, or makes others lead it: Services, their endpoints, and routes. Its fields are read as untrusted data. */
export interface NeighbourRequest extends RequestOf<'neighbour', string, KubernetesObject> {
  readonly group: string;
  /** The plural. */
  readonly resource: string;
  /** Of a DELETE: the objects that it owns stay. */
  readonly orphans: boolean;
}
export type AdmissionRequest =
  | NamespaceRequest
  | PodRequest
  | PolicyRequest
  | ResourceQuotaRequest
  | TenantRequest
  | ExemptionRequest
  | GateRequestRequest
  | NeighbourRequest
  | UnreadRequest
  | WorkloadRequest;

export function isWorkload(request: AdmissionRequest): request is WorkloadRequest {
  return request.family === 'workload';
}
