/**
 * Labels of namespaces that only the platform writes (settings: `trustedNamespaceLabels`). A policy may select namespaces by them,
 * because the settings say which namespaces have which value. A namespace that has one and must not is misplaced: while there is one,
 * its key proves nothing.
 */
import { excerpt } from '../kubernetes/json.ts';
import { entry, type StringMap } from '../kubernetes/objects.ts';
import { type Problem, problemAt, unlined } from './problem.ts';
import type { Settings } from './settings.ts';

/** By key and value, the names of all namespaces that have it. */
export type TrustedLabels = ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<string>>>;

interface NamedLabels {
  readonly name: string;
  readonly labels: StringMap | null | undefined;
}

/**
 * The platform labels that the namespace has and must not have. On a namespace of a tenant that is every one.
 * On others it is each one with a value that the settings list for other namespaces.
 * A value that they do not list proves nothing, so any namespace of the platform may have it.
 */
export function misplacedKeys(
  { name, labels }: NamedLabels,
  { tenantLabel, trustedLabels }: Pick<Settings, 'tenantLabel' | 'trustedLabels'>,
): readonly string[] {
  if (trustedLabels.size === 0) return [];
  const isTenants = entry(labels, tenantLabel) !== undefined;
  return [...trustedLabels].flatMap(([key, values]) => {
    const value = entry(labels, key);
    if (value === undefined) return [];
    return isTenants || values.get(value)?.has(name) === false ? [key] : [];
  });
}

/**
 * Why settings cannot be taken over beside these namespaces.
 *
 * @param inForce the settings before: what is misplaced by them already refuses no others
 */
export function misplacedLabels(
  settings: Settings,
  namespaces: Iterable<NamedLabels>,
  inForce?: Settings,
): readonly Problem[] {
  if (settings.trustedLabels.size === 0) return [];
  const found = Map.groupBy(
    [...namespaces].flatMap((one) => {
      const before = inForce === undefined ? [] : misplacedKeys(one, inForce);
      const keys = misplacedKeys(one, settings).filter((key) => !before.includes(key));
      return keys.map((key) => ({ key, name: one.name }));
    }),
    ({ key }) => key,
  );
  return [...settings.trustedLabels.keys()].flatMap((key, index) => {
    const [first, ...others] = (found.get(key) ?? []).map(({ name }) => name).sort();
    if (first === undefined) return [];
    const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
    const reason = `namespace ${first}${more} has ${excerpt(key)}, and the settings do not list it for that value`;
    const steps = ['spec', 'trustedNamespaceLabels', index, 'key'];
    return [problemAt(unlined('settings'), steps, reason, fixOfMisplaced(first, key))];
  });
}

export function fixOfMisplaced(name: string, key: string): string {
  return `remove it (kubectl label namespace ${name} ${key}-), or, for a namespace of the platform, list the name under the value in trustedNamespaceLabels`;
}
