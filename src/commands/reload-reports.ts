/** What is read again while a replica runs, in the log and the metrics: each good state, and each bad one that is not in force. */
import type { Logger } from '../server/log.ts';
import type { Metrics } from '../server/metrics.ts';
import { formatPlace, formatProblem, type Problem } from '../tenancy/problem.ts';

export interface ReloadReports {
  warn(warnings: readonly Problem[]): void;
  /** @param what for example `namespaces` */
  inForce(what: string, warnings: readonly Problem[], fields: Readonly<Record<string, number | string>>): void;
  notInForce(what: string, problems: readonly Problem[]): void;
  /** For what logs its problems itself. */
  count(what: string, problems: number): void;
  /** What is not in force now, and where its first problem is: one sentence each, without the texts of documents. */
  rejected(): readonly string[];
}

export function createReloadReports(log: Logger, metrics: Metrics): ReloadReports {
  const counts = new Map<string, number>();
  const rejections = new Map<string, string>();

  function warn(warnings: readonly Problem[]): void {
    for (const warning of warnings) log.warn(formatProblem(warning));
  }
  function count(what: string, problems: number): void {
    counts.set(what, problems);
    const subject = `${what}: ${problems} that ${problems === 1 ? 'is' : 'are'} not in force as written`;
    if (problems === 0) rejections.delete(what);
    else rejections.set(what, `${subject}; their status says why`);
    metrics.tenancyProblems([...counts.values()].reduce((sum, one) => sum + one, 0));
  }
  return {
    warn,
    count,
    rejected: () => [...rejections.values()],
    inForce(what, warnings, fields) {
      count(what, 0);
      warn(warnings);
      log.info(fields, `new ${what} are in force`);
    },
    notInForce(what, problems) {
      count(what, problems.length);
      rejections.set(what, rejection(what, problems));
      for (const problem of problems) log.error(formatProblem(problem));
      log.error(`the ${what} that were read last are not in force; the ones before still are`);
    },
  };
}

/** Every client in the cluster may read it, so it says where a problem is, and not its content. */
function rejection(what: string, problems: readonly Problem[]): string {
  const [first] = problems;
  const place = first === undefined ? '' : `, the first at ${formatPlace(first)}`;
  const number = `${problems.length} problem${problems.length === 1 ? '' : 's'}`;
  return `${what}: what was read last is not in force (${number}${place}); the log says more`;
}
