import { resolve } from 'node:path';
import { isExemption, withExemptions } from '../exemptions/load-exemptions.ts';
import { agree } from '../gates/agreement.ts';
import { doubtsAboutWritten, readRequest } from '../gates/written-requests.ts';
import { isMap, valueAt } from '../kubernetes/json.ts';
import { loadTenancy } from '../tenancy/load-tenancy.ts';
import { inReadingOrder, type Loaded, type Located, problemAt } from '../tenancy/problem.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import { listedObjects } from './listed-objects.ts';
import { parseYaml } from './parse-yaml.ts';
import { problem, type ReadFiles, readFiles } from './read-files.ts';

export interface TenancyFiles {
  /** A folder of YAML files with Tenant and Exemption documents, or one such file; undefined: there are none in files. */
  readonly tenants: string | undefined;
  /** The file with the Settings document; undefined: the defaults. */
  readonly config: string | undefined;
  /** Files and folders with documents of each of these kinds, and GateRequests; other kinds there are left alone. Default: none. */
  readonly others?: readonly string[];
}

export async function readTenancy(files: TenancyFiles): Promise<Loaded<Tenancy>> {
  const [tenants, config, others] = await Promise.all([
    readFiles(files.tenants),
    readFiles(files.config),
    Promise.all((files.others ?? []).map(readFiles)),
  ]);
  return tenancyOf(eachOnce({ tenants, config, others }), files, Date.now());
}

/** As where the same documents are objects of the API server, with no GateRequest among them. */
export function asObjects(tenancy: Tenancy): Tenancy {
  return { ...tenancy, home: 'objects', requests: agree([], tenancy.settings, () => undefined).requests };
}

/** Scripts name the folder of the tenants, and the files in it that have changed. */
function eachOnce({ tenants, config, others }: Required<TenancyTexts>): TenancyTexts {
  const taken = new Set([...tenants.files, ...config.files].map(({ path }) => resolve(path)));
  const isNew = (path: string): boolean => taken.size < taken.add(path).size;
  return {
    tenants,
    config,
    others: others.map((one) => ({ ...one, files: one.files.filter(({ path }) => isNew(resolve(path))) })),
  };
}

/** The texts of a tenancy, before they are parsed. */
export interface TenancyTexts {
  readonly tenants: ReadFiles;
  readonly config: ReadFiles;
  readonly others?: readonly ReadFiles[];
}

/** @param now milliseconds since the epoch */
export function tenancyOf(texts: TenancyTexts, { tenants, config }: TenancyFiles, now: number): Loaded<Tenancy> {
  const [declared, settings] = [parseFiles(texts.tenants), parseFiles(texts.config)];
  const others = (texts.others ?? []).map(parseFiles);
  const parsed = [settings, declared, ...others];
  if (!declared.ok || !settings.ok || others.some(({ ok }) => !ok)) {
    const problems = parsed.flatMap((loaded) => (loaded.ok ? [] : loaded.problems));
    return { ok: false, problems: inReadingOrder(problems) };
  }
  const found = others.flatMap((loaded) =>
    loaded.ok ? loaded.value.flatMap(itemsOf).filter(isOurs).map(asWritten) : [],
  );
  const [first, second] = [...settings.value, ...found.filter(isSettings)];
  if (second !== undefined) {
    return { ok: false, problems: [problemAt(second.locate, [], 'is a second document', 'keep all settings in one')] };
  }
  if (config !== undefined && first === undefined) {
    return {
      ok: false,
      problems: [problem(config, 'holds no Settings document', 'write one, or give no file of settings')],
    };
  }
  const documents = found.filter((one) => !isSettings(one) && !isRequest(one));
  const requests = found.filter(isRequest).map(readRequest);
  const loaded = loadBoth(first, [...declared.value, ...documents], now);
  const unread = [loaded, ...requests.map((one) => one.loaded)].flatMap((one) => (one.ok ? [] : one.problems));
  if (!loaded.ok || unread.length > 0) return { ok: false, problems: inReadingOrder(unread) };
  const warnings = parsed.flatMap((one) => (one.ok ? one.warnings : []));
  if (tenants !== undefined && loaded.value.tenants.size === 0)
    warnings.push(problem(tenants, 'declares no tenant, so only the platform may create namespaces', ''));
  if (tenants !== undefined && first !== undefined && loaded.value.settings.gates.from === 'tenants')
    warnings.push(problemAt(first.locate, ['spec', 'gates', 'from'], ...notInFiles));
  warnings.push(...doubtsAboutWritten(requests, loaded.value, tenants === undefined, now));
  const home = tenants === undefined ? 'objects' : 'files';
  return { ...loaded, value: { ...loaded.value, home }, warnings: [...loaded.warnings, ...warnings] };
}

const isSettings = ({ value }: Located<unknown>): boolean => valueAt(value, 'kind') === 'Settings';
const isRequest = ({ value }: Located<unknown>): boolean => valueAt(value, 'kind') === 'GateRequest';

/** The objects of a document; the path in a finding begins at the object. */
function itemsOf(document: Located<unknown>): readonly Located<unknown>[] {
  return listedObjects(document).map(({ object, steps }) => ({
    value: object,
    locate: (inner, part) => document.locate([...steps, ...inner], part),
  }));
}

/** Without the status of an object that was read from a cluster. */
function asWritten({ value, locate }: Located<unknown>): Located<unknown> {
  if (!isMap(value)) return { value, locate };
  const { status: _, ...written } = value;
  return { value: written, locate };
}

function isOurs({ value }: Located<unknown>): boolean {
  const version = valueAt(value, 'apiVersion');
  return typeof version === 'string' && version.startsWith('bulkhead.dev/');
}

const notInFiles: [reason: string, fix: string] = [
  'has no effect, as GateRequests are read only where tenants are objects of the API server',
  'declare the gates in the tenants; or apply the tenants as objects, and leave out --tenants (bulkhead check: give their folder among FILES)',
];

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
export function parseFiles({ files, problems, warnings = [] }: ReadFiles): Loaded<readonly Located<unknown>[]> {
  const parsed = files.map(({ path, text }) => parseYaml(text, path));
  const all = [...problems, ...parsed.flatMap((loaded) => (loaded.ok ? [] : loaded.problems))];
  if (all.length > 0) return { ok: false, problems: inReadingOrder(all) };
  return { ok: true, value: parsed.flatMap((loaded) => (loaded.ok ? loaded.value : [])), warnings };
}
