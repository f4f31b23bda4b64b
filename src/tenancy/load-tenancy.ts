import { defaultSettings } from './default-settings.ts';
import { parseSettings } from './parse-settings.ts';
import { parseTenant } from './parse-tenant.ts';
import { inReadingOrder, type Loaded, type Located, problemAt, unlined } from './problem.ts';
import type { Settings } from './settings.ts';
import { createTenancy, type Tenancy } from './tenancy.ts';
import type { Tenant } from './tenant.ts';
import { validateTenancy } from './validate-tenancy.ts';

/** Without settings: what parseSettings says of settings that leave them out. */
const unknownRanges = problemAt(
  unlined('settings'),
  ['spec', 'network'],
  'no settings are given, so no address can be proven to lie outside the cluster and every ipBlock of a tenant is refused',
  'list the ranges of the cluster in a Settings document',
);

/**
 * Documents in, a tenancy out; or all that is wrong with them, in reading order. How tenants go together is judged only when each
 * can be read: a tenant that is missing for a misprint would give rise to problems that are none.
 * @param settings undefined: the defaults
 * @param now milliseconds since the epoch
 */
export function loadTenancy(
  settings: Located<unknown> | undefined,
  tenants: readonly Located<unknown>[],
  now: number,
): Loaded<Tenancy> {
  const loadedSettings: Loaded<Settings> =
    settings === undefined ? { ok: true, value: defaultSettings, warnings: [unknownRanges] } : parseSettings(settings);
  const loadedTenants = tenants.map((document) => ({ document, loaded: parseTenant(document) }));
  const refused = [loadedSettings, ...loadedTenants.map(({ loaded }) => loaded)].flatMap((loaded) =>
    loaded.ok ? [] : loaded.problems,
  );
  if (!loadedSettings.ok || refused.length > 0) return { ok: false, problems: inReadingOrder(refused) };
  const readable = loadedTenants.flatMap(({ document, loaded }): readonly Located<Tenant>[] =>
    loaded.ok ? [{ value: loaded.value, locate: document.locate }] : [],
  );
  const { problems, warnings } = validateTenancy(loadedSettings.value, readable, now, settings?.locate);
  if (problems.length > 0) return { ok: false, problems: inReadingOrder(problems) };
  return {
    ok: true,
    value: createTenancy(
      loadedSettings.value,
      readable.map(({ value }) => value),
    ),
    warnings: inReadingOrder([...loadedSettings.warnings, ...warnings]),
  };
}
