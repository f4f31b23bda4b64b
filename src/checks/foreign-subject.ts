import { excerpt, isMap, listOf, valueAt } from '../kubernetes/json.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import { type Check, type Finding, nothing } from './check.ts';
import { textOf } from './written-endpoints.ts';

/** More subjects than these are warned of with them. */
const mostFound = 16;

/** All that pass authentication, or all service accounts: members of every tenant are among them. */
const everybody: ReadonlySet<string> = new Set([
  ...['system:authenticated', 'system:unauthenticated', 'system:anonymous', 'system:serviceaccounts'],
]);
const account = /^system:serviceaccount:([^:]+):[^:]+$/;
const accountsOf = /^system:serviceaccounts:([^:]+)$/;

/**
 * A warning about a RoleBinding that gives rights in a namespace of a tenant to members of another.
 * Reads    subjects of RoleBindings
 * Warns    of members of other tenants alone, of service accounts in namespaces that are reserved for others, and of groups of everyone
 * Why      rights such as pods/portforward lead around every policy (SVC-15). RBAC decides who may bind what, so nothing is refused
 */
export const foreignSubject: Check = {
  id: 'foreign-subject',
  headline: 'gives rights to members of other tenants',
  protects: 'intent',
  neighbour({ kind, object }, { owner, tenancy, requester }) {
    if (kind !== 'RoleBinding' || owner === 'platform' || requester.platform) return nothing;
    const findings: Finding[] = [];
    for (const [index, subject] of listOf(valueAt(object, 'subjects')).entries()) {
      const whose = whoseIs(subject, owner, tenancy);
      if (whose === undefined) continue;
      const reason = `${excerpt(isMap(subject) ? subject.name : subject)} ${whose}, and gets rights here`;
      const fix = `remove the subject, or name a member of ${owner.name}`;
      findings.push({ path: `subjects[${index}]`, reason, fix });
      if (findings.length === mostFound) break;
    }
    return findings;
  },
};

/** @returns undefined: it acts for the tenant or the platform, or nothing says for whom */
function whoseIs(subject: unknown, owner: Tenant, tenancy: Tenancy): string | undefined {
  const [kind, name] = [textOf(valueAt(subject, 'kind')), textOf(valueAt(subject, 'name'))];
  if (everybody.has(name) && kind !== 'ServiceAccount') return 'stands for every account';
  const every = kind === 'Group' ? accountsOf.exec(name)?.[1] : undefined;
  const one = kind === 'ServiceAccount' ? textOf(valueAt(subject, 'namespace')) : account.exec(name)?.[1];
  const home = every ?? (kind === 'Group' ? undefined : one);
  // Any account will do where every one of a namespace is meant.
  const username = kind === 'User' ? name : `system:serviceaccount:${home}:${every === undefined ? name : 'default'}`;
  const asked = home === undefined && kind === 'Group' ? { username: '', groups: [name] } : { username, groups: [] };
  const reservation = home === undefined ? undefined : tenancy.reservation(home);
  const { platform, tenants } = tenancy.requester(asked, reservation);
  if (platform || reservation === 'platform' || tenants.some((one) => one.name === owner.name)) return undefined;
  return tenants.length === 0 ? undefined : 'acts for another tenant';
}
