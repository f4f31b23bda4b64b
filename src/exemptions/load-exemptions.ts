import { isMap } from '../kubernetes/json.ts';
import { entry } from '../kubernetes/objects.ts';
import type { Exemption, Exemptions } from '../tenancy/exemption.ts';
import { inReadingOrder, type Loaded, type Located, problemAt } from '../tenancy/problem.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import { doubtAbout } from './doubt.ts';
import { parseExemption } from './parse-exemption.ts';

/** Whether it is to be read as an Exemption; what is none may be a Tenant. */
export function isExemption({ value }: Located<unknown>): boolean {
  return isMap(value) && entry(value, 'kind') === 'Exemption';
}

/** In order of their names, so that two replicas name the same one of several that match. */
export function byNamespace(exemptions: Iterable<Exemption>): Exemptions {
  const index = new Map<string, Exemption[]>();
  for (const one of [...exemptions].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))) {
    const list = index.get(one.namespace);
    if (list === undefined) index.set(one.namespace, [one]);
    else list.push(one);
  }
  return index;
}

/**
 * The tenancy with these exemptions; or all that is wrong with them, in reading order.
 *
 * @param now milliseconds since the epoch
 */
export function withExemptions(tenancy: Tenancy, documents: readonly Located<unknown>[], now: number): Loaded<Tenancy> {
  const names = new Set<string>();
  const read = documents.map((document) => {
    const loaded = parseExemption(document);
    if (!loaded.ok) return { problems: loaded.problems, warnings: [], values: [] };
    const { value } = loaded;
    const doubt = doubtAbout(value, tenancy, now);
    const warnings = doubt === undefined ? [] : [problemAt(document.locate, doubt.steps, doubt.reason, doubt.fix)];
    const isSecond = names.has(value.name);
    names.add(value.name);
    const second = `exemption ${value.name} is declared already`;
    const problems = isSecond ? [problemAt(document.locate, ['metadata', 'name'], second, 'keep one of the two')] : [];
    return { problems, warnings, values: [value] };
  });
  const problems = read.flatMap((one) => one.problems);
  if (problems.length > 0) return { ok: false, problems: inReadingOrder(problems) };
  const exemptions = byNamespace(read.flatMap(({ values }) => values));
  return { ok: true, value: { ...tenancy, exemptions }, warnings: read.flatMap(({ warnings }) => warnings) };
}
