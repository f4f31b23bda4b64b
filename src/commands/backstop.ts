/** Prints the policies by which the API server itself keeps what matters most. Reads files, and changes nothing. */
import { stringify } from 'yaml';
import { backstopOf } from '../backstop/backstop.ts';
import { readTenancy, type TenancyFiles } from '../files/read-tenancy.ts';
import { docsPage } from '../tenancy/docs-page.ts';
import { orCannotStart } from './cannot-start.ts';
import { defineCommand } from './command.ts';
import { tenancyOptions } from './shared-options.ts';

export const command = defineCommand({
  summary: 'print ValidatingAdmissionPolicies that enforce the essential checks without Bulkhead',
  options: tenancyOptions,
  async run(values, { print }) {
    print((await backstop(values)).replace(/\n$/, ''));
    return 0;
  },
});

/** @throws CannotStart when the settings or the tenants cannot be read */
export async function backstop(files: TenancyFiles): Promise<string> {
  const { settings, tenants } = orCannotStart(await readTenancy(files)).value;
  const documents = backstopOf(
    settings,
    files.tenants === undefined ? { from: 'objects' } : { from: 'listed', tenants: [...tenants.values()] },
  );
  // Expressions keep the lines they were made with, and no line is broken.
  const format = { aliasDuplicateObjects: false, blockQuote: 'literal', lineWidth: 0 } as const;
  const head = `# Made by \`bulkhead backstop\` from the settings and tenants; make it anew when they change.
# What it does, and what it leaves to the webhook: ${docsPage(settings, 'outage.md')}.
`;
  return head + documents.map((document) => `---\n${stringify(document, format)}`).join('');
}
