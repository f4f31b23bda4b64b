/** Reads a cluster in use once, and reports all that Bulkhead would reject and cut off in it. Changes nothing. */
import { locateCluster } from '../client/location.ts';
import { readCluster, Unreadable } from '../facts/cluster-reader.ts';
import { readTenancy } from '../files/read-tenancy.ts';
import { auditDocument, auditLines, hasFindings } from '../report/audit-report.ts';
import { survey } from './audit-survey.ts';
import { CannotStart, orCannotStart } from './cannot-start.ts';
import { defineCommand } from './command.ts';
import { oneOf, optionalText } from './options.ts';
import { tenancyOptions } from './shared-options.ts';

export const command = defineCommand({
  summary: 'report, read-only, everything in a cluster that would be rejected or cut off',
  details: 'Ends with 1 when something is found, when nothing could be checked, or when a part could not be read.',
  options: {
    ...tenancyOptions,
    kubeconfig: optionalText(
      'FILE',
      'connect to the API server of this kubeconfig',
      'the file in $KUBECONFIG, otherwise the service account of the pod',
    ),
    context: optionalText('NAME', 'use this context of the kubeconfig', 'its current context'),
    output: { ...oneOf('FORMAT', ['table', 'json'], 'print the report in this format', 'table'), short: 'o' },
  },
  async run(values, { print, environment }) {
    const { value: fromFiles } = orCannotStart(await readTenancy(values));
    const reader = readCluster(locationOf(values, environment));
    try {
      const problems: string[] = [];
      const tell = (_: unknown, message: string): void => void problems.push(message);
      const log = { info: () => {}, warn: tell, error: tell };
      const fromObjects = values.tenants === undefined;
      const tenancy = fromObjects ? await reader.tenancy(fromFiles.settings, log) : fromFiles;
      const report = await survey(reader, tenancy, fromObjects ? 'objects' : 'listed', problems);
      for (const line of values.output === 'json' ? [auditDocument(report)] : auditLines(report)) print(line);
      return hasFindings(report) ? 1 : 0;
    } catch (error) {
      throw error instanceof Unreadable ? new CannotStart(error.message) : error;
    } finally {
      reader.close();
    }
  },
});

function locationOf(
  { kubeconfig, context }: { readonly kubeconfig: string | undefined; readonly context: string | undefined },
  environment: Readonly<Record<string, string | undefined>>,
) {
  const file = kubeconfig ?? (environment.KUBECONFIG || undefined);
  if (kubeconfig === undefined && file?.includes(':'))
    throw new CannotStart('$KUBECONFIG names several files, and audit reads one: give --kubeconfig FILE');
  const location = locateCluster(file, environment);
  if (location === undefined) throw new CannotStart('audit needs a cluster to look at: give --kubeconfig FILE');
  if (context === undefined) return location;
  if (location.kind !== 'kubeconfig') throw new CannotStart('--context goes with a kubeconfig: give --kubeconfig FILE');
  return { ...location, context };
}
