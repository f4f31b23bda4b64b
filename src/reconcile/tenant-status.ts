/** The status of Tenant objects, and what it says. */

import type { TenantVerdict } from '../facts/tenants.ts';
import { formatProblem } from '../tenancy/problem.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import type { BorderState } from './border-states.ts';
import { type GateStatus, type GatesCondition, gateStatuses, gatesCondition, untilGatesChange } from './gate-status.ts';
import { type Condition, condition, type ReadyCondition, readyCondition } from './ready-condition.ts';

/** The status of bulkhead.dev/v1alpha1 Tenant. */
export interface TenantStatus {
  readonly observedGeneration: number;
  readonly namespaces: number;
  /** GatesOpen only where the tenant has gates, BorderInNetwork only where the settings want one. */
  readonly conditions: readonly [
    ReadyCondition<'InForce' | 'Invalid' | 'Conflict'>,
    ...(GatesCondition | BorderCondition)[],
  ];
  readonly gates: readonly GateStatus[];
}

type BorderCondition = Condition<'BorderInNetwork', BorderState['reason']>;

/** The API server takes 32 KiB; more is not legible. */
const longestMessage = 2_000;

/** @param now milliseconds since the epoch */
export function statusOf(
  { object, inForce, problems }: TenantVerdict,
  tenancy: Tenancy,
  namespaces: number,
  border: BorderState | undefined,
  now: number,
): TenantStatus {
  const ready = problems.length === 0;
  const reason = ready ? 'InForce' : object.loaded.ok ? 'Conflict' : 'Invalid';
  const message = ready ? 'what is written is in force' : refusal(problems, inForce);
  const gates = inForce === undefined ? [] : gateStatuses(inForce, tenancy, now);
  return {
    observedGeneration: object.generation,
    namespaces,
    conditions: [
      readyCondition(object, ready, reason, message, now),
      ...gatesCondition(object, gates, now),
      ...borderCondition(object, border, now),
    ],
    gates,
  };
}

function borderCondition(
  object: TenantVerdict['object'],
  border: BorderState | undefined,
  now: number,
): readonly BorderCondition[] {
  if (border === undefined) return [];
  const { reason, message } = border;
  return [condition('BorderInNetwork', object, reason === 'InPlace', reason, message.slice(0, longestMessage), now)];
}

function refusal(problems: TenantVerdict['problems'], inForce: Tenant | undefined): string {
  const lines = problems.map((problem) => formatProblem({ ...problem, file: '' }));
  const meanwhile =
    inForce === undefined
      ? 'until this is corrected no user acts for the tenant, and its namespaces stay isolated'
      : 'until this is corrected the version before stays in force';
  return `${lines.join('\n').slice(0, longestMessage)}\n${meanwhile}`;
}

/** Milliseconds from now until a gate of the tenant changes its state, as this half or the other expires; infinite: none does. */
export function untilExpiry({ inForce }: TenantVerdict, tenancy: Tenancy, now: number): number {
  return inForce === undefined ? Number.POSITIVE_INFINITY : untilGatesChange(inForce, tenancy, now) - now;
}
