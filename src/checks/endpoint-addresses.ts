import { excerpt, valueAt } from '../kubernetes/json.ts';
import type { NeighbourRequest, UnreadRequest } from '../kubernetes/review.ts';
import { ofPods, violationAt } from './carried-addresses.ts';
import { type Check, type Finding, type NeighbourFacts, nothing, type UnreadFacts } from './check.ts';
import { gates, ofTenant } from './grants.ts';
import { violationOfName } from './led-names.ts';
import { completed, isGranted, ownName, placeOfName } from './mesh-names.ts';
import { isByController } from './service-controller.ts';
import { trafficToJudge } from './traffic-objects.ts';
import { violationOfDestination } from './traffic-references.ts';
import { addressesIn, targetsIn, type WrittenAddress } from './written-endpoints.ts';

/** More addresses than these are refused with them. */
const mostFound = 32;

/**
 * The addresses that people write for a Service lie outside the cluster, and the platform grants them.
 * Reads    subsets[*].addresses[*].ip and notReadyAddresses[*].ip of Endpoints; addressType and endpoints[*].addresses[*] of
 *          EndpointSlices, whatever their conditions say; the ports of both, and targetRef.namespace; endpoints[*].address of ServiceEntries of Istio, with their ports, and their hosts
 *          where the DNS says the addresses; spec.address of WorkloadEntries, on every port; defaultEndpoint of
 *          Sidecars
 * Allowed  addresses outside the cluster that network.egressCIDRs and egress of the tenant grant at these ports, and vouched ones; names
 *          that network.names grants; what the controllers of Kubernetes and network.services.controllers write; anything for the platform
 * Why      an ingress controller, a load balancer or a proxy carries traffic to each address, and other tenants let it in: the author needs
 *          no policy at all (SVC-01, CVE-2021-25740, which has no fix). The mirroring controller copies Endpoints to EndpointSlices, so
 *          what is refused here is not copied
 */
export const endpointAddresses: Check = {
  id: 'endpoint-addresses',
  headline: 'leads to addresses that its tenant may not have others reach',
  protects: 'border',
  grants: [...ofTenant('network.egress', 'network.vouched', 'network.names'), gates],
  needs: { accountOwnerOfNeighbour: ({ kind }) => kind === 'Endpoints' || kind === 'EndpointSlice' },
  neighbour(request, facts) {
    const { owner, requester } = facts;
    if (request.kind !== 'Endpoints' && request.kind !== 'EndpointSlice') return nothing;
    if (owner === 'platform' || requester.platform || isByController(request, facts, 'endpoints')) return nothing;
    const type = valueAt(request.object, 'addressType');
    if (request.kind === 'EndpointSlice' && type !== 'IPv4' && type !== 'IPv6' && type !== 'FQDN') {
      const reason = `${excerpt(type)} is no type of addresses that Bulkhead knows`;
      return [{ path: 'addressType', reason, fix: 'write IPv4, IPv6 or FQDN' }];
    }
    return [...judged(addressesIn(request), type === 'FQDN', request, facts), ...judgedTargets(request)];
  },
  unread: (request, facts) => judgedOfMesh(request, facts).slice(0, mostFound),
};

/** What finds pods in place of an address, by resource. */
const instead: ReadonlyMap<string, string> = new Map([
  ['serviceentries', 'write workloadSelector, by which Istio finds pods'],
  ['sidecars', 'remove defaultEndpoint, or write 127.0.0.1 and a port of the pod'],
  ['workloadentries', 'select pods by a Service'],
]);

/** Istio connects to an address, or to what the DNS says of a name. */
function judgedOfMesh(request: UnreadRequest, facts: UnreadFacts): readonly Finding[] {
  const judged = trafficToJudge(request, facts);
  if (judged === undefined) return nothing;
  const { traffic, owner } = judged;
  const otherwise = instead.get(request.resource) ?? 'name a Service';
  return traffic.endpoints.flatMap(({ path, text, ports }): readonly Finding[] => {
    const isHost = path.startsWith('spec.hosts');
    if (text === '' && !isHost) {
      const reason = 'is empty, so proxies lead to a gateway of another network, wherever that goes';
      return [{ path, reason, fix: ownName('write the address, or name a Service', request, facts) }];
    }
    const place = placeOfName(text, request, facts);
    if (place.kind === 'address') {
      const violation = violationAt(text, ports, { tenant: owner, tenancy: facts.tenancy, now: facts.now });
      if (violation === undefined) return nothing;
      const { reason, fix } = violation;
      return [{ path, reason, fix: fix.replace(ofPods, otherwise) }];
    }
    // A host of the tenant can have any address.
    const isKnown = place.kind !== 'own' || place.by === 'namespace' || isGranted(text, facts);
    if (!isKnown) {
      const other = isHost ? 'write endpoints' : place.by === 'search' ? `write ${completed(text, facts)}` : otherwise;
      const ask = `ask the platform team to list ${text.startsWith('*') ? `*${text}` : text} in network.names of ${owner.name}`;
      const reason = `leads to whatever address ${excerpt(text)} has, and network.names of ${owner.name} does not grant it`;
      return [{ path, reason, fix: `${other}, or ${ask}` }];
    }
    const violation = ports
      .map((port) => violationOfDestination({ text, port }, request, facts))
      .find((one) => one !== undefined);
    return violation === undefined ? nothing : [{ path, ...violation }];
  });
}

/** The controllers of Kubernetes name pods of the same namespace alone. */
function judgedTargets(request: NeighbourRequest): readonly Finding[] {
  const findings: Finding[] = [];
  for (const { path, namespace } of targetsIn(request)) {
    if (namespace === request.namespace) continue;
    const reason = `names an object of namespace ${namespace}, for which load balancers and meshes then take the address`;
    findings.push({ path, reason, fix: `remove targetRef, or name an object of ${request.namespace}` });
    if (findings.length === mostFound) break;
  }
  return findings;
}

function judged(
  written: Iterable<WrittenAddress>,
  areNames: boolean,
  request: NeighbourRequest,
  facts: NeighbourFacts,
): readonly Finding[] {
  const { owner, tenancy, now } = facts;
  if (owner === 'platform') return nothing;
  const asked = { tenant: owner, tenancy, now };
  const findings: Finding[] = [];
  for (const { path, text, ports } of written) {
    const violation = areNames ? violationOfName(text, 'granted', request, facts) : violationAt(text, ports, asked);
    if (violation === undefined) continue;
    findings.push({ path, ...violation });
    if (findings.length === mostFound) break;
  }
  return findings;
}
