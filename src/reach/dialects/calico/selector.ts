/** A field of a policy of projectcalico.org/v3 that holds a selector -> an expression. */
import { excerpt, isGiven } from '../../../kubernetes/json.ts';
import type { Expression } from '../../expression/expression.ts';
import { type Meaning, ofEndpoints, ofNamespaces, parseSelector } from './parse-selector.ts';
import { type Place, Unread, unprovenAt, unread, within } from './place.ts';

/** The CRDs of newer versions allow no more. */
export const longestSelector = 1024;

/** A selector that is written, or what is wrong with it. */
type Read =
  | { readonly expression: Expression; readonly reason?: undefined }
  | { readonly expression?: undefined; readonly reason: string; readonly fix: string };

/**
 * What was read last, by what the words mean. The policies of a tenant, and one that is applied again and again, have the same few
 * selectors. The worst ones, all of short tests, take about 9 kB each, so 13 MB in all. An expression never changes.
 */
const known = new Map<Meaning, Map<string, Read>>();
const mostKnown = 512;
const longestKnown = 160;

/**
 * @param text what is written in the field `name` of what is at the place
 * @returns undefined where the field is missing or empty, which means the same
 */
export function selectorAt(text: unknown, name: string, meaning: Meaning, place: Place): Expression | undefined {
  if (!isGiven(text) || text === '') return undefined;
  if (typeof text !== 'string')
    throw unread(within(place, name), `${excerpt(text)} is not a selector`, 'write text such as app == "web"');
  if (text.length > longestSelector)
    throw new Unread(
      unprovenAt(
        within(place, name),
        `has more than ${longestSelector} characters, so it is not examined`,
        'write a shorter selector',
      ),
    );
  const read = text.length > longestKnown ? readText(text, meaning) : remembered(text, meaning);
  if (read.expression !== undefined) return read.expression;
  throw unread(within(place, name), read.reason, read.fix);
}

function remembered(text: string, meaning: Meaning): Read {
  const texts = known.get(meaning) ?? new Map<string, Read>();
  const before = texts.get(text);
  if (before !== undefined) return before;
  const read = readText(text, meaning);
  if (texts.size >= mostKnown) texts.clear();
  texts.set(text, read);
  known.set(meaning, texts);
  return read;
}

function readText(text: string, meaning: Meaning): Read {
  // Calico's validation looks for this text alone, wherever it is.
  if (text.includes('global(') && (meaning !== ofNamespaces || !/^[ \t]*global\([ \t]*\)[ \t]*$/.test(text)))
    return {
      reason: 'has global(), which is for a namespaceSelector and stands alone there',
      fix: 'remove global()',
    };
  // Joined with others, it leaves parentheses with nothing in them, which Calico cannot read.
  if (/^[ \t]+$/.test(text) && meaning === ofEndpoints) return { reason: 'is blank', fix: 'write all(), or remove it' };
  const parsed = parseSelector(text, meaning);
  if ('expression' in parsed) return parsed;
  return {
    reason: `is not a selector of Calico: it ${parsed.reason}`,
    fix: 'write text such as app == "web" && has(team)',
  };
}
