/**
 * Label selectors as kubectl takes them in `-l`: `app=shop,tier in (front, back),!old`. Source: k8s.io/apimachinery/pkg/labels, Parse.
 * Requirements are joined by AND. `!=` and `notin` also select what lacks the key.
 */
import { excerpt } from './json.ts';
import { entry, type StringMap } from './objects.ts';
import { isLabelKey, isLabelValue } from './parse-selector.ts';

/** Whether an object with these labels is selected. */
export type LabelTest = (labels: StringMap | null | undefined) => boolean;

type ParsedText = { readonly ok: true; readonly value: LabelTest } | { readonly ok: false; readonly reason: string };

class Wrong extends Error {}

export function parseSelectorText(text: string): ParsedText {
  try {
    const tests = requirementsOf(text);
    return { ok: true, value: (labels) => tests.every((test) => test(labels)) };
  } catch (error) {
    if (error instanceof Wrong) return { ok: false, reason: error.message };
    throw error;
  }
}

const word = /^[^\s,()=!<>]+/;

function requirementsOf(text: string): readonly LabelTest[] {
  const tests: LabelTest[] = [];
  let rest = text.trimStart();
  const taken = (pattern: RegExp): string | undefined => {
    const found = pattern.exec(rest)?.[0];
    if (found !== undefined) rest = rest.slice(found.length).trimStart();
    return found;
  };
  if (rest === '') return [];
  do {
    const all = rest;
    const isAbsent = taken(/^!/) !== undefined;
    const key = taken(word);
    if (key === undefined) throw new Wrong(`a key is missing at ${rest === '' ? 'the end' : excerpt(rest)}`);
    if (!isLabelKey(key)) throw new Wrong(`${excerpt(key)} is not the key of a label`);
    const test = isAbsent ? undefined : comparison(key, taken);
    tests.push(test ?? ((labels) => (labelOf(labels, key) === undefined) === isAbsent));
    if (rest === '' || rest.startsWith(',')) continue;
    const before = all.slice(0, all.length - rest.length).trim();
    throw new Wrong(
      before === key
        ? `write =, !=, in or notin after ${key}, not ${excerpt(rest)}`
        : `write a comma after ${before}, not ${excerpt(rest)}`,
    );
  } while (taken(/^,/) !== undefined);
  return tests;
}

/** Undefined: the key alone. */
function comparison(key: string, taken: (pattern: RegExp) => string | undefined): LabelTest | undefined {
  const operator = taken(/^(==?|!=|[<>]|(?:not)?in(?![^\s(,]))/);
  if (operator === undefined) return undefined;
  if (operator === '<' || operator === '>') {
    const bound = taken(word) ?? '';
    if (!wholeNumber.test(bound)) throw new Wrong(`${operator} needs a whole number`);
    return (labels) => {
      const value = labelOf(labels, key) ?? '';
      return (
        wholeNumber.test(value) && (operator === '<' ? BigInt(value) < BigInt(bound) : BigInt(value) > BigInt(bound))
      );
    };
  }
  const isSet = operator.endsWith('in');
  const list = isSet ? taken(/^\([^()]*\)/) : (taken(word) ?? '');
  if (list === undefined) throw new Wrong(`${excerpt(operator)} is followed by ( and values, as in ${key} in (a, b)`);
  const values = isSet
    ? list
        .slice(1, -1)
        .split(',')
        .map((value) => value.trim())
    : [list];
  const wrong = values.find((value) => !isLabelValue(value));
  if (wrong !== undefined) throw new Wrong(`${excerpt(wrong)} is not a value that a label can have`);
  const isOut = operator === '!=' || operator === 'notin';
  return (labels) => {
    const value = labelOf(labels, key);
    return value === undefined ? isOut : values.includes(value) !== isOut;
  };
}

const wholeNumber = /^-?\d{1,18}$/;

/** Of files, a label may be anything. */
function labelOf(labels: StringMap | null | undefined, key: string): string | undefined {
  const value: unknown = entry(labels, key);
  return typeof value === 'string' ? value : undefined;
}
