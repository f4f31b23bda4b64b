import { parseHost } from '../kubernetes/host-name.ts';
import { excerpt } from '../kubernetes/json.ts';
import type { NeighbourRequest, UnreadRequest } from '../kubernetes/review.ts';
import { isListedGateway, isOwnHost } from '../tenancy/route-grants.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import type { Violation } from './carried-addresses.ts';
import { type Check, type Finding, type NeighbourFacts, nothing, type UnreadFacts } from './check.ts';
import { inFixes, ofTenant } from './grants.ts';
import { placeOfName } from './mesh-names.ts';
import { isOwnNamespace } from './own-namespace.ts';
import { trafficToJudge } from './traffic-objects.ts';
import { hostless, hostsIn, parentsElsewhere } from './written-hosts.ts';

/** More hosts than these are refused with them. */
const mostFound = 32;

/**
 * A tenant asks for traffic of its own hosts.
 * Reads    hosts of the rules and of tls, and defaultBackend, of Ingresses; hostnames of routes; hostname of the listeners of Gateways and
 *          ListenerSets; annotations by which controllers serve more hosts or write them to the DNS, where the request changes them;
 *          of VirtualServices of Istio that name a gateway, and of its Gateways: hosts and sniHosts;
 *          parentRefs of TCPRoutes and UDPRoutes, which name no host
 * Allowed  hosts that network.hosts of the tenant lists; with network.routes.hosts unreserved, which is the default, also hosts that are
 *          reserved for no tenant and not for the platform. Whole listeners of other namespaces: Gateways that network.routes.gateways
 *          of the tenant lists, where anything is reserved. Anything for the platform
 * Why      a controller for all tenants sends traffic for a host to the first route that names it, or to both (SVC-07, SVC-08). A rule
 *          without a host is about every host. A wildcard of a route reaches below the first label, so each counts as that
 */
export const routeHosts: Check = {
  id: 'route-hosts',
  headline: 'asks for traffic of hosts that are not those of its tenant',
  protects: 'border',
  grants: inFixes(ofTenant('network.hosts', 'network.routes.gateways')),
  neighbour(request, facts) {
    const { owner, requester, tenancy } = facts;
    if (owner === 'platform' || requester.platform || request.operation === 'DELETE') return nothing;
    // Annotations of Services are sent with another module.
    if (!tenancy.settings.routes.judged) return nothing;
    const findings: Finding[] = [];
    for (const { path, text, ofChange } of hostsIn(request, (one) => isOwnNamespace(one, request, facts))) {
      const violation = violationOfHost(text, owner, tenancy);
      if (violation !== undefined) findings.push({ path, ...violation, ...(ofChange && { ofChange }) });
      if (findings.length === mostFound) return findings;
    }
    return [...findings, ...judgedListeners(request, facts)].slice(0, mostFound);
  },
  unread: (request, facts) => judgedGatewayHosts(request, facts).slice(0, mostFound),
};

function violationOfHost(text: string, owner: Tenant, tenancy: Tenancy): Violation | undefined {
  const host = parseHost(text);
  const ask = `ask the platform team to list it in network.hosts of ${owner.name}`;
  const shown = text === '' ? 'every host' : excerpt(text);
  if (host === undefined) return { reason: `${shown} is no host name`, fix: 'write a name such as shop.example.com' };
  if (isOwnHost(host, owner.network.routes)) return undefined;
  if (tenancy.hosts.isOfOthers(host, owner.name)) {
    const what = host.wildcard ? 'includes hosts that are' : 'is';
    const fix = text === '' ? `write a host of ${owner.name}` : `write a host of ${owner.name}, or ${ask}`;
    return { reason: `${shown} ${what} reserved for another tenant or the platform`, fix };
  }
  if (tenancy.settings.routes.hosts !== 'reserved') return undefined;
  const reason = `${shown} is not in network.hosts of ${owner.name}, and tenants use their own hosts alone`;
  return { reason, fix: `write a host of ${owner.name}, or ${ask}` };
}

/** A route that names no host takes whole listeners, so at a gateway of another namespace the platform says whose it is. */
function judgedListeners(request: NeighbourRequest, facts: NeighbourFacts): readonly Finding[] {
  const { owner, tenancy } = facts;
  const protocol = hostless.get(request.kind);
  if (protocol === undefined || owner === 'platform' || violationOfHost('', owner, tenancy) === undefined)
    return nothing;
  const { gateways = [] } = owner.network.routes ?? {};
  return parentsElsewhere(request, (one) => isOwnNamespace(one, request, facts)).flatMap(
    ({ path, namespace, name }) => {
      if (isListedGateway(gateways, namespace, name)) return nothing;
      const reason = `takes every connection to listeners of ${name} in namespace ${namespace}, since ${protocol} names no host, and others have hosts of their own there`;
      const fix = `attach to a Gateway of ${owner.name}, or ask the platform team to list ${namespace}/${name} in network.routes.gateways of ${owner.name}`;
      return [{ path, reason, fix }];
    },
  );
}

/** Names of the cluster lead a gateway of Istio to Services, so those of others count as theirs. */
function judgedGatewayHosts(request: UnreadRequest, facts: UnreadFacts): readonly Finding[] {
  const judged = trafficToJudge(request, facts);
  if (judged === undefined) return nothing;
  const { traffic, owner } = judged;
  return traffic.hosts.flatMap(({ path, text, at }): readonly Finding[] => {
    if (at !== 'gateway') return nothing;
    const place = placeOfName(text, request, facts);
    const [host] = owner.network.routes?.hosts ?? [];
    const fix = `write a host of ${owner.name}${host === undefined ? '' : `, such as ${host.text}`}`;
    if (place.kind === 'unclear') return [{ path, reason: place.reason, fix }];
    if (place.kind === 'own') return nothing;
    // A grant is for the tenant's own proxies. Others use a shared gateway, too.
    const isOfOthers = place.kind === 'namespace' || place.kind === 'granted';
    if (isOfOthers && place.namespace !== undefined && place.namespace !== '*') {
      const reason = `${excerpt(text)} is a host of namespace ${place.namespace}, which is not reserved for ${owner.name}`;
      return [{ path, reason, fix }];
    }
    const violation = violationOfHost(text === '*' ? '' : text, owner, facts.tenancy);
    if (violation === undefined) return nothing;
    return [{ path, reason: violation.reason, fix: text === '*' ? fix : violation.fix }];
  });
}
