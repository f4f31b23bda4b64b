/** What `bulkhead diff` found, and how it prints it: a table, JSON, YAML, or names. For tools: see lint-formats.ts. */
import { stringify } from 'yaml';
import { manyTenants, sameTenant } from '../connectivity/changes.ts';
import type { ServiceChange } from '../connectivity/compare-services.ts';
import type { Layer7Change } from '../connectivity/layer7/changed.ts';
import type { UnreadPart } from '../connectivity/unread.ts';
import { type ScopeText, scopeLines } from './scope-text.ts';
import { table } from './table.ts';

/** Its fields are those of `bulkhead diff -o json`. No text has control characters. */
export interface DiffReport {
  /** Left out: everything is reported. */
  readonly scope?: ScopeText;
  /** Crossings first, then what is gained, then what is lost. */
  readonly changes: readonly DiffChange[];
  /** Of both sides together. */
  readonly workloads: number;
  /** The engines whose reading of the policies counts. */
  readonly readings: readonly string[];
  /** Services that lead to other pods or ports than before. */
  readonly services: readonly ServiceChange[];
  /** Policies about requests that differ, of a mesh or with rules of layer 7: what they open and close is not compared. */
  readonly layer7: readonly Layer7Change[];
  /** Of the policies that change, what is not understood: that may open or close more. */
  readonly unread: readonly UnreadPart[];
  /** What could not be read. */
  readonly problems: readonly string[];
}

/** Whether everything that may change a connection was read and understood. */
export function isComplete({ unread, problems }: Pick<DiffReport, 'unread' | 'problems'>): boolean {
  return unread.length + problems.length === 0;
}

export interface DiffChange {
  readonly change: 'gained' | 'lost';
  /** Gained over the border of a tenant: a finding. */
  readonly isCrossing: boolean;
  readonly from: DiffEnd;
  readonly to: DiffEnd;
  /** `5432/TCP`; `every port` */
  readonly ports: readonly string[];
  /** Any of these is enough. Empty where there are too many different ones. */
  readonly causes: readonly DiffCause[];
}

export interface DiffEnd {
  /**
   * A tenant, or one of `(platform)`, `(outside)`, `(nodes)` and `(another tenant)`. `(many tenants)` stands for more than are listed one by
   * one, and beside it `(the same tenant)` for each of them with itself.
   */
  readonly tenant: string;
  /** In order; the one of `tenant` where it stands for no others. */
  readonly tenants: readonly string[];
  /** In order. */
  readonly members: readonly string[];
}

export interface DiffCause {
  /** `NetworkPolicy acme-web/open allows it in spec.egress[0].to[0]` */
  readonly text: string;
  /** As `NetworkPolicy acme-web/open`. Empty where no policy is one. */
  readonly policies: readonly string[];
  readonly direction: 'ingress' | 'egress';
  /** On which of the two this is so: a policy that is gone was there in the old. */
  readonly side: 'old' | 'new';
  readonly path: string;
  /** Empty where the policy is of a cluster, or is made by Bulkhead. */
  readonly file: string;
  /** 0 without a file. */
  readonly line: number;
  readonly column: number;
}

export function crossings({ changes }: DiffReport): readonly DiffChange[] {
  return changes.filter(({ isCrossing }) => isCrossing);
}

function documentOf(report: DiffReport): object {
  const hasFindings = crossings(report).length > 0;
  return {
    apiVersion: 'bulkhead.dev/v1alpha1',
    kind: 'DiffReport',
    hasFindings,
    isComplete: isComplete(report),
    ...report,
  };
}

export const diffJson = (report: DiffReport): string => JSON.stringify(documentOf(report), null, 2);

export const diffYaml = (report: DiffReport): string => stringify(documentOf(report), { lineWidth: 0 }).trimEnd();

/** The policies that open crossings, each once, as kubectl takes them. */
export function diffNames(report: DiffReport): readonly string[] {
  const policies = crossings(report).flatMap(({ causes }) => causes.flatMap((one) => one.policies));
  const names = policies.map((one) => {
    const [kind = '', name = ''] = one.split(' ');
    return `${kind.toLowerCase()}/${name.slice(name.indexOf('/') + 1)}`;
  });
  return [...new Set(names)].sort();
}

export function diffTable(report: DiffReport, isWide: boolean): readonly string[] {
  const { changes, scope } = report;
  const notes = notesOf(report);
  if (changes.length === 0) return [...scopeLines(scope), ...notes, summary(report)];
  const heads = ['CHANGE', 'FROM', 'TO', 'PORTS', 'BECAUSE'];
  const bound = isWide ? wide : narrow;
  const rows = changes.flatMap((one) => rowsOf(one, bound));
  const shown = rows.slice(0, bound.rows);
  const more = rows.length > shown.length ? [`and ${rows.length - shown.length} more lines: -o json has all.`] : [];
  return [...scopeLines(scope), ...table([heads, ...shown]), ...more, '', ...notes, summary(report)];
}

