/** Where in files the objects are that findings name. */
import { printable } from '../admission/message.ts';
import type { WrittenObject } from '../files/written-objects.ts';
import { valueAt } from '../kubernetes/json.ts';
import type { LintedObject, LintFinding } from '../report/lint-report.ts';
import { linted } from './lint-finding.ts';

export interface Place {
  /** `KIND NAMESPACE/NAME`; empty where it is about none. */
  readonly object: string;
  /** A field of it; empty: all of it. */
  readonly path: string;
}

/** By their names in findings. */
export type HeldObjects = ReadonlyMap<string, { readonly shown: LintedObject; readonly at: WrittenObject }>;

/** @param written objects of files; of those with one name the last counts */
export function heldObjects(written: readonly WrittenObject[]): HeldObjects {
  return new Map(
    written.map((at) => {
      const shown = linted(at, String(valueAt(at.object, 'metadata', 'namespace') ?? ''));
      return [shown.object, { shown, at }];
    }),
  );
}

/** The first of these that a file holds; else the first of all, which is in the cluster. */
export function firstPlace(
  [first = { object: '', path: '' }, ...others]: readonly Place[],
  held: HeldObjects,
): Pick<LintFinding, 'object' | 'path' | 'apiVersion' | 'file' | 'line' | 'column'> {
  const { object, path } = [first, ...others].find((one) => held.has(printable(one.object))) ?? first;
  const found = held.get(printable(object));
  const { line, column } = found?.at.placeOf(path) ?? { line: 0, column: 0 };
  return {
    ...{ object: printable(object), path: printable(path), apiVersion: found?.shown.apiVersion ?? '' },
    ...{ file: found?.shown.file ?? '<cluster>', line, column },
  };
}
