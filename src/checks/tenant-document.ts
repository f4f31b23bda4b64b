import { isDeepStrictEqual } from 'node:util';
import { parseTenant } from '../tenancy/parse-tenant.ts';
import { type Problem, unlined } from '../tenancy/problem.ts';
import { locatedTenant, tenantFile } from '../tenancy/resolve-tenants.ts';
import { validateTenancy } from '../tenancy/validate-tenancy.ts';
import { type Check, type Facts, type Finding, nothing } from './check.ts';

/**
 * A Tenant is readable, and compatible with the settings and the other tenants.
 * Reads    apiVersion, kind, metadata.name and spec of a new Tenant, or of one whose spec changes
 * Allowed  a Tenant that `bulkhead serve --tenants` would load beside the tenants in force. With its warnings, such as for gates
 *          that stay shut, and with one where tenants are read from files
 * Why      a tenant that cannot be put in force would keep its old version, and that would stay unnoticed until it matters
 */
export const tenantDocument: Check = {
  id: 'tenant-document',
  headline: 'cannot take effect',
  protects: 'identity',
  tenant(request, { tenancy, requester, now }) {
    // Refused anyway (tenant-writers), and the reasons would tell of other tenants.
    if (!requester.platform) return nothing;
    const { operation, subresource, object, oldObject } = request;
    if (operation === 'DELETE' || subresource !== '') return nothing;
    // One that is bad already can still be labelled, finalized and deleted.
    if (oldObject !== undefined && isDeepStrictEqual(object.spec, oldObject.spec)) return nothing;
    const { apiVersion, kind, metadata, spec } = object;
    const file = tenantFile(request.name);
    const parsed = parseTenant({ value: { apiVersion, kind, metadata, spec }, locate: unlined(file) });
    const others = [...tenancy.tenants.values()].filter(({ name }) => name !== request.name);
    const { problems, warnings } = parsed.ok
      ? validateTenancy(tenancy.settings, [...others, parsed.value].map(locatedTenant), now)
      : { ...parsed, warnings: [] };
    const own = (found: readonly Problem[], more: Pick<Finding, 'protects'> = {}): readonly Finding[] =>
      found
        .filter((one) => one.file === file)
        .map(({ path, reason, fix }) => ({ path, reason, fix: fix || 'write another value', ...more }));
    const refused = own(problems);
    if (refused.length > 0) return refused;
    return [...withoutEffect('tenants', tenancy), ...own(warnings, { protects: 'intent' })];
  },
};

/** A warning about a document that is an object while files are in force. */
export function withoutEffect(kind: 'tenants' | 'exemptions', { home }: Facts['tenancy']): readonly Finding[] {
  if (home === 'objects') return nothing;
  const fix = 'write it into the files of --tenants, or start Bulkhead without --tenants';
  return [
    { path: 'metadata.name', reason: `has no effect: ${kind} are read from files here`, fix, protects: 'intent' },
  ];
}
