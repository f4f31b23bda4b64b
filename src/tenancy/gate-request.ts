/** Gates that members of tenants agree on by themselves, with a `GateRequest` each. What two requests agree on is a gate like all others. */
import type { PortRange } from '../kubernetes/port-range.ts';
import type { GateSettings } from './settings.ts';
import type { Direction } from './tenant.ts';

/** One half of a gate, parsed from a `GateRequest` document. It never says for which tenant: the owner of its namespace. Immutable. */
export interface GateRequest {
  /** The other tenant. */
  readonly tenant: string;
  readonly direction: Direction;
  /** Never empty. */
  readonly ports: readonly PortRange[];
  /** Milliseconds since the epoch; from then on it opens nothing. */
  readonly expires: number;
}

/** A stored request that counts as a half, with the tenant whose half it is. */
export interface RequestedHalf extends GateRequest {
  readonly namespace: string;
  readonly name: string;
  readonly from: string;
}

/** The stored requests. Every look-up takes constant time, save for the halves that it gives. */
export interface GateRequests {
  /** Of `from` about `to`, the oldest first; at most `requestLimits.gate`. */
  halves(from: string, to: string, direction: Direction): readonly RequestedHalf[];
  /** Of one tenant; at most `requestLimits.tenant`. */
  halvesOf(from: string): readonly RequestedHalf[];
  /** Of others about this tenant. */
  halvesAbout(to: string): readonly RequestedHalf[];
  /** How many there are in a namespace, of a tenant, or of a tenant about one other and direction; also those that do not count. */
  count(of: Pick<RequestedHalf, 'namespace' | 'from' | 'tenant' | 'direction'>): RequestCount;
}

export type RequestCount = Readonly<Record<keyof typeof requestLimits, number>>;

/**
 * How many requests count, the oldest first: of one namespace, of one tenant, and of one tenant about one other and direction. So what two
 * tenants agree on takes bounded memory and time, whatever they write.
 */
export const requestLimits = { namespace: 16, tenant: 64, gate: 4 } as const;

export function opposite(direction: Direction): Direction {
  return direction === 'ingress' ? 'egress' : 'ingress';
}

/** Whether the platform lets these two tenants agree on gates. */
export function mayAgree({ from, between }: GateSettings, one: string, other: string): boolean {
  return from === 'tenants' && (between === undefined || between.some((some) => some.has(one) && some.has(other)));
}
