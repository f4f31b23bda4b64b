import { isMap } from '../kubernetes/json.ts';
import { entry, type ResourceRequirements } from '../kubernetes/objects.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import { type Check, type Finding, nothing } from './check.ts';
import { containersOf } from './containers.ts';

/** The API server requires these of every container once a quota counts them. It counts other resources only where they are stated. */
const resources = ['cpu', 'memory'] as const;
type Resource = (typeof resources)[number];

/**
 * Warns of a pod template that leaves out what the quota of its tenant counts.
 * Reads    requests and limits of the containers and init containers of a template; namespaces.resourceQuota of the tenant
 * Warns    when the quota counts requests (`requests.cpu`, or `cpu`) or limits (`limits.cpu`) of cpu or memory, and a container does
 *          not state them, nor do the containerDefaults of the tenant. Only of templates: a pod already has its defaults, and the
 *          API server refuses it with its own text
 * Why      the API server refuses such pods ("must specify"), and only an Event of the ReplicaSet reports it. A LimitRange of the
 *          namespace can set the defaults, but Bulkhead does not read LimitRanges
 * Source   pkg/quota/v1/evaluator/core/pods.go, Constraints
 */
export const quotaWithoutRequests: Check = {
  id: 'quota-without-requests',
  headline: 'lacks requests or limits that the quota counts',
  protects: 'intent',
  pod({ subresource, object: { spec } }, { owner }) {
    if (subresource !== 'template' || owner === 'platform' || owner.mode !== 'enforce') return nothing;
    const counted = countedBy(owner);
    if (counted.requests.length + counted.limits.length === 0 || statesForPod(spec?.resources)) return nothing;
    const findings: Finding[] = [];
    for (const { container, path } of containersOf(spec)) {
      if (path.startsWith('spec.ephemeralContainers')) continue;
      const missing = missingIn(container.resources, counted);
      if (missing === '') continue;
      findings.push({
        path,
        // A warning is cut at 120 characters.
        reason: `needs ${missing}, or a LimitRange`,
        fix: 'state them, or ask for a LimitRange in the namespace that sets defaults',
      });
    }
    return findings;
  },
};

interface Counted {
  readonly requests: readonly Resource[];
  readonly limits: readonly Resource[];
}

/** But for what the LimitRange of the baseline states for containers. */
function countedBy({ resourceQuota, limitRange }: Tenant): Counted {
  const hard = isMap(resourceQuota?.hard) ? resourceQuota.hard : {};
  const [defaults] = limitRange?.limits ?? [];
  const counts = (name: string): boolean => Object.hasOwn(hard, name);
  return {
    requests: resources.filter(
      (name) => (counts(name) || counts(`requests.${name}`)) && entry(defaults?.defaultRequest, name) === undefined,
    ),
    limits: resources.filter((name) => counts(`limits.${name}`) && entry(defaults?.default, name) === undefined),
  };
}

/** Whether the pod states resources for all containers together; the API server then requires none of each container. */
function statesForPod(given: ResourceRequirements | null | undefined): boolean {
  return resources.some((name) => isStated(given?.requests, name) || isStated(given?.limits, name));
}

/** The missing amounts in words; empty when none is missing. A limit also counts as the request where no request is stated. */
function missingIn(given: ResourceRequirements | null | undefined, { requests, limits }: Counted): string {
  const ofRequests = requests.filter((name) => !isStated(given?.requests, name) && !isStated(given?.limits, name));
  const ofLimits = limits.filter((name) => !isStated(given?.limits, name));
  return [named('requests', ofRequests), named('limits', ofLimits)].filter((one) => one !== '').join(', ');
}

function named(what: string, missing: readonly Resource[]): string {
  return missing.length === 0 ? '' : `${what} of ${missing.join(' and ')}`;
}

function isStated(amounts: ResourceRequirements['requests'], name: Resource): boolean {
  return entry(amounts, name) !== undefined;
}
