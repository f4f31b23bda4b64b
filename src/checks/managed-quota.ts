import { isManagedName } from '../baseline/managed.ts';
import { excerpt } from '../kubernetes/json.ts';
import { entry, type StringMap } from '../kubernetes/objects.ts';
import { compareQuantities } from '../kubernetes/quantity.ts';
import type { ResourceQuotaRequest } from '../kubernetes/review.ts';
import { type Check, type Facts, type Finding, nothing } from './check.ts';
import { judgeManaged, type ManagedKind } from './managed-objects.ts';

const kind: ManagedKind = {
  one: 'quota',
  many: 'quotas',
  instead: 'write a quota of your own beside it: the tighter one counts',
};

/**
 * Who counts less once something is deleted (k8s.io/kubernetes, pkg/controller/resourcequota): its own service account, or the
 * controller manager where controllers have none (--use-service-account-credentials=false). The API server, which counts what
 * is created (k8s.io/apiserver, pkg/admission/plugin/resourcequota), only ever counts more.
 */
const controllers: ReadonlySet<string> = new Set([
  'system:serviceaccount:kube-system:resourcequota-controller',
  'system:kube-controller-manager',
]);

/**
 * The ResourceQuota that Bulkhead puts in place is Bulkhead's.
 * Reads    metadata.name and metadata.labels[app.kubernetes.io/managed-by] of the new and the stored ResourceQuota,
 *          spec.hard, status.hard and status.used
 * Allowed  CREATE, UPDATE: names that do not begin with `bulkhead-`, and no claim to be managed by Bulkhead
 *          UPDATE: of such a quota, one that changes nothing, or that takes finalizers off it
 *          UPDATE of such a quota's status, beside that: each limit in status.hard stays, or becomes the amount in spec.hard;
 *          each amount in status.used stays or grows, and is anything when the quota controller writes it
 *          DELETE: such a quota, once its namespace is terminating and no pod is left in it; a quota that has
 *          such a name and not the label, which is older than Bulkhead; anything for the platform
 * Why      a quota that is deleted or raised is put back within a second. But objects that were created in that second stay, and
 *          all tenants share the nodes on which they run. The API server enforces the limits in the status, beside its counts.
 *          A higher count takes from the namespace alone. Content alone does not show whether a lower one is false, so there the
 *          name of the writer counts. The match condition of the webhook leaves out updates that only raise counts:
 *          the API server writes them with every pod
 */
export const managedQuota: Check = {
  id: 'managed-quota',
  headline: 'is managed by Bulkhead',
  protects: 'identity',
  quota(request, facts) {
    const findings = judgeManaged(kind, request, facts);
    return request.subresource === 'status' ? [...findings, ...judgeStatus(request, facts)] : findings;
  },
};

function judgeStatus({ name, object, oldObject }: ResourceQuotaRequest, { requester }: Facts): readonly Finding[] {
  if (requester.platform || !isManagedName(name)) return nothing;
  const findings: Finding[] = [];
  const refuse = (field: string, resource: string, reason: string): void => {
    const fix = 'leave it to the quota controller; for more, ask the platform team';
    findings.push({ path: `status.${field}[${resource}]`, reason, fix });
  };
  const { hard, used } = object.status ?? {};
  const before = oldObject?.status;
  for (const resource of keysOf(hard, before?.hard)) {
    const [limit, wanted] = [entry(hard, resource), entry(object.spec?.hard, resource)];
    if (sameAmount(limit, entry(before?.hard, resource)) || sameAmount(limit, wanted)) continue;
    const said = `would say ${shown(limit)} where spec.hard says ${shown(wanted)}`;
    refuse('hard', resource, `${said}, and what the status says is enforced`);
  }
  if (controllers.has(requester.username)) return findings;
  for (const resource of keysOf(used, before?.used)) {
    const [count, counted] = [entry(used, resource), entry(before?.used, resource)];
    if (count !== undefined && counted !== undefined && compareQuantities(count, counted) >= 0) continue;
    const said = `would say ${shown(count)} where ${shown(counted)} was counted`;
    refuse('used', resource, `${said}, and only the quota controller counts less or anew`);
  }
  return findings;
}

/** Missing is no amount: without a limit nothing is enforced, and without a count nothing is admitted. */
export function sameAmount(one: string | undefined, other: string | undefined): boolean {
  return one === other || (one !== undefined && other !== undefined && compareQuantities(one, other) === 0);
}

function keysOf(...maps: readonly (StringMap | null | undefined)[]): ReadonlySet<string> {
  return new Set(maps.flatMap((map) => Object.keys(map ?? {})));
}

function shown(amount: string | undefined): string {
  return amount === undefined ? 'nothing' : excerpt(amount);
}
