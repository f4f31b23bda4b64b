/** Texts with `*`, which stands for any text, and `?`, which stands for one character. No part of an identity has either of them. */

export function matchesGlob(glob: string, text: string): boolean {
  // No part of an identity has a star, so that one which is equal to a glob is matched by it.
  if (glob === '*' || glob === text) return true;
  const first = glob.indexOf('*');
  if (first < 0) return glob.length === text.length && standsAt(glob, text, 0);
  const last = glob.lastIndexOf('*');
  const end = text.length - (glob.length - last - 1);
  // Both ends before what is between: most texts differ there.
  if (end < first || !standsAt(glob.slice(0, first), text, 0) || !standsAt(glob.slice(last + 1), text, end))
    return false;
  let at = first;
  // Where a part is found first, it leaves most for the next.
  for (const part of glob.slice(first + 1, Math.max(first + 1, last)).split('*')) {
    at = placeOf(part, text, at);
    if (at < 0 || at + part.length > end) return false;
    at += part.length;
  }
  return true;
}

function standsAt(part: string, text: string, at: number): boolean {
  if (!part.includes('?')) return text.startsWith(part, at);
  for (let index = 0; index < part.length; index++)
    if (part[index] !== '?' && part[index] !== text[at + index]) return false;
  return true;
}

/** From there on; negative: nowhere. */
function placeOf(part: string, text: string, from: number): number {
  if (!part.includes('?')) return text.indexOf(part, from);
  for (let at = from; at + part.length <= text.length; at++) if (standsAt(part, text, at)) return at;
  return -1;
}

export function isLiteral(glob: string): boolean {
  return !glob.includes('*') && !glob.includes('?');
}

/** Characters that no other pattern is likely to ask for: a word that is made of them is more than what is meant. */
const fillers = ['x', '2', 'a', 'q7', 'zz'];
/** What is tried for each way to put words together; a longer search tells nothing more to people. */
const mostWords = 64;

/**
 * Words that all of the globs match, and that are names in Kubernetes: made of the literals of the globs and something between them. Not
 * all there are: where none is found there may still be one.
 */
export function wordsIn(globs: readonly string[]): readonly string[] {
  const distinct = [...new Set(globs.filter((glob) => glob !== '*'))];
  const [only, ...others] = distinct;
  if (only === undefined) return [];
  const filled = fillers.flatMap((filler) => [fill(only, filler), fill(only, '', filler)]);
  // A beginning of one and an end of the other, which may overlap.
  const joined = others.flatMap((other) => [
    ...overlaps(headOf(only), tailOf(other)),
    ...overlaps(headOf(other), tailOf(only)),
    ...fillers.flatMap((filler) => [fill(other, filler), fill(other, '', filler)]),
    ...fillers.map((filler) => headOf(only) + filler + middleOf(other) + filler + tailOf(only)),
  ]);
  return [...new Set([...filled, ...joined])]
    .slice(0, mostWords)
    .filter((word) => isName(word) && distinct.every((glob) => matchesGlob(glob, word)));
}

/** A DNS label (RFC 1123), with dots between several: names of namespaces have none, those of service accounts may. */
export function isName(text: string): boolean {
  const last = text.length - 1;
  if (last < 0 || last > 252) return false;
  // An expression takes 440 instructions for a short name, and a name is looked at for each caller.
  for (let at = 0; at <= last; at++) {
    const code = text.charCodeAt(at);
    const isInner = (code === hyphen || code === dot) && at > 0 && at < last;
    if (!isInner && !(code >= letterA && code <= letterZ) && !(code >= zero && code <= nine)) return false;
  }
  return true;
}

const [hyphen, dot, zero, nine, letterA, letterZ] = [0x2d, 0x2e, 0x30, 0x39, 0x61, 0x7a];

/** A DNS label. */
export function isNamespace(text: string): boolean {
  return isName(text) && text.length <= 63 && !text.includes('.');
}

const fill = (glob: string, text: string, one = text) => glob.replaceAll('*', text).replaceAll('?', one || 'x');
const headOf = (glob: string): string => fill(glob.slice(0, starIn(glob)), '', 'x');
const tailOf = (glob: string): string => fill(glob.slice(glob.lastIndexOf('*') + 1), '', 'x');
const middleOf = (glob: string): string => fill(glob, '', 'x');
const starIn = (glob: string): number => (glob.includes('*') ? glob.indexOf('*') : glob.length);

function overlaps(head: string, tail: string): readonly string[] {
  const words = fillers.map((filler) => head + filler + tail);
  const most = Math.min(head.length, tail.length);
  for (let shared = most; shared >= 0 && words.length < mostWords; shared--)
    if (head.endsWith(tail.slice(0, shared))) words.push(head + tail.slice(shared));
  return words;
}

/** What every word of the glob begins with. */
export function beginningOf(glob: string): string {
  const end = glob.search(/[*?]/);
  return end < 0 ? glob : glob.slice(0, end);
}
