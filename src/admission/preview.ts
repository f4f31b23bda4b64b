/** The warning that says what an update of a policy opens and closes. */
import type { Gathered } from '../checks/check.ts';
import { isJudged, policyKindOf } from '../kinds/policy-kind.ts';
import { additive } from '../reach/in-force.ts';
import { previewOf } from '../reach/preview/preview.ts';

/** None but for an update of a tenant's policy, in one of the modes that the settings list (network.previewModes). */
export function previewLines(gathered: Gathered): readonly string[] {
  if (gathered.family !== 'policy') return [];
  const { request, facts } = gathered;
  const { owner, tenancy } = facts;
  const { settings } = tenancy;
  const { operation, object, oldObject, namespace } = request;
  if (operation !== 'UPDATE' || oldObject === undefined || owner === 'platform') return [];
  if (!settings.previewModes.has(owner.mode) || !isJudged(request, settings)) return [];
  const kind = policyKindOf(request);
  if (kind.unchanged(object, oldObject)) return [];
  const place = { namespace, tenantLabel: settings.tenantLabel, tenant: owner.name };
  const inForce = kind.inForce ?? ((policy) => additive(kind.read(policy), 'any'));
  return previewOf(inForce(oldObject), inForce(object), place);
}
