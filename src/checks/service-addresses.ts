import { destinations } from '../kubernetes/embedded-ipv4.ts';
import { formatAddress } from '../kubernetes/ip-address.ts';
import { type IpRange, parseCidr } from '../kubernetes/ip-range.ts';
import { contains, intersect, normalise } from '../kubernetes/ip-set.ts';
import { canonicalJson, excerpt, isMap, listOf, mapIn, valueAt } from '../kubernetes/json.ts';
import type { NeighbourRequest, UnreadRequest } from '../kubernetes/review.ts';
import { serviceAccountOf } from '../kubernetes/user.ts';
import { listed } from '../reach/listed.ts';
import type { Settings } from '../tenancy/settings.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import { type Check, type Finding, type NeighbourFacts, nothing, type UnreadFacts } from './check.ts';
import { inFixes, ofSettings, ofTenant } from './grants.ts';
import { namespacesOfName, violationOfName } from './led-names.ts';
import { annotationsWritten, fieldOf, type WrittenAnnotation } from './metadata-changes.ts';
import { addressOf } from './name-servers.ts';
import { addressAnnotations } from './service-annotations.ts';
import { isByController } from './service-controller.ts';
import { audienceOf } from './traffic-audience.ts';
import { trafficIn, trafficToJudge } from './traffic-objects.ts';
import { contentOfKind } from './unread-objects.ts';
import { textOf } from './written-endpoints.ts';

/** More findings than these say nothing new. */
const mostFound = 32;

/**
 * A Service or a Gateway takes no address that is not its tenant's.
 * Reads    spec.externalIPs, spec.loadBalancerIP and the annotations for it; status.loadBalancer, of services/status; spec.addresses of
 *          Gateways of the types IPAddress and Hostname. Of Istio, where proxies of other tenants read it: addresses of ServiceEntries and
 *          destinationSubnets of VirtualServices; status.addresses of ServiceEntries
 * Allowed  externalIPs that network.services.externalIPs of the tenant lists; for a load balancer also addresses outside the pods, Services,
 *          nodes and metadata services; for a Gateway also hostnames as external-name admits them. The status for the platform, controllers of Services, and service accounts of its namespaces
 * Why      every node takes traffic for these addresses to the pods of the Service, also traffic that others send to the address's owner
 *          (SVC-02, CVE-2020-8554). The status counts as much as the spec
 */
export const serviceAddresses: Check = {
  id: 'service-addresses',
  headline: 'takes addresses that are not those of its tenant',
  protects: 'border',
  grants: inFixes([
    ...ofTenant('network.services.externalIPs', 'network.names'),
    ...ofSettings('network.services.controllers'),
  ]),
  needs: {
    accountOwnerOfNeighbour: ({ kind, subresource }) => kind === 'Service' && subresource === 'status',
    namespacesNamed: ({ kind, object }) =>
      kind === 'Gateway'
        ? listOf(valueAt(object, 'spec', 'addresses')).flatMap((one) => namespacesOfName(textOf(valueAt(one, 'value'))))
        : [],
  },
  neighbour(request, facts) {
    if (request.operation === 'DELETE') return nothing;
    if (request.kind === 'Gateway') return judgeGateway(request, facts);
    if (request.kind !== 'Service') return nothing;
    const { owner, requester, tenancy } = facts;
    if (owner === 'platform' || requester.platform) return nothing;
    const { settings } = tenancy;
    const annotated = annotationsWritten(addressAnnotations, request).flatMap((one) =>
      judgeAnnotation(one, owner, settings),
    );
    // A change of the spec by way of the status has no effect; one of annotations has.
    if (request.subresource === 'status') return [...judgeStatus(request, facts), ...annotated];
    const spec = mapIn(request.object, 'spec');
    const external = listOf(spec.externalIPs);
    const balanced = textOf(spec.loadBalancerIP);
    if (external.length === 0 && balanced === '') return annotated;
    return [
      ...external.flatMap((one, index) => found(`spec.externalIPs[${index}]`, judgeExternal(textOf(one), owner))),
      ...(balanced === '' ? nothing : found('spec.loadBalancerIP', judgeBalanced(balanced, owner, settings))),
      ...annotated,
    ];
  },
  unread: (request, facts) => [...judgeMesh(request, facts), ...judgeAllocated(request, facts)],
};

/** Proxies of those who read it take traffic for the addresses to its host. */
function judgeMesh(request: UnreadRequest, facts: UnreadFacts): readonly Finding[] {
  const judged = trafficToJudge(request, facts);
  if (judged === undefined || judged.traffic.addresses.length === 0) return nothing;
  const audience = audienceOf(judged, request, facts);
  if (!audience.isForOthers) return nothing;
  const { owner, traffic } = judged;
  return traffic.addresses
    .filter(({ text }) => !isListed(text, owner))
    .slice(0, mostFound)
    .map(({ path, text }) => ({
      path,
      reason: `takes ${excerpt(text)} away from its owner, as ${audience.because}, and network.services.externalIPs of ${owner.name} does not list it`,
      fix: `${audience.fix ?? 'remove it'}, or ask the platform team to list ${text} in network.services.externalIPs of ${owner.name}`,
    }));
}

