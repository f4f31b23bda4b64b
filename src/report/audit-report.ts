/** What `bulkhead audit` prints: findings in, lines out. With `-o json` the report itself is printed (docs/audit-report.md). */
import type { ScopeText } from './scope-text.ts';
import { table } from './table.ts';

/** Objects of one tenant in which one check finds something. */
export interface FindingGroup {
  readonly check: string;
  readonly tenant: string;
  readonly mode: string;
  /** Whether the check rejects in every mode; otherwise in mode enforce. */
  readonly always: boolean;
  readonly count: number;
  /** The first {@link mostNames} of them, as `KIND NAMESPACE/NAME`. */
  readonly names: readonly string[];
  /** A field of the first one. */
  readonly path: string;
  /** The fix of that finding. */
  readonly fix: string;
}

/** A namespace of a tenant with pods that no policy isolates. */
export interface CutOffNamespace {
  readonly namespace: string;
  readonly tenant: string;
  readonly mode: string;
  readonly pods: number;
  readonly ingress: number;
  readonly egress: number;
  readonly losing: number;
  readonly names: readonly string[];
}

/** What would be rejected. Of files nothing else is known. */
export interface Rejections {
  readonly observes: boolean;
  /** By check and tenant. */
  readonly rejected: readonly FindingGroup[];
  /** Where the pages of the checks are. */
  readonly checksPage: string;
}

/** Its fields are the JSON of `bulkhead audit -o json`. */
export interface AuditReport extends Rejections {
  /** Undefined: everything. With it, `exemptions` and `accounts` are empty, and `backstop` is no finding. */
  readonly scope?: ScopeText;
  /** What is wrong with Tenant and Exemption objects. */
  readonly problems: readonly string[];
  readonly tenantLabel: string;
  /** With the tenant label. */
  readonly namespaces: number;
  readonly cutOff: readonly CutOffNamespace[];
  /** By tenant: what its baseline leaves open. */
  readonly opened: readonly { readonly tenant: string; readonly policies: string }[];
  /** Those with a namespace. */
  readonly tenants: readonly { readonly name: string; readonly mode: string }[];
  /** Reserved keys on namespaces of tenants. */
  readonly keys: readonly {
    /** The entry that reserves it. */
    readonly key: string;
    /** Whether the settings list an account that may write it there. Without one it is among the rejected. */
    readonly listed: boolean;
    /** Of namespaces. */
    readonly count: number;
    /** The first of the namespaces. */
    readonly names: readonly string[];
    /** The names of the clients that manage the field, as they chose them. */
    readonly managers: readonly string[];
  }[];
  /** The Events of observe that name accounts. */
  readonly accounts: readonly string[];
  /** What looks like Bulkhead's or a tenant's and is not. */
  readonly planted: readonly string[];
  /** Exemptions that exempt nothing, or soon will. */
  readonly exemptions: readonly { readonly name: string; readonly reason: string }[];
  /** Collections that could not be listed, with the reason. */
  readonly unread: readonly string[];
  /** Whether the applied backstop is that of the settings, tenants and exemptions. */
  readonly backstop: 'absent' | 'older' | 'current' | 'unread';
}

/** Names that are remembered of many, so that no object is counted twice. Beyond, pods of one workload may be. */
export const mostNames = 10_000;
/** Names that a table shows of many. */
const namesShown = 3;

/** Whether there is something to do, or the audit is incomplete. */
export function hasFindings(report: AuditReport): boolean {
  const { namespaces, cutOff, rejected, planted, unread, backstop, scope } = report;
  return (
    namespaces === 0 ||
    (backstop === 'older' && scope === undefined) ||
    [cutOff, rejected, planted, unread].some((found) => found.length > 0)
  );
}

export function auditLines(report: AuditReport): readonly string[] {
  if (report.namespaces === 0)
    return [...report.problems, nothingChecked(report), ...plantedLines(report), ...unreadLines(report)];
  const parts = [
    cutOffLines,
    findingLines,
    nextLines,
    keyLines,
    plantedLines,
    exemptionLines,
    backstopLines,
    unreadLines,
  ];
  const shown = parts
    .map((part) => part(report))
    .filter((lines) => lines.length > 0)
    .flatMap((lines, index) => (index === 0 ? lines : ['', ...lines]));
  return [...report.problems, ...shown];
}

const inScope = ({ scope }: AuditReport): string => (scope === undefined ? '' : ' in the scope');

export function nothingChecked(report: AuditReport): string {
  return `Nothing was checked: no namespace${inScope(report)} has the label ${report.tenantLabel}.`;
}

function cutOffLines(report: AuditReport): readonly string[] {
  const { cutOff, opened, namespaces, tenantLabel } = report;
  const of = `of the ${namespaces} namespaces with the label ${tenantLabel}`;
  if (cutOff.length === 0 && report.scope !== undefined)
    return ['No pod in the scope would be cut off: policies isolate them in both directions.'];
  if (cutOff.length === 0) return [`No pod would be cut off: policies isolate every pod ${of} in both directions.`];
  const cells = cutOff.map((row) => [
    ...[row.namespace, row.tenant, row.mode, String(row.pods), String(row.ingress), String(row.egress)],
    some(row.names, row.losing),
  ]);
  return [
    ...table([['NAMESPACE', 'TENANT', 'MODE', 'PODS', 'INGRESS', 'EGRESS', 'WHICH'], ...cells]),
    '',
    `${cutOff.length} ${of}. INGRESS, EGRESS: pods that no policy isolates in that direction today.`,
    'In mode enforce the baseline isolates them. What it leaves open, beside what other policies open:',
    ...opened.map(({ tenant, policies }) => `  ${tenant}: ${policies || 'nothing'}`),
  ];
}

