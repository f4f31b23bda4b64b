import { isDeepStrictEqual } from 'node:util';
import { beyond, type Flaw, undeclared, unreadRequests } from '../gates/beyond.ts';
import { doubtsAbout } from '../gates/doubt.ts';
import { gateRequestFile, parseGateRequest } from '../gates/parse-gate-request.ts';
import { valueAt } from '../kubernetes/json.ts';
import { commonPorts } from '../kubernetes/port-range.ts';
import type { GateRequestRequest } from '../kubernetes/review.ts';
import { type GateRequest, type GateRequests, requestLimits } from '../tenancy/gate-request.ts';
import { formatSteps, unlined } from '../tenancy/problem.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import { type Check, type Facts, type Finding, nothing } from './check.ts';
import { judgeTenantLabel } from './tenant-label.ts';

/**
 * A GateRequest can open a gate; and its author learns when it opens nothing yet, less than it names, or soon nothing.
 * Reads    apiVersion, kind, the tenant label and spec of a new GateRequest, or of one whose spec changes; who writes it, and its status
 * Allowed  in a namespace of a tenant, where the settings say `gates.from: tenants`: ports within `gates.ports`, with another tenant that
 *          `gates.between` lets it agree with, as many as count. The tenant label is the owner's. With a warning where no request mirrors
 *          it, or only for other ports, or where it has expired or ends within a week. Not by those who act for other tenants alone
 * Why      a request that can never open anything would be noticed late. Whether a gate is open is not decided here: that follows from
 *          what is stored (gates/agreement.ts)
 */
export const gateRequest: Check = {
  id: 'gate-request',
  headline: 'cannot open a gate',
  protects: 'identity',
  gate(request, facts) {
    const { operation, subresource, object, oldObject } = request;
    if (operation === 'DELETE') return nothing;
    if (subresource !== '') return facts.requester.platform ? nothing : [writtenByOthers(facts)];
    const writtenByAnother = foreign(facts);
    if (writtenByAnother !== undefined) return [writtenByAnother];
    // One that is bad already can still be labelled, finalized and deleted.
    if (oldObject !== undefined && isDeepStrictEqual(object.spec, oldObject.spec))
      return judgeTenantLabel(request, facts);
    // The label says who wrote the spec. If it stayed that of the owner before, the request would be theirs once the namespace is again.
    const label = judgeTenantLabel(request, facts, false);
    const refused = whole(facts);
    if (refused !== undefined) return [refused];
    const { owner, tenancy } = facts;
    const { requests } = tenancy;
    if (owner === 'platform' || requests === undefined) return nothing;
    const { apiVersion, kind, metadata, spec } = object;
    const file = gateRequestFile(request.name);
    const parsed = parseGateRequest({
      value: { apiVersion, kind, metadata: named(metadata), spec },
      locate: unlined(file),
    });
    if (!parsed.ok)
      return parsed.problems.map(({ path, reason, fix }) => ({ path, reason, fix: fix || 'write another value' }));
    const findings = [
      ...label,
      ...beyond(parsed.value, owner.name, tenancy.settings).map(findingOf),
      ...tooMany(request, parsed.value, owner, requests),
    ];
    return findings.length > 0 ? findings : doubts(parsed.value, owner, requests, facts);
  },
};

function writtenByOthers({ requester }: Facts): Finding {
  return {
    path: 'status',
    reason: `would be changed by ${requester.username || 'the requester'}, and Bulkhead alone writes the status`,
    fix: 'leave the status as it is',
    headline: 'has a status that Bulkhead alone writes',
  };
}

/** Rights may be given to others by mistake. What the owner's members do not write, they have not agreed to. */
function foreign({ owner, requester }: Facts): Finding | undefined {
  if (owner === 'platform' || requester.platform) return undefined;
  const { tenants, username } = requester;
  if (tenants.length === 0 || tenants.includes(owner)) return undefined;
  const reason = `would be written by ${username}, who acts for another tenant and not for ${owner.name}`;
  return { path: 'metadata.namespace', reason, fix: `have a member of ${owner.name} write it` };
}

/** The name may still be to be generated. */
function named(metadata: GateRequestRequest['object']['metadata']): object {
  return { ...metadata, name: metadata?.name || 'generated' };
}

/** Why no request could open anything here. */
function whole({ owner, tenancy }: Facts): Finding | undefined {
  const unread = unreadRequests(tenancy.settings.gates, tenancy.requests !== undefined);
  if (unread !== undefined) return findingOf(unread);
  const place = { path: 'metadata.namespace', fix: 'write it in a namespace of your tenant' };
  if (owner === 'platform') return { ...place, reason: 'has no tenant, so the request acts for none' };
  if (!tenancy.declares(owner)) return { ...place, reason: `has tenant ${owner.name}, which is not in force` };
  return undefined;
}

function tooMany(
  { operation, namespace, oldObject }: GateRequestRequest,
  { tenant, direction }: GateRequest,
  { name: from }: Tenant,
  requests: GateRequests,
): readonly Finding[] {
  const count = requests.count({ namespace, from, tenant, direction });
  const stored = oldObject?.spec;
  const fix = 'delete those that are not needed, or list more ports in one of them';
  const full = (reason: string): readonly Finding[] => [{ path: '', reason, fix }];
  if (operation === 'CREATE') {
    if (count.namespace >= requestLimits.namespace)
      return full(`would be one too many: namespace ${namespace} has ${count.namespace} GateRequests already`);
    if (count.tenant >= requestLimits.tenant)
      return full(`would be one too many: tenant ${from} has ${count.tenant} GateRequests already`);
  }
  const isNew = operation === 'CREATE' || !isAbout(stored, tenant, direction);
  if (!isNew || count.gate < requestLimits.gate) return nothing;
  return full(
    `would be one too many: tenant ${from} has ${count.gate} GateRequests for ${direction} with that tenant already`,
  );
}

function isAbout(spec: unknown, tenant: string, direction: string): boolean {
  return valueAt(spec, 'tenant') === tenant && valueAt(spec, 'direction') === direction;
}

/** What its author is warned of. Only the platform learns that a tenant is not declared. */
function doubts(
  request: GateRequest,
  { name: from }: Tenant,
  requests: GateRequests,
  { tenancy, requester, now }: Facts,
): readonly Finding[] {
  const ports = commonPorts(request.ports, tenancy.settings.gates.ports);
  const unknown = requester.platform ? undeclared(request.tenant, [...tenancy.tenants.keys()]) : [];
  return (unknown.length > 0 ? unknown : doubtsAbout({ ...request, ports, from }, requests, now)).map(warning);
}

function findingOf({ steps, reason, fix }: Flaw): Finding {
  return { path: formatSteps(steps), reason, fix };
}

function warning(flaw: Flaw): Finding {
  return { ...findingOf(flaw), protects: 'intent' };
}
