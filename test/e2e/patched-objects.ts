/** Two answers of the API server to one object, one of them with Bulkhead's patches: what was added, and what else is different. */
import { isMap, type JsonMap } from '../../src/kubernetes/json.ts';
import type { KubernetesObject } from '../../src/kubernetes/objects.ts';

const key = 'bulkhead.dev/tenant';

export function at(object: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce(
    (value, step) => (isMap(value) || Array.isArray(value) ? Reflect.get(value, step) : undefined),
    object,
  );
}

export const labelOf = (map: unknown): unknown => (isMap(map) && Object.hasOwn(map, key) ? map[key] : undefined);

/** Takes out the label that a map of `after` has and that of `before` has not; a map that it has made goes with it. */
export function takeLabel(before: unknown, after: unknown, field: string, value: string): boolean {
  const map = at(after, [field]);
  const isNew = at(before, [field]) === undefined;
  if (!isMap(after) || !isMap(map) || labelOf(map) !== value || labelOf(at(before, [field])) !== undefined)
    return false;
  Reflect.deleteProperty(map, key);
  if (isNew) Reflect.deleteProperty(after, field);
  return true;
}

/** Of every peer. */
export function selectorPlaces(policy: unknown): (string | number)[][] {
  const places: (string | number)[][] = [];
  for (const [rules, peers] of [
    ['ingress', 'from'],
    ['egress', 'to'],
  ] as const) {
    for (const rule of listAt(policy, ['spec', rules]).keys()) {
      for (const peer of listAt(policy, ['spec', rules, rule, peers]).keys())
        places.push(['spec', rules, rule, peers, peer, 'namespaceSelector']);
    }
  }
  return places;
}

function listAt(object: unknown, path: readonly (string | number)[]): readonly unknown[] {
  const list = at(object, path);
  return Array.isArray(list) ? list : [];
}

/** As text, without what differs between any two answers to one request. */
export function settled(answer: KubernetesObject, object: JsonMap): string {
  const { metadata = {} } = answer;
  const made = at(object, ['metadata', 'name']) === '' ? metadata.name : undefined;
  for (const field of ['uid', 'creationTimestamp', 'managedFields']) Reflect.deleteProperty(metadata, field);
  for (const condition of listAt(answer, ['status', 'conditions'])) {
    if (isMap(condition)) Reflect.deleteProperty(condition, 'lastTransitionTime');
  }
  const text = JSON.stringify(answer);
  return made === undefined ? text : text.replaceAll(made, 'MADE');
}
