import { entry, type ResourceRequirements } from '../kubernetes/objects.ts';
import { listed } from '../reach/listed.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import { type Check, type Finding, nothing } from './check.ts';
import { containersOf } from './containers.ts';
import { ofSettings } from './grants.ts';
import { mayUseResource, reservedClasses } from './pod-grants.ts';

/** Classes beyond these are counted, so that a refusal stays readable. */
const maxShownClasses = 5;

/**
 * A pod of a tenant gets no device that the platform keeps for others.
 * Reads    spec.{containers,initContainers}[*].resources.{limits,requests} and spec.resourceClaims, on CREATE (they never change; a resize
 *          changes cpu and memory alone)
 * Allowed  every resource that pods.devices does not reserve, and amounts of 0; a reserved one where its entry lists the tenant. Claims
 *          while each reserved device class lists the tenant, or its quota has none of that class
 * Why      a network interface, an RDMA device or a function of a NIC is a network of its own, which no policy holds back (POD-26). What
 *          class a claim is of stands in the ResourceClaim or its template, which are not sent here; the API server counts them by class
 */
export const reservedDevices: Check = {
  id: 'reserved-devices',
  headline: 'asks for devices that the platform keeps for others',
  protects: 'border',
  grants: ofSettings('pods.devices'),
  pod({ operation, object: { spec } }, { owner, tenancy: { settings } }) {
    const { pods } = settings;
    if (pods.devices.length === 0 || owner === 'platform' || operation !== 'CREATE') return nothing;
    const findings: Finding[] = [];
    const fix = `ask the platform to list ${owner.name} in pods.devices`;
    for (const { container, path } of containersOf(spec)) {
      for (const [place, name] of resourcesOf(container.resources)) {
        if (mayUseResource(name, owner, pods)) continue;
        const reason = `asks for ${name}, which the platform reserves and has not given ${owner.name}`;
        findings.push({ path: `${path}.resources.${place}[${name}]`, reason, fix: `remove it, or ${fix}` });
      }
    }
    if (!spec?.resourceClaims?.length) return findings;
    const open = reservedClasses(owner, pods).filter((one) => !isShutByQuota(one, owner));
    if (open.length === 0) return findings;
    findings.push({
      path: 'spec.resourceClaims',
      reason: `may claim devices of class ${listed(open, maxShownClasses)}, which the platform has not given ${owner.name}: of which class a claim is does not stand in the pod`,
      fix: `remove resourceClaims; or ${fix}, or to write "${quotaOf(open[0] ?? '')}": "0" in its resourceQuota, for each class`,
    });
    return findings;
  },
};

/** Those of which some amount is asked, each once. */
function* resourcesOf(
  resources: ResourceRequirements | null | undefined,
): Generator<readonly [place: string, name: string]> {
  const { limits, requests } = resources ?? {};
  for (const [name, amount] of Object.entries(limits ?? {})) if (!isNone(amount)) yield ['limits', name];
  for (const [name, amount] of Object.entries(requests ?? {}))
    if (!isNone(amount) && isNone(entry(limits, name) ?? 0)) yield ['requests', name];
}

function isNone(amount: string | number): boolean {
  return amount === '0' || amount === 0;
}

/** The quota that every namespace of the tenant has: the API server refuses claims of the class, and those made of a template. */
function isShutByQuota(deviceClass: string, { resourceQuota }: Tenant): boolean {
  const { hard } = resourceQuota ?? {};
  return (
    typeof hard === 'object' && hard !== null && entry(hard as Record<string, unknown>, quotaOf(deviceClass)) === '0'
  );
}

/** core/v1 ResourceQuota: devices that ResourceClaims of a namespace ask for, by class. */
function quotaOf(deviceClass: string): string {
  return `${deviceClass}.deviceclass.resource.k8s.io/devices`;
}
