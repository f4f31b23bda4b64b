/** The one condition, Ready, in the status of Bulkhead's own kinds. */
import { canonicalJson, isMap, valueAt } from '../kubernetes/json.ts';
import { entry } from '../kubernetes/objects.ts';

export interface ReadyCondition<Reason extends string> {
  readonly type: 'Ready';
  readonly status: 'True' | 'False';
  readonly observedGeneration: number;
  /** RFC 3339. */
  readonly lastTransitionTime: string;
  readonly reason: Reason;
  readonly message: string;
}

/**
 * @param stored the status as it is: its time counts while the condition stays what it is
 * @param now milliseconds since the epoch
 */
export function readyCondition<Reason extends string>(
  { generation, status: stored }: { readonly generation: number; readonly status: unknown },
  ready: boolean,
  reason: Reason,
  message: string,
  now: number,
): ReadyCondition<Reason> {
  const status = ready ? 'True' : 'False';
  const before = readyConditionOf(stored);
  const since = before?.status === status ? entry(before, 'lastTransitionTime') : undefined;
  return {
    type: 'Ready',
    status,
    observedGeneration: generation,
    lastTransitionTime: typeof since === 'string' ? since : `${new Date(now).toISOString().slice(0, -'.000Z'.length)}Z`,
    reason,
    message,
  };
}

function readyConditionOf(status: unknown): Readonly<Record<string, unknown>> | undefined {
  const conditions = valueAt(status, 'conditions');
  if (!Array.isArray(conditions)) return undefined;
  return conditions.find((condition) => isMap(condition) && condition.type === 'Ready');
}

/** What a status says, without the time at which it first said so: two with the same text need no write. */
export function textOf(status: unknown): string {
  const { type: _, lastTransitionTime: __, ...ready } = readyConditionOf(status) ?? {};
  const { conditions: ___, ...rest } = isMap(status) ? status : {};
  return canonicalJson([ready, rest]);
}
