/**
 * What checks/exemption.ts decides, once more in CEL. It may admit more: of a container the rules see less than the checks.
 *
 * Exemptions are data, and one expression reads them: an exemption costs its own texts, and nothing is said twice. They are in
 * a map by tenant and namespace, so a pod looks at those of its own namespace alone.
 */
import { makerOf, type PodMaker, usernamesOf } from '../exemptions/pod-makers.ts';
import type { ExemptedOwner, Exemption } from '../tenancy/exemption.ts';
import type { Settings } from '../tenancy/settings.ts';
import { allOf, anyOf, imagesOf, literal } from './expressions.ts';
import { subjectNames } from './grants.ts';
import type { Rule } from './rule.ts';

/** A variable of a ValidatingAdmissionPolicy. */
export interface Variable {
  readonly name: string;
  readonly expression: string;
}

/** What must match, in the order of a row; empty where it is not given. */
const fields = ['names', 'serviceAccounts', 'users', 'groups', 'owner', 'images'] as const;
type Field = (typeof fields)[number];

/**
 * A row is one string, because the API server reads those faster: eight policies with 1,000 exemptions took 3 s in place of 38 s. No name and no
 * image has a control character (tenancy/parse-subject.ts, tenancy/schema/names.ts).
 */
const between = { fields: '\n', texts: '\t' } as const;

/** Characters of an expression. CEL takes 100,000. */
const longest = 60_000;

/**
 * Variables of which the last, `exempted`, is true for a pod that an exemption covers; none where no exemption lists the check of the
 * rule. CEL knows no time, so an exemption that is printed holds until the backstop is printed again.
 */
export function exemptedBy(rule: Rule, settings: Settings, exemptions: readonly Exemption[]): readonly Variable[] {
  const meant = exemptionsFor(rule, exemptions);
  if (meant.length === 0) return [];
  const owners = meant.flatMap(({ match }) => (match.owner === undefined ? [] : [match.owner]));
  const tables = tablesOf(meant);
  // Of a rule that looks at the pod as a whole, every container must have such an image.
  const images = rule.images ?? imagesOf('true', ['containers', 'initContainers', 'ephemeralContainers']);
  const tenantLabel = literal(settings.tenantLabel);
  return [
    {
      name: 'home',
      expression: `namespaceObject.metadata.?labels[?${tenantLabel}].orValue("") + "/" + request.namespace`,
    },
    ...tables,
    {
      name: 'exemptions',
      expression: [
        `(${tables.map(({ name }) => `variables.${name}[?variables.home].orValue([])`).join('\n+ ')})`,
        `.map(row, row.split(${literal(between.fields)})`,
        `.map(field, field == "" ? [] : field.split(${literal(between.texts)})))`,
      ].join(''),
    },
    { name: 'owners', expression: ownersOf(owners) },
    // Each with the text that stands for all its versions (exemptions/images.ts).
    { name: 'images', expression: `(${images}).map(image, [string(image), image.find("^(.*/)?[^/:@]*")])` },
    { name: 'exempted', expression: `variables.exemptions.exists(exemption, ${covers})` },
  ];
}

export function exemptionsFor({ check, kind }: Rule, exemptions: readonly Exemption[]): readonly Exemption[] {
  return exemptions.filter(
    ({ checks, match }) => checks.has(check.id) && (match.kinds === undefined || match.kinds.has(kind)),
  );
}

/** Of a pod: variables.home. */
export function homeOf({ tenant, namespace }: Exemption): string {
  return `${tenant}/${namespace}`;
}

