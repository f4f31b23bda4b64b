/** `spec.network` of a Tenant: what one document says by itself. */

import { type DnsPattern, isNarrowName, parsePattern } from '../kubernetes/dns-pattern.ts';
import { destinations } from '../kubernetes/embedded-ipv4.ts';
import { contains } from '../kubernetes/ip-set.ts';
import { excerpt } from '../kubernetes/json.ts';
import { formatPort } from '../kubernetes/port-range.ts';
import { parsePorts, parseRange } from './parse-network.ts';
import { parseRouteGrants } from './parse-route-grants.ts';
import { parseServiceGrants } from './parse-service-grants.ts';
import { parseTime } from './parse-time.ts';
import type { Report, Step } from './problem.ts';
import type {
  EgressDocument,
  GateDocument,
  TenantNetworkDocument,
  VouchedDocument,
} from './schema/tenant-network-schema.ts';
import type { EgressGrant, Gate, Tenant, VouchedAddress } from './tenant.ts';

const base = ['spec', 'network'];

export function parseTenantNetwork(
  {
    within = 'tenant',
    egressCIDRs = [],
    egress = [],
    vouched = [],
    names = [],
    services,
    hosts,
    routes,
    gates = [],
    clusters,
  }: TenantNetworkDocument,
  tenant: string,
  report: Report,
): Tenant['network'] {
  return {
    within,
    egressRanges: egressCIDRs.flatMap((text, index) => parseRange(text, [...base, 'egressCIDRs', index], report) ?? []),
    egress: egress.flatMap((document, index) => parseEgress(document, [...base, 'egress', index], report) ?? []),
    vouched: vouched.flatMap((document, index) => parseVouched(document, [...base, 'vouched', index], report) ?? []),
    names: names.flatMap((text, index) => parseName(text, [...base, 'names', index], report) ?? []),
    gates: parseGates(gates, tenant, report),
    ...((hosts ?? routes) && { routes: parseRouteGrants(hosts ?? [], routes ?? {}, report) }),
    ...(services && { services: parseServiceGrants(services, report) }),
    ...(clusters && { clusters: new Set(clusters) }),
  };
}

function parseName(text: string, steps: readonly Step[], report: Report): DnsPattern | undefined {
  const pattern = parsePattern(text);
  if (pattern === undefined)
    return report(steps, `${excerpt(text)} is no DNS name`, 'write api.example.org or *.example.org');
  if (isNarrowName(pattern)) return pattern;
  return report(
    steps,
    `${excerpt(text)} stands for names of everybody`,
    'write at least two labels without *, such as *.example.org',
  );
}

function parseEgress(document: EgressDocument, steps: readonly Step[], report: Report): EgressGrant | undefined {
  const ports = parsePorts(document.ports ?? [], [...steps, 'ports'], report);
  const except = (document.except ?? []).flatMap(
    (text, index) => parseRange(text, [...steps, 'except', index], report) ?? [],
  );
  if (document.cidr === 'internet') return { cidr: 'internet', except, ports };
  if (/^internet$/i.test(document.cidr)) {
    return report([...steps, 'cidr'], `${excerpt(document.cidr)} is not spelt as it is`, 'write internet');
  }
  const cidr = parseRange(document.cidr, [...steps, 'cidr'], report);
  if (cidr === undefined) return undefined;
  for (const [index, range] of except.entries()) {
    if (contains(destinations([cidr]), destinations([range]))) continue;
    report([...steps, 'except', index], `lies outside ${document.cidr}`, 'remove it, or correct it');
  }
  return { cidr, except, ports };
}

function parseVouched(document: VouchedDocument, steps: readonly Step[], report: Report): VouchedAddress | undefined {
  const address = parseRange(document.cidr, [...steps, 'cidr'], report);
  const ports = parsePorts(document.ports, [...steps, 'ports'], report);
  for (const [index, { first, last }] of ports.entries()) {
    if (first !== 1 || last !== 65535) continue;
    report([...steps, 'ports', index], 'is every port of the protocol', 'list the ports by number');
  }
  const expires = parseExpiry(document.expires, steps, report);
  if (address === undefined) return undefined;
  // What a range for ingress may be, the settings say (validate-addresses.ts).
  if (address.first !== address.last && document.direction === 'egress') {
    return report(
      [...steps, 'cidr'],
      'has more than one address',
      'write one entry for each address, such as 10.0.0.7/32',
    );
  }
  const { direction, notAssignedToPods = false } = document;
  return { address, ports, direction, expires, notAssignedToPods };
}

/** Milliseconds since the epoch. */
function parseExpiry(text: string | undefined, steps: readonly Step[], report: Report): number | undefined {
  if (text === undefined) return undefined;
  const parsed = parseTime(text);
  if (parsed.ok) return parsed.value;
  return report([...steps, 'expires'], parsed.reason, parsed.fix);
}

function parseGates(documents: readonly GateDocument[], tenant: string, report: Report): readonly Gate[] {
  const seen = new Map<string, number>();
  return documents.flatMap((document, index) => {
    const steps: Step[] = ['spec', 'network', 'gates', index];
    if (document.tenant === tenant) {
      report([...steps, 'tenant'], 'leads to the tenant itself', 'what is open inside the tenant is network.within');
    }
    const ports = parsePorts(document.ports ?? [], [...steps, 'ports'], report);
    const same = JSON.stringify([
      document.tenant,
      document.direction,
      ports.map(formatPort).sort(),
      [...(document.clusters ?? [])].sort(),
    ]);
    const first = seen.get(same);
    if (first === undefined) seen.set(same, index);
    else report(steps, `opens what spec.network.gates[${first}] opens`, 'keep one of them');
    return {
      tenant: document.tenant,
      direction: document.direction,
      ports,
      expires: parseExpiry(document.expires, steps, report),
      ...(document.clusters && { clusters: new Set(document.clusters) }),
    };
  });
}
