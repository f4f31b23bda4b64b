import { destinations } from '../kubernetes/embedded-ipv4.ts';
import { formatAddress } from '../kubernetes/ip-range.ts';
import { contains, intersect, normalise } from '../kubernetes/ip-set.ts';
import { canonicalJson, excerpt, isMap, mapIn, valueAt } from '../kubernetes/json.ts';
import type { NeighbourRequest } from '../kubernetes/review.ts';
import { listed } from '../reach/listed.ts';
import type { Settings } from '../tenancy/settings.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import { type Check, type Finding, type NeighbourFacts, nothing } from './check.ts';
import { namespacesOfName, violationOfName } from './led-names.ts';
import { annotationsWritten, fieldOf, type WrittenAnnotation } from './metadata-changes.ts';
import { addressOf } from './name-servers.ts';
import { isByController } from './service-controller.ts';
import { listOf, textOf } from './written-endpoints.ts';

/**
 * Annotations by which controllers of load balancers take addresses, several behind commas: MetalLB, kube-vip, Cilium, Calico (a list in
 * JSON), PureLB, Azure.
 */
const addressAnnotations: ReadonlySet<string> = new Set([
  'metallb.io/loadBalancerIPs',
  'metallb.universe.tf/loadBalancerIPs',
  'kube-vip.io/loadbalancerIPs',
  'lbipam.cilium.io/ips',
  'io.cilium/lb-ipam-ips',
  'projectcalico.org/loadBalancerIPs',
  'purelb.io/addresses',
  'service.beta.kubernetes.io/azure-load-balancer-ipv4',
  'service.beta.kubernetes.io/azure-load-balancer-ipv6',
]);

/**
 * A Service or a Gateway takes no address that is not its tenant's.
 * Reads    spec.externalIPs, spec.loadBalancerIP and the annotations for it; status.loadBalancer, of services/status; spec.addresses of
 *          Gateways of the types IPAddress and Hostname
 * Allowed  externalIPs that network.services.externalIPs of the tenant lists; for a load balancer also addresses outside the pods, Services,
 *          nodes and metadata services; for a Gateway also hostnames as external-name admits them. The status for the platform, controllers of Services, and service accounts of its namespaces
 * Why      every node takes traffic for these addresses to the pods of the Service, also traffic that others send to the address's owner
 *          (SVC-02, CVE-2020-8554). The status counts as much as the spec
 */
export const serviceAddresses: Check = {
  id: 'service-addresses',
  headline: 'takes addresses that are not those of its tenant',
  protects: 'border',
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
};

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

function isListed(text: string, { network }: Tenant): boolean {
  const address = addressOf(text);
  const granted = normalise(network.services?.externalIPs ?? []);
  return address !== undefined && contains(destinations(granted), destinations([address]));
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
