/** Schemas of the names that Kubernetes gives to things. */
import type { StructuralSchema } from './structural-schema.ts';

/** RFC 1123 label: what a namespace can be called. Also a valid label value. */
export const labelName = {
  type: 'string',
  title: 'a name of 1 to 63 lower-case letters, digits and inner hyphens',
  pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$',
  minLength: 1,
  maxLength: 63,
} as const satisfies StructuralSchema;

/** Other clusters of a mesh of Cilium. */
export const clusterNames = {
  type: 'array',
  items: labelName,
  minItems: 1,
  maxItems: 64,
} as const satisfies StructuralSchema;

/** The beginning of an RFC 1123 label. The hyphen at the end keeps `team-a` from covering `team-ab`. */
export const namePrefix = {
  type: 'string',
  title: 'a beginning of names: at most 62 lower-case letters, digits and hyphens, with a hyphen at its end',
  pattern: '^[a-z0-9][-a-z0-9]*-$',
  maxLength: 62,
} as const satisfies StructuralSchema;

/** Label or annotation key: an optional DNS subdomain and a slash, and a name. */
export const labelKey = {
  type: 'string',
  title: 'a label key such as bulkhead.dev/tenant',
  pattern: '^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$',
  maxLength: 317,
} as const satisfies StructuralSchema;

/** RFC 1123 subdomain: what most objects can be called. */
export const objectName = {
  type: 'string',
  title: 'a name of 1 to 253 lower-case letters, digits, inner hyphens and inner dots',
  pattern: '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$',
  minLength: 1,
  maxLength: 253,
} as const satisfies StructuralSchema;

/** Of labels and annotations alike: the names of annotations may hold upper-case letters too. */
export const labelOrAnnotationKey = {
  type: 'string',
  title: 'a label or annotation key',
  pattern: '^[A-Za-z0-9][-A-Za-z0-9_./]*[A-Za-z0-9]$',
  maxLength: 317,
} as const satisfies StructuralSchema;
