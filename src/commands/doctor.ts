/** Looks at everything around Bulkhead that its promises rest on, and changes nothing. */
import { examine } from '../doctor/examine.ts';
import { selfTest, WrongPerson } from '../doctor/self-test.ts';
import { readCluster, Unreadable } from '../facts/cluster-reader.ts';
import { readTenancy } from '../files/read-tenancy.ts';
import { doctorDocument, doctorLines, isIll } from '../report/doctor-report.ts';
import { formatProblem } from '../tenancy/problem.ts';
import { doubtsAbout } from './audit-namespaces.ts';
import { backstopAge, stampedBackstop } from './backstop-age.ts';
import { CannotStart, orCannotStart } from './cannot-start.ts';
import { locationOf } from './cluster-location.ts';
import { defineCommand } from './command.ts';
import { Misuse } from './misuse.ts';
import { flag, oneOf, optionalText, texts } from './options.ts';
import { readerOptions, tenancyOptions } from './shared-options.ts';

export const command = defineCommand({
  summary: 'report, read-only, what around Bulkhead lets tenants get past it',
  details:
    'Looks at the network plugin, the webhook configurations, address ranges, DNS, rights, replicas and certificates. Ends with 1 when something is found, or when a part could not be looked at.',
  options: {
    ...tenancyOptions,
    ...readerOptions,
    'self-test': flag('also try ten known attacks, as dry runs, as the member of --as in --namespace'),
    as: optionalText('NAME', 'make the self-test in the name of this user or service account', 'none'),
    'as-group': texts('GROUP', 'make the self-test as a member of this group; repeat for more groups', 'none'),
    namespace: optionalText('NAME', 'make the self-test in this namespace of a tenant', 'none'),
    output: { ...oneOf('FORMAT', ['text', 'json'], 'print the report in this format', 'text'), short: 'o' },
  },
  async run(values, { print, environment }) {
    const test = testOf(values);
    const { value: fromFiles, warnings } = orCannotStart(await readTenancy(values));
    const location = locationOf('doctor', values, environment);
    const reader = readCluster(location);
    try {
      const doubts = warnings.map(formatProblem);
      const tell = (_: unknown, message: string): void => void doubts.push(message);
      const fromObjects = values.tenants === undefined;
      const log = { info: () => {}, warn: tell, error: tell };
      const tenancy = fromObjects ? await reader.tenancy(fromFiles.settings, log) : fromFiles;
      const source = fromObjects ? 'objects' : 'listed';
      const report = await examine(reader, tenancy, {
        tools: {
          doubtsAbout,
          backstopAge: (stamps) => backstopAge(stamps, stampedBackstop(tenancy, source, Date.now()).stamp),
        },
        doubts,
        inCluster: location.kind === 'in-cluster',
        wallClock: Date.now,
      });
      const tried = test && { selfTest: await selfTest(reader, tenancy, test.as, test.namespace) };
      const whole = { ...report, ...tried };
      for (const line of values.output === 'json' ? [doctorDocument(whole)] : doctorLines(whole)) print(line);
      return isIll(whole) ? 1 : 0;
    } catch (error) {
      throw error instanceof Unreadable || error instanceof WrongPerson ? new CannotStart(error.message) : error;
    } finally {
      reader.close();
    }
  },
});

interface TestOptions {
  readonly 'self-test': boolean;
  readonly as: string | undefined;
  readonly 'as-group': readonly string[];
  readonly namespace: string | undefined;
}

/** @throws Misuse */
function testOf({ 'self-test': wanted, as: user, 'as-group': groups, namespace }: TestOptions) {
  if (!wanted) {
    if (user !== undefined || namespace !== undefined || groups.length > 0)
      throw new Misuse('--as, --as-group and --namespace go with --self-test');
    return undefined;
  }
  if (!user || !namespace)
    throw new Misuse(
      '--self-test needs --as NAME, a member of a tenant, and --namespace NAME, a namespace of that tenant',
    );
  if (!/^[a-z0-9-]{1,63}$/.test(namespace))
    throw new Misuse(`--namespace is the name of a namespace, not ${namespace}`);
  // They are sent as headers.
  if (![user, ...groups].every((name) => /^[!-~](?:[ -~]*[!-~])?$/.test(name)))
    throw new Misuse('--as and --as-group are names of printable ASCII characters');
  return { as: { user, groups }, namespace };
}
