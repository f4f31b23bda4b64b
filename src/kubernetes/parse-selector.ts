/** Label selectors of meta/v1, as the API server sends them -> {@link Selector}. */
import { excerpt, isGiven, isMap, unknownField } from './json.ts';
import type { Selector } from './label-selector.ts';

/** The selector, or which field of it is wrong, why, and what to write instead. */
type ParsedSelector = { readonly ok: true; readonly value: Selector } | SelectorFailure;
interface SelectorFailure {
  readonly ok: false;
  /** From the selector to the field: `['matchExpressions', 0, 'operator']`; empty for the selector itself. */
  readonly steps: readonly (string | number)[];
  readonly reason: string;
  readonly fix: string;
}

/** A domain into which more may be folded. */
export interface Fold {
  absent: boolean;
  finite: boolean;
  values: Set<string>;
}

/** What takes the requirements of a selector, one after the other. */
export interface Requirements {
  isKey(key: string): boolean;
  /** Of a key that is one. Several may be about one label: all of them hold. */
  add(key: string, domain: Fold): void;
}

const selectorFields: ReadonlySet<string> = new Set(['matchLabels', 'matchExpressions']);
const requirementFields: ReadonlySet<string> = new Set(['key', 'operator', 'values']);

/** Linear in the size of the selector. What is not understood is an error, never ignored. */
export function parseSelector(selector: unknown): ParsedSelector {
  const domains = new Folded();
  return readRequirements(selector, domains) ?? { ok: true, value: domains.byLabel };
}

/** Several requirements on a label, as one. */
export class Folded implements Requirements {
  readonly byLabel = new Map<string, Fold>();
  /** Whether there were several of one label. One alone never contradicts itself. */
  isNarrowed = false;

  isKey(key: string): boolean {
    return isLabelKey(key);
  }

  /** In time linear in the size of `domain`: many may fall on one label. */
  add(label: string, domain: Fold): void {
    const before = this.byLabel.get(label);
    if (before === undefined) this.byLabel.set(label, domain);
    else {
      this.isNarrowed = true;
      narrow(before, domain);
    }
  }
}

/**
 * Gives every requirement of a selector to `to`, or says what is wrong with it.
 * In           the key is there and has one of the values
 * NotIn        the key is missing, or has none of the values
 * Exists       the key is there
 * DoesNotExist the key is missing
 * A value that no label can have is an error too. The API matches nothing with it, but a plugin that writes the selector as its own text
 * may match something else (Calico puts the value between quotes; NP-22).
 */
export function readRequirements(selector: unknown, to: Requirements): SelectorFailure | undefined {
  if (!isMap(selector)) {
    const reason = `${excerpt(selector)} is not a label selector`;
    return failure([], reason, 'write a map with matchLabels or matchExpressions');
  }
  const unknown = unknownField(selector, selectorFields);
  if (unknown !== undefined) {
    const reason = `${excerpt(unknown)} is not a field of a label selector`;
    return failure([], reason, 'write matchLabels or matchExpressions');
  }
  const { matchLabels, matchExpressions } = selector;
  if (isGiven(matchLabels)) {
    const steps = ['matchLabels'];
    if (!isMap(matchLabels))
      return failure(steps, `${excerpt(matchLabels)} is not a map of labels`, 'write key: value');
    // Object.entries would take 1,000 instructions more for a selector.
    for (const key in matchLabels) {
      const value = matchLabels[key];
      if (!to.isKey(key)) return wrongKey(steps, key);
      if (typeof value !== 'string') {
        const reason = `${excerpt(value)} is not a value of the label ${key}, which is text`;
        return failure(steps, reason, 'put it in quotes');
      }
      if (!isLabelValue(value)) return wrongValue(steps, value);
      to.add(key, { absent: false, finite: true, values: new Set<string>().add(value) });
    }
  }
  if (isGiven(matchExpressions)) {
    if (!Array.isArray(matchExpressions)) {
      return failure(
        ['matchExpressions'],
        `${excerpt(matchExpressions)} is not a list of requirements`,
        'write a list',
      );
    }
    for (let index = 0; index < matchExpressions.length; index++) {
      const wrong = addRequirement(to, matchExpressions[index], index);
      if (wrong !== undefined) return wrong;
    }
  }
  return undefined;
}

