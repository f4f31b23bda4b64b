/**
 * What stored GateRequests agree on. Pure: it follows from the requests, the owners of their namespaces and the settings, whatever the order
 * in which they were heard of, so that replicas agree.
 *
 * A request is one of the tenant that owns its namespace now, and only while its own tenant label says the same: the mutating webhook has
 * written that label when a member of that tenant wrote the request. So the requests of a namespace that was given to another tenant, or
 * whose name was, are void.
 *
 * A gate needs two requests, each the mirror of the other. It is open on the ports that both name and the platform lists, until the first
 * of them expires. Halves that the platform declares in Tenants and halves from requests never add up to one gate.
 */
import { commonPorts, mergedPorts, type PortRange } from '../kubernetes/port-range.ts';
import {
  type GateRequest,
  type GateRequests,
  mayAgree,
  opposite,
  type RequestedHalf,
  requestLimits,
} from '../tenancy/gate-request.ts';
import type { Loaded } from '../tenancy/problem.ts';
import type { Settings } from '../tenancy/settings.ts';
import type { Direction, Gate, Tenant } from '../tenancy/tenant.ts';

/** A GateRequest object, as far as others depend on it. */
export interface StoredRequest {
  readonly namespace: string;
  readonly name: string;
  /** RFC 3339, in UTC and whole seconds (metadata.creationTimestamp): as text in the order of time. */
  readonly created: string;
  /** The value of its tenant label. */
  readonly label: string | undefined;
  /** It has a deletionTimestamp: a finalizer holds it. */
  readonly terminating: boolean;
  readonly loaded: Loaded<GateRequest>;
}

/** Why a request does not count. */
export type Void = 'NoTenant' | 'OtherTenant' | 'Deleted' | 'Invalid' | 'NotAllowed' | 'TooMany';

export interface Agreement {
  readonly requests: GateRequests;
  /** The agreed gates, by the tenant that sees them so. */
  readonly gates: ReadonlyMap<string, readonly Gate[]>;
  /** Of each request the half that it is, or why it is none. */
  readonly outcomes: ReadonlyMap<string, RequestedHalf | Void>;
}

export function keyOf({ namespace, name }: Pick<StoredRequest, 'namespace' | 'name'>): string {
  return `${namespace}/${name}`;
}

/**
 * Takes time linear in the requests. What a request says is read once, as long as the settings stay.
 *
 * @param tenantOf the tenant in force that owns the namespace; undefined: there is none, or the namespace is on its way out
 */
export function agree(
  stored: Iterable<StoredRequest>,
  { gates: allowed }: Pick<Settings, 'gates'>,
  tenantOf: (namespace: string) => string | undefined,
): Agreement {
  const outcomes = new Map<string, RequestedHalf | Void>();
  const inNamespaces = new Map<string, StoredRequest[]>();
  const ofTenants = new Map<string, StoredRequest[]>();
  const halves = new Map<string, RequestedHalf[]>();
  const of = new Map<string, RequestedHalf[]>();
  const about = new Map<string, RequestedHalf[]>();
  const counts = new Map<string, number>();
  for (const request of stored) append(inNamespaces, request.namespace, request);
  for (const [namespace, requests] of inNamespaces) {
    const from = tenantOf(namespace);
    for (const one of requests) {
      if (from === undefined) outcomes.set(keyOf(one), 'NoTenant');
      else append(ofTenants, from, one);
    }
  }
  for (const [from, requests] of ofTenants) {
    for (const [index, one] of requests.sort(byAge).entries()) {
      const half = outcomeOf(one, from, index, allowed, counts);
      outcomes.set(keyOf(one), half);
      if (typeof half === 'string') continue;
      append(of, from, half);
      append(halves, halfKey(from, half.tenant, half.direction), half);
      append(about, half.tenant, half);
    }
  }
  const requests: GateRequests = {
    halves: (from, to, direction) => halves.get(halfKey(from, to, direction)) ?? none,
    halvesOf: (from) => of.get(from) ?? none,
    halvesAbout: (to) => about.get(to) ?? none,
    count: ({ namespace, from, tenant, direction }) => ({
      namespace: inNamespaces.get(namespace)?.length ?? 0,
      tenant: ofTenants.get(from)?.length ?? 0,
      gate: counts.get(halfKey(from, tenant, direction)) ?? 0,
    }),
  };
  return { requests, gates: gatesOf(halves, requests), outcomes };
}

export const noRequests: Agreement = agree(
  [],
  { gates: { from: 'platform', ports: [], between: undefined } },
  () => undefined,
);

/** The tenant with the agreed gates beside those that it declares. Both sides get the same ports, so that no half of the one completes the other. */
export function withAgreed(tenant: Tenant, { gates }: Pick<Agreement, 'gates'>): Tenant {
  const agreed = gates.get(tenant.name);
  if (agreed === undefined) return tenant;
  return { ...tenant, network: { ...tenant.network, gates: [...tenant.network.gates, ...agreed] } };
}

