import { parseHost } from '../kubernetes/host-name.ts';
import { excerpt } from '../kubernetes/json.ts';
import { isOwnHost } from '../tenancy/route-grants.ts';
import { type Check, type Finding, nothing } from './check.ts';
import { isOwnNamespace } from './own-namespace.ts';
import { hostsIn } from './written-hosts.ts';

/** More hosts than these are refused with them. */
const mostFound = 32;

/**
 * A tenant asks for traffic of its own hosts.
 * Reads    hosts of the rules and of tls, and defaultBackend, of Ingresses; hostnames of routes; hostname of the listeners of Gateways and
 *          ListenerSets; annotations by which controllers serve more hosts or write them to the DNS, where the request changes them
 * Allowed  hosts that network.hosts of the tenant lists; with network.routes.hosts unreserved, which is the default, also hosts that are
 *          reserved for no tenant and not for the platform. Anything for the platform
 * Why      a controller for all tenants sends traffic for a host to whoever asks first, or to both (SVC-07, SVC-08). A rule without a host
 *          is about every host. A wildcard of a route reaches below the first label, so each counts as that
 */
export const routeHosts: Check = {
  id: 'route-hosts',
  headline: 'asks for traffic of hosts that are not those of its tenant',
  protects: 'border',
  neighbour(request, facts) {
    const { owner, requester, tenancy } = facts;
    if (owner === 'platform' || requester.platform || request.operation === 'DELETE') return nothing;
    const { hosts: mode, judged } = tenancy.settings.routes;
    // Annotations of Services are sent with another module.
    if (!judged) return nothing;
    const grants = owner.network.routes;
    const findings: Finding[] = [];
    const ask = `ask the platform team to list it in network.hosts of ${owner.name}`;
    for (const { path, text, ofChange } of hostsIn(request, (one) => isOwnNamespace(one, request, facts))) {
      const host = parseHost(text);
      const told = ofChange && { ofChange };
      const shown = text === '' ? 'every host' : excerpt(text);
      if (host === undefined)
        findings.push({
          path,
          reason: `${shown} is no host name`,
          fix: 'write a name such as shop.example.com',
          ...told,
        });
      else if (isOwnHost(host, grants)) continue;
      else if (tenancy.hosts.isOfOthers(host, owner.name)) {
        const what = host.wildcard ? 'includes hosts that are' : 'is';
        const fix = text === '' ? `write a host of ${owner.name}` : `write a host of ${owner.name}, or ${ask}`;
        findings.push({ path, reason: `${shown} ${what} reserved for another tenant or the platform`, fix, ...told });
      } else if (mode === 'reserved') {
        const reason = `${shown} is not in network.hosts of ${owner.name}, and tenants use their own hosts alone`;
        findings.push({ path, reason, fix: `write a host of ${owner.name}, or ${ask}`, ...told });
      }
      if (findings.length === mostFound) break;
    }
    return findings;
  },
};
