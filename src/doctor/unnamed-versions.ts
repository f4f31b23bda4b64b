/** Versions of judged resources that the API server serves beside those that Bulkhead knows. */

import { servedResources } from '../configuration/served-resources.ts';
import type { Rule } from '../configuration/webhook-configuration.ts';
import { kinds } from '../kinds/kinds.ts';
import { isMap, valueAt } from '../kubernetes/json.ts';
import type { Examination } from './check.ts';
import type { StoredConfiguration } from './own-configurations.ts';

const never = new AbortController().signal;

/** @throws where discovery fails */
export async function unnamedVersions(
  configurations: readonly StoredConfiguration[],
  { get, connection, found }: Examination,
): Promise<void> {
  const rules = configurations.flatMap(({ own }) => own.flatMap((webhook) => webhook.rules));
  for (const group of new Set(kinds.map((kind) => kind.group).filter((one) => one !== ''))) {
    const known = new Set<string>(kinds.filter((kind) => kind.group === group).flatMap(({ versions }) => versions));
    const others = versionsIn(await get(`/apis/${group}`)).filter((version) => !known.has(version));
    const served = await servedResources(
      connection,
      others.map((version) => `${group}/${version}`),
      never,
    );
    for (const version of others)
      for (const { plural, kind } of kinds.filter((one) => one.group === group)) {
        const isServed = served.get(`${group}/${version}`)?.has(plural) ?? false;
        if (isServed && !rules.some((rule) => names(rule, group, version, plural)))
          found('webhook-version-unnamed', {
            where: `${group}/${version} ${kind}`,
            why: `the API server serves ${plural} in this version, and no rule of Bulkhead names it`,
          });
      }
  }
}

function versionsIn(group: unknown): readonly string[] {
  const versions = valueAt(group, 'versions');
  return (Array.isArray(versions) ? versions : []).flatMap((one) => (isMap(one) ? String(one.version) : []));
}

function names({ apiGroups, apiVersions, resources }: Rule, group: string, version: string, plural: string): boolean {
  const has = (list: readonly string[], ...values: readonly string[]) => values.some((one) => list.includes(one));
  return has(apiGroups, group, '*') && has(apiVersions, version, '*') && has(resources, plural, '*', '*/*');
}
