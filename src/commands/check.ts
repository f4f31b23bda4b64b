/** Reads settings, tenants and exemptions as `serve` would, and reports all that is wrong or doubtful. For CI; needs no cluster. */
import { readTenancy } from '../files/read-tenancy.ts';
import { formatProblem, type Loaded, type Problem } from '../tenancy/problem.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import { defineCommand } from './command.ts';
import { Misuse } from './misuse.ts';
import { flag, oneOf, optionalText } from './options.ts';
import { tenancyOptions } from './shared-options.ts';

export const command = defineCommand({
  summary: 'report what is wrong or doubtful in files of settings, tenants and exemptions',
  details:
    'Ends with 1 when something is found. Reads files alone, so it fits into CI. GateRequests are judged as if those in the files were all.',
  operands: {
    name: 'FILES',
    help: 'more files, and folders of files, with such documents and GateRequests; documents of other kinds are left alone there',
  },
  options: {
    ...tenancyOptions,
    tenants: optionalText('DIR', tenancyOptions.tenants.help, 'none'),
    'allow-warnings': flag('end with 0 when nothing is found but warnings'),
    output: { ...oneOf('FORMAT', ['text', 'json'], 'print the findings in this format', 'text'), short: 'o' },
  },
  async run(values, { print }, others) {
    const { tenants, config, output } = values;
    if (tenants === undefined && config === undefined && others.length === 0)
      throw new Misuse('there is nothing to check: give --config FILE, --tenants DIR, or files');
    const loaded = await readTenancy({ tenants, config, others });
    const findings = findingsOf(loaded);
    for (const line of output === 'json' ? [checkDocument(findings, loaded)] : checkLines(findings, loaded))
      print(line);
    return findings.some(({ severity }) => severity === 'error' || !values['allow-warnings']) ? 1 : 0;
  },
});

interface CheckFinding extends Problem {
  readonly severity: 'error' | 'warning';
}

/** While something cannot be read, nothing is known about how the rest goes together: there are errors or warnings. */
function findingsOf(loaded: Loaded<Tenancy>): readonly CheckFinding[] {
  return loaded.ok
    ? loaded.warnings.map((one) => ({ severity: 'warning', ...one }))
    : loaded.problems.map((one) => ({ severity: 'error', ...one }));
}

const exemptionsIn = ({ exemptions }: Tenancy): number =>
  [...exemptions.values()].reduce((sum, { length }) => sum + length, 0);

function checkDocument(findings: readonly CheckFinding[], loaded: Loaded<Tenancy>): string {
  const read = loaded.ok && { tenants: loaded.value.tenants.size, exemptions: exemptionsIn(loaded.value) };
  return JSON.stringify({ apiVersion: 'bulkhead.dev/v1alpha1', kind: 'CheckReport', ...read, findings }, null, 2);
}

function checkLines(findings: readonly CheckFinding[], loaded: Loaded<Tenancy>): readonly string[] {
  const lines = findings.map(formatProblem);
  if (!loaded.ok) return [...lines, `${count(findings.length, 'error')}: \`bulkhead serve\` would not load this`];
  const { value } = loaded;
  const read = `${count(value.tenants.size, 'tenant')} and ${count(exemptionsIn(value), 'exemption')} can be loaded`;
  return [...lines, findings.length === 0 ? read : `${read}: ${count(findings.length, 'warning')}`];
}

const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`;
