/** Whether labels put a waypoint of Istio before pods: it calls them with its own identity, not with that of the caller. */
import { isDryRun } from '../../kinds/istio-authorization-policy/read-policy.ts';
import { listOf, valueAt } from '../../kubernetes/json.ts';
import { isOfWaypoint } from '../mesh.ts';
import type { Labels, PodClass } from '../parties.ts';
import type { MeshPolicy, SnapshotService } from '../snapshot.ts';

const label = 'istio.io/use-waypoint';
const namespaceLabel = 'istio.io/use-waypoint-namespace';

/** @returns the namespace of the waypoint; undefined: the labels name none */
export function waypointIn(labels: Labels, own: string): string | undefined {
  const name = labels.get(label) ?? '';
  return name === '' || name === 'none' ? undefined : (labels.get(namespaceLabel) ?? own);
}

export interface Waypoints {
  /** Namespaces of the waypoints that may stand before the pods: by their own labels, and those of their namespace and Services. */
  before(pods: PodClass): ReadonlySet<string>;
  /** Policies of waypoints that may stand before these pods, or of gateways there. */
  policiesFor(pods: PodClass): readonly MeshPolicy[];
}

export function createWaypoints(
  policies: readonly MeshPolicy[],
  services: readonly SnapshotService[],
  root: string,
): Waypoints {
  const all = policies.filter(
    ({ ref, object }) => ref.kind === 'AuthorizationPolicy' && isOfWaypoint(object) && !isDryRun(object),
  );
  const served = Map.groupBy(
    services.filter(({ waypoint }) => waypoint !== undefined),
    ({ namespace }) => namespace,
  );
  const before = ({ labels, namespace }: PodClass): ReadonlySet<string> => {
    const selecting = (served.get(namespace.name) ?? []).filter(({ selector }) =>
      Object.entries(selector ?? {}).every(([key, value]) => labels.get(key) === value),
    );
    const found = [waypointIn(labels, namespace.name), waypointIn(namespace.labels, namespace.name)];
    return new Set([...found, ...selecting.map(({ waypoint }) => waypoint)].filter((one) => one !== undefined));
  };
  return {
    before,
    policiesFor(pods) {
      const places = before(pods);
      return all.filter(
        ({ ref: { namespace }, object: { spec } }) =>
          namespace === pods.namespace.name || places.has(namespace) || (namespace === root && isOfClass(spec)),
      );
    },
  };
}

/** Those of the root namespace about a class are about every waypoint of it. */
function isOfClass(spec: unknown): boolean {
  const targets = [valueAt(spec, 'targetRef'), ...listOf(valueAt(spec, 'targetRefs'))];
  return targets.some((one) => valueAt(one, 'kind') === 'GatewayClass');
}
