/**
 * What a baseline cuts off in a namespace that is in use. Pure.
 *
 * "By default, a pod is non-isolated for ingress; all inbound connections are allowed. A pod is isolated for ingress if there is any
 * NetworkPolicy that both selects the pod and has "Ingress" in its policyTypes", and the same for egress; and "network policies do
 * not conflict; they are additive" (kubernetes.io, Network Policies). The closed door selects every pod in both directions: a pod
 * that some policy selects already loses nothing by it, every other one loses whatever no policy opens.
 *
 * Some plugins also isolate a direction that has rules but that policyTypes leaves out (check dead-rule). A pod counts as isolated only
 * if every plugin isolates it, so this follows the API, which isolates the least.
 */
import { isGiven, isMap } from '../kubernetes/json.ts';
import { matches, parseSelector, type Selector } from '../kubernetes/label-selector.ts';
import { entry } from '../kubernetes/objects.ts';
import type { Direction } from '../tenancy/tenant.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Which pods of its namespace a policy isolates, and in which directions. */
export interface Isolation {
  readonly pods: Selector;
  readonly directions: readonly Direction[];
}

const directions = ['ingress', 'egress'] as const;

/**
 * "If no policyTypes are specified on a NetworkPolicy then by default Ingress will always be set and Egress will be set if the
 * NetworkPolicy has any egress rules."
 *
 * @param policy a NetworkPolicy as it is on the wire
 * @returns undefined where it cannot be told which pods it selects: then it counts for none
 */
export function isolationOf(policy: Fields): Isolation | undefined {
  const spec = entry(policy, 'spec');
  if (!isMap(spec)) return undefined;
  const { podSelector, policyTypes, egress } = spec;
  const pods = parseSelector(isGiven(podSelector) ? podSelector : {});
  if (!pods.ok) return undefined;
  const defaults = Array.isArray(egress) && egress.length > 0 ? ['Ingress', 'Egress'] : ['Ingress'];
  const types: readonly unknown[] = Array.isArray(policyTypes) && policyTypes.length > 0 ? policyTypes : defaults;
  return {
    pods: pods.value,
    directions: directions.filter((one) => types.includes(one === 'ingress' ? 'Ingress' : 'Egress')),
  };
}

/**
 * The directions in which a pod is open today and is closed by a baseline.
 *
 * @param pod a Pod as it is on the wire
 * @param isolations of all policies of its namespace
 * @returns undefined for a pod that no policy reaches: it has ended, or is on the network of its node
 */
export function cutOff(pod: Fields, isolations: readonly Isolation[]): readonly Direction[] | undefined {
  const [metadata, spec, status] = [entry(pod, 'metadata'), entry(pod, 'spec'), entry(pod, 'status')];
  if (isMap(spec) && spec.hostNetwork === true) return undefined;
  if (isMap(status) && (status.phase === 'Succeeded' || status.phase === 'Failed')) return undefined;
  const labels = isMap(metadata) && isMap(metadata.labels) ? metadata.labels : {};
  const texts = new Map(Object.entries(labels).map(([key, value]) => [key, String(value)]));
  const selecting = isolations.filter(({ pods }) => matches(pods, texts));
  return directions.filter((one) => !selecting.some((isolation) => isolation.directions.includes(one)));
}
