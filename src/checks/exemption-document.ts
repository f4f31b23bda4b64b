import { isDeepStrictEqual } from 'node:util';
import { doubtAbout } from '../exemptions/doubt.ts';
import { exemptionFile, parseExemption } from '../exemptions/parse-exemption.ts';
import { formatSteps, unlined } from '../tenancy/problem.ts';
import { type Check, nothing } from './check.ts';
import { withoutEffect } from './tenant-document.ts';

/**
 * An Exemption is readable, and its author learns when it exempts nothing, or soon will.
 * Reads    apiVersion, kind, metadata.name and spec of a new Exemption, or of one whose spec changes
 * Allowed  an Exemption that `bulkhead serve --tenants` would load beside the tenants in force. With a warning where it has expired or
 *          ends within a week. Also where it names an undeclared tenant or a namespace of another owner, and where exemptions are read from
 *          files
 * Why      an unreadable exemption exempts nothing, and that would stay unnoticed until the workload is refused
 */
export const exemptionDocument: Check = {
  id: 'exemption-document',
  headline: 'cannot take effect',
  protects: 'identity',
  exemption({ operation, subresource, name, object, oldObject }, { tenancy, requester, now, namespaceOf }) {
    // Refused anyway (exemption-writers), and the reasons would tell of namespaces.
    if (!requester.platform || operation === 'DELETE' || subresource !== '') return nothing;
    // One that is bad already can still be labelled, finalized and deleted.
    if (oldObject !== undefined && isDeepStrictEqual(object.spec, oldObject.spec)) return nothing;
    const { apiVersion, kind, metadata, spec } = object;
    const document = { value: { apiVersion, kind, metadata, spec }, locate: unlined(exemptionFile(name)) };
    const parsed = parseExemption(document);
    if (!parsed.ok)
      return parsed.problems.map(({ path, reason, fix }) => ({ path, reason, fix: fix || 'write another value' }));
    if (tenancy.home === 'files') return withoutEffect('exemptions', tenancy);
    const doubt = doubtAbout(parsed.value, tenancy, now, namespaceOf);
    return doubt === undefined
      ? nothing
      : [{ path: formatSteps(doubt.steps), reason: doubt.reason, fix: doubt.fix, protects: 'intent' }];
  },
};
