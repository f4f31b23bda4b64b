/** What is read again while a replica runs, in the log and the metrics: each good state, and each bad one that is not in force. */
import type { Logger } from '../server/log.ts';
import type { Metrics } from '../server/metrics.ts';
import { formatProblem, type Problem } from '../tenancy/problem.ts';

export interface ReloadReports {
  warn(warnings: readonly Problem[]): void;
  /** @param what for example `namespaces` */
  inForce(what: string, warnings: readonly Problem[], fields: Readonly<Record<string, number | string>>): void;
  notInForce(what: string, problems: readonly Problem[]): void;
  /** For what logs its problems itself. */
  count(what: string, problems: number): void;
}

export function createReloadReports(log: Logger, metrics: Metrics): ReloadReports {
  const counts = new Map<string, number>();

  function warn(warnings: readonly Problem[]): void {
    for (const warning of warnings) log.warn(formatProblem(warning));
  }
  function count(what: string, problems: number): void {
    counts.set(what, problems);
    metrics.tenancyProblems([...counts.values()].reduce((sum, one) => sum + one, 0));
  }
  return {
    warn,
    count,
    inForce(what, warnings, fields) {
      count(what, 0);
      warn(warnings);
      log.info(fields, `new ${what} are in force`);
    },
    notInForce(what, problems) {
      count(what, problems.length);
      for (const problem of problems) log.error(formatProblem(problem));
      log.error(`the ${what} that were read last are not in force; the ones before still are`);
    },
  };
}
