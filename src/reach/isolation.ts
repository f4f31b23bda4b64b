/**
 * Which pods policies isolate, and so what a baseline cuts off in a namespace that is in use. Pure.
 *
 * "By default, a pod is non-isolated for ingress; all inbound connections are allowed. A pod is isolated for ingress if there is any
 * NetworkPolicy that both selects the pod and has "Ingress" in its policyTypes", and the same for egress; and "network policies do
 * not conflict; they are additive" (kubernetes.io, Network Policies). The default-deny policy selects every pod in both directions: a
 * pod that some policy selects already loses nothing by it, every other one loses whatever no policy opens.
 */
import { isMap, type JsonMap } from '../kubernetes/json.ts';
import { matches } from '../kubernetes/label-selector.ts';
import type { Direction } from '../tenancy/tenant.ts';
import type { Isolation, Reach } from './model.ts';

const directions = ['ingress', 'egress'] as const;

/** Whether a policy isolates pods in this direction. */
export function isolates(reach: Reach, direction: Direction): boolean {
  return reach.isolates.some((isolation) => isolation.directions.includes(direction));
}

/**
 * The directions in which a pod is open today and is closed by a baseline.
 *
 * @param pod a Pod, not decoded
 * @param isolations of all policies of its namespace
 * @returns undefined for a pod that no policy reaches: it has ended, or is on the network of its node
 */
export function cutOff(
  { metadata, spec, status }: JsonMap,
  isolations: readonly Isolation[],
): readonly Direction[] | undefined {
  if (isMap(spec) && spec.hostNetwork === true) return undefined;
  if (isMap(status) && (status.phase === 'Succeeded' || status.phase === 'Failed')) return undefined;
  const labels = isMap(metadata) && isMap(metadata.labels) ? metadata.labels : {};
  const texts = new Map(Object.entries(labels).map(([key, value]) => [key, String(value)]));
  const selecting = isolations.filter(({ pods }) => matches(pods, texts));
  return directions.filter((one) => !selecting.some((isolation) => isolation.directions.includes(one)));
}
