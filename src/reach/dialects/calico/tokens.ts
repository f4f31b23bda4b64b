/**
 * The tokens of Calico's selectors, as every version of libcalico-go/lib/selector/tokenizer has them. Only blanks and tabs are left out.
 * Older versions also leave out line breaks inside `has(…)`, `not in`, `starts with` and the like. Newer ones cannot read such a text, and
 * a namespaceSelector that cannot be read is no namespaceSelector (parseSelectorAttachPrefix), so the rule is for everybody. An operator in
 * words is read only after a label, so that a label can be named as one; an identifier takes all that it can, so `acontains` is a label.
 */

export type Token =
  | { readonly kind: 'label' | 'text' | 'has'; readonly value: string }
  | { readonly kind: Symbol | Operator | 'all' | 'global' | 'end' };

type Symbol = '(' | ')' | '{' | '}' | ',' | '==' | '!=' | '!' | '&&' | '||';
export type Operator = 'contains' | 'starts' | 'ends' | 'not in' | 'in';

/** By their first character; of two, the longer one is first. */
const symbols: ReadonlyMap<string | undefined, readonly Symbol[]> = new Map<string, readonly Symbol[]>([
  ...(['(', ')', '{', '}', ','] as const).map((one): [string, readonly Symbol[]] => [one, [one]]),
  ['=', ['==']],
  ['!', ['!=', '!']],
  ['&', ['&&']],
  ['|', ['||']],
]);
/** Words with any blanks between them, and whether the last must end where it ends (`\b`). */
const words: readonly (readonly [Operator, readonly string[], 'whole' | 'part'])[] = [
  ['contains', ['contains'], 'part'],
  ['starts', ['starts', 'with'], 'part'],
  ['ends', ['ends', 'with'], 'part'],
  ['not in', ['not', 'in'], 'whole'],
  ['in', ['in'], 'whole'],
];
const longestIdentifier = 512;
/** By character code; every other one is beyond or false. */
const isIdentifier: readonly boolean[] = Array.from({ length: 128 }, (_, code) =>
  /[A-Za-z0-9_./-]/.test(String.fromCharCode(code)),
);

/** Ends with a token `end`; or a reason. */
export function tokensOf(text: string): readonly Token[] | { readonly reason: string } {
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    at = afterBlanks(text, at);
    if (at >= text.length) {
      tokens.push({ kind: 'end' });
      return tokens;
    }
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
  const symbol = symbols.get(text[at])?.find((one) => text.startsWith(one, at));
  return symbol && { token: { kind: symbol }, end: at + symbol.length };
}

function wordAt(text: string, at: number, isAfterLabel: boolean): Read | undefined {
  if (isAfterLabel) {
    for (const [kind, parts, edge] of words) {
      const end = afterAll(text, at, parts);
      if (end !== undefined && (edge === 'part' || !/^\w/.test(text.slice(end, end + 1))))
        return { token: { kind }, end };
    }
    return undefined;
  }
  const has = hasAt(text, at);
  if (has !== undefined) return has;
  for (const kind of ['all', 'global'] as const) {
    const end = afterAll(text, at, [`${kind}(`, ')']);
    if (end !== undefined) return { token: { kind }, end };
  }
  const end = identifierEnd(text, at);
  return end === at ? undefined : { token: { kind: 'label', value: text.slice(at, end) }, end };
}

function hasAt(text: string, at: number): Read | undefined {
  if (!text.startsWith('has(', at)) return undefined;
  const begin = afterBlanks(text, at + 'has('.length);
  const label = identifierEnd(text, begin);
  const end = afterBlanks(text, label);
  return label > begin && text[end] === ')'
    ? { token: { kind: 'has', value: text.slice(begin, label) }, end: end + 1 }
    : undefined;
}

/** Where these parts end that stand one after the other, with blanks between them or none. */
function afterAll(text: string, at: number, parts: readonly string[]): number | undefined {
  let end = at;
  for (const [index, part] of parts.entries()) {
    if (index > 0) end = afterBlanks(text, end);
    if (!text.startsWith(part, end)) return undefined;
    end += part.length;
  }
  return end;
}

function afterBlanks(text: string, at: number): number {
  let end = at;
  while (text[end] === ' ' || text[end] === '\t') end++;
  return end;
}

function identifierEnd(text: string, at: number): number {
  let end = at;
  while (end < at + longestIdentifier && isIdentifier[text.charCodeAt(end)] === true) end++;
  return end;
}

function describe(text: string, at: number): string {
  if (text[at] === '\n' || text[at] === '\r') return 'a line break';
  return JSON.stringify(text.slice(at, at + 20));
}
