/** What `bulkhead doctor` prints: findings in, lines out. With `-o json` the report itself is printed (docs/how-to/doctor.md). */

/** `error`: something gets past Bulkhead, or may. `warning`: protection or availability is weaker. `note`: worth knowing; no finding. */
export type Severity = 'error' | 'warning' | 'note';

export interface DoctorFinding {
  /** Permanent; docs/how-to/doctor.md lists them. */
  readonly id: string;
  readonly severity: Severity;
  /** The object, and the field where there is one. */
  readonly where: string;
  readonly why: string;
  readonly fix: string;
}

/** `untried`: something else than Bulkhead answered, so nothing is known of Bulkhead. */
export type AttackOutcome = 'refused' | 'admitted' | 'untried';

export interface TriedAttack {
  /** Of test/attacks/README.md. */
  readonly id: string;
  readonly attack: string;
  readonly outcome: AttackOutcome;
  /** What the API server said. */
  readonly answer: string;
}

export interface SelfTest {
  readonly as: string;
  readonly groups: readonly string[];
  readonly namespace: string;
  readonly tenant: string;
  readonly attacks: readonly TriedAttack[];
}

/** Its fields are the JSON of `bulkhead doctor -o json`. */
export interface DoctorReport {
  /** The most severe first. */
  readonly findings: readonly DoctorFinding[];
  /** Findings beyond those that are listed, by id. */
  readonly notListed: readonly { readonly id: string; readonly count: number }[];
  readonly notLookedAt: readonly { readonly what: string; readonly why: string }[];
  /** Undefined: it was not asked for. */
  readonly selfTest?: SelfTest;
  /** Where the meaning of each id is. */
  readonly page: string;
}

const order: readonly Severity[] = ['error', 'warning', 'note'];

export function bySeverity(one: DoctorFinding, other: DoctorFinding): number {
  return order.indexOf(one.severity) - order.indexOf(other.severity);
}

/** Whether there is something to do, or the look is incomplete. */
export function isIll({ findings, notLookedAt, selfTest }: DoctorReport): boolean {
  return (
    findings.some(({ severity }) => severity !== 'note') ||
    notLookedAt.length > 0 ||
    (selfTest?.attacks ?? []).some(({ outcome }) => outcome !== 'refused')
  );
}

/** One document: the report, and whether the command ends with 1. */
export function doctorDocument(report: DoctorReport): string {
  const head = { apiVersion: 'bulkhead.dev/v1alpha1', kind: 'DoctorReport', hasFindings: isIll(report) };
  return JSON.stringify({ ...head, ...report }, null, 2);
}

export function doctorLines(report: DoctorReport): readonly string[] {
  const { findings, notListed, notLookedAt, selfTest, page } = report;
  const parts = [
    ...findings.map(({ id, severity, where, why, fix }) => [
      `${severity} ${id}: ${where}`,
      `  ${why}`,
      `  fix: ${fix}`,
    ]),
    notListed.map(({ id, count }) => `${id}: ${count} more that are not listed`),
    unseenLines(notLookedAt),
    selfTest === undefined ? [] : selfTestLines(selfTest),
    [`${summary(report)}${findings.length === 0 ? '' : ` What each id means: ${page}`}`],
  ].filter((lines) => lines.length > 0);
  return parts.flatMap((lines, index) => (index === 0 ? lines : ['', ...lines]));
}

function unseenLines(unseen: DoctorReport['notLookedAt']): readonly string[] {
  const lines = unseen.map(({ what, why }) => `not looked at: ${what}: ${why}`);
  const isForbidden = unseen.some(({ why }) => /\b403\b/.test(why));
  return isForbidden
    ? [...lines, '  fix: bind the ClusterRole bulkhead-doctor to your account (manifests/components/roles/doctor.yaml)']
    : lines;
}

function summary({ findings, notListed, notLookedAt, selfTest }: DoctorReport): string {
  const counts = order.flatMap((severity) => {
    const number = findings.filter((one) => one.severity === severity).length;
    return number === 0 ? [] : [count(number, severity)];
  });
  const found = counts.length === 0 ? 'Nothing found' : counts.join(', ');
  const hidden = notListed.length === 0 ? '' : ', and more that are not listed';
  const unseen = notLookedAt.length === 0 ? [] : [`${count(notLookedAt.length, 'part')} not looked at`];
  const attacks = selfTest?.attacks.filter(({ outcome }) => outcome !== 'refused').length ?? 0;
  const unrefused = attacks === 0 ? [] : [`${count(attacks, 'attack')} not refused`];
  return `${[`${found}${hidden}`, ...unseen, ...unrefused].join('; ')}.`;
}

const outcomes: Readonly<Record<AttackOutcome, string>> = {
  refused: 'refused by Bulkhead',
  admitted: 'ADMITTED',
  untried: 'not tried',
};

function selfTestLines({ as, groups, namespace, tenant, attacks }: SelfTest): readonly string[] {
  const refused = attacks.filter(({ outcome }) => outcome === 'refused').length;
  const who = [as, ...groups.map((group) => `group ${group}`)].join(', ');
  return [
    `Self-test as ${who} in namespace ${namespace} of tenant ${tenant}; every request was a dry run:`,
    ...attacks.flatMap(({ id, attack, outcome, answer }) => [
      `  ${id}  ${outcomes[outcome]}: ${attack}`,
      `    ${answer}`,
    ]),
    `${refused} of ${attacks.length} attacks were refused by Bulkhead.`,
  ];
}

const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`;
