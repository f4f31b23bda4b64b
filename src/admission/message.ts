/** Findings as text for a person: what, where, why, a witness, how to fix it. The only place where such text is made. */

import type { Facts } from '../checks/check.ts';
import { type Grant, names } from '../checks/grants.ts';
import type { Judged } from '../checks/judge.ts';
import { formatPath } from '../kubernetes/field-path.ts';
import type { AdmissionRequest } from '../kubernetes/review.ts';
import type { Intent } from '../mutations/label-intent.ts';
import { listed } from '../reach/listed.ts';
import { docsPage } from '../tenancy/docs-page.ts';
import type { Settings } from '../tenancy/settings.ts';

type Asked = Pick<Facts, 'owner' | 'requester' | 'tenancy'>;

/** What a person will read; the API server itself cuts nothing. */
const denialBytes = 4096;
/**
 * For a name, path or reason, so that a hostile one cannot push the others out. Four of them, of characters of three bytes
 * each (what is unprintable becomes one), leave room for the words around them.
 */
const pieceCharacters = 300;
/** Of a fix in a refusal, which there is room for. */
const refusedFixCharacters = 360;
/** The API server asks for warnings of at most 120 characters, which a terminal shows in one line. */
export const warningCharacters = 120;
/** A fix, or the place of a change, must be whole to be of use. The API server cuts no warning of this length, and none of eight. */
export const fixCharacters = 256;
const warningLines = 8;
/** Of checks and of fields in the last line of a refusal. */
const maxShownWays = 4;

/**
 * The text of a refusal. Its first line is a headline that is enough by itself: `kubectl get events` shows no more of a message.
 * @param judged the findings that refuse, at least one, the most severe first, which the headline names
 */
export function denialText(request: AdmissionRequest, facts: Asked, judged: readonly [Judged, ...Judged[]]): string {
  const header = `${subject(request)}: ${judged[0].headline}${tenantOf(request, facts)}\n`;
  const ways = waysText(request, facts, judged);
  // Room for the count, which is always there.
  let left = denialBytes - Buffer.byteLength(header) - Buffer.byteLength(ways) - 64;
  const shown: string[] = [];
  for (const one of judged) {
    const text = findingText(one, facts.tenancy.settings);
    const bytes = Buffer.byteLength(text) + 1;
    if (bytes > left && shown.length > 0) break;
    left -= bytes;
    shown.push(text);
  }
  const count = `${judged.length} ${judged.length === 1 ? 'finding' : 'findings'}`;
  const hidden = judged.length - shown.length;
  const counted = hidden === 0 ? count : `${count}, ${hidden} of them not shown`;
  return [header, ...shown, left < 0 ? counted : `${counted}${ways}`].join('\n');
}

/**
 * What the platform can do, in one line for all findings: the grants where no fix of the check names one, and an Exemption. Empty where
 * it can do nothing, or not about all of them.
 */
function waysText(request: AdmissionRequest, facts: Asked, judged: readonly Judged[]): string {
  // With something else in the way, none of it would help.
  if (judged.some(({ ways }) => ways === undefined || (ways.grants.length === 0 && !ways.exemption))) return '';
  const grants = new Set<Grant>();
  const exempted: string[] = [];
  for (const [check, some] of Map.groupBy(judged, ({ check }) => check)) {
    if (some.some(({ ways }) => ways?.exemption)) exempted.push(check);
    const all = new Set(some.flatMap(({ ways }) => ways?.grants ?? []));
    const isNamed = ({ fix }: Judged) => asks.test(fix) || [...all].some((grant) => names(fix, grant));
    if (some.some(isNamed)) continue;
    for (const grant of all) if (!grant.inFixes) grants.add(grant);
  }
  const fieldsOf = (home: Grant['of']) => [...grants].filter((one) => one.of === home).map(({ field }) => field);
  const { owner, tenancy } = facts;
  const tenant = tenantOf(request, facts) === '' || owner === 'platform' ? 'its tenant' : `tenant ${owner.name}`;
  const fields = [...ofHome(fieldsOf('tenant'), tenant), ...ofHome(fieldsOf('settings'), 'the settings')];
  const ways = [
    ...(fields.length === 0 ? [] : [`grant it with ${fields.join(', or with ')}`]),
    ...(exempted.length === 0
      ? []
      : [`write an Exemption from ${listed(exempted, maxShownWays)}: ${docsPage(tenancy.settings, 'exemptions.md')}`]),
  ];
  return ways.length === 0 ? '' : `\nIf you need this, the platform team can ${ways.join(', or ')}`;
}

/** Fixes that do name the grant. */
const asks = /\bask the platform\b/;

const ofHome = (fields: readonly string[], home: string): readonly string[] =>
  fields.length === 0 ? [] : [`${listed(fields, maxShownWays).replace(' and ', ' or ')} of ${home}`];

/** A requester who may write into a namespace knows its owner. For the namespace itself, only the platform and the members see it. */
function tenantOf({ family }: AdmissionRequest, { owner, requester }: Asked): string {
  if (owner === 'platform') return '';
  const known = family !== 'namespace' || requester.platform || requester.tenants.includes(owner);
  return known ? ` (tenant ${owner.name}, ${owner.isolation} isolation)` : '';
}