/** One map, in as many variables as its size needs. */
function tablesOf(exemptions: readonly Exemption[]): readonly Variable[] {
  const rows = new Map<string, Set<string>>();
  for (const one of exemptions) {
    const home = literal(homeOf(one));
    rows.set(home, (rows.get(home) ?? new Set()).add(textOf(one)));
  }
  const tables: Map<string, string[]>[] = [];
  let size = longest;
  for (const [home, texts] of rows)
    for (const text of texts) {
      const table = tables.at(-1);
      const known = table?.get(home);
      const more = text.length + 1 + (known === undefined ? home.length + 4 : 0);
      size += more;
      if (table === undefined || size > longest) {
        tables.push(new Map([[home, [text]]]));
        size = home.length + 4 + text.length + 1;
      } else if (known === undefined) table.set(home, [text]);
      else known.push(text);
    }
  return tables.map((table, index) => ({
    name: `exemptions${index}`,
    expression: `{${[...table].map(([home, texts]) => `${home}:[${texts.join()}]`).join(',\n')}}`,
  }));
}

function textOf({ match }: Exemption): string {
  const { names = [], owner, serviceAccounts = [], images = [], requesters = [] } = match;
  const row: Readonly<Record<Field, Iterable<string>>> = {
    names,
    serviceAccounts,
    ...subjectNames(requesters),
    owner: owner === undefined ? [] : [`${typeOf(owner)}/${owner.name}`],
    images,
  };
  return literal(fields.map((field) => [...row[field]].join(between.texts)).join(between.fields));
}

/** Whether the row in the variable `exemption` covers the pod. */
const covers = (() => {
  const field = (name: Field): string => `exemption[${fields.indexOf(name)}]`;
  const given = (name: Field, condition: string): string => anyOf(`${field(name)} == []`, condition);
  return allOf(
    given('names', `object.metadata.?name.orValue("") in ${field('names')}`),
    given('serviceAccounts', `object.spec.?serviceAccountName.orValue("default") in ${field('serviceAccounts')}`),
    anyOf(
      `${field('users')} + ${field('groups')} == []`,
      `request.userInfo.username in ${field('users')}`,
      `request.userInfo.?groups.orValue([]).exists(group, group in ${field('groups')})`,
    ),
    given('owner', `variables.owners.exists(owner, owner in ${field('owner')})`),
    given('images', `variables.images.all(image, image.exists(text, text in ${field('images')}))`),
  );
})();

/** As an exemption names it. Neither a kind nor a group has a slash, and a kind has no dot. */
function typeOf({ kind, group }: ExemptedOwner): string {
  return group === undefined ? kind : `${kind}.${group}`;
}

/** The workloads for which the requester creates the pod. For those of Kubernetes it must be their controller; for others it may be any. */
function ownersOf(owners: readonly ExemptedOwner[]): string {
  const kinds = new Set(owners.filter(({ group }) => group === undefined).map(({ kind }) => kind));
  const each = [...kinds].sort().flatMap((kind) => {
    const maker = makerOf(kind);
    return maker === undefined ? [] : [madeFor(kind, maker)];
  });
  if (owners.some(({ group }) => group !== undefined)) each.push(ofOtherGroups);
  return each.length === 0 ? '[]' : each.join('\n+ ');
}

const ownerReferences = 'object.metadata.?ownerReferences.orValue([])';
const isController = ['request.operation == "CREATE"', 'one.?controller.orValue(false)'];

const ofOtherGroups = `${ownerReferences}.filter(one, ${allOf(
  ...isController,
  'one.apiVersion.contains("/")',
  'one.kind.matches("^[A-Za-z0-9]+$")',
)}).map(one, one.kind + "." + one.apiVersion.substring(0, one.apiVersion.indexOf("/")) + "/" + one.name)`;

function madeFor(kind: string, maker: PodMaker): string {
  const { group, suffix } = maker;
  const isMaker = allOf(
    ...isController,
    `request.userInfo.username in ${literal(usernamesOf(maker))}`,
    group === '' ? '!one.apiVersion.contains("/")' : `one.apiVersion.startsWith(${literal(`${group}/`)})`,
    `one.kind == ${literal(maker.kind)}`,
    ...(suffix === undefined ? [] : [`one.name.matches(${literal(`.${suffix.source.slice(1)}`)})`]),
  );
  const name = suffix === undefined ? 'one.name' : 'one.name.substring(0, one.name.lastIndexOf("-"))';
  return `${ownerReferences}.filter(one, ${isMaker}).map(one, ${literal(`${kind}/`)} + ${name})`;
}
