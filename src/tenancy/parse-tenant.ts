import { excerpt, isMap } from '../kubernetes/json.ts';
import { parseContainerDefaults, parseQuota } from './parse-quota.ts';
import { parseSubject } from './parse-subject.ts';
import { parseTenantNetwork } from './parse-tenant-network.ts';
import { inReadingOrder, type Loaded, type Located, type Problem, type Report, reportInto } from './problem.ts';
import { reservedIn } from './reserved-names.ts';
import { checkDocumentBy } from './schema/check-document.ts';
import { type TenantDocument, tenantSchema } from './schema/tenant-schema.ts';
import type { Tenant } from './tenant.ts';

const checkDocument = checkDocumentBy<TenantDocument>(tenantSchema);

/**
 * Reads one `Tenant` document. Only what the document says by itself is judged; how tenants go together is validate-tenancy.ts.
 * Left out means: mode enforce, hard isolation, no members, no reserved names, no limit, no quota, open inside the tenant, nothing across.
 */
export function parseTenant(document: Located<unknown>): Loaded<Tenant> {
  const checked = checkDocument(document);
  if (!checked.ok) return checked;
  const { metadata, spec } = checked.value.value;
  const problems: Problem[] = [];
  const report = reportInto(problems, document.locate);
  const { enforcePrefix, limit, resourceQuota, containerDefaults = {} } = spec.namespaces ?? {};
  const limitRange = parseContainerDefaults(containerDefaults, ['spec', 'namespaces', 'containerDefaults'], report);
  const reserved = reservedIn(spec);
  if (enforcePrefix === true && reserved.size === 0) {
    report(
      ['spec', 'namespaces', 'enforcePrefix'],
      'lets members create no namespace, as no prefix and no name is reserved for the tenant',
      'list prefixes or names, or write limit: 0 instead',
    );
  }
  if (metadata.name === 'platform') {
    report(
      ['metadata', 'name'],
      'platform means the team that runs the cluster, also in logs and metrics',
      'choose another name',
    );
  }
  const tenant: Tenant = {
    name: metadata.name,
    labels: parseLabels(metadata.labels, report),
    mode: spec.mode ?? 'enforce',
    isolation: spec.isolation ?? 'hard',
    members: (spec.members ?? []).flatMap((member, index) => {
      const steps = ['spec', 'members', index];
      if (isOfKubernetes(member.kind, member.name)) {
        report(
          [...steps, 'name'],
          `${member.name} is part of Kubernetes itself and works for every tenant`,
          'list those who are meant',
        );
        return [];
      }
      return parseSubject(member, steps, report) ?? [];
    }),
    reserved,
    ...(enforcePrefix === true && { enforcePrefix }),
    limit,
    resourceQuota: resourceQuota && {
      hard: parseQuota(resourceQuota.hard, ['spec', 'namespaces', 'resourceQuota', 'hard'], report),
    },
    ...(limitRange !== undefined && { limitRange }),
    network: parseTenantNetwork(spec.network ?? {}, metadata.name, report),
  };
  return problems.length === 0
    ? { ok: true, value: tenant, warnings: [] }
    : { ok: false, problems: inReadingOrder(problems) };
}

/** The schema leaves metadata open, as a CustomResourceDefinition must; the API server lets only texts through. */
function parseLabels(labels: unknown, report: Report): ReadonlyMap<string, string> {
  const entries = isMap(labels) ? Object.entries(labels) : [];
  return new Map(
    entries.flatMap(([key, value]): [string, string][] => {
      if (typeof value === 'string') return [[key, value]];
      report(['metadata', 'labels', key], `${excerpt(value)} is not text`, 'write it in quotes');
      return [];
    }),
  );
}

/** Users and groups such as system:nodes or system:kube-scheduler. Groups of service accounts, and wider ones, are judged with all subjects. */
function isOfKubernetes(kind: string, name: string): boolean {
  return (
    kind !== 'ServiceAccount' &&
    name.startsWith('system:') &&
    !/^system:(serviceaccounts?(:|$)|authenticated$|unauthenticated$|anonymous$)/.test(name)
  );
}