const none: readonly RequestedHalf[] = [];

/** @param before how many older requests the tenant has */
function outcomeOf(
  request: StoredRequest,
  from: string,
  before: number,
  allowed: Settings['gates'],
  counts: Map<string, number>,
): RequestedHalf | Void {
  // What is in a namespace takes its place there, whatever it says. No half has the name of a namespace as its key.
  const ofNamespace = increment(counts, request.namespace);
  if (request.label !== from) return 'OtherTenant';
  if (request.terminating) return 'Deleted';
  const { loaded } = request;
  if (!loaded.ok || loaded.value.tenant === from) return 'Invalid';
  const ofGate = increment(counts, halfKey(from, loaded.value.tenant, loaded.value.direction));
  const { namespace, tenant, gate } = requestLimits;
  if (ofNamespace > namespace || before >= tenant || ofGate > gate) return 'TooMany';
  const half = halfOf(request, loaded.value, from, allowed);
  return half.ports.length === 0 ? 'NotAllowed' : half;
}

/** Made once, so that what is unchanged is the same object. */
const known = new WeakMap<StoredRequest, { readonly allowed: Settings['gates']; readonly half: RequestedHalf }>();

/** Without ports where the platform leaves none of it to tenants. */
function halfOf(request: StoredRequest, value: GateRequest, from: string, allowed: Settings['gates']): RequestedHalf {
  const last = known.get(request);
  if (last?.allowed === allowed && last.half.from === from) return last.half;
  const ports = mayAgree(allowed, from, value.tenant) ? commonPorts(value.ports, allowed.ports) : [];
  const half = { ...value, ports, namespace: request.namespace, name: request.name, from };
  known.set(request, { allowed, half });
  return half;
}

function gatesOf(
  halves: ReadonlyMap<string, readonly RequestedHalf[]>,
  requests: GateRequests,
): ReadonlyMap<string, readonly Gate[]> {
  const gates = new Map<string, Gate[]>();
  for (const own of halves.values()) {
    const [first] = own;
    // Each pair once.
    if (first?.direction !== 'egress') continue;
    const { from, tenant, direction } = first;
    for (const [expires, ports] of commonTimes(own, requests.halves(tenant, from, opposite(direction)))) {
      append(gates, from, { tenant, direction, ports, expires, agreed: true });
      append(gates, tenant, { tenant: from, direction: opposite(direction), ports, expires, agreed: true });
    }
  }
  return gates;
}

/** By the moment at which they end, the ports that a half of each side names. */
function commonTimes(
  own: readonly RequestedHalf[],
  theirs: readonly RequestedHalf[],
): ReadonlyMap<number, readonly PortRange[]> {
  const until = new Map<number, readonly PortRange[]>();
  for (const one of own) {
    for (const other of theirs) {
      const ports = commonPorts(one.ports, other.ports);
      if (ports.length === 0) continue;
      const expires = Math.min(one.expires, other.expires);
      until.set(expires, mergedPorts([...(until.get(expires) ?? []), ...ports]));
    }
  }
  return until;
}

export interface GateState {
  /** `Mismatched`: the other tenant has requests for the same direction, and none of them names one of these ports. */
  readonly state: 'Open' | 'HalfOpen' | 'Mismatched' | 'Expired';
  /** What is open now. */
  readonly ports: readonly PortRange[];
  /** Milliseconds since the epoch: when the state may change by itself; infinite: never. */
  readonly until: number;
}

/** What becomes of a half beside the stored halves of the other tenant. */
export function stateOf(
  half: Omit<RequestedHalf, 'namespace' | 'name'>,
  requests: GateRequests,
  now: number,
): GateState {
  const { from, tenant, direction, expires } = half;
  const mirrors = requests.halves(tenant, from, opposite(direction));
  const alive = mirrors.filter((one) => now < one.expires);
  const ends = [expires, ...alive.map((one) => one.expires)].filter((end) => now < end);
  const until = Math.min(...ends);
  if (expires <= now || (mirrors.length > 0 && alive.length === 0)) return { state: 'Expired', ports: [], until };
  const ports = commonPorts(
    half.ports,
    alive.flatMap((one) => one.ports),
  );
  const state = alive.length === 0 ? 'HalfOpen' : ports.length === 0 ? 'Mismatched' : 'Open';
  return { state, ports, until };
}

/** The names of tenants and namespaces hold no blank, so that no two of these keys are one. */
function halfKey(from: string, to: string, direction: Direction): string {
  return `${from} ${direction} ${to}`;
}

function increment(counts: Map<string, number>, key: string): number {
  const count = (counts.get(key) ?? 0) + 1;
  counts.set(key, count);
  return count;
}

function append<Value>(lists: Map<string, Value[]>, key: string, value: Value): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

/** By code unit, not by locale: two replicas agree. */
function byAge(one: StoredRequest, other: StoredRequest): number {
  return (
    compare(one.created, other.created) || compare(one.namespace, other.namespace) || compare(one.name, other.name)
  );
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
