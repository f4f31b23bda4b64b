import { formatPort } from '../kubernetes/port-range.ts';
import { parsePorts, parseRange } from './parse-network.ts';
import { parseQuota } from './parse-quota.ts';
import { parseSubject } from './parse-subject.ts';
import { parseTime } from './parse-time.ts';
import {
  inReadingOrder,
  type Loaded,
  type Located,
  type Problem,
  type Report,
  reportInto,
  type Step,
} from './problem.ts';
import { compileDocumentSchema } from './schema/check-document.ts';
import { type GateDocument, type TenantDocument, tenantSchema } from './schema/tenant-schema.ts';
import type { Gate, Tenant } from './tenant.ts';

const checkDocument = compileDocumentSchema<TenantDocument>(tenantSchema);

/**
 * Reads one `Tenant` document. Only what the document says by itself is judged; how tenants go together is validate-tenancy.ts.
 * Left out means: mode enforce, hard isolation, no members, no prefix, no limit, no quota, open inside the tenant, nothing across.
 */
export function parseTenant(document: Located<unknown>): Loaded<Tenant> {
  const checked = checkDocument(document);
  if (!checked.ok) return checked;
  const { metadata, spec } = checked.value.value;
  const problems: Problem[] = [];
  const report = reportInto(problems, document.locate);
  const { prefix, limit, resourceQuota } = spec.namespaces ?? {};
  const { within = 'tenant', egressCIDRs = [], gates = [] } = spec.network ?? {};
  if (metadata.name === 'platform') {
    report(
      ['metadata', 'name'],
      'platform means the team that runs the cluster, also in logs and metrics',
      'choose another name',
    );
  }
  const tenant: Tenant = {
    name: metadata.name,
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
    prefix,
    limit,
    resourceQuota: resourceQuota && {
      hard: parseQuota(resourceQuota.hard, ['spec', 'namespaces', 'resourceQuota', 'hard'], report),
    },
    network: {
      within,
      egressRanges: egressCIDRs.flatMap(
        (text, index) => parseRange(text, ['spec', 'network', 'egressCIDRs', index], report) ?? [],
      ),
      gates: parseGates(gates, metadata.name, report),
    },
  };
  return problems.length === 0
    ? { ok: true, value: tenant, warnings: [] }
    : { ok: false, problems: inReadingOrder(problems) };
}

/** Users and groups such as system:nodes or system:kube-scheduler. Groups of service accounts, and wider ones, are judged with all subjects. */
function isOfKubernetes(kind: string, name: string): boolean {
  return (
    kind !== 'ServiceAccount' &&
    name.startsWith('system:') &&
    !/^system:(serviceaccounts?(:|$)|authenticated$|unauthenticated$|anonymous$)/.test(name)
  );
}

function parseGates(documents: readonly GateDocument[], tenant: string, report: Report): readonly Gate[] {
  const seen = new Map<string, number>();
  return documents.flatMap((document, index) => {
    const steps: Step[] = ['spec', 'network', 'gates', index];
    if (document.tenant === tenant) {
      report([...steps, 'tenant'], 'leads to the tenant itself', 'what is open inside the tenant is network.within');
    }
    const ports = parsePorts(document.ports ?? [], [...steps, 'ports'], report);
    const same = JSON.stringify([document.tenant, document.direction, ports.map(formatPort).sort()]);
    const first = seen.get(same);
    if (first === undefined) seen.set(same, index);
    else report(steps, `opens what spec.network.gates[${first}] opens`, 'keep one of them');
    const expires = document.expires === undefined ? undefined : parseTime(document.expires);
    if (expires?.ok === false) report([...steps, 'expires'], expires.reason, expires.fix);
    return {
      tenant: document.tenant,
      direction: document.direction,
      ports,
      expires: expires?.ok ? expires.value : undefined,
    };
  });
}
