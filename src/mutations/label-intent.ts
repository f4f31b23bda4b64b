import type { FieldPath } from '../kubernetes/field-path.ts';

/** A label that a map of the object is to get. admission/patch.ts writes it. */
export interface LabelIntent {
  /** The map of labels, which may be missing; what holds it is there. */
  readonly labels: FieldPath;
  readonly key: string;
  readonly value: string;
}
