/** Pieces of CEL that several rules of the backstop, and match conditions of the webhooks, are made of. */

/** Whether the requester is the platform; every policy has this variable. */
export const platform = 'variables.platform';

/** A string, or a list of strings. What JSON escapes, CEL reads the same way. */
export function literal(value: string | readonly string[]): string {
  return JSON.stringify(value);
}

const empty = {
  labels: '{}',
  annotations: '{}',
  ownerReferences: '[]',
  finalizers: '[]',
  managedFields: '[]',
} as const;

/** A field of metadata; what is missing is empty. */
export function metadata(object: 'object' | 'oldObject', field: keyof typeof empty): string {
  return `${object}.metadata.?${field}.orValue(${empty[field]})`;
}

/** The update leaves these as they are. */
export function unchanged(...fields: readonly (keyof typeof empty)[]): string {
  return allOf(...fields.map((field) => `${metadata('object', field)} == ${metadata('oldObject', field)}`));
}

/** The update changes at least one of these. */
export function changed(...fields: readonly (keyof typeof empty)[]): string {
  return anyOf(...fields.map((field) => `${metadata('object', field)} != ${metadata('oldObject', field)}`));
}

/** The finalizers that Kubernetes keeps in the spec of a namespace. */
export function specFinalizers(object: 'object' | 'oldObject'): string {
  return `${object}.?spec.?finalizers.orValue([])`;
}

/** The update adds none to a list, and what it takes from it satisfies `mayGo`, which speaks of `one`. */
export function onlyRemoves(after: string, before: string, mayGo: string): string {
  return allOf(`${after}.all(one, one in ${before})`, `${before}.all(one, one in ${after} || (${mayGo}))`);
}

/** The lists of containers that a pod is created with. */
const createdWith = ['containers', 'initContainers'] as const;
type ContainerList = (typeof createdWith)[number] | 'ephemeralContainers';

/** No container that a pod is created with satisfies the condition, which speaks of `one`. */
export function noContainer(condition: string): string {
  return allOf(...createdWith.map((list) => `!object.spec.?${list}.orValue([]).exists(one, ${condition})`));
}

/** The images of the containers that satisfy the condition, which speaks of `one`. */
export function imagesOf(condition: string, lists: readonly ContainerList[] = createdWith): string {
  const images = lists.map(
    (list) => `object.spec.?${list}.orValue([]).filter(one, ${condition}).map(one, one.?image.orValue(""))`,
  );
  return images.join('\n+ ');
}

export function allOf(...conditions: readonly string[]): string {
  return conditions.map(inside).join('\n&& ');
}

export function anyOf(...conditions: readonly string[]): string {
  return conditions.map(inside).join('\n|| ');
}

function inside(condition: string): string {
  return ['&&', '||', ' : '].some((operator) => condition.includes(operator)) ? `(${condition})` : condition;
}
