/** The status of Tenant objects, and what it says. */

import type { TenantVerdict } from '../facts/tenants.ts';
import { formatPort, type PortRange } from '../kubernetes/port-range.ts';
import { formatProblem } from '../tenancy/problem.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import type { Gate, Tenant } from '../tenancy/tenant.ts';
import { type ReadyCondition, readyCondition } from './ready-condition.ts';

export interface GateStatus {
  readonly tenant: string;
  readonly direction: 'ingress' | 'egress';
  /** `HalfOpen`: the other tenant does not declare the mirror image. `Expired`: this half or the other is. */
  readonly state: 'Open' | 'HalfOpen' | 'Expired';
  /** What is open, `5432/TCP`; left out: every port, or none where the state is not `Open`. */
  readonly ports?: readonly string[];
}

/** The status of bulkhead.dev/v1alpha1 Tenant. */
export interface TenantStatus {
  readonly observedGeneration: number;
  readonly namespaces: number;
  readonly conditions: readonly [ReadyCondition<'InForce' | 'Invalid' | 'Conflict'>];
  readonly gates: readonly GateStatus[];
}

/** The API server takes 32 KiB; more is not legible. */
const longestMessage = 2_000;

/** @param now milliseconds since the epoch */
export function statusOf(
  { object, inForce, problems }: TenantVerdict,
  tenancy: Tenancy,
  namespaces: number,
  now: number,
): TenantStatus {
  const ready = problems.length === 0;
  const reason = ready ? 'InForce' : object.loaded.ok ? 'Conflict' : 'Invalid';
  const message = ready ? 'what is written is in force' : refusal(problems, inForce);
  return {
    observedGeneration: object.generation,
    namespaces,
    conditions: [readyCondition(object, ready, reason, message, now)],
    gates: inForce?.network.gates.map((gate) => gateStatus(gate, inForce, tenancy, now)) ?? [],
  };
}

function refusal(problems: TenantVerdict['problems'], inForce: Tenant | undefined): string {
  const lines = problems.map((problem) => formatProblem({ ...problem, file: '' }));
  const meanwhile =
    inForce === undefined
      ? 'until this is corrected no user acts for the tenant, and its namespaces stay isolated'
      : 'until this is corrected the version before stays in force';
  return `${lines.join('\n').slice(0, longestMessage)}\n${meanwhile}`;
}

/** A gate allows what both tenants declare, while neither half has expired. */
function gateStatus({ tenant, direction, ports, expires }: Gate, own: Tenant, tenancy: Tenancy, now: number) {
  const mirrorsAt = (time: number) => tenancy.gates(own, tenant, direction, time).theirs;
  const common = { tenant, direction };
  const open = mirrorsAt(now);
  const hasExpired = open.length === 0 && mirrorsAt(Number.NEGATIVE_INFINITY).length > 0;
  if (hasExpired || (expires !== undefined && expires <= now)) return { ...common, state: 'Expired' } as const;
  const both = open.map((mirror) => commonPorts(ports, mirror.ports));
  if (both.includes('all')) return { ...common, state: 'Open' } as const;
  const named = [...new Set(both.flatMap((some) => (some === 'all' ? [] : some.map(formatPort))))];
  if (named.length === 0) return { ...common, state: 'HalfOpen' } as const;
  return { ...common, state: 'Open', ports: named } as const;
}

/** An empty list of a gate is every port. */
function commonPorts(some: readonly PortRange[], others: readonly PortRange[]): readonly PortRange[] | 'all' {
  if (some.length === 0) return others.length === 0 ? 'all' : others;
  if (others.length === 0) return some;
  return some.flatMap(({ protocol, first, last }) =>
    others.flatMap((other) => {
      const range = { protocol, first: Math.max(first, other.first), last: Math.min(last, other.last) };
      return other.protocol === protocol && range.first <= range.last ? [range] : [];
    }),
  );
}

/** Milliseconds from now until a gate of the tenant changes its state, as this half or the other expires; infinite: none does. */
export function untilExpiry({ inForce }: TenantVerdict, tenancy: Tenancy, now: number): number {
  if (inForce === undefined) return Number.POSITIVE_INFINITY;
  const halves = inForce.network.gates.flatMap((gate) => [
    gate,
    ...tenancy.gates(inForce, gate.tenant, gate.direction, now).theirs,
  ]);
  return Math.min(...halves.map(({ expires = now }) => (expires > now ? expires - now : Number.POSITIVE_INFINITY)));
}
