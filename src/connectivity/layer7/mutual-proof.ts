/** Whether the caller of a connection has proven who it is, by the PeerAuthentications of the called pods and by who calls. */
import { type Membership, type Mesh, membershipOf, peerAuthenticationsFor } from '../mesh.ts';
import type { Party, PodClass } from '../parties.ts';
import type { PolicyRef } from '../snapshot.ts';
import type { Caller, Sure } from './callers.ts';

/**
 * A caller in the mesh proves who it is where nothing else gets in. Else it may send plain text past its own proxy, and then has no identity.
 * Where mutual TLS is off, no caller has one; ambient mode has no such mode.
 */
export function callerOf(
  from: Party,
  domains: ReadonlySet<string>,
  mode: Demand['mode'] | undefined,
  membership: Membership,
): Caller {
  const isOff = mode === 'DISABLE' && membership === 'sidecar';
  if (from.kind === 'pod') {
    const own = membershipOf(from);
    const proven: Sure = mode === 'STRICT' && own !== 'unknown' ? 'yes' : 'maybe';
    const hasIdentity = isOff || own === 'outside' ? 'no' : proven;
    return { hasIdentity, namespace: from.namespace.name, addresses: undefined, domains };
  }
  const addresses = from.kind === 'address' ? [from.range] : undefined;
  // What runs on the network of a node may have a proxy of its own, as gateways do.
  const isOfCluster = from.kind === 'node' || from.kind === 'unnamed';
  return { hasIdentity: isOff || !isOfCluster ? 'no' : 'maybe', namespace: undefined, addresses, domains };
}

/** It, or the caller itself where the way leads past it. */
export function throughWaypoint(domains: ReadonlySet<string>): Caller {
  return { hasIdentity: 'maybe', namespace: undefined, addresses: undefined, domains };
}

export interface Demand {
  /** On every port. */
  readonly mode: 'STRICT' | 'DISABLE';
  readonly ref: PolicyRef;
}

/** Undefined: callers may come with mutual TLS and without. Of several in one scope Istio takes the oldest, so all of them have to say it. */
export function demandOf(pods: PodClass, mesh: Mesh, root: string): Demand | undefined {
  let hasPorts = false;
  for (const scope of peerAuthenticationsFor(pods, mesh, root)) {
    if (scope.some(({ hasWeakPort }) => hasWeakPort)) return undefined;
    hasPorts ||= scope.some((one) => one.hasPorts);
    const [first, ...others] = scope.filter(({ mode }) => mode !== 'UNSET');
    if (first === undefined) continue;
    const { mode, ref } = first;
    if (mode === 'PERMISSIVE' || mode === 'UNSET' || others.some((one) => one.mode !== mode)) return undefined;
    return mode === 'DISABLE' && hasPorts ? undefined : { mode, ref };
  }
  return undefined;
}
