/** The status of Tenant objects, and what it says. */

import type { TenantVerdict } from '../facts/tenants.ts';
import { formatPlace, formatProblem, type Problem } from '../tenancy/problem.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import type { BorderState } from './border-states.ts';
import { type GateStatus, type GatesCondition, gateStatuses, gatesCondition, untilGatesChange } from './gate-status.ts';
import { type Condition, condition, type ReadyCondition, readyCondition } from './ready-condition.ts';

/** The status of bulkhead.dev/v1alpha1 Tenant. */
export interface TenantStatus {
  readonly observedGeneration: number;
  readonly namespaces: number;
  /** GatesOpen only where the tenant has gates, BorderInNetwork only where the settings want one, SettingsAccepted only while it is False. */
  readonly conditions: readonly [
    ReadyCondition<'InForce' | 'Invalid' | 'Conflict'>,
    ...(GatesCondition | BorderCondition | SettingsCondition)[],
  ];
  readonly gates: readonly GateStatus[];
}

type BorderCondition = Condition<'BorderInNetwork', BorderState['reason']>;
type SettingsCondition = Condition<'SettingsAccepted', 'Rejected'>;

/** The API server takes 32 KiB; more is not legible. */
const longestMessage = 2_000;

/**
 * @param now milliseconds since the epoch
 * @param rejected why the settings that were read last are not in force
 */
export function statusOf(
  { object, inForce, problems }: TenantVerdict,
  tenancy: Tenancy,
  namespaces: number,
  border: BorderState | undefined,
  now: number,
  rejected: readonly Problem[] = [],
): TenantStatus {
  const ready = problems.length === 0;
  const reason = ready ? 'InForce' : object.loaded.ok ? 'Conflict' : 'Invalid';
  const message = ready ? 'what is written is in force' : refusal({ problems, inForce });
  const gates = inForce === undefined ? [] : gateStatuses(inForce, tenancy, now);
  return {
    observedGeneration: object.generation,
    namespaces,
    conditions: [
      readyCondition(object, ready, reason, message, now),
      ...gatesCondition(object, gates, now),
      ...borderCondition(object, border, now),
      ...settingsCondition(object, rejected, now),
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

/** Tenants may read it, so it says where a problem of the settings is and not what it is. */
function settingsCondition(
  object: TenantVerdict['object'],
  rejected: readonly Problem[],
  now: number,
): readonly SettingsCondition[] {
  const [first] = rejected;
  if (first === undefined) return [];
  const found = `${rejected.length} problem${rejected.length === 1 ? '' : 's'}, the first at ${formatPlace(first)}`;
  const message = `the settings that were read last are not in force (${found}), and the ones before stay; the Event ConfigurationRejected in bulkhead-system says more`;
  return [condition('SettingsAccepted', object, false, 'Rejected', message.slice(0, longestMessage), now)];
}

/** Why the newest version is not in force, and what is meanwhile. */
export function refusal({ problems, inForce }: Pick<TenantVerdict, 'problems' | 'inForce'>): string {
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
