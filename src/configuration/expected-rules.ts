/** What the API server must ask about, from the table of kinds, for comparison with the webhook configurations of the cluster. */
import type { Kind, ReviewRule } from '../kinds/kind.ts';
import { kinds } from '../kinds/kinds.ts';
import { resourceNames } from '../kinds/resource-name.ts';
import { meshRule, unreadRule } from '../kinds/unread-kinds.ts';
import type { Operation } from '../kubernetes/review.ts';
import type { ConfigurationName } from './webhook-configuration.ts';

export interface ExpectedRule {
  /** API version, plural resource and subresource: `networking.k8s.io/v1/networkpolicies`. */
  readonly resource: string;
  readonly scope: Kind['scope'];
  readonly operations: readonly Operation[];
}

/** Not every cluster serves these. */
export const optionalResources: ReadonlySet<string> = new Set(
  kinds.flatMap((kind) => resourceNames(kind, kind.optional ?? [])),
);

export const expectedRules: Readonly<Record<ConfigurationName, readonly ExpectedRule[]>> = {
  'mutating/bulkhead': expected('mutate', 'Namespaced'),
  'mutating/bulkhead-namespaces': expected('mutate', 'Cluster'),
  'validating/bulkhead': [
    ...expected('validate', 'Namespaced'),
    ...wild(unreadRule('Namespaced')),
    ...wild(meshRule),
    ...expected('warn', 'Namespaced', true),
  ],
  'validating/bulkhead-namespaces': [...expected('validate', 'Cluster'), ...wild(unreadRule('Cluster'))],
  'validating/bulkhead-workloads': expected('warn', 'Namespaced'),
};

/**
 * One rule for each resource, whatever webhooks of the configuration its operations go to.
 * @param inModule of phase warn: whether the settings switch it off as a whole
 */
function expected(phase: ReviewRule['phase'], scope: Kind['scope'], inModule = false): readonly ExpectedRule[] {
  const operationsOf = new Map<string, readonly Operation[]>();
  for (const kind of kinds.filter((one) => one.scope === scope)) {
    for (const review of kind.reviews) {
      if (review.phase !== phase || (phase === 'warn' && (review.module !== undefined) !== inModule)) continue;
      const { resources, operations } = review;
      for (const resource of resourceNames(kind, resources))
        operationsOf.set(resource, [...(operationsOf.get(resource) ?? []), ...operations]);
    }
  }
  return [...operationsOf].map(([resource, operations]) => ({ resource, scope, operations }));
}

/** One rule for each group, with every version. */
function wild({ apiGroups, resources, operations, scope }: ReturnType<typeof unreadRule> | typeof meshRule) {
  return apiGroups.flatMap((group): readonly ExpectedRule[] =>
    resources.map((resource) => ({ resource: `${group}/*/${resource}`, scope, operations })),
  );
}
