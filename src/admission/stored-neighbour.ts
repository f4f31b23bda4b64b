/** A stored Service, its endpoints or a route, judged as if a user who is no member of a tenant wrote it now. */
import { type Judged, judge } from '../checks/judge.ts';
import type { NeighbourKind } from '../kinds/kind.ts';
import { isMap, valueAt } from '../kubernetes/json.ts';
import { entry, type KubernetesObject } from '../kubernetes/objects.ts';
import type { NeighbourRequest } from '../kubernetes/review.ts';
import { unaffiliatedUser } from '../kubernetes/user.ts';
import type { OwnerByName } from '../reach/violation.ts';
import type { NamespaceRecord } from './facts.ts';
import { notExempted, type State } from './stored-policy.ts';

/** Services are seen before their endpoints. */
export type SeeNeighbour = (
  kind: NeighbourKind,
  object: KubernetesObject,
  record: NamespaceRecord,
) => readonly Judged[];

/**
 * Keeps the names of Services with a selector: the controllers of Kubernetes write the endpoints of these. What a tenant says of its
 * endpoints' author proves nothing by itself.
 *
 * @returns the findings that no exemption covers; none in a namespace of the platform, and for what a controller keeps right
 */
export function storedNeighbours(state: State): SeeNeighbour {
  const { tenancy, namespaces, now } = state;
  const selecting = new Set<string>();
  const requester = tenancy.requester(unaffiliatedUser, undefined);
  const ownerByName: OwnerByName = (name) => {
    const record = namespaces.lookup(name);
    return record === undefined ? 'none' : tenancy.ownerByLabels(record.labels);
  };

  function isKept(kind: string, namespace: string, { metadata }: KubernetesObject): boolean {
    if (kind === 'Endpoints') return selecting.has(`${namespace}/${metadata?.name}`);
    if (kind !== 'EndpointSlice') return false;
    const author = entry(metadata?.labels, 'endpointslice.kubernetes.io/managed-by');
    // A copy of Endpoints, which are judged themselves.
    if (author === 'endpointslicemirroring-controller.k8s.io') return true;
    const service = entry(metadata?.labels, 'kubernetes.io/service-name');
    return author === 'endpointslice-controller.k8s.io' && selecting.has(`${namespace}/${service}`);
  }

  return (kind, object, record) => {
    const owner = tenancy.ownerByLabels(record.labels);
    if (owner === 'platform') return [];
    const { name: namespace } = record;
    if (kind.kind === 'Service' && isSelecting(object)) selecting.add(`${namespace}/${object.metadata?.name}`);
    if (isKept(kind.kind, namespace, object)) return [];
    const request: NeighbourRequest = {
      family: 'neighbour',
      ...{ kind: kind.kind, group: kind.group, resource: kind.plural, namespace, name: object.metadata?.name ?? '' },
      ...{ uid: '', operation: 'CREATE', subresource: '', orphans: false, user: unaffiliatedUser, dryRun: true },
      ...{ object, oldObject: undefined },
    };
    const facts = { tenancy, requester, owner, now, ownerByName, accountOwner: undefined };
    return notExempted(judge({ family: 'neighbour', request, facts }), state);
  };
}

function isSelecting(service: KubernetesObject): boolean {
  const selector = valueAt(service, 'spec', 'selector');
  return isMap(selector) && Object.keys(selector).length > 0 && valueAt(service, 'spec', 'type') !== 'ExternalName';
}
