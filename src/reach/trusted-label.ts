/**
 * What a selector says by labels of namespaces that only the platform writes (settings: `trustedNamespaceLabels`). Where such a label
 * must be there, no namespace of a tenant is selected; where its values are all listed, only the namespaces that are listed for them.
 * Where it may be missing, it says nothing.
 */
import { type Domain, domainFor, freshValue, type Selector } from '../kubernetes/label-selector.ts';
import type { Settings } from '../tenancy/settings.ts';
import { possibleNames } from './namespace-name.ts';
import type { Border } from './violation.ts';

export interface Trusted {
  /** One that must be there. Undefined: none must. */
  readonly key: string | undefined;
  /** A value that the selector allows and the settings do not list; undefined where there is none, or where it allows any. */
  readonly unlisted: string | undefined;
  /** Every namespace that can be selected. Undefined: they cannot be listed. */
  readonly names: ReadonlySet<string> | undefined;
  /** One that must be there, and that proves nothing while namespaces have it that must not. */
  readonly doubtful: string | undefined;
}

const nothing: Trusted = { key: undefined, unlisted: undefined, names: undefined, doubtful: undefined };

export function trustedIn(namespaces: Selector, { tenancy: { settings }, isKept }: Border): Trusted {
  if (settings.trustedLabels.size === 0) return nothing;
  let { key, unlisted, names, doubtful } = nothing;
  // By the labels of the selector: the settings may list many.
  for (const [label, { absent, finite, values }] of namespaces) {
    const listed = settings.trustedLabels.get(label);
    if (listed === undefined || absent) continue;
    if (isKept?.(label) !== true) {
      doubtful = label;
      continue;
    }
    const other = finite ? [...values].find((value) => !listed.has(value)) : undefined;
    if (key === undefined || (unlisted === undefined && other !== undefined)) [key, unlisted] = [label, other];
    if (!finite || other !== undefined) continue;
    const those = new Set([...values].flatMap((value) => [...(listed.get(value) ?? [])]));
    names = names === undefined ? those : names.intersection(those);
  }
  return { key, unlisted, names, doubtful };
}

/** The names that a namespace may have which a selector selects, by what it says of the name itself; undefined when they cannot be listed. */
export function namesIn({ names }: Trusted, name: Domain): readonly string[] | undefined {
  return names ? [...names].filter((one) => name.values.has(one) === name.finite) : possibleNames(name);
}

/**
 * A value of the label that a namespace can have which the selector allows: one that is listed for the name, or one that is not listed.
 *
 * @param name undefined: of a namespace that no value lists
 */
export function possibleValue(
  namespaces: Selector,
  label: string,
  name: string | undefined,
  { trustedLabels }: Settings,
): string | undefined {
  const listed = trustedLabels.get(label);
  const { finite, values } = domainFor(namespaces, label);
  const isPossible = (value: string) => listed?.get(value)?.has(name ?? '') ?? true;
  if (finite) return [...values].find(isPossible);
  return freshValue('any', (value) => values.has(value) || listed?.has(value) === true);
}

/** The values of the label all of whose namespaces are such. */
export function valuesOf(
  label: string,
  { trustedLabels }: Settings,
  isSuch: (name: string) => boolean,
): readonly string[] {
  return [...(trustedLabels.get(label) ?? [])].flatMap(([value, names]) => ([...names].every(isSuch) ? [value] : []));
}
