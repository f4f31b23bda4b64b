/** Runs the checks one after the other, and gathers what they find. Of a large cluster it keeps the namespaces, and some findings of each id. */
import { printable } from '../admission/message.ts';
import { describe } from '../client/failure.ts';
import { type RequestingReader, Unreadable } from '../facts/cluster-reader.ts';
import { namespaceRecord, namespacesPath } from '../facts/namespaces.ts';
import { bySeverity, type DoctorFinding, type DoctorReport } from '../report/doctor-report.ts';
import { docsPage } from '../tenancy/docs-page.ts';
import type { Owner, Tenancy } from '../tenancy/tenancy.ts';
import type { DoctorTools, Examination } from './check.ts';
import { checks, findingKinds } from './checks.ts';

/** Findings of one id that are listed; the rest is counted. */
const mostListed = 100;
/** Of what is quoted from the cluster. */
const longestText = 600;

export interface ExamineOptions {
  readonly tools: DoctorTools;
  /** What is wrong or doubtful in settings, Tenants, Exemptions and GateRequests, in sentences. */
  readonly doubts: readonly string[];
  readonly inCluster: boolean;
  /** The clock of this machine, in milliseconds since the epoch. */
  readonly wallClock: () => number;
}

/** @throws Unreadable without the namespaces, which everything else rests on */
export async function examine(
  reader: RequestingReader,
  tenancy: Tenancy,
  { tools, doubts, inCluster, wallClock }: ExamineOptions,
): Promise<DoctorReport> {
  const kinds = findingKinds();
  const findings = new Map<string, DoctorFinding[]>();
  const notListed = new Map<string, number>();
  const notLookedAt: { what: string; why: string }[] = [];
  const owners = new Map<string, Owner>();
  await reader.each(namespacesPath, (object) => {
    const { name, labels } = namespaceRecord(object);
    owners.set(name, tenancy.ownerByLabels(labels));
  });
  const { now, localNow } = await clocks(reader, wallClock);

  const common: Omit<Examination, 'list' | 'get'> = {
    tenancy,
    now: now ?? localNow,
    localNow,
    inCluster,
    doubts,
    tools,
    connection: reader.connection,
    ownerOf: (namespace) => owners.get(namespace),
    isPlatform: (namespace) => owners.get(namespace) === 'platform' && tenancy.reservation(namespace) === 'platform',
    found(id, { where, why, fix, severity }) {
      const kind = kinds.get(id);
      if (kind === undefined) throw new Error(`no check declares the finding ${id}`);
      const list = findings.get(id) ?? [];
      if (list.length >= mostListed) {
        notListed.set(id, (notListed.get(id) ?? 0) + 1);
        return;
      }
      const texts = { where: shown(where), why: shown(why), fix: shown(fix ?? kind.fix) };
      findings.set(id, [...list, { id, severity: severity ?? kind.severity, ...texts }]);
    },
    notLookedAt: (what, why) => void notLookedAt.push({ what: shown(what), why: shown(why) }),
  };
  if (now === undefined) common.notLookedAt('clock', 'the API server answers without a Date header');
  for (const check of checks) {
    await check.look({
      ...common,
      async list(paths, tell) {
        try {
          await reader.eachServed(paths, tell);
          return true;
        } catch (error) {
          if (!(error instanceof Unreadable)) throw error;
          common.notLookedAt(check.about, error.message);
          return false;
        }
      },
      async get(path) {
        const answer = await reader.get(path);
        if (answer.ok) return answer.body;
        if (answer.status !== 404) common.notLookedAt(check.about, `${path}: ${describe(answer)}`);
        return undefined;
      },
    });
  }
  return {
    findings: [...findings.values()].flat().sort(bySeverity),
    notListed: [...notListed].map(([id, count]) => ({ id, count })),
    notLookedAt: unique(notLookedAt),
    page: docsPage(tenancy.settings, 'how-to/doctor.md'),
  };
}

/** What both clocks show. Half of the way of the answer counts to each side, and the header has whole seconds. */
async function clocks(
  reader: RequestingReader,
  wallClock: () => number,
): Promise<{ readonly now: number | undefined; readonly localNow: number }> {
  const before = wallClock();
  const answer = await reader.get('/version');
  const localNow = (before + wallClock()) / 2;
  return { now: answer.ok ? answer.date : undefined, localNow };
}

function unique(list: readonly { what: string; why: string }[]): DoctorReport['notLookedAt'] {
  return [...new Map(list.map((one) => [`${one.what} ${one.why}`, one])).values()];
}

/** Names, labels and versions are others' text: nothing of it may move the cursor of a terminal, or fill its screen. */
function shown(text: string): string {
  const safe = printable(text);
  return safe.length <= longestText ? safe : `${safe.slice(0, longestText - 3)}...`;
}
