/** How the platform lets a refused object through, on the page of each check: from the data of the check. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { catalogue } from '../../src/checks/catalogue.ts';
import type { Check } from '../../src/checks/check.ts';
import type { Grant } from '../../src/checks/grants.ts';
import { exemptableChecks } from '../../src/exemptions/exemption-schema.ts';

/** Between its heading and the next one, all is generated. */
const section = /^## Grants\n[\s\S]*?(?=^## )/m;

export function pagesWithGrants(): readonly { readonly file: string; readonly text: string }[] {
  return catalogue.filter(isGrantable).map((check) => {
    const file = join(import.meta.dirname, `${check.id}.md`);
    const page = readFileSync(file, 'utf8').replace(section, '');
    return { file, text: page.replace(/^## Settings$/m, () => `${grantsSection(check)}## Settings`) };
  });
}

export const isExemptable = ({ id }: Check): boolean => exemptableChecks.includes(id);

const isGrantable = (check: Check): boolean => check.grants !== undefined || isExemptable(check);

/** The fields of a home, in the words of Markdown: `` `a`, `b` or `c` ``. */
export function fieldsOf({ grants = [] }: Check, home: Grant['of']): string {
  const fields = grants.filter((one) => one.of === home).map(({ field }) => `\`${field}\``);
  return fields.join(', ').replace(/, (?=[^,]*$)/, ' or ');
}

function grantsSection(check: Check): string {
  const { id, protects, namespace } = check;
  const tenant = fieldsOf(check, 'tenant');
  const settings = fieldsOf(check, 'settings');
  const ways = [
    ...(tenant === '' ? [] : [`- Of the [tenant](../tenant.md): ${tenant}.`]),
    ...(settings === '' ? [] : [`- Of the [settings](../settings.md): ${settings}.`]),
  ];
  const fields = ways.length === 0 ? '' : `The platform can grant it with these fields:\n${ways.join('\n')}\n\n`;
  const exemption = [
    ...(isExemptable(check)
      ? [`An [exemption](../exemptions.md) from \`${id}\` admits single objects, until its end.`]
      : []),
    ...(isExemptable(check) && protects === 'identity' ? ['No exemption covers what every mode refuses.'] : []),
    ...(isExemptable(check) && namespace !== undefined ? ['No exemption covers a Namespace.'] : []),
  ].join('\n');
  const said = exemption === '' ? fields : `${fields}${exemption}\n\n`;
  return `## Grants\n\n<!-- Made by \`npm run pages\` from src/checks/${id}.ts. -->\n\n${said}`;
}
