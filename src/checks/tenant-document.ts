import { isDeepStrictEqual } from 'node:util';
import { parseTenant } from '../tenancy/parse-tenant.ts';
import { unlined } from '../tenancy/problem.ts';
import { locatedTenant, tenantFile } from '../tenancy/resolve-tenants.ts';
import { validateTenancy } from '../tenancy/validate-tenancy.ts';
import { type Check, type Finding, nothing } from './check.ts';

/**
 * A Tenant can be read, and goes together with the settings and the other tenants.
 * Reads    apiVersion, kind, metadata.name and spec of a new Tenant, or of one whose spec changes
 * Allowed  what `bulkhead serve --tenants` would load beside the tenants in force
 * Why      a tenant that could not be put in force would stay what it was, and nobody would notice until it matters
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
    const { problems } = parsed.ok
      ? validateTenancy(tenancy.settings, [...others, parsed.value].map(locatedTenant), now)
      : parsed;
    return problems
      .filter((problem) => problem.file === file)
      .map(
        ({ path, reason, fix }): Finding => ({
          path,
          reason,
          fix: fix || 'write another value',
        }),
      );
  },
};
