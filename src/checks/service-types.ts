import { excerpt, isGiven, valueAt } from '../kubernetes/json.ts';
import { type Check, type Finding, nothing } from './check.ts';

/**
 * Services have types, and classes of load balancers, that the platform allows.
 * Reads    spec.type, spec.allocateLoadBalancerNodePorts and spec.loadBalancerClass of Services
 * Allowed  types and classes that network.services of the settings allows every tenant, which are all unless they are listed, and those of
 *          network.services of the tenant. A LoadBalancer needs NodePort too, unless allocateLoadBalancerNodePorts is false. Anything for the platform
 * Why      a node port is open on every node, also for pods of others, and hides who connects: policies then see the address of a node. A
 *          LoadBalancer opens node ports as well, which a rule about the type alone misses (SVC-03). A class chooses whose load balancers
 *          take the Service (SVC-02). healthCheckNodePort answers with a number alone, so it needs no grant
 */
export const serviceTypesAllowed: Check = {
  id: 'service-types',
  headline: 'is of a type that the platform has not allowed its tenant',
  protects: 'border',
  neighbour(request, { owner, requester, tenancy }) {
    if (request.kind !== 'Service' || request.operation === 'DELETE' || request.subresource !== '') return nothing;
    if (owner === 'platform' || requester.platform) return nothing;
    const { types, loadBalancerClasses } = tenancy.settings.services;
    const own = owner.network.services;
    const spec = valueAt(request.object, 'spec');
    const given = valueAt(spec, 'type');
    const type = isGiven(given) ? given : 'ClusterIP';
    const isAllowed = (one: string): boolean => types === undefined || types.has(one) || own?.types.has(one) === true;
    const ask = (what: string): string => `ask the platform team to list ${what} in network.services of ${owner.name}`;
    const findings: Finding[] = [];
    if (typeof type !== 'string' || !isAllowed(type)) {
      const opens =
        type === 'NodePort' || type === 'LoadBalancer' ? ', and it opens ports beyond the pods of the tenant' : '';
      const reason = `is ${excerpt(type)}, which the platform has not allowed ${owner.name}${opens}`;
      findings.push({ path: 'spec.type', reason, fix: `write ClusterIP, or ${ask(`${type} under types`)}` });
    } else if (
      type === 'LoadBalancer' &&
      valueAt(spec, 'allocateLoadBalancerNodePorts') !== false &&
      !isAllowed('NodePort')
    ) {
      const reason = `is not false, so the LoadBalancer opens a port on every node, and the platform has not allowed ${owner.name} NodePort`;
      const fix = `write allocateLoadBalancerNodePorts: false where the load balancer reaches pods without node ports, or ${ask('NodePort under types')}`;
      findings.push({ path: 'spec.allocateLoadBalancerNodePorts', reason, fix });
    }
    const balancers = valueAt(spec, 'loadBalancerClass');
    if (type === 'LoadBalancer' && isGiven(balancers) && loadBalancerClasses !== undefined) {
      const name = String(balancers);
      if (!loadBalancerClasses.has(name) && own?.loadBalancerClasses.has(name) !== true) {
        const reason = `names load balancers of class ${excerpt(balancers)}, which the platform has not allowed ${owner.name}`;
        const fix = `leave it out, or ${ask(`${name} under loadBalancerClasses`)}`;
        findings.push({ path: 'spec.loadBalancerClass', reason, fix });
      }
    }
    return findings;
  },
};
