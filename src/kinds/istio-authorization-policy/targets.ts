/** Which pods, Services and gateways a policy of Istio is about: those of its own namespace. */
import { excerpt, isGiven, type JsonMap } from '../../kubernetes/json.ts';
import { listAt, mapAt, type Place, within, wrong } from './place.ts';

const refFields: ReadonlySet<string> = new Set(['group', 'kind', 'name', 'namespace']);
const selectorFields: ReadonlySet<string> = new Set(['matchLabels']);

/** "At most one of the selector and targetRefs can be set", and a reference into another namespace is not supported. */
export function readTargets(spec: JsonMap, place: Place): void {
  const { selector, targetRef } = spec;
  const listed = listAt(spec.targetRefs, 'targetRefs', place) ?? [];
  if (isGiven(selector)) {
    mapAt(selector, selectorFields, 'a selector', within(place, 'selector'));
    if (listed.length > 0 || isGiven(targetRef))
      wrong(
        within(place, 'selector'),
        'stands beside targetRefs, with which Istio rejects the policy',
        'keep one of the two',
      );
  }
  if (isGiven(targetRef)) readReference(targetRef, within(place, 'targetRef'));
  for (const [index, reference] of listed.entries()) readReference(reference, within(place, 'targetRefs', index));
}

function readReference(written: unknown, place: Place): void {
  const reference = mapAt(written, refFields, 'a reference', place);
  const namespace = reference?.namespace;
  if (!isGiven(namespace) || namespace === '' || namespace === place.namespace) return;
  wrong(
    within(place, 'namespace'),
    `${excerpt(namespace)} is not the namespace of the policy, and Istio takes no other`,
    'remove it',
  );
}