/** Of ServiceEntries without addresses, the control plane of the mesh writes some into the status, and reads them there. */
function judgeAllocated(request: UnreadRequest, facts: UnreadFacts): readonly Finding[] {
  const { object, oldObject, resource, subresource, user } = request;
  if (resource !== 'serviceentries' || subresource !== 'status') return nothing;
  const content = trafficIn(request) === undefined ? undefined : contentOfKind(request, facts);
  // No tenant can own the root namespace.
  if (content === undefined || serviceAccountOf(user)?.namespace === content.istio.rootNamespace) return nothing;
  const before = new Set(listOf(valueAt(oldObject, 'status', 'addresses')).map((one) => canonicalJson(one)));
  return listOf(valueAt(object, 'status', 'addresses')).flatMap((one, index): readonly Finding[] => {
    if (before.has(canonicalJson(one))) return nothing;
    const reason = `would say that ${excerpt(valueAt(one, 'value'))} belongs to the host, and proxies take traffic to it from the status`;
    return [{ path: `status.addresses[${index}]`, reason, fix: 'leave the status to the control plane of the mesh' }];
  });
}

type Violation = Pick<Finding, 'reason' | 'fix'>;

function found(path: string, violation: Violation | undefined): readonly Finding[] {
  return violation === undefined ? nothing : [{ path, ...violation }];
}

/** gateway.networking.k8s.io GatewaySpecAddress. A type left out is IPAddress; an implementation knows what other types mean. */
function judgeGateway(request: NeighbourRequest, facts: NeighbourFacts): readonly Finding[] {
  const { owner, requester, tenancy } = facts;
  if (owner === 'platform' || requester.platform) return nothing;
  return listOf(valueAt(request.object, 'spec', 'addresses')).flatMap((one, index) => {
    const [type, value] = [textOf(valueAt(one, 'type')), textOf(valueAt(one, 'value'))];
    const path = `spec.addresses[${index}].value`;
    // Without a value the implementation chooses one.
    if (value === '') return nothing;
    // Istio attaches the Gateway to the Service of that name, whosever it is.
    if (type === 'Hostname') return found(path, violationOfName(value, 'every', request, facts));
    return type === '' || type === 'IPAddress' ? found(path, judgeBalanced(value, owner, tenancy.settings)) : nothing;
  });
}

function judgeExternal(text: string, tenant: Tenant): Violation | undefined {
  if (isListed(text, tenant)) return undefined;
  const reason = `takes ${excerpt(text)} on every node, away from its owner, and network.services.externalIPs of ${tenant.name} does not list it`;
  const fix = `remove it, or ask the platform team to list ${text} in network.services.externalIPs of ${tenant.name}`;
  return { reason, fix };
}

function judgeBalanced(text: string, tenant: Tenant, { protectedRanges }: Settings): Violation | undefined {
  const fix = 'remove it, and the load balancer chooses an address';
  const address = addressOf(text);
  if (address === undefined) return { reason: `${excerpt(text)} is not an address that all programs read alike`, fix };
  if (isListed(text, tenant)) return undefined;
  // Where load balancers get their addresses is where an address may be.
  const places = protectedRanges.filter(
    ({ range, name, kind }) =>
      (kind !== 'cluster' || !name.startsWith('load balancer')) &&
      intersect(destinations([address]), destinations([range])).length > 0,
  );
  if (places.length === 0) return undefined;
  const names = listed([...new Set(places.map(({ name }) => name))]);
  return { reason: `is ${formatAddress(address.family, address.first)}, an address of the ${names}`, fix };
}

/** @param text an address, or a range */
function isListed(text: string, { network }: Tenant): boolean {
  const address = text.includes('/') ? rangeOf(text) : addressOf(text);
  const granted = normalise(network.services?.externalIPs ?? []);
  return address !== undefined && contains(destinations(granted), destinations([address]));
}

function rangeOf(text: string): IpRange | undefined {
  const read = parseCidr(text);
  return read.ok ? read.value : undefined;
}

function judgeAnnotation({ key, value }: WrittenAnnotation, tenant: Tenant, settings: Settings): readonly Finding[] {
  const violation = value
    .split(',')
    .map((one) => judgeBalanced(one.replaceAll(/[\s"[\]]/g, ''), tenant, settings))
    .find((one) => one !== undefined);
  return violation === undefined
    ? nothing
    : [{ path: fieldOf({ map: 'annotations', key }), ...violation, ofChange: true }];
}

function judgeStatus(request: NeighbourRequest, facts: NeighbourFacts): readonly Finding[] {
  const { object, oldObject } = request;
  const { owner, accountOwner } = facts;
  if (owner === 'platform' || isByController(request, facts, 'status') || accountOwner === 'platform') return nothing;
  const after = valueAt(object, 'status', 'loadBalancer');
  const before = new Set(
    listOf(valueAt(oldObject, 'status', 'loadBalancer', 'ingress')).map((one) => canonicalJson(one)),
  );
  return listOf(valueAt(after, 'ingress')).flatMap((one, index): readonly Finding[] => {
    if (before.has(canonicalJson(one))) return nothing;
    const address = isMap(one) ? (one.ip ?? one.hostname) : one;
    const reason = `would say that ${excerpt(address)} belongs to the Service, and every node takes traffic to it from the status`;
    const fix =
      'leave the status to the controller of the load balancer, or ask the platform team to list its account in network.services.controllers';
    return [{ path: `status.loadBalancer.ingress[${index}]`, reason, fix }];
  });
}
