/** A field of an object, kept as steps: making one costs next to nothing, the text is made only for what is reported. */
export interface FieldPath {
  readonly parent: FieldPath | undefined;
  readonly step: string | number;
}

/** The field or list item `step` of what is at `parent`; undefined is the object itself. */
export function field(parent: FieldPath | undefined, step: string | number): FieldPath {
  return { parent, step };
}

/** What is at the path. The steps are fields of the API and places in lists, never keys that a user chose. */
export function valueAtPath(object: object, { parent, step }: FieldPath): unknown {
  const holder: unknown = parent === undefined ? object : valueAtPath(object, parent);
  return typeof holder === 'object' && holder !== null ? Reflect.get(holder, step) : undefined;
}

/** `spec.ingress[0].from[1].namespaceSelector` */
export function formatPath(path: FieldPath): string {
  const before = path.parent === undefined ? '' : formatPath(path.parent);
  if (typeof path.step === 'number') return `${before}[${path.step}]`;
  return before === '' ? path.step : `${before}.${path.step}`;
}
