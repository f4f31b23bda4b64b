/**
 * Patterns of DNS names, as toFQDNs of cilium.io/v2 writes them (pkg/fqdn/matchpattern): `*` stands for letters, digits, `-` and `_` inside
 * one label, `**.` at the beginning for one label or more, and `*` alone for every name. Names are compared in lower case. Pure.
 */

/** `everything`, or labels from left to right. */
export interface DnsPattern {
  /** As it is written, in lower case and without a dot at its end. */
  readonly text: string;
  /** Undefined: every name. */
  readonly labels: readonly string[] | undefined;
  /** One label or more may stand before the first. */
  readonly deep: boolean;
}

/** RFC 1035, section 2.3.4. */
const longest = 255;

/** Undefined for text that is no name and no pattern of names. */
export function parsePattern(written: string): DnsPattern | undefined {
  if (written.length > longest) return undefined;
  const lower = written.toLowerCase();
  const text = lower.endsWith('.') ? lower.slice(0, -1) : lower;
  if (text !== '' && [...text].every((character) => character === '*')) return { text, labels: undefined, deep: false };
  const labels = text.split('.');
  if (!labels.every(isLabel)) return undefined;
  const [first = ''] = labels;
  const deep = first.length > 1 && [...first].every((character) => character === '*');
  // More stars in a row mean no more than one of them.
  return { text, labels: (deep ? labels.slice(1) : labels).map(oneStar), deep };
}

/** Whether at least two of its labels are written out, so that it stands for names below one domain. */
export function isNarrowName({ labels = [] }: DnsPattern): boolean {
  return labels.filter((label) => !label.includes('*')).length >= 2;
}

/** Whether every name that `inner` matches is matched by `outer`. Label by label. Says no where a star in the middle of a label meets another. */
export function containsPattern(outer: DnsPattern, inner: DnsPattern): boolean {
  if (outer.labels === undefined) return true;
  if (inner.labels === undefined) return false;
  const surplus = inner.labels.length - outer.labels.length;
  if (outer.deep ? surplus < (inner.deep ? 0 : 1) : surplus !== 0 || inner.deep) return false;
  const rest = inner.labels.slice(surplus);
  return outer.labels.every((label, index) => containsLabel(label, rest[index] ?? ''));
}

/** What comes before and after the stars of a label decides where the outer one has a single star. */
function containsLabel(outer: string, inner: string): boolean {
  if (outer === inner || outer === '*') return true;
  const star = outer.indexOf('*');
  if (star < 0 || star !== outer.lastIndexOf('*')) return false;
  const [before, after] = [outer.slice(0, star), outer.slice(star + 1)];
  const least = inner.replaceAll('*', '').length;
  return inner.startsWith(before) && inner.endsWith(after) && least >= before.length + after.length;
}

function isLabel(label: string): boolean {
  return /^[a-z0-9_*-]+$/.test(label);
}

function oneStar(label: string): string {
  let text = '';
  for (const character of label) if (character !== '*' || !text.endsWith('*')) text += character;
  return text;
}
