/** Prints the policies by which the API server itself keeps what matters most. Reads files, and changes nothing. */
import { stringify } from 'yaml';
import { locateCluster } from '../client/location.ts';
import { readCluster, Unreadable } from '../facts/cluster-reader.ts';
import { readTenancy, type TenancyFiles } from '../files/read-tenancy.ts';
import { docsPage } from '../tenancy/docs-page.ts';
import type { Exemptions } from '../tenancy/exemption.ts';
import type { Settings } from '../tenancy/settings.ts';
import { stampedBackstop } from './backstop-age.ts';
import { CannotStart, orCannotStart } from './cannot-start.ts';
import { defineCommand } from './command.ts';
import { optionalText } from './options.ts';
import { tenancyOptions } from './shared-options.ts';

export const command = defineCommand({
  summary: 'print ValidatingAdmissionPolicies that enforce the essential checks without Bulkhead',
  options: {
    ...tenancyOptions,
    kubeconfig: optionalText(
      'FILE',
      'without --tenants: read the Exemption objects from the API server of this kubeconfig',
      'no exemption is honoured',
    ),
  },
  async run(values, { print, environment }) {
    print((await backstop(values, values.kubeconfig, environment)).replace(/\n$/, ''));
    return 0;
  },
});

/** @throws CannotStart when the settings, the tenants or the exemptions cannot be read */
export async function backstop(
  files: TenancyFiles,
  kubeconfig?: string,
  environment: Readonly<Record<string, string | undefined>> = {},
): Promise<string> {
  const fromFiles = orCannotStart(await readTenancy(files)).value;
  const { settings } = fromFiles;
  const asked = files.tenants === undefined && kubeconfig !== undefined;
  const exemptions = asked ? await exemptionObjects(settings, kubeconfig, environment) : fromFiles.exemptions;
  const source = files.tenants === undefined ? 'objects' : 'listed';
  const { documents, excess } = stampedBackstop({ ...fromFiles, exemptions }, source, Date.now());
  if (excess.length > 0) throw new CannotStart(excess.join('\n'));
  // Expressions keep the lines they were made with, and no line is broken.
  const format = { aliasDuplicateObjects: false, blockQuote: 'literal', lineWidth: 0 } as const;
  const head = `# Made by \`bulkhead backstop\` from the settings, tenants and exemptions; make it anew when they change.
# Apply it with \`kubectl apply --server-side --force-conflicts\`: with many exemptions it is too large for the annotation of other ways.
# What it does, and what it leaves to the webhook: ${docsPage(settings, 'outage.md')}.
`;
  return head + documents.map((document) => `---\n${stringify(document, format)}`).join('');
}

async function exemptionObjects(
  settings: Settings,
  kubeconfig: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Exemptions> {
  const location = locateCluster(kubeconfig, environment);
  if (location === undefined) throw new CannotStart('the kubeconfig names no cluster');
  const reader = readCluster(location);
  const silent = (): void => {};
  try {
    return (await reader.tenancy(settings, { info: silent, warn: silent, error: silent })).exemptions;
  } catch (error) {
    throw error instanceof Unreadable ? new CannotStart(error.message) : error;
  } finally {
    reader.close();
  }
}