/** Each range of addresses and each range of ports is a line of its own. */
function rowsOf({ change, isCrossing, from, to, ports, causes }: DiffChange, bound: Bound): readonly string[][] {
  const kind = isCrossing ? 'crossing' : change;
  const because = some(
    causes.map((one) => becauseOf(one, bound.places)),
    ...([bound.names, 'causes', '; '] as const),
  );
  const [sources, targets] = [endTexts(from, bound.names), endTexts(to, bound.names)];
  const rows: string[][] = [];
  for (const source of sources)
    for (const target of targets)
      for (const range of ports) {
        if (rows.length < bound.ofChange) rows.push([kind, source, target, range, because]);
        else {
          const rest = sources.length * targets.length * ports.length - rows.length;
          return [...rows, [kind, `and ${rest} more ranges of this change: -o json has all`]];
        }
      }
  return rows;
}

function endTexts(end: DiffEnd, most: number): readonly string[] {
  return end.tenant === '(outside)'
    ? end.members.map((member) => endText({ ...end, members: [member] }, most))
    : [endText(end, most)];
}

function notesOf({ problems, unread, services, layer7 }: DiffReport): readonly string[] {
  return [
    ...services.map(serviceText),
    ...(layer7.length > 0
      ? [
          `Not compared: what policies say of requests. ${layer7.map(({ policy, change }) => `${policy} is ${change}`).join(', ')}.`,
        ]
      : []),
    ...problems.map((one) => `Not read: ${one}`),
    ...unread.map(({ policy, field, reason }) => `Not understood: ${policy} ${field}: ${reason}`),
    ...(problems.length + unread.length > 0
      ? ['The answer is not complete: more connections may be gained or lost.']
      : []),
  ];
}

function serviceText({ service, selector, ports, workloads }: ServiceChange): string {
  const targets = [workloads.old, workloads.new].map(
    (one) => some(one, narrow.names, 'workloads', ', ') || 'no workload',
  );
  const parts = [
    ...(selector.old === selector.new ? [] : [`selector ${selector.old} becomes ${selector.new}`]),
    ...(ports.old.join() === ports.new.join() ? [] : [`${ports.old.join(', ')} becomes ${ports.new.join(', ')}`]),
    ...(targets[0] === targets[1] ? [] : [`${targets[0]} before, ${targets[1]} now`]),
  ];
  return `Service ${service} leads elsewhere: ${parts.join('; ')}.`;
}

/** How much is shown; of what is beyond, the number. */
interface Bound {
  /** Of workloads, and of causes. */
  readonly names: number;
  /** Lines of one change. */
  readonly ofChange: number;
  readonly rows: number;
  /** Whether the places of causes are. */
  readonly places: boolean;
}

const narrow: Bound = { names: 2, ofChange: 20, rows: 1000, places: false };
const wide: Bound = { names: 50, ofChange: 500, rows: 20_000, places: true };

function becauseOf({ text, file, line, column }: DiffCause, isPlaced: boolean): string {
  return isPlaced && file !== '' ? `${text} (${file}:${line}:${column})` : text;
}

export function endText({ tenant, tenants, members }: DiffEnd, most: number): string {
  const noun = tenant === '(outside)' ? 'ranges and names' : 'workloads';
  const text = some(members, most, noun, ', ');
  if (tenant === manyTenants) return `${tenants.length} tenants: ${text}`;
  if (tenant === sameTenant) return `the same tenant: ${text}`;
  // Its members say whose they are.
  return tenant === '(nodes)' ? 'nodes' : tenant === '(another tenant)' ? text : `${tenant}: ${text}`;
}

export function some(texts: readonly string[], most: number, noun: string, joint: string): string {
  if (texts.length <= most) return texts.join(joint);
  return `${texts.slice(0, most).join(joint)} and ${texts.length - most} more ${noun}`;
}

function summary(report: DiffReport): string {
  const { changes, workloads, readings } = report;
  const over = crossings(report).length;
  const gained = changes.filter(({ change }) => change === 'gained').length - over;
  const lost = changes.length - over - gained;
  const counts = [
    ...(over === 0 ? [] : [`${over} ${over === 1 ? 'crossing' : 'crossings'}`]),
    ...(gained === 0 ? [] : [`${gained} gained`]),
    ...(lost === 0 ? [] : [`${lost} lost`]),
  ];
  const found = counts.length === 0 ? 'no connection changes' : counts.join(', ');
  return `${workloads} workload${workloads === 1 ? '' : 's'}, read as ${readings.join(' and ')}: ${found}.`;
}
