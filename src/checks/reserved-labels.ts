import { entry, namespaceNameLabel } from '../kubernetes/objects.ts';
import type { NamespaceRequest, PodRequest, PolicyRequest } from '../kubernetes/review.ts';
import { freeValues, kumaMesh } from '../tenancy/built-in-keys.ts';
import type { ReservedKeys } from '../tenancy/reserved-keys.ts';
import { type Check, type Facts, type Finding, nothing, type PodFacts } from './check.ts';
import { type Change, changesOf, fieldOf } from './metadata-changes.ts';
import { addressAnnotations } from './pod-addresses.ts';

/**
 * Some labels and annotations are switches of the network, the scheduler or other guards; they are the platform's.
 * Reads    metadata.labels and metadata.annotations that a request adds, changes or removes: on namespaces and pods, every
 *          subresource, on Bindings (whose labels and annotations are written to the pod), and on network policies
 * Allowed  every key that is not reserved (settings: reserved.namespaceKeys, reserved.podKeys, reserved.policyKeys); the values by
 *          which a pod joins the mesh of its namespace; on namespaces also a Pod Security label that asks for `restricted`; anything for the platform
 * Why      pod labels such as Cilium's `host` or `io.kubernetes.pod.namespace` change the identity a pod has on the network
 *          (POD-06), annotations give it foreign addresses or networks (POD-07, POD-25), namespace keys switch off the guards
 *          (TEN-19 to TEN-22), policy keys change what a network plugin makes of the rules (NP-20)
 */
export const reservedLabels: Check = {
  id: 'reserved-labels',
  headline: 'changes labels or annotations that are reserved for the platform',
  protects: 'identity',
  namespace(request, facts) {
    return judge(request, facts, facts.tenancy.reserved.namespaceKeys, 'namespaces');
  },
  pod(request, facts) {
    return facts.owner === 'platform' ? nothing : judge(request, facts, facts.tenancy.reserved.podKeys, 'pods');
  },
  policy(request, facts) {
    if (facts.owner === 'platform') return nothing;
    return judge(request, facts, facts.tenancy.reserved.policyKeys, 'policies');
  },
};

function judge(
  request: NamespaceRequest | PodRequest | PolicyRequest,
  facts: Facts & Partial<Pick<PodFacts, 'namespaceLabels'>>,
  reserved: ReservedKeys,
  what: string,
): readonly Finding[] {
  if (request.operation === 'DELETE' || facts.requester.platform) return nothing;
  const findings: Finding[] = [];
  for (const map of ['labels', 'annotations'] as const) {
    for (const change of changesOf(map, request.object, request.oldObject)) {
      // The tenant label and the addresses of pods have checks of their own.
      if (change.key === facts.tenancy.settings.tenantLabel && map === 'labels') continue;
      if (request.family === 'pod' && map === 'annotations' && addressAnnotations.has(change.key)) continue;
      if (change.key === namespaceNameLabel && change.after === request.name) continue;
      if (reserved.reserving(change.key) === undefined || isFree(change) || tightensPodSecurity(change)) continue;
      if (request.family === 'pod' && isOwnMesh(change, facts)) continue;
      const verb = change.before === undefined ? 'set' : change.after === undefined ? 'removed' : 'changed';
      findings.push({
        path: fieldOf(change),
        key: change.key,
        reason: `would be ${verb}, and on ${what} of tenants that key is reserved to the platform`,
        fix: change.before === undefined ? 'leave it out' : 'leave it as it is',
      });
    }
  }
  return findings;
}

function isFree({ key, after }: Change): boolean {
  return after !== undefined && freeValues.get(key)?.has(after) === true;
}

/** Kuma takes an empty name for none. */
function isOwnMesh({ key, after }: Change, { namespaceLabels }: Partial<Pick<PodFacts, 'namespaceLabels'>>): boolean {
  return key === kumaMesh && after === (entry(namespaceLabels, kumaMesh) || 'default');
}

/**
 * Pod Security Admission labels: `restricted`, at the version of the cluster, is the tightest there is, so anybody may ask for it.
 * Source: kubernetes.io/docs/concepts/security/pod-security-admission.
 */
function tightensPodSecurity({ map, key, after }: Change): boolean {
  if (map !== 'labels' || !key.startsWith('pod-security.kubernetes.io/')) return false;
  return after === (key.endsWith('-version') ? 'latest' : 'restricted');
}
