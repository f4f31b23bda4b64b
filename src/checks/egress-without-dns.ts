import { isManagedName } from '../baseline/managed.ts';
import { isCiliumNetworkPolicy } from '../kinds/cilium-network-policy/cilium-network-policy.ts';
import { isNetworkPolicy } from '../kinds/network-policy/network-policy.ts';
import { formatPath } from '../kubernetes/field-path.ts';
import { domainFor } from '../kubernetes/label-selector.ts';
import { once } from '../kubernetes/once.ts';
import { allPorts, namePorts, type Port } from '../kubernetes/port-range.ts';
import { namesToLearn } from '../reach/dialects/cilium/names-to-learn.ts';
import { isolates } from '../reach/isolation.ts';
import type { AllowRule, DenyRule } from '../reach/model.ts';
import { isInBaseline, portsOf, serves } from '../tenancy/served-tenants.ts';
import type { Settings } from '../tenancy/settings.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import { type Check, nothing } from './check.ts';

const baselineOpensNames = once(({ sharedServices }: Settings) => {
  const nameServers = sharedServices.filter(
    (service) => service.direction === 'egress' && isInBaseline(service) && portsOf(service).some(isNamePort),
  );
  return once((tenant: Tenant) => nameServers.some((service) => serves(service, tenant)));
});

/**
 * Warns the author of a NetworkPolicy or CiliumNetworkPolicy that opens egress and forgets DNS, where no baseline opens it.
 * Reads    the egress rules of a policy of a tenant that is not in mode `enforce`, or when no shared service of the settings is a
 *          name server; and of a CiliumNetworkPolicy of any tenant its DNS names and its rules with rules.dns
 * Warns    when it lists DNS names and none of its rules opens port 53 with rules.dns: the DNS of a baseline goes past Cilium's proxy.
 *          Otherwise when there are egress rules, and none names port 53 or 5353, names a port by name, or leaves the ports open for a peer
 *          that may be a name server: one outside the policy's namespace, selected neither by a tenant label nor by a DNS name. No
 *          warning for a managed policy, which opens one thing, nor for one that isolates no pod: where policyTypes leaves Egress out
 *          (check dead-rule), or enableDefaultDeny is false
 * Why      a policy with egress rules closes the rest of egress, DNS too, and then nothing is reached by its name
 */
export const egressWithoutDns: Check = {
  id: 'egress-without-dns',
  headline: 'opens egress without DNS',
  protects: 'intent',
  policy(request, { owner, tenancy, reach }) {
    if (owner === 'platform' || request.operation === 'DELETE') return nothing;
    const isNative = isNetworkPolicy(request);
    if (!isNative && !isCiliumNetworkPolicy(request)) return nothing;
    const unlearned = isNative ? undefined : namesToLearn(request.object);
    if (unlearned !== undefined) return [{ ...withoutProxy, path: formatPath(unlearned) }];
    if (owner.mode === 'enforce' && baselineOpensNames(tenancy.settings)(owner)) return nothing;
    if (isNative && isManagedName(request.name)) return nothing;
    const allowed = reach.rules.filter(isEgressAllowRule);
    const [first] = allowed;
    if (first === undefined || !isolates(reach, 'egress')) return nothing;
    if (allowed.some((rule) => opensNames(rule, tenancy.settings.tenantLabel))) return nothing;
    return [
      {
        path: listOf(first),
        reason: 'opens no port of DNS, nor does a baseline: without another policy no name resolves',
        fix: 'add a rule for UDP and TCP 53 to the DNS of the cluster, or ask the platform to make it a shared service',
      },
    ];
  },
};

const withoutProxy = {
  reason: 'matches nothing unless this or another policy opens port 53 with rules.dns',
  fix: "add a rule for port 53 of the cluster's DNS with rules.dns, from which Cilium learns the addresses of names",
};

function isEgressAllowRule(rule: AllowRule | DenyRule): rule is AllowRule {
  return rule.action !== 'deny' && rule.direction === 'egress';
}

/** `spec.egress`, or `specs[1].egress`. */
function listOf({ path, direction }: AllowRule): string {
  let list = path;
  while (list.step !== direction && list.parent !== undefined) list = list.parent;
  return formatPath(list);
}

function opensNames({ peer, ports }: AllowRule, tenantLabel: string): boolean {
  if (!ports.some(isNamePort)) return false;
  if (ports !== allPorts) return true;
  if (peer.kind !== 'selector') return peer.kind !== 'name';
  return peer.namespaces !== undefined && domainFor(peer.namespaces, tenantLabel).absent;
}

function isNamePort(port: Port): boolean {
  if ('name' in port) return true;
  return namePorts.some((number) => port.first <= number && number <= port.last);
}
