/** Reads a cluster in use once, and reports all that Bulkhead would reject and cut off in it. Changes nothing. */
import { readCluster, Unreadable } from '../facts/cluster-reader.ts';
import { readTenancy } from '../files/read-tenancy.ts';
import { auditDocument, auditLines, hasFindings } from '../report/audit-report.ts';
import { survey } from './audit-survey.ts';
import { CannotStart, orCannotStart } from './cannot-start.ts';
import { locationOf } from './cluster-location.ts';
import { defineCommand } from './command.ts';
import { oneOf } from './options.ts';
import { readerOptions, tenancyOptions } from './shared-options.ts';

export const command = defineCommand({
  summary: 'report, read-only, everything in a cluster that would be rejected or cut off',
  details: 'Ends with 1 when something is found, when nothing could be checked, or when a part could not be read.',
  options: {
    ...tenancyOptions,
    ...readerOptions,
    output: { ...oneOf('FORMAT', ['table', 'json'], 'print the report in this format', 'table'), short: 'o' },
  },
  async run(values, { print, environment }) {
    const { value: fromFiles } = orCannotStart(await readTenancy(values));
    const reader = readCluster(locationOf('audit', values, environment));
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
