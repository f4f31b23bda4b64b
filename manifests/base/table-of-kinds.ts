/** What rooms below `kinds` say of the table, which they cannot import: src/tenancy/table-of-kinds.ts. */
import { kinds } from '../../src/kinds/kinds.ts';
import { policyGroupNames } from '../../src/tenancy/policy-groups.ts';

/** Of Roles and RoleBindings nothing is refused; an exemption for a Pod is one for its Binding. */
const exemptable = kinds.filter(
  ({ family, reviews, judgedAs }) =>
    ['policy', 'pod', 'neighbour'].includes(family) &&
    judgedAs === undefined &&
    reviews.some(({ phase }) => phase !== 'warn'),
);

const read = kinds.filter(({ group }) => policyGroupNames.has(group));

export function tableOfKindsSource(): string {
  return `/** What this room and the one above it say of the table of kinds. Made by \`npm run manifests\` from kinds/kinds.ts. */

/** Kinds whose objects an exemption may name. Calico has kinds of the same name, to which the same exemptions apply. */
export const exemptableKinds: readonly string[] = [
${[...new Set(exemptable.map(({ kind }) => `  '${kind}',\n`))].join('')}];

/**
 * Kinds of the policy groups that Bulkhead reads and judges, so that \`network.policyKinds\` gives them to no tenant: the plural resource
 * and its group, and the section of the settings with which it is read; undefined: always.
 */
export const readKinds: ReadonlyMap<string, 'istio' | undefined> = new Map([
${read.map((kind) => `  ['${kind.plural}.${kind.group}', ${sectionOf(kind)}],\n`).join('')}]);
`;
}

function sectionOf(kind: (typeof kinds)[number]): string {
  return kind.family === 'policy' && kind.section !== undefined ? `'${kind.section}'` : 'undefined';
}
