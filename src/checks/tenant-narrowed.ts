import { isMap, type JsonMap } from '../kubernetes/json.ts';
import { type ReservedNames, reservationsOf, reservedIn } from '../tenancy/reserved-names.ts';
import { type Check, type Finding, nothing, type TenantFacts } from './check.ts';

/**
 * Warns the author of a Tenant whose update removes a prefix, a limit or members that existing namespaces need.
 * Reads    spec.members, the prefixes, names and limit in spec.namespaces of the new and the stored Tenant, and its namespaces
 * Warns    when the last member goes, when names of its namespaces are no longer reserved, and when a lower limit is below what it has
 * Why      all of this may be intended, so it is admitted. The effects appear later, and for others: a policy may select a namespace
 *          by a name that any tenant may take from now on
 */
export const tenantNarrowed: Check = {
  id: 'tenant-narrowed',
  headline: 'removes what its namespaces depend on',
  protects: 'intent',
  tenant(request, facts) {
    const { operation, subresource, object, oldObject } = request;
    // Others are refused (tenant-writers), and the numbers are not theirs to know.
    if (operation !== 'UPDATE' || subresource !== '' || !facts.requester.platform) return nothing;
    if (facts.namespacesOwned === 0) return nothing;
    const [before, after] = [reading(oldObject?.spec), reading(object.spec)];
    return [
      ...aboutMembers(before, after, facts),
      ...aboutNames(before, after, facts),
      ...aboutLimit(before, after, facts),
    ];
  },
};

interface Reading {
  readonly members: number;
  readonly reserved: ReservedNames;
  readonly limit: number;
}

/** What cannot be read counts as left out: check tenant-document refuses it where it is new. */
function reading(spec: unknown): Reading {
  const { members, namespaces }: JsonMap = isMap(spec) ? spec : {};
  const { limit }: JsonMap = isMap(namespaces) ? namespaces : {};
  return {
    members: Array.isArray(members) ? members.length : 0,
    reserved: reservedIn(spec),
    limit: typeof limit === 'number' ? limit : Number.POSITIVE_INFINITY,
  };
}

function aboutMembers(before: Reading, after: Reading, { namespacesOwned }: TenantFacts): readonly Finding[] {
  if (before.members === 0 || after.members > 0) return nothing;
  return warning(
    'spec.members',
    `is empty: only their own service accounts still act for ${counted(namespacesOwned)}`,
    'list who acts for the tenant, or delete its namespaces',
  );
}

function aboutNames(before: Reading, after: Reading, { namesOwned }: TenantFacts): readonly Finding[] {
  const lost = new Map<string, number>();
  for (const name of namesOwned) {
    const reservations = reservationsOf(name);
    const [field] = reservations.flatMap((one) => before.reserved.get(one)?.[2] ?? []);
    if (field === undefined || reservations.some((one) => after.reserved.has(one))) continue;
    lost.set(String(field), (lost.get(String(field)) ?? 0) + 1);
  }
  return [...lost].flatMap(([field, namespaces]) =>
    warning(
      `spec.namespaces.${field}`,
      `no longer covers ${counted(namespaces)}: once deleted, others may take ${namespaces === 1 ? 'its name' : 'their names'}`,
      `keep the ${field === 'names' ? 'names' : 'prefix'} until no policy selects these namespaces by name`,
    ),
  );
}

function aboutLimit(before: Reading, after: Reading, { namespacesOwned }: TenantFacts): readonly Finding[] {
  if (after.limit >= before.limit || after.limit >= namespacesOwned) return nothing;
  return warning(
    'spec.namespaces.limit',
    `is below the ${namespacesOwned} existing ${namespacesOwned === 1 ? 'namespace, which stays' : 'namespaces, which stay'}; new ones are rejected`,
    'delete namespaces that are not needed, or leave the limit higher',
  );
}

function warning(path: string, reason: string, fix: string): readonly Finding[] {
  return [{ path, reason, fix }];
}

function counted(namespaces: number): string {
  return namespaces === 1 ? '1 namespace' : `${namespaces} namespaces`;
}
