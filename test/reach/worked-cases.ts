/**
 * Worked cases: what a piece of policy should be called, in files of the format of verdicts.json.
 *
 *   { "assume": { tenant, policyNamespace, membershipLabel, podCIDRs, serviceCIDRs, nodeCIDRs, metadataAddresses },
 *     "cases": [{ "id", "engine", "input", "verdict", "why"?, "condition"? }] }
 *
 * A list of addresses that is left out is empty. A case with a condition takes it for granted: names that begin with the
 * tenant's name and a hyphen are then reserved to the tenant, and in no other case.
 */
import { parseCidr } from '../../src/kubernetes/ip-range.ts';
import { isMap } from '../../src/kubernetes/json.ts';
import type { Border } from '../../src/reach/violation.ts';
import { reservedIn } from '../../src/tenancy/reserved-names.ts';
import { createTenancy, undeclaredTenant } from '../../src/tenancy/tenancy.ts';
import type { World } from './evaluator.ts';
import { settings } from './world.ts';

export interface WorkedCase {
  readonly id: string;
  readonly engine: string;
  readonly input: unknown;
  readonly verdict: string;
  readonly why: string;
  /** Whether the names of the tenant are reserved. */
  readonly reserved: boolean;
}

export interface Assumptions {
  readonly tenant: string;
  readonly policyNamespace: string;
  readonly membershipLabel: string;
  readonly protectedRanges: readonly { readonly name: string; readonly cidr: string }[];
}

export interface WorkedCases {
  readonly assume: Assumptions;
  readonly cases: readonly WorkedCase[];
}

/** @throws Error with one sentence for people, when the text is not such a file */
export function readCases(text: string): WorkedCases {
  const file = parseJson(text);
  if (!isMap(file) || !isMap(file.assume) || !Array.isArray(file.cases)) {
    throw new Error('it is not a map with assume and a list of cases');
  }
  return { assume: readAssumptions(file.assume), cases: file.cases.map(readCase) };
}

/**
 * The same, for Bulkhead and for the evaluator.
 *
 * @param others tenants whose names with a hyphen begin names that are reserved to them
 */
export function worldOf(
  assume: Assumptions,
  reserved: boolean,
  others: readonly string[] = [],
): { readonly border: Border; readonly world: World } {
  const { tenant: name, policyNamespace: namespace, membershipLabel: tenantLabel, protectedRanges } = assume;
  const prefix = reserved ? `${name}-` : undefined;
  const tenant = { ...undeclaredTenant(name), reserved: reservedIn({ namespaces: { prefix } }) };
  const ranges = protectedRanges.flatMap(({ name, cidr }) => {
    const range = parseCidr(cidr);
    return range.ok ? [{ name, text: cidr, range: range.value, kind: 'cluster' as const }] : [];
  });
  const tenancy = createTenancy({ ...settings, tenantLabel, sharedServices: [], protectedRanges: ranges }, [
    tenant,
    ...others.map((other) => ({
      ...undeclaredTenant(other),
      reserved: reservedIn({ namespaces: { prefix: `${other}-` } }),
    })),
  ]);
  return {
    border: { tenant, namespace, tenancy, now: 0, ownerByName: () => 'none' },
    world: {
      tenantLabel,
      tenant: name,
      namespace,
      now: 0,
      tenants: [{ name, ...(prefix && { prefix }), egressCIDRs: [], gates: [] }],
      services: [],
      protectedRanges,
      unlistedFamilies: [],
    },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`it is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function readCase(written: unknown, index: number): WorkedCase {
  const place = `cases[${index}]`;
  if (!isMap(written)) throw new Error(`${place} is not a map`);
  if (!Object.hasOwn(written, 'input')) throw new Error(`${place} has no input`);
  return {
    id: text(written, 'id', place),
    engine: text(written, 'engine', place),
    verdict: text(written, 'verdict', place),
    input: written.input,
    why: typeof written.why === 'string' ? written.why : '',
    reserved: typeof written.condition === 'string',
  };
}

function readAssumptions(written: Readonly<Record<string, unknown>>): Assumptions {
  const ranges = (field: string, name: string) =>
    addresses(written, field).map((cidr) => {
      const range = parseCidr(cidr);
      if (!range.ok) throw new Error(`assume.${field}: ${range.reason}${range.fix ? `; write ${range.fix}` : ''}`);
      return { name: name === 'imds' && cidr.startsWith('64:ff9b::') ? 'nat64imds' : nameOf(name, cidr), cidr };
    });
  return {
    tenant: text(written, 'tenant', 'assume'),
    policyNamespace: text(written, 'policyNamespace', 'assume'),
    membershipLabel: text(written, 'membershipLabel', 'assume'),
    protectedRanges: [
      ...ranges('podCIDRs', 'podCIDR'),
      ...ranges('serviceCIDRs', 'serviceCIDR'),
      ...ranges('nodeCIDRs', 'nodeCIDR'),
      ...ranges('metadataAddresses', 'imds'),
    ],
  };
}

function nameOf(name: string, cidr: string): string {
  return cidr.includes(':') ? `${name}6` : name;
}

/** An address without a prefix length is a range of one. */
function addresses(written: Readonly<Record<string, unknown>>, field: string): readonly string[] {
  const list = written[field] ?? [];
  if (!Array.isArray(list)) throw new Error(`assume.${field} is not a list of addresses`);
  return list.map((one) => {
    if (typeof one !== 'string') throw new Error(`assume.${field} is not a list of addresses`);
    return one.includes('/') ? one : `${one}/${one.includes(':') ? 128 : 32}`;
  });
}

function text(written: Readonly<Record<string, unknown>>, field: string, place: string): string {
  const value = Object.hasOwn(written, field) ? written[field] : undefined;
  if (typeof value !== 'string' || value === '') throw new Error(`${place} has no ${field}`);
  return value;
}
