/**
 * Whether a label value exists that begins, ends and does not end as asked, contains some texts and not others, and is none of a few.
 * These are regular languages, so the product of their automata decides it: the shortest word that all accept. Pure.
 */
import type { Budget } from './budget.ts';
import { type Affix, meets } from './expression.ts';

/** An affix that a value has, or has not. */
export interface AffixLiteral extends Affix {
  readonly holds: boolean;
}

/** `beyond`: the budget ended. Undefined: no such value exists. */
export type Word = string | 'beyond' | undefined;

/** The search handles at most so many texts that a word contains; one state of the search is a set of them. */
const mostContained = 16;
const letters = 'xabcdefghijklmnopqrstuvwyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

const fillers = ['', 'any', 'x', 'x0', 'a1', 'any-2'];
const guesses: readonly ((word: string, filler: string, prefix: string, suffix: string) => string)[] = [
  (word) => word,
  (word, filler) => word + filler,
  (word, filler) => filler + word,
  (_, filler, prefix, suffix) => prefix + filler + suffix,
  (word, filler) => filler + word + filler,
];

/** "must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character". */
export function isLabelValue(text: string, longest: number): boolean {
  return (
    text === '' ||
    (text.length <= longest && isPlain(text) && isAlphanumeric(text, 0) && isAlphanumeric(text, text.length - 1))
  );
}

/** @param longest of the value, in characters */
export function findWord(
  affixes: readonly AffixLiteral[],
  excluded: ReadonlySet<string>,
  longest: number,
  budget: Budget,
): Word {
  const fits = (word: string) =>
    isLabelValue(word, longest) && !excluded.has(word) && affixes.every((one) => meets(word, one) === one.holds);
  const held = affixes.filter(({ holds }) => holds);
  if (!held.every(({ text }) => text.length <= longest && isPlain(text))) return undefined;
  const prefix = longestOf(held, 'starts');
  const suffix = longestOf(held, 'ends');
  if (
    !held.every(({ op, text }) => (op === 'starts' ? prefix.startsWith(text) : op !== 'ends' || suffix.endsWith(text)))
  )
    return undefined;
  const contained = held.flatMap(({ op, text }) => (op === 'contains' ? text : []));
  const isIn = ({ op, text }: Affix) =>
    op === 'starts'
      ? prefix.startsWith(text)
      : op === 'ends'
        ? suffix.endsWith(text)
        : [prefix, suffix, ...contained].some((part) => part.includes(text));
  if (affixes.some((one) => !one.holds && isIn(one))) return undefined;
  // Most often one of these is such a word.
  const parts = [prefix, ...contained, suffix].filter((part) => part !== '');
  for (const filler of fillers) {
    if (!budget.spend(1 + affixes.length)) return 'beyond';
    const word = parts.length === 1 ? (parts[0] ?? '') : parts.join(filler);
    for (let way = 0; way < guesses.length; way++) {
      const guess = guesses[way]?.(word, filler, prefix, suffix) ?? '';
      if (guess !== '' && fits(guess)) return guess;
      // Without a filler all guesses are one.
      if (filler === '') break;
    }
  }
  if (fits('')) return '';
  return shortestWord({ affixes, excluded, longest, prefix, suffix, contained, fits }, budget);
}

interface Asked {
  readonly affixes: readonly AffixLiteral[];
  readonly excluded: ReadonlySet<string>;
  readonly longest: number;
  readonly prefix: string;
  readonly suffix: string;
  readonly contained: readonly string[];
  readonly fits: (word: string) => boolean;
}

/** What the rest of a word depends on, beside its length. */
interface State {
  readonly word: string;
  /** The longest end of the word that one of the texts begins with. */
  readonly end: string;
  /** The word, as long as one of the excluded values or of the beginnings begins with it. */
  readonly begin: string | undefined;
  /** Of the contained texts, which were seen. */
  readonly seen: number;
}

