import { kumaMesh } from '../keys/mesh-keys.ts';
import type { ReservedKey, ReservedKeys } from '../keys/reserved-keys.ts';
import { neighbourKindOf } from '../kinds/neighbour-kind.ts';
import { isMap, valueAt } from '../kubernetes/json.ts';
import { entry, type KubernetesObject, namespaceNameLabel, type StringMap } from '../kubernetes/objects.ts';
import type { NamespaceRequest, NeighbourRequest, PodRequest, PolicyRequest } from '../kubernetes/review.ts';
import {
  type Check,
  type Facts,
  type Finding,
  type NamespaceFacts,
  type NeighbourFacts,
  nothing,
  type PodFacts,
} from './check.ts';
import { isFree } from './free-values.ts';
import { isGranted } from './granted.ts';
import { ofSettings } from './grants.ts';
import { type Change, changesOf, fieldOf } from './metadata-changes.ts';
import { addressAnnotations } from './pod-addresses.ts';
import { isStoredByCalico } from './stored-by-calico.ts';

/**
 * Some labels and annotations are switches of the network, the scheduler or other guards; they are the platform's.
 * Reads    metadata.labels and metadata.annotations that a request adds, changes or removes: on namespaces and pods, every
 *          subresource, on Bindings (whose labels and annotations are written to the pod), on network policies, Services, Ingresses and routes;
 *          spec.infrastructure of Gateways, whose labels and annotations controllers write to pods and Services
 * Allowed  every key that is not reserved (settings: reserved.*Keys, by network.plugin and mesh); values that only tighten, or that
 *          an injector writes to have a pod join the mesh (free-values.ts, and reserved.allowedValues); anything for the platform;
 *          on namespaces, named keys for accounts that the settings list (platform.namespaceWriters, platform.provisioners)
 * Why      pod labels such as Cilium's `host` or `io.kubernetes.pod.namespace` change the identity a pod has on the network
 *          (POD-06), annotations give it foreign addresses or networks (POD-07, POD-25), namespace keys switch off the guards
 *          (TEN-19 to TEN-22), policy keys change what a network plugin makes of the rules (NP-20). Keys that weaken only the
 *          tenant's own protection (class `own-protection`) follow its mode; the others are always refused
 */
export const reservedLabels: Check = {
  id: 'reserved-labels',
  headline: 'changes labels or annotations that are reserved for the platform',
  protects: 'identity',
  grants: ofSettings('reserved.allowedValues', 'reserved.released'),
  namespace(request, facts) {
    return judge(request, facts, facts.tenancy.reserved.namespaceKeys);
  },
  pod(request, facts) {
    return facts.owner === 'platform' ? nothing : judge(request, facts, facts.tenancy.reserved.podKeys);
  },
  policy(request, facts) {
    if (facts.owner === 'platform') return nothing;
    return judge(request, facts, facts.tenancy.reserved.policyKeys);
  },
  neighbour(request, facts) {
    if (facts.owner === 'platform') return nothing;
    const { serviceKeys, routeKeys } = facts.tenancy.reserved;
    const { module } = neighbourKindOf(request);
    // Labels of endpoints are those of their Service, which controllers copy.
    if (module === 'rights') return nothing;
    if (module === 'services' && request.kind !== 'Service') return nothing;
    const found = judge(request, facts, module === 'services' ? serviceKeys : routeKeys);
    const all = request.kind === 'Gateway' ? [...found, ...judgeInfrastructure(request, facts)] : found;
    if (all.length === 0) return nothing;
    return all.map((one) => ({
      ...one,
      protects: 'border',
      ofChange: true,
    }));
  },
};

function judge(
  request: NamespaceRequest | NeighbourRequest | PodRequest | PolicyRequest,
  facts: Facts & Partial<Pick<PodFacts, 'namespaceLabels'>> & Pick<NamespaceFacts, 'grant'>,
  reserved: ReservedKeys<ReservedKey>,
): readonly Finding[] {
  if (request.operation === 'DELETE' || facts.requester.platform) return nothing;
  const findings: Finding[] = [];
  for (const map of ['labels', 'annotations'] as const) {
    for (const change of changesOf(map, request.object, request.oldObject)) {
      // The tenant label and the addresses of pods have checks of their own.
      if (change.key === facts.tenancy.settings.tenantLabel && map === 'labels') continue;
      if (request.family === 'pod' && map === 'annotations' && addressAnnotations.has(change.key)) continue;
      if (change.key === namespaceNameLabel && change.after === request.name) continue;
      const key = reserved.reserving(change.key);
      if (key === undefined || (!isTrusted(change, request, facts) && isFree(change, facts.tenancy.settings))) continue;
      if (request.family === 'policy' && isStoredByCalico(map, change, request)) continue;
      if (request.family === 'pod' && isOwnMesh(change, facts)) continue;
      if (request.family === 'namespace' && isGranted(change, request, facts.grant)) continue;
      findings.push(found(change, key));
    }
  }
  return findings;
}

/** A controller copies these labels and annotations to the Service and the pods that it makes for a Gateway. */
function judgeInfrastructure(request: NeighbourRequest, facts: NeighbourFacts): readonly Finding[] {
  const { object, oldObject } = request;
  const made = { ...request, object: madeFor(object), oldObject: oldObject && madeFor(oldObject) };
  const { podKeys, serviceKeys } = facts.tenancy.reserved;
  const found = [podKeys, serviceKeys].flatMap((reserved) => judge(made, facts, reserved));
  const byPath = new Map(found.map((one) => [one.path, one]));
  return [...byPath].map(([path, one]) => ({ ...one, path: path.replace(/^metadata/, 'spec.infrastructure') }));
}

function madeFor(gateway: KubernetesObject): KubernetesObject {
  const written = valueAt(gateway, 'spec', 'infrastructure');
  return {
    metadata: {
      labels: stringsIn(valueAt(written, 'labels')),
      annotations: stringsIn(valueAt(written, 'annotations')),
    },
  };
}

function stringsIn(map: unknown): StringMap {
  return isMap(map) ? Object.fromEntries(Object.entries(map).map(([key, value]) => [key, String(value)])) : {};
}

function found(change: Change, { entry, protects, effect, settings }: ReservedKey): Finding {
  const verb = change.before === undefined ? 'set' : change.after === undefined ? 'removed' : 'changed';
  const asked = settings.length === 0 ? '' : `, or ask the platform team (settings: ${settings.join(', ')})`;
  return {
    reserved: entry,
    path: fieldOf(change),
    reason: `would be ${verb}, and this key ${effect}`,
    fix: `${change.before === undefined ? 'leave it out' : 'leave it as it is'}${asked}`,
    ...(protects === 'own-protection' && { protects: 'border' }),
  };
}

/** Whatever value of it only tightens something: others are let in by it. */
function isTrusted({ key }: Change, { family }: { readonly family: string }, { tenancy }: Facts): boolean {
  return family === 'namespace' && tenancy.settings.trustedLabels.has(key);
}

/** Kuma takes an empty name for none. */
function isOwnMesh({ key, after }: Change, { namespaceLabels }: Partial<Pick<PodFacts, 'namespaceLabels'>>): boolean {
  return key === kumaMesh && after === (entry(namespaceLabels, kumaMesh) || 'default');
}
