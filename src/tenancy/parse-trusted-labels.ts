/** `spec.trustedNamespaceLabels` of the settings. */
import { ownKeys } from '../keys/built-in-keys.ts';
import type { ReservedKey } from '../keys/reserved-keys.ts';
import { excerpt } from '../kubernetes/json.ts';
import { namespaceNameLabel } from '../kubernetes/objects.ts';
import type { Report } from './problem.ts';
import type { SettingsDocument } from './schema/settings-schema.ts';
import type { TrustedLabels } from './trusted-labels.ts';

/** Only the platform writes them, whatever else the settings release, allow or grant. */
export function trustedKeys(
  documents: SettingsDocument['spec']['trustedNamespaceLabels'] = [],
): readonly ReservedKey[] {
  const effect = 'says which namespaces of the platform others let in';
  return documents.map(({ key }) => ({ entry: key, protects: 'identity', effect, settings: [] }));
}

export function parseTrustedLabels(
  { trustedNamespaceLabels = [], reserved = {} }: SettingsDocument['spec'],
  tenantLabel: string,
  report: Report,
): TrustedLabels {
  const labels = new Map<string, ReadonlyMap<string, ReadonlySet<string>>>();
  for (const [index, { key, values }] of trustedNamespaceLabels.entries()) {
    const steps = ['spec', 'trustedNamespaceLabels', index];
    const at = [...steps, 'key'];
    if (labels.has(key)) report(at, `${excerpt(key)} is there twice`, 'merge the two');
    if (key === tenantLabel || key === namespaceNameLabel || ownKeys.some((own) => key.startsWith(own)))
      report(
        at,
        `${excerpt(key)} says whose a namespace is or what it is called`,
        'leave it out: it proves that already',
      );
    for (const field of ['released', 'allowedValues'] as const)
      if (reserved[field]?.some((one) => (typeof one === 'string' ? one : one.key) === key))
        report(
          at,
          `${excerpt(key)} is under reserved.${field} too, and then tenants could write it`,
          'remove it there',
        );
    const names = new Map<string, ReadonlySet<string>>();
    for (const [place, { value, namespaces }] of values.entries()) {
      if (names.has(value))
        report([...steps, 'values', place, 'value'], `${excerpt(value)} is there twice`, 'merge the two');
      names.set(value, new Set(namespaces));
    }
    labels.set(key, names);
  }
  return labels;
}

/** A tenant that could take one of these names would be selected by the label in every policy. */
export function namesOfTrusted(labels: TrustedLabels): readonly string[] {
  return [...labels.values()].flatMap((values) => [...values.values()].flatMap((names) => [...names]));
}