/** Breadth first, one state for all words that end alike. */
function shortestWord({ affixes, excluded, longest, prefix, suffix, contained, fits }: Asked, budget: Budget): Word {
  const needed = [...new Set(contained)].filter((text) => text !== '');
  if (needed.length > mostContained) return 'beyond';
  const notHeld = affixes.flatMap(({ op, text, holds }) => (holds ? [] : { op, text }));
  const inside = [...needed, suffix, ...notHeld.flatMap(({ op, text }) => (op === 'starts' ? [] : text))];
  const begins = [...excluded, prefix, ...notHeld.flatMap(({ op, text }) => (op === 'starts' ? text : []))];
  const ends = beginningsOf(inside);
  const paths = beginningsOf(begins);
  const alphabet = alphabetOf([...inside, ...begins]);
  const isRuledOut = (word: string, end: string) =>
    notHeld.some(({ op, text }) => (op === 'starts' ? word.startsWith(text) : op === 'contains' && end.endsWith(text)));
  const extend = ({ word, end, begin, seen }: State, character: string): State | undefined => {
    const longer = word + character;
    if (word.length < prefix.length && prefix[word.length] !== character) return undefined;
    if (word === '' && !isAlphanumeric(character, 0)) return undefined;
    let tail = end + character;
    while (!ends.has(tail)) tail = tail.slice(1);
    if (isRuledOut(longer, tail)) return undefined;
    const path = begin === undefined ? undefined : begin + character;
    let now = seen;
    for (const [index, text] of needed.entries()) if (tail.endsWith(text)) now |= 1 << index;
    return { word: longer, end: tail, begin: path !== undefined && paths.has(path) ? path : undefined, seen: now };
  };
  let states: State[] = [{ word: '', end: '', begin: '', seen: 0 }];
  const known = new Set<string>();
  const cost = 1 + Math.floor(affixes.length / 4);
  while (states.length > 0) {
    const next: State[] = [];
    for (const state of states) {
      if (state.word.length >= longest) continue;
      for (const character of alphabet) {
        if (!budget.spend(cost)) return 'beyond';
        const longer = extend(state, character);
        if (longer === undefined) continue;
        if (fits(longer.word)) return longer.word;
        const key = `${longer.seen} ${longer.end} ${longer.begin ?? '!'} ${isAlphanumeric(character, 0)}`;
        if (known.has(key)) continue;
        known.add(key);
        next.push(longer);
      }
    }
    states = next;
  }
  return undefined;
}

function beginningsOf(texts: readonly string[]): ReadonlySet<string> {
  const beginnings = new Set(['']);
  for (const text of texts) for (let length = 1; length <= text.length; length++) beginnings.add(text.slice(0, length));
  return beginnings;
}

/** Every character that the texts have, and one letter that they have not: all others are like it. */
function alphabetOf(texts: readonly string[]): readonly string[] {
  const used = new Set(texts.join(''));
  const fresh = [...letters].find((letter) => !used.has(letter));
  return [...(fresh === undefined ? [] : [fresh]), ...[...used].filter(isPlain)];
}

function longestOf(affixes: readonly AffixLiteral[], op: Affix['op']): string {
  let longest = '';
  for (const one of affixes) if (one.op === op && one.text.length > longest.length) longest = one.text;
  return longest;
}

/** By character code; every other one is beyond or false. */
const plain = tableOf(/[A-Za-z0-9._-]/);
const alphanumeric = tableOf(/[A-Za-z0-9]/);

function tableOf(pattern: RegExp): readonly boolean[] {
  return Array.from({ length: 128 }, (_, code) => pattern.test(String.fromCharCode(code)));
}

function isPlain(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (plain[text.charCodeAt(at)] !== true) return false;
  return true;
}

function isAlphanumeric(text: string, at: number): boolean {
  return alphanumeric[text.charCodeAt(at)] === true;
}
