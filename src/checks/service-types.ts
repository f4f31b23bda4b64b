import { formatRange, parseCidr } from '../kubernetes/ip-range.ts';
import { contains, normalise } from '../kubernetes/ip-set.ts';
import { excerpt, isGiven, type JsonMap, listOf, mapIn, valueAt } from '../kubernetes/json.ts';
import { listed } from '../reach/listed.ts';
import type { ServiceSettings } from '../tenancy/service-grants.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import { type Check, type Finding, nothing } from './check.ts';
import { ofTenant } from './grants.ts';
import { textOf } from './written-endpoints.ts';

/**
 * Services have types, and classes of load balancers, that the platform allows.
 * Reads    spec.type, spec.allocateLoadBalancerNodePorts, spec.ports[*].nodePort, spec.loadBalancerClass and
 *          spec.loadBalancerSourceRanges of Services
 * Allowed  types and classes that network.services of the settings allows every tenant, which are all unless they are listed, and those of
 *          network.services of the tenant; the same of the sources of load balancers. A LoadBalancer needs NodePort too, unless allocateLoadBalancerNodePorts is false and no port names one. Anything for the platform
 * Why      a node port is open on every node, also for pods of others, and hides who connects: policies then see the address of a node. A
 *          LoadBalancer opens node ports as well, which a rule about the type alone misses (SVC-03). A class chooses whose load balancers
 *          take the Service (SVC-02). healthCheckNodePort answers with a number alone, so it needs no grant
 */
export const serviceTypesAllowed: Check = {
  id: 'service-types',
  headline: 'is of a type that the platform has not allowed its tenant',
  protects: 'border',
  grants: ofTenant(
    'network.services.types',
    'network.services.loadBalancerClasses',
    'network.services.loadBalancerSourceRanges',
  ),
  neighbour(request, { owner, requester, tenancy }) {
    if (request.kind !== 'Service' || request.operation === 'DELETE' || request.subresource !== '') return nothing;
    if (owner === 'platform' || requester.platform) return nothing;
    const { types, loadBalancerClasses } = tenancy.settings.services;
    const own = owner.network.services;
    const spec = mapIn(request.object, 'spec');
    const type = isGiven(spec.type) ? spec.type : 'ClusterIP';
    const isAllowed = (one: string): boolean => types === undefined || types.has(one) || own?.types.has(one) === true;
    const ask = (what: string): string => `ask the platform team to list ${what} in network.services of ${owner.name}`;
    const findings: Finding[] = [];
    if (typeof type !== 'string' || !isAllowed(type)) {
      const opens =
        type === 'NodePort' || type === 'LoadBalancer' ? ', and it opens ports beyond the pods of the tenant' : '';
      const reason = `is ${excerpt(type)}, which the platform has not allowed ${owner.name}${opens}`;
      findings.push({ path: 'spec.type', reason, fix: `write ClusterIP, or ${ask(`${type} under types`)}` });
    } else if (type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false && !isAllowed('NodePort')) {
      const reason = `is not false, so the LoadBalancer opens a port on every node, and the platform has not allowed ${owner.name} NodePort`;
      const fix = `write allocateLoadBalancerNodePorts: false where the load balancer reaches pods without node ports, or ${ask('NodePort under types')}`;
      findings.push({ path: 'spec.allocateLoadBalancerNodePorts', reason, fix });
    }
    // "If the caller requests specific NodePorts (by specifying a value), those requests will be respected, regardless of this field."
    const named =
      isAllowed('NodePort') || spec.allocateLoadBalancerNodePorts !== false
        ? -1
        : listOf(spec.ports).findIndex(hasNodePort);
    if (type === 'LoadBalancer' && isAllowed(type) && named >= 0) {
      const reason = `opens the port on every node, whatever allocateLoadBalancerNodePorts says, and the platform has not allowed ${owner.name} NodePort`;
      findings.push({
        path: `spec.ports[${named}].nodePort`,
        reason,
        fix: `remove it and write allocateLoadBalancerNodePorts: false, or ${ask('NodePort under types')}`,
      });
    }
    const balancers = spec.loadBalancerClass;
    if (type === 'LoadBalancer' && isGiven(balancers) && loadBalancerClasses !== undefined) {
      const name = String(balancers);
      if (!loadBalancerClasses.has(name) && own?.loadBalancerClasses.has(name) !== true) {
        const reason = `names load balancers of class ${excerpt(balancers)}, which the platform has not allowed ${owner.name}`;
        const fix = `leave it out, or ${ask(`${name} under loadBalancerClasses`)}`;
        findings.push({ path: 'spec.loadBalancerClass', reason, fix });
      }
    }
    if (type === 'LoadBalancer' && isAllowed(type))
      findings.push(...judgeSources(spec, owner, tenancy.settings.services));
    return findings;
  },
};

/**
 * "If specified and supported by the platform, this will restrict traffic through the cloud-provider load-balancer will be restricted to the
 * specified client IPs."
 */
function judgeSources(
  spec: JsonMap,
  { name, network }: Tenant,
  { loadBalancerSourceRanges: allowed }: ServiceSettings,
): readonly Finding[] {
  if (allowed === undefined) return nothing;
  const path = 'spec.loadBalancerSourceRanges';
  const open = normalise([...allowed, ...(network.services?.loadBalancerSourceRanges ?? [])]);
  const written = listOf(spec.loadBalancerSourceRanges);
  const ask = `or ask the platform team to list its sources in network.services.loadBalancerSourceRanges of ${name}`;
  const fix = `write ranges within ${listed(open.slice(0, 3).map(formatRange))}, ${ask}`;
  if (written.length === 0) return [{ path, reason: 'is empty, so the load balancer is open to every address', fix }];
  return written.flatMap((one, index): readonly Finding[] => {
    // The API server takes blanks around a range.
    const range = parseCidr(textOf(one).trim());
    if (range.ok && contains(open, [range.value])) return nothing;
    const reason = `${excerpt(one)} lies outside the sources that the platform has allowed ${name}`;
    return [{ path: `${path}[${index}]`, reason, fix }];
  });
}

function hasNodePort(port: unknown): boolean {
  const written = valueAt(port, 'nodePort');
  return isGiven(written) && written !== 0;
}
