import { isManagedName } from '../baseline/managed.ts';
import type { Narrowing } from '../kinds/kind.ts';
import { policyKindOf } from '../kinds/policy-kind.ts';
import { type FieldPath, field, valueAtPath } from '../kubernetes/field-path.ts';
import type { AdmissionRequest, PolicyRequest } from '../kubernetes/review.ts';
import type { Reach } from '../reach/model.ts';
import { overBroadSelectors } from '../reach/over-broad.ts';
import type { IsKept, OwnerByName } from '../reach/violation.ts';
import type { Owner, Tenancy } from '../tenancy/tenancy.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import type { Intent } from './label-intent.ts';

interface Ownership {
  readonly owner: Owner;
  readonly tenancy: Tenancy;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly reach?: Reach | undefined;
  readonly ownerByName?: OwnerByName | undefined;
  readonly isKept?: IsKept | undefined;
}

const none: readonly Intent[] = [];

/**
 * Under soft isolation a policy that lets in or reaches too many namespaces is narrowed to the tenant's own.
 * Writes   the tenant label into matchLabels of selectors: spec.ingress[*].from[*].namespaceSelector of a NetworkPolicy,
 *          spec.ingress[*].fromEndpoints[*] of a CiliumNetworkPolicy, and those of egress likewise; a test of it into
 *          spec.ingress[*].source.namespaceSelector and spec.egress[*].destination.namespaceSelector of a NetworkPolicy of Calico
 * On       CREATE and UPDATE of those, in namespaces of a tenant with soft isolation and mode enforce: as long as the
 *          mode only warns or records, nothing is changed
 * Only where that makes the whole policy one that stays inside the tenant, and nothing else can have been meant
 * (reach/over-broad.ts); everything else is refused, after all other mutations, as under hard isolation. An update that leaves
 * the spec as it was is not narrowed: what has been admitted once can still be labelled and finalized (ADM-11, ADM-22).
 */
export function narrowedPeers(
  request: AdmissionRequest,
  { owner, tenancy, now, reach, ownerByName, isKept }: Ownership,
): readonly Intent[] {
  if (request.operation === 'DELETE' || !isNarrowed(owner) || !isNarrowable(request)) return none;
  const { read, narrows, unchanged } = policyKindOf(request);
  const { name, namespace, object, oldObject } = request;
  if (isManagedName(name) || narrows === undefined) return none;
  const selectors = overBroadSelectors(reach ?? read(object), {
    tenant: owner,
    namespace,
    tenancy,
    now,
    ownerByName,
    isKept,
  });
  if (selectors.length === 0 || (oldObject !== undefined && unchanged(object, oldObject))) return none;
  const intents = selectors.flatMap((one) => intentFor(one, request, narrows, tenancy, owner) ?? []);
  // What cannot be narrowed is refused, and nothing else is changed in it.
  return intents.length === selectors.length ? intents : none;
}

function intentFor(
  selector: FieldPath,
  { object }: PolicyRequest,
  narrows: Narrowing,
  { settings: { tenantLabel } }: Tenancy,
  { name }: Tenant,
): Intent | undefined {
  if (narrows.by === 'label')
    return { labels: field(selector, 'matchLabels'), key: narrows.key(tenantLabel), value: name };
  const written = valueAtPath(object, selector);
  const added = narrows.added(tenantLabel, name);
  const becomes = typeof written === 'string' ? narrows.becomes(written, added) : undefined;
  return becomes === undefined ? undefined : { text: selector, becomes, added };
}

/** Whether policies in the owner's namespaces may be narrowed; of all others nothing has to be known. */
export function isNarrowed(owner: Owner): owner is Tenant {
  return owner !== 'platform' && owner.isolation === 'soft' && owner.mode === 'enforce';
}

/** Whether the label can be added to selectors of its kind. */
export function isNarrowable(request: AdmissionRequest): request is PolicyRequest {
  return request.family === 'policy' && policyKindOf(request).narrows !== undefined;
}
