/** A schema as a table: every field with its type, default, example and description. */

import { isMap } from '../src/kubernetes/json.ts';
import { entry, type StringMap } from '../src/kubernetes/objects.ts';
import type { StructuralSchema } from '../src/tenancy/schema/structural-schema.ts';

export interface Described {
  readonly schema: StructuralSchema;
  /** A document with every field. */
  readonly example: unknown;
  /** Defaults that stand in code, by field; the others stand in the schema. */
  readonly defaults: StringMap;
}

/** What all objects of Kubernetes have. The schemas leave it undescribed. */
const common: StringMap = {
  apiVersion: 'The version of the API.',
  kind: 'The kind of the document.',
  metadata: 'As in every Kubernetes object.',
  'metadata.name': 'The name of the object.',
  spec: 'The contents.',
};

/** @throws where a field has no description or no example, so that a new field cannot do without them */
export function schemaTable({ schema, example, defaults }: Described): string {
  const rows = fieldsOf(schema, '', [example]).map(({ path, field, required, examples }) => {
    const description = field.description ?? common[path];
    if (description === undefined) throw new Error(`${path} has no description`);
    const fallback = defaults[path] ?? (field.default === undefined ? 'none' : `\`${field.default}\``);
    const cells = [
      `\`${path}\``,
      typeOf(field),
      required ? 'required' : fallback,
      exampleOf(path, examples),
      description,
    ];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
  });
  return `| field | type | default | example | description |\n|---|---|---|---|---|\n${rows.join('')}`;
}

interface Field {
  readonly path: string;
  readonly field: StructuralSchema;
  readonly required: boolean;
  /** The values of the field in the example: several where it belongs to the items of a list. */
  readonly examples: readonly unknown[];
}

function fieldsOf(schema: StructuralSchema, parent: string, values: readonly unknown[]): Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const path = parent === '' ? name : `${parent}.${name}`;
    const examples = values.flatMap((value) => {
      const own = isMap(value) ? entry(value, name) : undefined;
      return own === undefined ? [] : [own];
    });
    const required = schema.required?.includes(name) ?? false;
    const inside =
      field.items === undefined ? fieldsOf(field, path, examples) : fieldsOf(field.items, `${path}[]`, examples.flat());
    return [{ path, field, required, examples }, ...inside];
  });
}

function typeOf(schema: StructuralSchema): string {
  if (schema['x-kubernetes-int-or-string']) return 'integer or string';
  if (schema.enum !== undefined) return schema.enum.map((word) => `\`${word}\``).join(', ');
  if (schema.items !== undefined) return `list of: ${typeOf(schema.items)}${atMost(schema.maxItems)}`;
  if (schema.additionalProperties !== undefined)
    return `map of: ${typeOf(schema.additionalProperties)}${atMost(schema.maxProperties)}`;
  if (schema.type === 'integer') return `integer${rangeOf(schema)}`;
  return schema.title ?? schema.type ?? '';
}

function atMost(count: number | undefined): string {
  return count === undefined ? '' : `; at most ${count}`;
}

function rangeOf({ minimum, maximum }: StructuralSchema): string {
  if (minimum === undefined) return '';
  return maximum === undefined ? ` from ${minimum}` : ` from ${minimum} to ${maximum}`;
}

/** Objects, and lists of them, stand in the whole example. */
function exampleOf(path: string, [example]: readonly unknown[]): string {
  if (example === undefined) throw new Error(`${path} has no example`);
  const compound = Array.isArray(example) ? example.some(isMap) : isMap(example);
  return compound ? '[below](#example)' : `\`${JSON.stringify(example)}\``;
}
