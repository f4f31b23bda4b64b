/** Finds the connections that are not agreed, with the naive evaluator that src/reach is held against. */
import { globSync, readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { isForeign, type Party, type World, type WrittenGate } from '../reach/evaluator.ts';
import { readAddress } from '../reach/evaluator-addresses.ts';
import { alwaysProtected } from '../reach/search-worlds.ts';
import { type Member, namespaceLabels, type TenantName } from './cast.ts';
import type { Protocol } from './probe.ts';

/** A connection, tried or open. */
export interface Connection {
  readonly from: Member;
  readonly to: Member;
  readonly protocol: Protocol;
  readonly port: number;
}

/** A connection in words; tests name it so. */
export function inWords({ from, to, protocol, port }: Connection): string {
  return `${from.name} -> ${to.name} ${protocol} ${port}`;
}

interface SettingsDocument {
  readonly kind: 'Settings';
  readonly spec: {
    readonly network: Readonly<Record<'podCIDRs' | 'serviceCIDRs' | 'nodeCIDRs', readonly string[]>>;
    readonly sharedServices: readonly Omit<World['services'][number], 'addresses'>[];
  };
}
interface TenantDocument {
  readonly kind: 'Tenant';
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly namespaces?: { readonly prefix?: string };
    readonly network?: { readonly egressCIDRs?: readonly string[]; readonly gates?: readonly WrittenGate[] };
  };
}

function documents(pattern: string): (SettingsDocument | TenantDocument)[] {
  return globSync(pattern).flatMap((file) =>
    parseAllDocuments(readFileSync(file, 'utf8')).map(
      (document): SettingsDocument | TenantDocument => document.toJS() as SettingsDocument | TenantDocument,
    ),
  );
}

const settings = documents('manifests/overlays/example/bulkhead.yaml').find((one) => one.kind === 'Settings');
const tenants = documents('manifests/overlays/example/tenants/*.yaml').filter((one) => one.kind === 'Tenant');

/** The declarations of the examples, for a tenant that writes a policy in one of its namespaces. The tenant itself comes first. */
export function worldOf(tenant: TenantName, namespace: string): World {
  if (settings === undefined) throw new Error('the examples have no settings');
  const { network, sharedServices } = settings.spec;
  const fields = ['podCIDRs', 'serviceCIDRs', 'nodeCIDRs'] as const;
  const declared = tenants.map(({ metadata: { name }, spec }) => ({
    name,
    ...(spec.namespaces?.prefix !== undefined && { prefix: spec.namespaces.prefix }),
    egressCIDRs: spec.network?.egressCIDRs ?? [],
    gates: spec.network?.gates ?? [],
  }));
  return {
    tenantLabel: 'bulkhead.dev/tenant',
    tenant,
    namespace,
    now: Date.now(),
    tenants: declared.toSorted((a, b) => Number(b.name === tenant) - Number(a.name === tenant)),
    services: sharedServices.map((service) => ({ ...service, addresses: [] })),
    protectedRanges: [
      ...fields.flatMap((name) => network[name].map((cidr) => ({ name, cidr }))),
      ...alwaysProtected.map((cidr) => ({ name: cidr === 'fe80::/10' ? 'link-local' : 'metadata', cidr })),
    ],
    unlistedFamilies: [],
  };
}

/**
 * The connections that are not agreed. Each end that Bulkhead guards has a say: the other end must be of the same tenant, a shared
 * service on its ports, let through by both halves of a gate, or an address outside that is allowed. An end that Bulkhead does not guard
 * has none.
 */
export function violations(connections: Iterable<Connection>): string[] {
  return [...connections].filter(isViolation).map(inWords);
}

function isViolation({ from, to, protocol, port }: Connection): boolean {
  const wire = { protocol, port };
  const [seenBySource, seenByDestination] = [guardedWorld(from), guardedWorld(to)];
  return (
    (seenBySource !== undefined && isForeign(partyOf(to), wire, 'egress', seenBySource)) ||
    (seenByDestination !== undefined && isForeign(partyOf(from), wire, 'ingress', seenByDestination))
  );
}

function guardedWorld(member: Member): World | undefined {
  if (member.kind !== 'pod' || !isGuarded(member) || member.namespace.tenant === undefined) return undefined;
  return worldOf(member.namespace.tenant, member.namespace.name);
}

export function isGuarded(member: Member): boolean {
  return member.kind === 'pod' && member.namespace.guarded;
}

function partyOf(member: Member): Party {
  if (member.kind === 'pod') {
    const pod = new Map(Object.entries(member.labels));
    return { kind: 'pod', namespace: namespaceLabels(member.namespace), pod };
  }
  const address = readAddress(member.address);
  if (address === undefined) throw new Error(`${member.address} is no address`);
  return { kind: 'address', address };
}
