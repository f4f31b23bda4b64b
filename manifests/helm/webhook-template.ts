/**
 * The webhook configurations as templates. Bulkhead owns failurePolicy and namespaceSelector at run time, and Helm would write both back with
 * each upgrade. So the template reads the values in the cluster and writes them again: nothing changes, and nothing conflicts.
 */
import { parse } from 'yaml';
import { type Edit, edit } from './edit.ts';

interface Configuration {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly webhooks: readonly { readonly name: string; readonly namespaceSelector?: object }[];
}

/** @param text of one configuration */
export function webhookTemplate(text: string): string {
  const { kind, metadata, webhooks }: Configuration = parse(text);
  // Its webhook only warns, and Bulkhead owns neither field of it.
  if (metadata.name === 'bulkhead-workloads') return text;
  const [head = '', ...parts] = text.split(/^(?= {2}- name: )/m);
  if (parts.length !== webhooks.length) throw new Error(`${kind} ${metadata.name} has not one item for each webhook`);
  const written = parts.map((part, index) => {
    const { name = '', namespaceSelector } = webhooks[index] ?? {};
    return edit(name, part, [
      // One that only warns keeps Ignore.
      ...(name.startsWith('warn.') ? [] : [failurePolicy(name)]),
      ...(namespaceSelector ? [selector(name, namespaceSelector, part)] : []),
    ]);
  });
  const live = `{{- $written := include "bulkhead.written" (dict "kind" "${kind}" "name" "${metadata.name}") | fromJson }}\n`;
  return live + head + written.join('');
}

function failurePolicy(name: string): Edit {
  return {
    find: 'failurePolicy: Ignore # Bulkhead sets it to Fail.',
    put: `failurePolicy: {{ dig "${name}" "failurePolicy" "Ignore" $written }} # Bulkhead sets it to Fail.`,
  };
}

function selector(name: string, namespaceSelector: object, part: string): Edit {
  const [lines = ''] = /^ {4}namespaceSelector:\n(?: {6}.*\n)+/m.exec(part) ?? [];
  const find = lines.trimEnd().replace(/^ {4}/gm, '');
  return {
    find,
    put: `{{- $selector := dig "${name}" "namespaceSelector" nil $written }}
namespaceSelector: {{ $selector | default (fromJson \`${JSON.stringify(namespaceSelector)}\`) | toJson }}`,
  };
}
