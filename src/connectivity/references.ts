/** Policies with what the objects say to which their rules refer. */
import { type Referred, withReferred } from '../reach/dialects/cilium/referred.ts';
import type { Snapshot, SnapshotPolicy } from './snapshot.ts';

/** @param isComplete as of {@link Referred} */
export function withReferences(snapshot: Snapshot, isComplete: boolean): Snapshot {
  const { services, groups = [], policies } = snapshot;
  if (policies.every((one) => (one.written ?? one.inForce).referring === undefined)) return snapshot;
  return { ...snapshot, policies: policies.map((one) => referred(one, { services, groups, isComplete })) };
}

export function referred(policy: SnapshotPolicy, known: Referred): SnapshotPolicy {
  const written = policy.written ?? policy.inForce;
  if (written.referring === undefined) return policy;
  return { ref: policy.ref, written, inForce: withReferred(written, written.referring, known) };
}
