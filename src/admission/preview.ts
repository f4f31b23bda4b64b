/** The warning that says what an update of a policy opens and closes. */
import type { Gathered } from '../checks/check.ts';
import { isJudged, policyKindOf } from '../kinds/policy-kind.ts';
import { previewOf, tooMuch } from '../reach/preview/preview.ts';

/** Values in one version of a policy, a long text as several. Reading and comparing two of this size takes about 10 ms. */
const mostValues = 2000;
const longText = 64;

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
  const read = kind.inForce ?? kind.staged;
  // Of the others it is not known here what they do in a cluster: some narrow by requests.
  if (read === undefined || kind.unchanged(object, oldObject)) return [];
  if ([object, oldObject].some((one) => valuesOf(contentOf(one), mostValues) > mostValues)) return [tooMuch];
  const place = { namespace, tenantLabel: settings.tenantLabel, tenant: owner.name };
  const [before, after] = [read(oldObject), read(object)];
  if (before === undefined || after === undefined) return [];
  const lines = previewOf(before, after, place);
  return kind.inForce === undefined ? lines.map((line) => `when enforced: ${line}`) : lines;
}

function contentOf({ spec, specs }: { readonly spec?: unknown; readonly specs?: unknown }): unknown {
  return [spec, specs];
}

/** Values of JSON, a long text as several. Counts no further than a little beyond `most`. */
export function valuesOf(value: unknown, most: number): number {
  if (typeof value === 'string') return 1 + value.length / longText;
  if (typeof value !== 'object' || value === null) return 1;
  let count = 1;
  for (const one of Array.isArray(value) ? value : Object.values(value)) {
    if (count > most) break;
    count += valuesOf(one, most - count);
  }
  return count;
}
