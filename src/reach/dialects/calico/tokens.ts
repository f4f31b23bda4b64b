/**
 * The tokens of Calico's selectors, exactly as libcalico-go/lib/selector/tokenizer has them. Between tokens only blanks and tabs are
 * left out; inside `has(…)`, `not in`, `starts with` and the like every blank of `\s` is. An operator in words is read only after a
 * label, so that a label can be named as one; an identifier takes all that it can, so `acontains` is a label.
 */

export type Token =
  | { readonly kind: 'label' | 'text' | 'has'; readonly value: string }
  | { readonly kind: Symbol | Operator | 'all' | 'global' | 'end' };

type Symbol = '(' | ')' | '{' | '}' | ',' | '==' | '!=' | '!' | '&&' | '||';
export type Operator = 'contains' | 'starts' | 'ends' | 'not in' | 'in';

const symbols: readonly Symbol[] = ['(', ')', '{', '}', ',', '==', '!=', '!', '&&', '||'];
/** Sticky, so that each is tried at one place alone. `\s` of Go has five characters. */
const words: readonly (readonly [Operator, RegExp])[] = [
  ['contains', /contains/y],
  ['starts', /starts[\t\n\f\r ]*with/y],
  ['ends', /ends[\t\n\f\r ]*with/y],
  ['not in', /not[\t\n\f\r ]*in\b/y],
  ['in', /in\b/y],
];
const has = /has\([\t\n\f\r ]*([a-zA-Z0-9_./-]{1,512})[\t\n\f\r ]*\)/y;
const calls = [
  ['all', /all\([\t\n\f\r ]*\)/y],
  ['global', /global\([\t\n\f\r ]*\)/y],
] as const;
const identifier = /[a-zA-Z0-9_./-]{1,512}/y;

/** Ends with a token `end`; or a reason. */
export function tokensOf(text: string): readonly Token[] | { readonly reason: string } {
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    while (text[at] === ' ' || text[at] === '\t') at++;
    if (at >= text.length) return [...tokens, { kind: 'end' }];
    const quote = text[at];
    if (quote === '"' || quote === "'") {
      const end = text.indexOf(quote, at + 1);
      if (end < 0) return { reason: 'has a quote that does not end' };
      tokens.push({ kind: 'text', value: text.slice(at + 1, end) });
      at = end + 1;
      continue;
    }
    const token = symbolAt(text, at) ?? wordAt(text, at, tokens.at(-1)?.kind === 'label');
    if (token === undefined) return { reason: `has ${describe(text, at)}, which is not understood there` };
    tokens.push(token.token);
    at = token.end;
  }
}

interface Read {
  readonly token: Token;
  readonly end: number;
}

function symbolAt(text: string, at: number): Read | undefined {
  const symbol = symbols.find((one) => text.startsWith(one, at));
  return symbol && { token: { kind: symbol }, end: at + symbol.length };
}

function wordAt(text: string, at: number, isAfterLabel: boolean): Read | undefined {
  if (isAfterLabel) {
    for (const [kind, pattern] of words)
      if (matchAt(pattern, text, at)) return { token: { kind }, end: pattern.lastIndex };
    return undefined;
  }
  const label = matchAt(has, text, at)?.[1];
  if (label !== undefined) return { token: { kind: 'has', value: label }, end: has.lastIndex };
  for (const [kind, pattern] of calls)
    if (matchAt(pattern, text, at)) return { token: { kind }, end: pattern.lastIndex };
  const name = matchAt(identifier, text, at)?.[0];
  return name === undefined ? undefined : { token: { kind: 'label', value: name }, end: identifier.lastIndex };
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function describe(text: string, at: number): string {
  if (text[at] === '\n' || text[at] === '\r') return 'a line break';
  return JSON.stringify(text.slice(at, at + 20));
}