function addRequirement(to: Requirements, requirement: unknown, index: number): SelectorFailure | undefined {
  const steps = ['matchExpressions', index];
  if (!isMap(requirement)) {
    return failure(steps, `${excerpt(requirement)} is not a requirement`, 'write a map with key, operator and values');
  }
  const unknown = unknownField(requirement, requirementFields);
  if (unknown !== undefined) {
    return failure(steps, `${excerpt(unknown)} is not a field of a requirement`, 'write key, operator and values');
  }
  const { key, operator } = requirement;
  const values = requirement.values ?? [];
  if (typeof key !== 'string' || !to.isKey(key)) return wrongKey([...steps, 'key'], key);
  if (!isTextList(values)) {
    return failure([...steps, 'values'], `${excerpt(values)} is not a list of text`, 'put every value in quotes');
  }
  const domain = domainOf(operator, values);
  if (domain === undefined) {
    const reason = `${excerpt(operator)} is not an operator of a label selector`;
    return failure([...steps, 'operator'], reason, 'write In, NotIn, Exists or DoesNotExist');
  }
  for (const value of values) if (!isLabelValue(value)) return wrongValue([...steps, 'values'], value);
  const needsValues = operator === 'In' || operator === 'NotIn';
  if (needsValues !== values.length > 0) {
    const reason = `${operator} ${needsValues ? 'needs at least one value' : 'takes no values'}`;
    return failure([...steps, 'values'], reason, needsValues ? 'write the values' : 'remove the values');
  }
  to.add(key, domain);
  return undefined;
}

function domainOf(operator: unknown, values: readonly string[]): Fold | undefined {
  switch (operator) {
    case 'In':
      return { absent: false, finite: true, values: new Set(values) };
    case 'NotIn':
      return { absent: true, finite: false, values: new Set(values) };
    case 'Exists':
      return { absent: false, finite: false, values: new Set() };
    case 'DoesNotExist':
      return { absent: true, finite: true, values: new Set() };
    default:
      return undefined;
  }
}

/** Makes `domain` the intersection of both, in time linear in the size of `by`: many requirements may fall on one key. */
function narrow(domain: Fold, by: Fold): void {
  domain.absent &&= by.absent;
  if (!by.finite) {
    for (const value of by.values) {
      if (domain.finite) domain.values.delete(value);
      else domain.values.add(value);
    }
  } else {
    domain.values = domain.finite ? by.values.intersection(domain.values) : by.values.difference(domain.values);
    domain.finite = true;
  }
}

/** At most 63 characters: letters and digits, with `-`, `_` and `.` inside; may be empty. */
export function isLabelValue(text: string): boolean {
  return text === '' || isLabelName(text, 0);
}

/** A name as a label value is, but not empty; before it, if anything, a DNS subdomain and a slash. All of it after `start`. */
export function isLabelKey(text: string, start = 0): boolean {
  const slash = text.indexOf('/', start);
  return slash < 0 ? isLabelName(text, start) : isLabelName(text, slash + 1) && isSubdomain(text, start, slash);
}

/** Whether the text from `start` to `end` has only lower-case letters and digits, with `-` and `.` inside. */
function isSubdomain(text: string, start: number, end: number): boolean {
  if (end - start < 1 || end - start > 253) return false;
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at);
    if (isAlphanumeric(code) && !(code >= 0x41 && code <= 0x5a)) continue;
    if (at === start || at === end - 1 || (code !== 0x2d && code !== 0x2e)) return false;
  }
  return true;
}

/** What follows `start`. A loop: a regular expression takes 1.7 times as many instructions, and every selector has some of these. */
function isLabelName(text: string, start: number): boolean {
  const length = text.length - start;
  if (length < 1 || length > 63) return false;
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (isAlphanumeric(code)) continue;
    const inside = at > start && at < text.length - 1;
    if (!inside || (code !== 0x2d && code !== 0x5f && code !== 0x2e)) return false;
  }
  return true;
}

function isAlphanumeric(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x5a);
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function failure(steps: readonly (string | number)[], reason: string, fix: string): SelectorFailure {
  return { ok: false, steps, reason, fix };
}

function wrongKey(steps: readonly (string | number)[], key: unknown): SelectorFailure {
  return failure(steps, `${excerpt(key)} is not the key of a label`, 'write a key such as app or example.com/app');
}

function wrongValue(steps: readonly (string | number)[], value: string): SelectorFailure {
  const fix = 'write at most 63 letters, digits, -, _ and ., with a letter or digit at both ends';
  return failure(steps, `${excerpt(value)} is not a value that a label can have`, fix);
}
