/** Everything the judgement needs beside a request about a Namespace: whose it is, who asks, and what was granted on it. */
import type { Gathered } from '../checks/check.ts';
import { needsNamespaceEmptied } from '../checks/needs.ts';
import { isGiven } from '../kubernetes/json.ts';
import { entry } from '../kubernetes/objects.ts';
import type { NamespaceRequest } from '../kubernetes/review.ts';
import { serviceAccountOf } from '../kubernetes/user.ts';
import type { NamespaceGrant } from '../tenancy/namespace-grant.ts';
import { decideOwner, decideProvisioned } from '../tenancy/ownership.ts';
import { fitsPattern } from '../tenancy/schema/fits-pattern.ts';
import { labelName } from '../tenancy/schema/names.ts';
import type { Provisioner } from '../tenancy/settings.ts';
import type { Owner, Requester } from '../tenancy/tenancy.ts';
import { hasPods, homeOwner, type TimedSources } from './live-facts.ts';

export async function aboutNamespace(request: NamespaceRequest, sources: TimedSources): Promise<Gathered> {
  const { tenancy, namespaces, now } = sources;
  const { requester, grant } = await requesterOf(request, sources);
  const common = { tenancy, requester, now, grant };
  if (request.operation === 'CREATE') {
    const ownership =
      grant?.provisioner === undefined
        ? decideOwner(request.object, requester, tenancy)
        : decideProvisioned(
            request.object,
            grant.provisioner,
            await askerOf(request, grant.provisioner, sources),
            tenancy,
          );
    const owner: Owner = ownership.kind === 'decided' ? ownership.owner : 'platform';
    const namespacesOwned = owner === 'platform' ? 0 : namespaces.countOwned(owner.name);
    const facts = { ...common, owner, ownership, namespacesOwned, namespaceEmptied: false };
    return { family: 'namespace', request, facts };
  }
  // Before the request: the stored labels decide, whatever the new ones say.
  const stored = request.oldObject ?? request.object;
  const namespaceEmptied =
    !requester.platform &&
    needsNamespaceEmptied(request) &&
    isGiven(stored.metadata?.deletionTimestamp) &&
    !(await hasPods(request.name, sources));
  const owner = tenancy.ownerByLabels(stored.metadata?.labels);
  const facts = { ...common, owner, ownership: undefined, namespacesOwned: 0, namespaceEmptied };
  return { family: 'namespace', request, facts };
}

/** A service account acts for the owner of the namespace that it lives in, so that namespace is looked up as well. */
async function requesterOf(
  { user, name, operation, object, oldObject }: NamespaceRequest,
  sources: TimedSources,
): Promise<{ readonly requester: Requester; readonly grant: NamespaceGrant | undefined }> {
  const { tenancy } = sources;
  const requester = tenancy.requester(user, undefined);
  if (requester.platform) return { requester, grant: undefined };
  const home = await homeOwner(user, sources);
  const stored = operation === 'CREATE' ? 'creates' : (oldObject ?? object).metadata?.annotations;
  // The owner of a namespace controls its service accounts: one in a tenant's is the tenant's, whatever the settings list.
  const grant = home === undefined || home === 'platform' ? tenancy.grantOn(user, name, stored) : undefined;
  // An account whose namespace is gone acts only for the tenants that list it by name.
  return { requester: home === undefined ? requester : tenancy.requester(user, home), grant };
}

/** The user for whom a provisioner creates a namespace. Its groups are not known. */
async function askerOf(
  { object }: NamespaceRequest,
  { tenantFrom }: Provisioner,
  sources: TimedSources,
): Promise<Requester | undefined> {
  const username = tenantFrom === undefined ? undefined : entry(object.metadata?.annotations, tenantFrom);
  if (username === undefined || username === '') return undefined;
  const user = { username, groups: [] };
  // Whatever the annotation says, only the name of a namespace is looked up.
  const { namespace = '' } = serviceAccountOf(user) ?? {};
  const home = fitsPattern(namespace, labelName) ? await homeOwner(user, sources) : undefined;
  return sources.tenancy.requester(user, home);
}
