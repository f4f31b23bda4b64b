import type { FieldPath } from '../kubernetes/field-path.ts';

/** What an object is to get. admission/patch.ts writes it. */
export type Intent = LabelIntent | TextIntent;

/** A label for a map of the object. */
export interface LabelIntent {
  /** The map of labels, which may be missing; what holds it is there. */
  readonly labels: FieldPath;
  readonly key: string;
  readonly value: string;
}

/** A selector that is text, with one more requirement. */
export interface TextIntent {
  /** The field, which is there. */
  readonly text: FieldPath;
  /** What it is to be. */
  readonly becomes: string;
  /** What is added to it. */
  readonly added: string;
}
