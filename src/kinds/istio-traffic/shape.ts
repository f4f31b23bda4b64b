/**
 * Which fields of an object are understood. An unknown field could redirect traffic, so its author gets a diagnostic.
 * Reads the object as untrusted data. Pure.
 */
import { excerpt, isGiven, isMap } from '../../kubernetes/json.ts';

/** Text, a list of one shape, a map with these fields, or a value in which nothing leads traffic. */
export type Shape = 'text' | 'anything' | readonly [Shape] | { readonly [field: string]: Shape };

export interface Misfit {
  readonly path: string;
  readonly reason: string;
  readonly fix: string;
}

/** In the order of the object. `null` is a missing field. */
export function* misfits(value: unknown, shape: Shape, path: string): Generator<Misfit> {
  if (!isGiven(value) || shape === 'anything') return;
  if (shape === 'text') {
    if (typeof value !== 'string') yield { path, reason: `${excerpt(value)} is not a text`, fix: 'write a text' };
  } else if (isListShape(shape)) {
    if (!Array.isArray(value)) yield { path, reason: `${excerpt(value)} is not a list`, fix: 'write a list' };
    else for (const [index, one] of value.entries()) yield* misfits(one, shape[0], `${path}[${index}]`);
  } else if (!isMap(value)) yield { path, reason: `${excerpt(value)} is not a map`, fix: 'write a map' };
  else
    for (const [field, inner] of Object.entries(value)) {
      const known = Object.hasOwn(shape, field) ? shape[field] : undefined;
      if (known !== undefined) yield* misfits(inner, known, `${path}.${field}`);
      else {
        const reason = `${excerpt(field)} is not a field that Bulkhead understands here, and it could lead traffic`;
        yield { path, reason, fix: 'remove it' };
      }
    }
}

function isListShape(shape: Exclude<Shape, string>): shape is readonly [Shape] {
  return Array.isArray(shape);
}
