/** Conditions in the status of Bulkhead's own kinds: Ready, and others beside it. */
import { canonicalJson, isMap, valueAt } from '../kubernetes/json.ts';
import { entry } from '../kubernetes/objects.ts';

export interface Condition<Type extends string, Reason extends string> {
  readonly type: Type;
  readonly status: 'True' | 'False';
  readonly observedGeneration: number;
  /** RFC 3339. */
  readonly lastTransitionTime: string;
  readonly reason: Reason;
  readonly message: string;
}

export type ReadyCondition<Reason extends string> = Condition<'Ready', Reason>;

/** An object with the status as it is: its time counts while the condition stays what it is. */
interface Stored {
  readonly generation: number;
  readonly status: unknown;
}

export function readyCondition<Reason extends string>(
  object: Stored,
  ready: boolean,
  reason: Reason,
  message: string,
  now: number,
): ReadyCondition<Reason> {
  return condition('Ready', object, ready, reason, message, now);
}

/** @param now milliseconds since the epoch */
export function condition<Type extends string, Reason extends string>(
  type: Type,
  { generation, status: stored }: Stored,
  isTrue: boolean,
  reason: Reason,
  message: string,
  now: number,
): Condition<Type, Reason> {
  const status = isTrue ? 'True' : 'False';
  const before = conditionsOf(stored).find((one) => entry(one, 'type') === type);
  const since = before?.status === status ? entry(before, 'lastTransitionTime') : undefined;
  return {
    type,
    status,
    observedGeneration: generation,
    lastTransitionTime: typeof since === 'string' ? since : `${new Date(now).toISOString().slice(0, -'.000Z'.length)}Z`,
    reason,
    message,
  };
}

function conditionsOf(status: unknown): readonly Readonly<Record<string, unknown>>[] {
  const conditions = valueAt(status, 'conditions');
  return Array.isArray(conditions) ? conditions.filter(isMap) : [];
}

/** What a status says, without the times at which it first said so: two with the same text need no write. */
export function textOf(status: unknown): string {
  const conditions = conditionsOf(status).map(({ lastTransitionTime: _, ...one }) => one);
  const { conditions: __, ...rest } = isMap(status) ? status : {};
  return canonicalJson([conditions, rest]);
}
