/** Selectors of Calico as the random worlds write them. Shares no code with src/. */
import type { Labels } from '../reach/evaluator.ts';

/** `(one && other) || test`, each pair in parentheses where it is not alone. */
export function isCalicoMatch(text: string, labels: Labels): boolean {
  const whole = text.trim();
  const [left, operator, right] = split(whole);
  if (operator === '&&') return isCalicoMatch(left, labels) && isCalicoMatch(right, labels);
  if (operator === '||') return isCalicoMatch(left, labels) || isCalicoMatch(right, labels);
  if (whole.startsWith('(') && whole.endsWith(')')) return isCalicoMatch(whole.slice(1, -1), labels);
  return isTest(whole, labels);
}

/** At the first operator outside of all parentheses. */
function split(text: string): readonly [left: string, operator: string, right: string] {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '(') depth++;
    if (text[at] === ')') depth--;
    const operator = text.slice(at, at + 2);
    if (depth === 0 && (operator === '&&' || operator === '||'))
      return [text.slice(0, at), operator, text.slice(at + 2)];
  }
  return [text, '', ''];
}

function isTest(text: string, labels: Labels): boolean {
  if (text === 'all()') return true;
  const has = /^(!?)has\((.+)\)$/.exec(text);
  if (has !== null) return labels.has(has[2] ?? '') !== (has[1] === '!');
  const [, key = '', operator, rest = ''] =
    /^(\S+) (==|!=|in|not in|starts with|contains|ends with) (.+)$/.exec(text) ?? [];
  const value = labels.get(key);
  const texts = [...rest.matchAll(/["']([^"']*)["']/g)].map(([, one = '']) => one);
  const [only = ''] = texts;
  switch (operator) {
    case '==':
      return value === only;
    case '!=':
      return value !== only;
    case 'in':
      return value !== undefined && texts.includes(value);
    case 'not in':
      return value === undefined || !texts.includes(value);
    case 'starts with':
      return value?.startsWith(only) === true;
    case 'ends with':
      return value?.endsWith(only) === true;
    case 'contains':
      return value?.includes(only) === true;
    default:
      throw new Error(`${text} is no selector of the random worlds`);
  }
}
