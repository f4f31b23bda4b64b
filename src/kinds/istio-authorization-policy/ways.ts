/** What it costs to judge the callers of a source, in ways to meet all of its fields. */
import type { IdentityPattern } from '../../reach/identity/pattern.ts';
import type { Callers } from './source.ts';

/** For a witness, each way is held against what is left out; a few of those cost nothing. */
const fewLeftOut = 8;

/** Up to here it does not matter what a text costs. */
const fewPeers = 16;
/** A text with a star takes three times as long as a name, for each hundred characters: words that it matches are tried. */
const waysOfStar = 3;
const longText = 100;

/**
 * Every way to meet all fields is looked at.
 *
 * @param before how many peers the policy has so far
 */
export function waysOf(callers: Callers, before: number): number {
  const ways = productOf(callers, alternativesOf);
  return before + ways > fewPeers ? productOf(callers, costOf) : ways;
}

function productOf({ all, none }: Callers, countOf: (pattern: IdentityPattern) => number): number {
  let product = 1 + Math.floor(none.length / fewLeftOut);
  for (const { patterns } of all) {
    let sum = 0;
    for (const pattern of patterns) sum += countOf(pattern);
    product *= sum;
  }
  return product;
}

/** A text may be several. */
function alternativesOf({ products }: IdentityPattern): number {
  return Math.max(1, products.length);
}

function costOf(pattern: IdentityPattern): number {
  const { text } = pattern;
  return alternativesOf(pattern) * (text.includes('*') ? waysOfStar * Math.ceil(text.length / longText) : 1);
}
