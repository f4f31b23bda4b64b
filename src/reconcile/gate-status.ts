/** The gates in the status of a Tenant: those that it declares, and those about which there are GateRequests. */
import { keyOf, stateOf } from '../gates/agreement.ts';
import { allPorts, commonPorts, formatPort, orAllPorts, type PortRange } from '../kubernetes/port-range.ts';
import { opposite } from '../tenancy/gate-request.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import type { Direction, Gate, Tenant } from '../tenancy/tenant.ts';
import { type Condition, condition } from './ready-condition.ts';

export interface GateStatus {
  readonly tenant: string;
  readonly direction: Direction;
  /**
   * `HalfOpen`: the other tenant has no mirror image. `Mismatched`: it has, for other ports. `Expired`: this half or the other is. `Asked`:
   * the other tenant has a GateRequest, and this one none that mirrors it.
   */
  readonly state: 'Open' | 'HalfOpen' | 'Mismatched' | 'Expired' | 'Asked';
  /** What is open, `5432/TCP`; left out: every port, or none where the state is not `Open`. */
  readonly ports?: readonly string[];
  /** `NAMESPACE/NAME` of the tenant's own GateRequest; left out: the Tenant declares the gate, or the other tenant asks. */
  readonly request?: string;
}

/** The most severe first. */
const shut = ['Expired', 'Mismatched', 'HalfOpen'] as const;

export type GatesCondition = Condition<'GatesOpen', 'Open' | (typeof shut)[number]>;

/** Any tenant can ask; more are not shown. */
const mostAsked = 32;
const mostNamed = 8;

/** @param now milliseconds since the epoch */
export function gateStatuses(tenant: Tenant, tenancy: Tenancy, now: number): readonly GateStatus[] {
  const { requests } = tenancy;
  const declared = tenant.network.gates.map((gate) => declaredStatus(gate, tenant, tenancy, now));
  if (requests === undefined) return declared;
  const own = requests.halvesOf(tenant.name).map((half): GateStatus => {
    const { state, ports } = stateOf(half, requests, now);
    return { ...statusOf(half.tenant, half.direction, state, ports), request: keyOf(half) };
  });
  const asked = requests
    .halvesAbout(tenant.name)
    .filter(
      (half) => now < half.expires && requests.halves(tenant.name, half.from, opposite(half.direction)).length === 0,
    )
    .slice(0, mostAsked)
    .map((half) => statusOf(half.from, opposite(half.direction), 'Asked', []));
  return [...declared, ...own, ...asked];
}

/** None where the tenant has no gate; what others ask is none. */
export function gatesCondition(
  object: { readonly generation: number; readonly status: unknown },
  gates: readonly GateStatus[],
  now: number,
): readonly GatesCondition[] {
  const own = gates.filter(({ state }) => state !== 'Asked');
  if (own.length === 0) return [];
  const reason = shut.find((one) => own.some(({ state }) => state === one));
  if (reason === undefined) return [condition('GatesOpen', object, true, 'Open', 'every gate is open', now)];
  const closed = own.filter(({ state }) => state !== 'Open').map(described);
  const more = closed.length > mostNamed ? `, and ${closed.length - mostNamed} more` : '';
  const message = `${closed.slice(0, mostNamed).join(', ')}${more}`;
  return [condition('GatesOpen', object, false, reason, message, now)];
}

function described({ tenant, direction, state, request }: GateStatus): string {
  return `${direction} with ${tenant}${request === undefined ? '' : ` (${request})`} is ${state}`;
}

function statusOf(
  tenant: string,
  direction: Direction,
  state: GateStatus['state'],
  ports: readonly PortRange[],
): GateStatus {
  return { tenant, direction, state, ...(ports.length > 0 && { ports: ports.map(formatPort) }) };
}

/** A gate allows what both tenants declare, while neither half has expired. */
function declaredStatus(
  { tenant, direction, ports, expires }: Gate,
  own: Tenant,
  tenancy: Tenancy,
  now: number,
): GateStatus {
  const mirrorsAt = (time: number) => tenancy.gates(own, tenant, direction, time).theirs;
  const alive = mirrorsAt(now);
  const hasExpired = alive.length === 0 && mirrorsAt(Number.NEGATIVE_INFINITY).length > 0;
  if (hasExpired || (expires !== undefined && expires <= now)) return statusOf(tenant, direction, 'Expired', []);
  if (alive.length === 0) return statusOf(tenant, direction, 'HalfOpen', []);
  const open = commonPorts(
    orAllPorts(ports),
    alive.flatMap((mirror) => orAllPorts(mirror.ports)),
  );
  if (open.length === 0) return statusOf(tenant, direction, 'Mismatched', []);
  return statusOf(tenant, direction, 'Open', isEvery(open) ? [] : open);
}

function isEvery(ports: readonly PortRange[]): boolean {
  return ports.length === allPorts.length && ports.every(({ first, last }) => first === 1 && last === 65535);
}

/** Milliseconds since the epoch: when a half of a gate of the tenant expires next; infinite: none does. */
export function untilGatesChange(tenant: Tenant, tenancy: Tenancy, now: number): number {
  const { requests } = tenancy;
  const halves: readonly { readonly expires: number | undefined }[] = [
    ...tenant.network.gates.flatMap((gate) => [
      gate,
      ...tenancy.gates(tenant, gate.tenant, gate.direction, now).theirs,
    ]),
    ...(requests?.halvesOf(tenant.name) ?? []),
    ...(requests?.halvesAbout(tenant.name) ?? []),
  ];
  return Math.min(...halves.map(({ expires = now }) => (expires > now ? expires : Number.POSITIVE_INFINITY)));
}
