/** Fields of a review, each with the type that it must have. The caller names the path of the field, for the refusal. */
import { isGiven, isMap, type JsonMap } from '../kubernetes/json.ts';
import type { Operation } from '../kubernetes/review.ts';
import type { UserInfo } from '../kubernetes/user.ts';

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
  const map = objectAt(value, path, field);
  // Object.values would take 1,000 instructions more for a map.
  for (const key in map) {
    if (typeof map[key] !== 'string') throw new Refusal(`${placeOf(path, field)} holds something that is not a string`);
  }
}

/** Made only for what is refused: most reviews have nothing wrong in any field. */
function placeOf(path: string, field: string | undefined): string {
  return field === undefined ? path : `${path}.${field}`;
}

/** The one value that all sources that name one agree on (ADM-15); empty when none does. */
export function agreed(what: string, ...sources: readonly (string | undefined)[]): string {
  let value = '';
  for (const source of sources) {
    if (source === undefined || source === '' || source === value) continue;
    if (value !== '') throw new Refusal(`the request and its objects disagree about the ${what}`);
    value = source;
  }
  return value;
}

/** @param path of what holds the metadata */
export function readMetadata(metadata: JsonMap, path: string): void {
  optionalText(metadata.name, path, 'metadata.name');
  optionalText(metadata.generateName, path, 'metadata.generateName');
  optionalText(metadata.namespace, path, 'metadata.namespace');
  stringMap(metadata.labels, path, 'metadata.labels');
  stringMap(metadata.annotations, path, 'metadata.annotations');
  optionalList(metadata.ownerReferences, path, 'metadata.ownerReferences');
  optionalList(metadata.finalizers, path, 'metadata.finalizers');
  optionalList(metadata.managedFields, path, 'metadata.managedFields');
}

export function userOf(value: unknown): UserInfo {
  const user = objectAt(value, 'request.userInfo');
  const groups = optionalList(user.groups, 'request.userInfo.groups');
  return {
    username: optionalText(user.username, 'request.userInfo.username'),
    groups: groups.map((group) => text(group, 'request.userInfo.groups')),
  };
}

export function operationOf(value: unknown): Operation {
  if (value === 'CREATE' || value === 'UPDATE' || value === 'DELETE') return value;
  throw new Refusal('request.operation is none of CREATE, UPDATE, DELETE');
}

export function groupVersionOf(value: JsonMap, path: string): { readonly group: string; readonly version: string } {
  return { group: optionalText(value.group, path, 'group'), version: text(value.version, path, 'version') };
}
