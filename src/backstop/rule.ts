/**
 * What a rule of the backstop is: a check of the catalogue, said once more as an expression in CEL that the API server itself
 * evaluates. It holds while no replica answers, and while the webhook configurations are deleted.
 */
import type { Check, Protects } from '../checks/check.ts';
import type { Kind } from '../kinds/kind.ts';
import { namespace } from '../kinds/namespace.ts';
import { pod } from '../kinds/pod.ts';
import type { Settings } from '../tenancy/settings.ts';

/** Which requests a rule sees: admissionregistration.k8s.io/v1 NamedRuleWithOperations. */
export interface ResourceRule {
  readonly apiGroups: readonly string[];
  readonly apiVersions: readonly string[];
  readonly resources: readonly string[];
  readonly operations: readonly ('CREATE' | 'UPDATE' | 'DELETE')[];
  readonly scope: 'Cluster' | 'Namespaced';
}

export interface Rule {
  /**
   * The check that it doubles, which gives it its name, its words and its page. A rule refuses nothing that the check admits: it
   * is in force beside the webhook, too. It may admit what the check refuses, where a decision takes more than the request.
   */
  readonly check: Check;
  /** What it keeps, where that is not what its check protects. */
  readonly protects?: Protects;
  /** What its policy is called after `bulkhead-`, where a check has two rules; otherwise the id of the check. */
  readonly name?: string;
  /** `members`: asks whether the requester is a member of the tenant of the object's label (variables.spokenFor). */
  readonly about?: 'members';
  /** Whether it asks what the settings grant on namespaces (variables of grants.ts, where there are grants). */
  readonly grants?: true;
  /** What the refusal is about. */
  readonly kind: 'Exemption' | 'Namespace' | 'NetworkPolicy' | 'Pod' | 'object';
  readonly on: readonly ResourceRule[];
  /**
   * True for what is admitted. Total: an error refuses.
   * Where it protects a border, it is only asked for pods of tenants whose mode is `enforce`; where it protects nodes, for those of all.
   *
   * @param tenantLabel the key, as a literal of CEL
   */
  readonly admits: (tenantLabel: string, settings: Settings) => string;
  /** The images of the containers that it refuses, an exemption can spare these; left out: the pod as a whole. */
  readonly images?: string;
}

/** What a rule keeps. */
export function protectsOf({ protects, check }: Rule): Protects {
  return protects ?? check.protects;
}

/** Requests about an object of this kind. */
export function requests(
  { group, versions, scope }: Kind,
  operations: ResourceRule['operations'],
  ...resources: readonly string[]
): ResourceRule {
  return { apiGroups: [group], apiVersions: versions, resources, operations, scope };
}

/** Every way in which the metadata of a namespace that exists can be written (ADM-01). */
export const namespaceUpdates = requests(
  namespace,
  ['UPDATE'],
  'namespaces',
  'namespaces/status',
  'namespaces/finalize',
);

export const podCreations = requests(pod, ['CREATE'], 'pods');
