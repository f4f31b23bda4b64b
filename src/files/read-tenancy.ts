import { isExemption, withExemptions } from '../exemptions/load-exemptions.ts';
import { loadTenancy } from '../tenancy/load-tenancy.ts';
import { inReadingOrder, type Loaded, type Located, problemAt } from '../tenancy/problem.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import { parseYaml } from './parse-yaml.ts';
import { problem, type ReadFiles, readFiles } from './read-files.ts';

export interface TenancyFiles {
  /** A folder of YAML files with Tenant and Exemption documents, or one such file; undefined: there are none in files. */
  readonly tenants: string | undefined;
  /** The file with the Settings document; undefined: the defaults. */
  readonly config: string | undefined;
}

export async function readTenancy(files: TenancyFiles): Promise<Loaded<Tenancy>> {
  const [tenants, config] = await Promise.all([readFiles(files.tenants), readFiles(files.config)]);
  return tenancyOf({ tenants, config }, files, Date.now());
}

/** The texts of a tenancy, before anybody has looked into them. */
export interface TenancyTexts {
  readonly tenants: ReadFiles;
  readonly config: ReadFiles;
}

/** @param now milliseconds since the epoch */
export function tenancyOf(texts: TenancyTexts, { tenants, config }: TenancyFiles, now: number): Loaded<Tenancy> {
  const [declared, settings] = [parseFiles(texts.tenants), parseFiles(texts.config)];
  if (!declared.ok || !settings.ok) {
    const problems = [settings, declared].flatMap((loaded) => (loaded.ok ? [] : loaded.problems));
    return { ok: false, problems: inReadingOrder(problems) };
  }
  const [first, second] = settings.value;
  if (second !== undefined) {
    return { ok: false, problems: [problemAt(second.locate, [], 'is a second document', 'keep all settings in one')] };
  }
  if (config !== undefined && first === undefined) {
    return {
      ok: false,
      problems: [problem(config, 'holds no Settings document', 'write one, or give no file of settings')],
    };
  }
  const loaded = loadBoth(first, declared.value, now);
  if (!loaded.ok || tenants === undefined || loaded.value.tenants.size > 0) return loaded;
  const nobody = problem(tenants, 'declares no tenant, so only the platform may create namespaces', '');
  return { ...loaded, warnings: [...loaded.warnings, nobody] };
}

function loadBoth(
  settings: Located<unknown> | undefined,
  documents: readonly Located<unknown>[],
  now: number,
): Loaded<Tenancy> {
  const tenants = documents.filter((one) => !isExemption(one));
  const loaded = loadTenancy(settings, tenants, now);
  if (!loaded.ok) return loaded;
  const both = withExemptions(loaded.value, documents.filter(isExemption), now);
  return both.ok ? { ...both, warnings: [...loaded.warnings, ...both.warnings] } : both;
}

/** All documents of all files, or every problem that keeps one of them from being read. */
export function parseFiles({ files, problems }: ReadFiles): Loaded<readonly Located<unknown>[]> {
  const parsed = files.map(({ path, text }) => parseYaml(text, path));
  const all = [...problems, ...parsed.flatMap((loaded) => (loaded.ok ? [] : loaded.problems))];
  if (all.length > 0) return { ok: false, problems: inReadingOrder(all) };
  return { ok: true, value: parsed.flatMap((loaded) => (loaded.ok ? loaded.value : [])), warnings: [] };
}
