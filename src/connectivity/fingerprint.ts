/** Whether two policies, or rules, mean the same: texts that are equal exactly then. */
import type { IpSet } from '../kubernetes/ip-set.ts';
import type { InForceRule } from '../reach/in-force.ts';
import type { SnapshotPolicy } from './snapshot.ts';
import type { Step } from './world.ts';

/** Two kinds have the name NetworkPolicy. */
export function policyKey({ ref: { kind, namespace, name }, inForce: { stage } }: SnapshotPolicy): string {
  return `${stage.kind} ${kind} ${namespace}/${name}`;
}

/** Of values with sets, maps and large numbers. Where a rule stands in its policy says nothing of what it does. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (key, inner) => {
    if (key === 'path' || key === 'steps') return undefined;
    if (typeof inner === 'bigint') return `${inner}n`;
    if (inner instanceof Set) return [...inner].sort();
    if (inner instanceof Map) return [...inner].sort(([one], [other]) => (one < other ? -1 : 1));
    return inner;
  });
}

const known = new WeakMap<InForceRule, string>();

/** Of a rule in its policy, with the addresses that it names by labels of sets. */
export function stepKey({ policy, rule, peer, own }: Step): string {
  const key = ruleKey(policy, rule);
  const [named, ofOwn] = [peer.setAddresses ?? [], own?.setAddresses ?? []];
  return named.length + ofOwn.length === 0 ? key : `${key} ${rangesKey(named)} ${rangesKey(ofOwn)}`;
}

function rangesKey(ranges: IpSet): string {
  return ranges.map(({ family, first, last }) => `${family} ${first} ${last}`).join();
}

/** Of a rule in its policy. */
function ruleKey(policy: SnapshotPolicy, rule: InForceRule): string {
  let text = known.get(rule);
  if (text === undefined) {
    text = canonical(rule);
    known.set(rule, text);
  }
  return `${policyKey(policy)} ${text}`;
}
