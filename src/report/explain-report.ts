/** How `bulkhead explain` says what it found: sentences, JSON or YAML. */
import { stringify } from 'yaml';
import type { End } from '../connectivity/endpoints.ts';
import { type Explanation, nameOfParty, type PairAnswer, pathText } from '../connectivity/explain.ts';
import { differenceOf } from '../connectivity/port-set.ts';
import { portsText, sameSet } from '../connectivity/port-text.ts';
import { refText } from '../connectivity/snapshot.ts';
import type { UnreadPart } from '../connectivity/unread.ts';
import { isBlockedAtLayer7, isBlockedInMesh, isConditional, layer7Document, layer7Text } from './explain-layer7.ts';
import { namelessText, sideText } from './explain-sides.ts';

/** What would have to change on one side. */
export interface Remedy {
  /** Sentences. */
  readonly says: readonly string[];
  /** Lines of an object to add; none where a policy does not help. */
  readonly manifest: readonly string[];
}

export interface ExplainReport {
  readonly from: End;
  readonly to: End;
  /** As it was asked; empty for every port. */
  readonly port: string;
  /** One, or one for each reading of the policies. */
  readonly explanations: readonly Explanation[];
  /** Of the first pair that is blocked. */
  readonly remedies: readonly Remedy[];
  readonly notes: readonly string[];
  /** Of policies about an end, what is not understood: that may open or deny more. */
  readonly unread: readonly UnreadPart[];
  /** What could not be read at all, each a sentence. */
  readonly problems: readonly string[];
}

/** Whether nothing is left out that may change the answer. */
export function isUnderstood({ unread, problems }: Pick<ExplainReport, 'unread' | 'problems'>): boolean {
  return unread.length + problems.length === 0;
}

export type Verdict = 'open' | 'blocked' | 'partly open';

/** Only so many answers are shown in full. */
const mostAnswers = 5;
const mostUnread = 10;

export function verdictOf(explanation: Explanation): Verdict {
  const { answers } = explanation;
  const isOpen = answers.every(({ open, asked }) => asked.length > 0 && sameSet(open, asked));
  if (isOpen && answers.length > 0) return 'open';
  return answers.some(({ open }) => open.length > 0) ? 'partly open' : 'blocked';
}

/** What counts where readings differ: what one of them lets through is open. */
export function worstOf(explanations: readonly Explanation[]): Verdict {
  const verdicts = explanations.map(verdictOf);
  return (['open', 'partly open'] as const).find((one) => verdicts.includes(one)) ?? 'blocked';
}

/** @param isWide all policies that isolate a side or let it through, and not the first alone */
export function explainText(report: ExplainReport, isWide = false): readonly string[] {
  const { from, to, port, explanations, remedies, notes } = report;
  const on = port === '' ? '' : ` on ${port}`;
  const isAlike = explanations.every(
    (one) => JSON.stringify(shapeOf(one)) === JSON.stringify(shapeOf(explanations[0])),
  );
  const shown = isAlike ? explanations.slice(0, 1) : explanations;
  const lines: string[] = [];
  for (const one of shown) {
    const reading = isAlike ? '' : `${one.reading === 'by the book' ? 'By the book' : `As ${one.reading} reads it`}: `;
    const verdict = `${verdictText(one)}${isUnderstood(report) ? '' : ', as far as it is understood'}`;
    lines.push(`${reading}${from.name} -> ${to.name}${on}: ${verdict}`, ...answersText(one, report, isWide), '');
  }
  if (!isUnderstood(report)) lines.push('Not understood, so more may be open or denied:', ...unreadText(report), '');
  for (const { says, manifest } of remedies) lines.push(...says, ...(manifest.length > 0 ? ['', ...manifest] : []), '');
  for (const note of notes) lines.push(`Note: ${note}.`);
  while (lines.at(-1) === '') lines.pop();
  return lines;
}

function unreadText({ unread, problems }: ExplainReport): readonly string[] {
  const all = [...unread.map(({ policy, field, reason }) => `${policy} ${field}: ${reason}`), ...problems];
  const more = all.length > mostUnread ? [`${all.length - mostUnread} more; -o json lists them`] : [];
  return [...all.slice(0, mostUnread), ...more].map((one) => `  ${one}`);
}

