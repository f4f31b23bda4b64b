/** Whether the pods of one namespace, by its name and maybe one service account, are the tenant's or agreed. */
import { excerpt } from '../kubernetes/json.ts';
import { allPorts } from '../kubernetes/port-range.ts';
import { gateViolation, partnersFor } from './gate.ts';
import { listedPorts } from './listed.ts';
import { type AllowRule, everyPod } from './model.ts';
import { mostLookedUp, ownershipOf } from './namespace-name.ts';
import { shutPorts } from './open-ports.ts';
import { openOf, servicesOf, unservedPod } from './shared-service.ts';
import type { Border, Violation } from './violation.ts';

const notLookedUp: Violation = {
  verdict: 'unproven',
  reason: `belongs to a policy that names more than ${mostLookedUp} namespaces, and only so many are looked up`,
  fix: 'split the policy into several',
};

/** @param account undefined: every service account of the namespace */
export function judgeIdentityName(
  name: string,
  account: string | undefined,
  rule: AllowRule,
  border: Border,
): Violation | undefined {
  const ownership = ownershipOf(name, border);
  if (ownership === 'own') return undefined;
  if (ownership === 'unknown') return notLookedUp;
  if (ownership === 'foreign') return judgePartner(name, rule, border);
  const { tenant } = border;
  if (ownership === 'platform') return judgePlatform(name, account, rule, border);
  if (ownership === 'taken') {
    const reason = `names the namespace ${name}, which is not of ${tenant.name} although that name is reserved to it`;
    return { verdict: 'escapes', reason, fix: { id: 'remove-name' } };
  }
  return { ...unreserved(name, rule, border), verdict: 'conditional', assumedOwn: [name] };
}

/** The same text for a name that another tenant has reserved and for an unreserved one. */
function unreserved(name: string, rule: AllowRule, border: Border): Violation {
  return {
    verdict: 'escapes',
    reason: `names the namespace ${name}, but that name is not reserved for ${border.tenant.name}, so another tenant could create it`,
    fix: {
      id: 'name-callers',
      namespace: border.namespace,
      partners: partnersFor(rule, border),
      services: [],
      unreserved: name,
    },
  };
}

function judgePartner(name: string, rule: AllowRule, border: Border): Violation | undefined {
  const { tenancy, tenant, ownerByName } = border;
  const other = tenancy.reservation(name);
  if (other === undefined || other === 'platform') return unreserved(name, rule, border);
  const shut = gateViolation(other.name, rule, border);
  if (shut !== undefined) {
    const isKnown = tenant.network.gates.some((gate) => gate.tenant === other.name && gate.direction === 'ingress');
    if (!isKnown) return unreserved(name, rule, border);
    const reason = `names the namespace ${name} of tenant ${excerpt(other.name)}, and ${shut.reason}`;
    return { verdict: 'escapes', reason, fix: shut.fix };
  }
  const namespaceOwner = ownerByName?.(name);
  if (namespaceOwner === undefined) return notLookedUp;
  if (namespaceOwner === 'none' || (namespaceOwner !== 'platform' && namespaceOwner.name === other.name))
    return undefined;
  const reason = `names the namespace ${name}, which is not of ${other.name} although that name is reserved to it`;
  return { verdict: 'escapes', reason, fix: { id: 'remove-name' } };
}

/** A service is whole where it is every pod of its namespace, or lists the account. */
function judgePlatform(
  name: string,
  account: string | undefined,
  rule: AllowRule,
  border: Border,
): Violation | undefined {
  const { direction, ports } = rule;
  const services = servicesOf(name, direction, border);
  const [service] = services;
  if (service === undefined)
    return {
      verdict: 'escapes',
      reason: `names the namespace ${name}, which is the platform's`,
      fix: { id: 'share-namespace', namespace: name, direction },
    };
  const whole = services.filter(
    ({ pods, serviceAccounts }) =>
      (serviceAccounts === undefined && pods.size === 0) || (account !== undefined && serviceAccounts?.has(account)),
  );
  const shut = shutPorts(whole.map(openOf), ports);
  if (shut.length === 0) return undefined;
  const which = ports === allPorts ? 'every port' : listedPorts(shut);
  // Several services may have all of its pods together, and then no pod is an example.
  const isDivided = whole.length === 0 && unservedPod(name, everyPod, rule, border) === 'unproven';
  return {
    verdict: isDivided ? 'unproven' : 'escapes',
    reason:
      whole.length === 0
        ? `names more of the namespace ${name} than its shared service ${service.name}`
        : `opens ${which}, and the shared service ${service.name} is open on its own ports alone`,
    fix: { id: 'narrow-to-callers', service },
  };
}
