/** values.yaml, values.schema.json and the table of docs/helm-values.md, from the values. */
import { Document } from 'yaml';
import type { JsonSchema } from './json-schema.ts';
import { type Value, type Values, values } from './values.ts';

export function valuesSchemaText(): string {
  const { properties, required = [] } = groupSchema('', values);
  const schema: JsonSchema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    // Helm itself adds global to the values of a chart that is a dependency of another.
    properties: { ...properties, global: { type: 'object', description: 'Not read.' } },
    required,
    additionalProperties: false,
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

function schemaOf(value: Value): JsonSchema {
  return 'values' in value
    ? groupSchema(value.about, value.values)
    : { ...value.schema, description: plain(value.about) };
}

function groupSchema(about: string, group: Values): JsonSchema {
  return {
    type: 'object',
    description: plain(about),
    properties: Object.fromEntries(Object.entries(group).map(([name, value]) => [name, schemaOf(value)])),
    // Each has a default, which only a null takes away.
    required: Object.keys(group),
    additionalProperties: false,
  };
}

export function valuesText(): string {
  return `# Made by \`npm run manifests\` from manifests/helm/values.ts. docs/helm-values.md has the same as a table.\n\n${textOf(values, '')}`;
}

function textOf(group: Values, indent: string): string {
  return Object.entries(group)
    .map(([name, value]) => {
      const about = `${indent}# ${plain(value.about)}\n`;
      if ('values' in value) return `${about}${indent}${name}:\n${textOf(value.values, `${indent}  `)}`;
      const text = new Document({ [name]: value.default }).toString({ lineWidth: 0 });
      return about + text.replace(/^(?=.)/gm, indent);
    })
    .join(indent === '' ? '\n' : '');
}

/** Descriptions are Markdown; links are for the page alone. */
function plain(about: string): string {
  return about.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll('`', '');
}

export function valuesTable(): string {
  return `| value | default | description |\n|---|---|---|\n${rowsOf(values, '').join('')}`;
}

function rowsOf(group: Values, parent: string): string[] {
  return Object.entries(group).flatMap(([name, value]) => {
    const path = parent + name;
    if ('values' in value) return [row(path, '', value.about), ...rowsOf(value.values, `${path}.`)];
    return [row(path, `\`${JSON.stringify(value.default)}\``, value.about)];
  });
}

function row(path: string, fallback: string, about: string): string {
  return `| \`${path}\` | ${fallback} | ${about.replaceAll('|', '\\|')} |\n`;
}
