import { isMap } from '../kubernetes/json.ts';
import type { Located, Step } from '../tenancy/problem.ts';

/** An object, and where it is in its document. */
export interface ListedObject {
  readonly object: unknown;
  readonly steps: readonly Step[];
}

/** Of a List, as `kubectl get -o yaml` prints it, each item; any other document is one object. */
export function listedObjects({ value }: Located<unknown>): readonly ListedObject[] {
  if (!isMap(value) || value.kind !== 'List' || !Array.isArray(value.items)) return [{ object: value, steps: [] }];
  return value.items.map((object, index) => ({ object, steps: ['items', index] }));
}