/** A refusal that has nothing to say about the object itself. */
export function plainDenial(request: AdmissionRequest, reason: string, fix: string): string {
  return `${subject(request)}: ${printable(reason)}\n  fix: ${printable(fix)}`;
}

/**
 * The most severe first, each with its fix. What finds no room is counted, and no finding is shown without its fix.
 * @param refusal what is said of a finding after the id of its check
 */
export function warningTexts(judged: readonly Judged[], refusal: (one: Judged) => string = plain): string[] {
  let lines: string[] = [];
  for (let shown = Math.min(judged.length, warningLines); shown > 0; shown--) {
    lines = warningsOf(judged.slice(0, shown), refusal);
    if (shown < judged.length) lines.push(`not shown: ${judged.length - shown} of ${judged.length} findings`);
    if (lines.length <= warningLines) break;
  }
  return lines;
}

const plain = () => '';

/** One line for each finding where its fix has room in it, otherwise lines for it; findings in a row that share one get it once. */
function warningsOf(judged: readonly Judged[], refusal: (one: Judged) => string): string[] {
  return judged.flatMap((one, index) => {
    const { check, path, reason, fix } = one;
    const found = printable(`${check}${refusal(one)}: ${placeOf(path)} ${reason}`);
    const remedy = `fix: ${printable(fix)}`;
    const together = `${found}; ${remedy}`;
    if (together.length <= warningCharacters) return [together];
    const line = clip(found, warningCharacters);
    const next = judged[index + 1];
    return next?.check === check && next.fix === fix ? [line] : [line, ...fixLines(check, remedy)];
  });
}

/** A long fix says several ways: the last of them stand in a second line. */
function fixLines(check: string, remedy: string): string[] {
  const line = `${check}: ${remedy}`;
  const ways = line.length <= fixCharacters ? -1 : startOfLastWays(line);
  if (ways < 0) return [clip(line, fixCharacters)];
  return [line.slice(0, ways - 2), clip(`${check}: ${line.slice(ways)}`, fixCharacters)];
}

/** The last `or` or `else` before which the line is short enough. */
function startOfLastWays(line: string): number {
  let start = -1;
  for (const { index } of line.slice(0, fixCharacters).matchAll(/(?<=[,;] )(?:or|else) /g)) start = index;
  return start;
}

/** One line for each selector that was narrowed: what was added, and where. */
export function narrowingTexts(narrowed: readonly Intent[]): string[] {
  const lines = narrowed.map((intent) => {
    const [added, place] =
      'text' in intent ? [intent.added, intent.text] : [`${intent.key}: ${intent.value}`, intent.labels];
    return clip(printable(`narrowed: ${added} was added to ${formatPath(place)}`), fixCharacters);
  });
  if (lines.length <= warningLines) return lines;
  return [...lines.slice(0, warningLines - 1), `${lines.length - warningLines + 1} more warnings are not shown`];
}

/** One line for each thing that an update opens or closes. */
export function previewTexts(lines: readonly string[]): string[] {
  return lines.map((line) => clip(printable(`preview: ${line}`), fixCharacters));
}

function findingText({ check, path, reason, witness, fix }: Judged, settings: Settings): string {
  const why = witness === undefined ? reason : `${reason}; for example ${witness}`;
  const lines = [
    `  ${piece(placeOf(path))}`,
    `    ${piece(why)}`,
    `    fix: ${clip(printable(fix), refusedFixCharacters)}`,
  ];
  return `${lines.join('\n')}\n    ${check}, ${docsPage(settings, `checks/${check}.md`)}\n`;
}

function placeOf(path: string): string {
  return path === '' ? 'the whole object' : path;
}

const clusterScoped: ReadonlySet<AdmissionRequest['family']> = new Set(['namespace', 'tenant', 'exemption']);

/** `NetworkPolicy acme-web/open`, `Tenant acme`; a name that is still to be generated ends in `*`. */
export function subject({ family, kind, namespace, name, object }: AdmissionRequest): string {
  const shown = name || `${object.metadata?.generateName ?? ''}*`;
  const isInside = namespace !== '' && !clusterScoped.has(family);
  return piece(isInside ? `${kind} ${namespace}/${shown}` : `${kind} ${shown}`);
}

function piece(text: string): string {
  return clip(printable(text), pieceCharacters);
}

/** Cut between characters, never within one. */
export function clip(text: string, length: number): string {
  if (text.length <= length) return text;
  return `${text.slice(0, length - 3).replace(/[\uD800-\uDBFF]$/u, '')}...`;
}

/** Users choose keys and values: no control characters, line breaks or marks that turn the direction of text reach a terminal. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, '\uFFFD');
}

/** The same of every text in it. */
export function printableIn<Value>(value: Value): Value;
export function printableIn(value: unknown): unknown {
  if (typeof value === 'string') return printable(value);
  if (Array.isArray(value)) return value.map((one) => printableIn(one));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, printableIn(one)]));
}
