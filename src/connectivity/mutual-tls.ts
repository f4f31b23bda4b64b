/**
 * Which pods take connections with mutual TLS of Istio alone, and name those who may connect by their proven identity. Facts of
 * istio.io/docs/reference/config/security: peer_authentication, authorization-policy.
 */
import { waypointIn } from './layer7/waypoints.ts';
import { isAbout, type Mesh, membershipOf, peerAuthenticationsFor } from './mesh.ts';
import type { PodClass } from './parties.ts';

export interface ProvenCallers {
  /** The mesh has the pod, and each of its TCP ports demands mutual TLS. */
  isStrict(pods: PodClass): boolean;
  /** Policies that allow are about the pod, and every rule of them names callers by their identity. No label names a waypoint before it. */
  isByIdentity(pods: PodClass): boolean;
}

/** @returns undefined: there is no PeerAuthentication */
export function createMutualTls(mesh: Mesh, root: string): ProvenCallers | undefined {
  if (mesh.peerAuthentications.length === 0) return undefined;
  const allowing = mesh.authorizations.filter(({ action }) => action === 'ALLOW');
  return {
    isStrict(pods) {
      const membership = membershipOf(pods);
      if (membership !== 'sidecar' && membership !== 'ambient') return false;
      // The weakest is taken for the oldest.
      for (const scope of peerAuthenticationsFor(pods, mesh, root)) {
        if (scope.some(({ hasWeakPort }) => hasWeakPort)) return false;
        const decides = scope.filter(({ mode }) => mode !== 'UNSET');
        if (decides.length > 0) return decides.every(({ mode }) => mode === 'STRICT');
      }
      return false;
    },
    isByIdentity(pods) {
      // The policies then name the waypoint, and what it lets through is not examined.
      if ([pods.labels, pods.namespace.labels].some((labels) => waypointIn(labels, '') !== undefined)) return false;
      const places = new Set([pods.namespace.name, root]);
      const about = allowing.filter((one) => places.has(one.ref.namespace) && isAbout(one.pods, pods.labels));
      return about.length > 0 && about.every((one) => one.isByIdentity);
    },
  };
}
