/** Fields of a review, each with the type that it must have. The caller names the path of the field, for the refusal. */
import { isGiven, isMap, type JsonMap } from '../kubernetes/json.ts';

/** The body is JSON, and not the review that it should be. */
export class Refusal extends Error {}

export function objectAt(value: unknown, path: string, field?: string): JsonMap {
  if (!isMap(value)) throw new Refusal(`${placeOf(path, field)} is not an object`);
  return value;
}

export function optionalMap(value: unknown, path: string, field?: string): JsonMap {
  return isGiven(value) ? objectAt(value, path, field) : {};
}

export function text(value: unknown, path: string, field?: string): string {
  if (typeof value !== 'string' || value === '') throw new Refusal(`${placeOf(path, field)} is not a string`);
  return value;
}

export function optionalText(value: unknown, path: string, field?: string): string {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') throw new Refusal(`${placeOf(path, field)} is not a string`);
  return value;
}

export function optionalList(value: unknown, path: string, field?: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new Refusal(`${placeOf(path, field)} is not a list`);
  return value;
}

export function stringMap(value: unknown, path: string, field?: string): void {
  if (!isGiven(value)) return;
  for (const entry of Object.values(objectAt(value, path, field))) {
    if (typeof entry !== 'string') throw new Refusal(`${placeOf(path, field)} holds something that is not a string`);
  }
}

/** Made only for what is refused: most reviews have nothing wrong in any field. */
function placeOf(path: string, field: string | undefined): string {
  return field === undefined ? path : `${path}.${field}`;
}