function findingLines(report: AuditReport): readonly string[] {
  const beside = report.keys.length === 0 ? 'Nothing' : 'Beside the reserved keys below, nothing';
  return rejectedLines(report, `${beside} that is stored`, ' They stay as they are.');
}

export function fileLines(report: Rejections): readonly string[] {
  return rejectedLines(report, 'Nothing of the files', '');
}

/**
 * @param nothing what is said of none
 * @param otherwise what becomes of them where the settings do not say observe
 */
function rejectedLines(
  { rejected, observes, checksPage }: Rejections,
  nothing: string,
  otherwise: string,
): readonly string[] {
  if (rejected.length === 0) return [`${nothing} would be rejected if it were written now.`];
  const cells = rejected.map((group) => [
    ...[group.check, group.tenant, group.mode, group.always ? 'in every mode' : 'in mode enforce', String(group.count)],
    some(group.names, group.count),
    group.path,
  ]);
  const fixes = new Set(rejected.map(({ check, fix }) => `  ${check}: ${fix}`));
  return [
    ...table([['CHECK', 'TENANT', 'MODE', 'REJECTED', 'OBJECTS', 'WHICH', 'WHERE'], ...cells]),
    '',
    `These objects would be rejected if they were written now.${observes ? ' The settings say observe, so nothing is rejected yet.' : otherwise}`,
    `How to correct what each check finds (${checksPage}):`,
    ...fixes,
  ];
}

const nextModes: Readonly<Record<string, string>> = { audit: 'warn', warn: 'enforce' };

function nextLines({ tenants, rejected, cutOff }: AuditReport): readonly string[] {
  const rows = tenants.flatMap(({ name: tenant, mode }) => {
    const next = nextModes[mode];
    if (next === undefined) return [];
    const own = rejected.filter((group) => group.tenant === tenant && !group.always);
    const found = own.reduce((sum, { count }) => sum + count, 0);
    const lost = cutOff.filter((row) => row.tenant === tenant).reduce((sum, { losing }) => sum + losing, 0);
    const enforces = next === 'enforce';
    return [
      [tenant, mode, next, String(enforces ? found : 0), String(enforces ? 0 : found), String(enforces ? lost : 0)],
    ];
  });
  if (rows.length === 0) return [];
  return [
    ...table([['TENANT', 'MODE', 'NEXT', 'REJECTS', 'WARNS', 'CUTS OFF'], ...rows]),
    '',
    'What the next mode of each tenant rejects and warns about, in objects, and cuts off, in pods.',
  ];
}

function keyLines({ keys, accounts }: AuditReport): readonly string[] {
  if (keys.length + accounts.length === 0) return [];
  const cells = keys.map(({ key, listed, count, names, managers }) => [
    ...[key, listed ? 'yes' : 'no', String(count), some(names, count)],
    managers.join(', '),
  ]);
  return [
    ...(keys.length === 0
      ? []
      : table([['RESERVED KEY', 'LISTED', 'NAMESPACES', 'WHICH', 'FIELD MANAGERS'], ...cells])),
    ...(keys.length === 0
      ? []
      : [
          '',
          'Only accounts of the platform may write these keys. LISTED: the settings list one that may. Without one the key would be rejected.',
          'A field manager is a name that the client chose: a hint.',
        ]),
    ...(accounts.length === 0
      ? []
      : [
          'Events name the accounts. List those of the platform in platform.namespaceWriters, platform.provisioners or platform.identities:',
          ...accounts.map((line) => `  ${line}`),
        ]),
  ];
}

function plantedLines({ planted }: AuditReport): readonly string[] {
  if (planted.length === 0) return [];
  return ['Not what it seems; look at each before you enforce:', ...planted.map((line) => `  ${line}`)];
}

function exemptionLines({ exemptions }: AuditReport): readonly string[] {
  if (exemptions.length === 0) return [];
  return ['Exemptions to look at:', ...exemptions.map(({ name, reason }) => `  ${name}: ${reason}`)];
}

export const olderBackstop =
  'The applied backstop is older than the settings, tenants and exemptions: print and apply it again.';

function backstopLines({ backstop, scope }: AuditReport): readonly string[] {
  if (backstop !== 'older' || scope !== undefined) return [];
  return [olderBackstop];
}

function unreadLines({ unread }: AuditReport): readonly string[] {
  return unread.length === 0
    ? []
    : ['Not checked, because it could not be listed:', ...unread.map((line) => `  ${line}`)];
}

function some(names: readonly string[], count: number): string {
  const shown = names.slice(0, namesShown);
  return shown.join(', ') + (count > shown.length ? ` and ${count - shown.length} more` : '');
}
