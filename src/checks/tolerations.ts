import type { Toleration } from '../kubernetes/objects.ts';
import { listed } from '../reach/listed.ts';
import type { Settings } from '../tenancy/settings.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import { type Check, type Finding, nothing } from './check.ts';
import { ofSettings } from './grants.ts';
import { mayTolerate, valuesOf } from './pod-grants.ts';

/** Own values beyond these are counted, so that a refusal stays readable. */
const maxShownValues = 5;

/**
 * A pod of a tenant tolerates no taint that keeps nodes for others.
 * Reads    spec.tolerations on CREATE, and those that an UPDATE adds (the API lets tolerations be added): key, operator and value
 * Allowed  every key that pods.tolerations does not reserve, with any value; a reserved one where an entry lists the tenant: an entry
 *          without value for all of the key, one with a value for `Equal` to it alone. Not `Exists` without a key, which tolerates all
 * Why      taints keep the nodes of one tenant, of the platform and of devices from the pods of others (POD-24). Which taints do, only
 *          the platform knows. No proof rests on which node a pod runs on, so this is about a border
 */
export const tolerations: Check = {
  id: 'tolerations',
  headline: 'tolerates taints that keep nodes for others',
  protects: 'border',
  grants: ofSettings('pods.tolerations'),
  pod({ operation, object, oldObject }, { owner, tenancy: { settings } }) {
    const asked = object.spec?.tolerations;
    if (!asked || owner === 'platform' || operation === 'DELETE') return nothing;
    const before = oldObject?.spec?.tolerations ?? [];
    const findings: Finding[] = [];
    for (const [index, one] of asked.entries()) {
      const violation = violationOf(one, owner, settings.pods);
      if (violation === undefined || before.some((other) => isSame(one, other))) continue;
      findings.push({ path: `spec.tolerations[${index}]`, ...violation });
    }
    return findings;
  },
};

function violationOf(
  { key, operator, value, effect }: Toleration,
  tenant: Tenant,
  pods: Settings['pods'],
): Pick<Finding, 'reason' | 'fix' | 'ungrantable'> | undefined {
  if (!key) {
    return {
      reason: `tolerates every taint${effect ? ` with effect ${effect}` : ''}, also those that keep nodes for other tenants`,
      fix: 'remove it, or name the key of each taint that the pod is to tolerate',
      ungrantable: true,
    };
  }
  const equals = (operator || 'Equal') === 'Equal' ? (value ?? '') : undefined;
  if (mayTolerate(key, equals, tenant, pods)) return undefined;
  const own = valuesOf(key, tenant, pods);
  const instead =
    own.length === 0
      ? ''
      : `, or write operator Equal with a value of ${tenant.name}: ${listed(
          own.map((one) => one || '""'),
          maxShownValues,
        )}`;
  return {
    reason: `tolerates ${equals === undefined ? `more than one value of ${key}` : `${key}=${equals}`}, which the platform reserves and has not given ${tenant.name}`,
    fix: `remove it${instead}; or ask the platform to list ${tenant.name} in pods.tolerations`,
  };
}

/** Whether they tolerate the same taints; tolerationSeconds only says how long. */
function isSame(one: Toleration, other: Toleration): boolean {
  return (
    (one.key ?? '') === (other.key ?? '') &&
    (one.operator || 'Equal') === (other.operator || 'Equal') &&
    (one.value ?? '') === (other.value ?? '') &&
    (one.effect ?? '') === (other.effect ?? '')
  );
}