function answersText(
  { answers, left }: Explanation,
  { from, to, port }: ExplainReport,
  isWide: boolean,
): readonly string[] {
  const hasMany = [from, to].some(({ parties, isInternet }) => parties.length > 1 && isInternet !== true);
  const isMany = answers.length > 1 || (hasMany && (answers[0]?.pairs ?? 1) > 1);
  const lines = answers.slice(0, mostAnswers).flatMap((answer) => {
    const others = answer.pairs > 1 ? ` (and ${answer.pairs - 1} more)` : '';
    const pair = `${nameOfParty(answer.from, from)} -> ${nameOfParty(answer.to, to)}${others}`;
    const open = port === '' || isMany ? [`  ${isMany ? `${pair}: ` : ''}${openText(answer)}`] : [];
    const sides =
      answer.asked.length === 0
        ? namelessText(answer)
        : [...answer.sides.flatMap((side) => sideText(side, answer, isWide)), ...layer7Text(answer)];
    return ['', ...open, ...(isMany ? sides.map((line) => `  ${line}`) : sides)];
  });
  const more = answers.slice(mostAnswers).reduce((sum, { pairs }) => sum + pairs, left);
  return more > 0 ? [...lines, '', `  ${more} more pairs of pods; -o json lists them by their rules`] : lines;
}

/** The words of the first line, and of a line about one pair. */
function verdictText(explanation: Explanation): string {
  const verdict = verdictOf(explanation);
  const { answers } = explanation;
  if (verdict === 'blocked')
    return answers.length > 0 && answers.every(isBlockedAtLayer7) ? 'blocked at layer 7' : verdict;
  const conditional = answers.filter(isConditional);
  if (conditional.length === 0) return verdict;
  return conditional.every(isBlockedInMesh)
    ? `${verdict}, and blocked at layer 7 where the called pods are in the mesh`
    : `${verdict}, for requests that match at layer 7`;
}

function openText({ open, asked }: PairAnswer): string {
  if (asked.length === 0) return 'blocked, as the pod has no port of that name';
  return open.length === 0 ? 'blocked' : `open on ${portsText(open)}`;
}

interface Shape {
  readonly reading: string;
  readonly verdict: Verdict;
  readonly pairs: readonly unknown[];
}

/** For JSON and YAML; without the reading it tells whether two readings say the same. */
function shapeOf(explanation: Explanation | undefined): Omit<Shape, 'reading'> | undefined {
  if (explanation === undefined) return undefined;
  return {
    verdict: verdictOf(explanation),
    pairs: explanation.answers.map(({ from, to, pairs, open, unconditional, asked, sides, layer7 }) => ({
      from: from.kind === 'pod' ? `${from.namespace.name}/${from.workloads[0]?.name}` : from.kind,
      to: to.kind === 'pod' ? `${to.namespace.name}/${to.workloads[0]?.name}` : to.kind,
      pairs,
      open: portsText(open),
      onlyForSomeRequests: portsText(differenceOf(open, unconditional)),
      sides: sides.map((side) => ({
        direction: side.direction,
        namespace: side.pods.namespace.name,
        open: portsText(side.open),
        decisions: side.decisions.map(({ stage, step, action, ports }) => ({
          ports: portsText(ports),
          action,
          ...(step === undefined
            ? { by: stage === undefined ? 'nothing denies it' : stage.closedBy.map(({ ref }) => refText(ref)) }
            : {
                policy: refText(step.policy.ref),
                field: pathText(step),
                ...(step.rule.layer7 !== undefined && { layer7: step.rule.layer7 }),
              }),
        })),
        ...(asked.length === 0 && { reason: 'the pod has no port of that name' }),
      })),
      ...(layer7 !== undefined && { layer7: layer7Document(layer7) }),
    })),
  };
}

export function explainDocument(report: ExplainReport, format: 'json' | 'yaml'): string {
  const { from, to, port, explanations, remedies, notes, unread, problems } = report;
  const document = {
    from: from.name,
    to: to.name,
    port,
    verdict: worstOf(explanations),
    isUnderstood: isUnderstood(report),
    unread,
    problems,
    readings: explanations.map((one) => ({ reading: one.reading, ...shapeOf(one), left: one.left })),
    remedies: remedies.map(({ says, manifest }) => ({ says, manifest: manifest.join('\n') })),
    notes,
  };
  return format === 'json' ? JSON.stringify(document, undefined, 2) : stringify(document).trimEnd();
}
