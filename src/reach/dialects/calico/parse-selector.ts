/**
 * Calico's selectors (libcalico-go/lib/selector/parser) -> expressions.
 *
 *   or := and {'||' and}    and := operation {'&&' operation}    operation := {'!'} (test | '(' or ')')
 *
 * The empty text matches everything. `!` is for one operation, a set may be empty and may end with a comma.
 */
import { namespaceNameLabel } from '../../../kubernetes/objects.ts';
import { type Expression, everything, negated, type Test } from '../../expression/expression.ts';
import { nameKey, ofNamespace } from '../../model.ts';
import { type Token, tokensOf } from './tokens.ts';

/** What the words of a selector mean where it stands. */
export interface Meaning {
  /** Stands before each key. */
  readonly prefix: string;
  readonly all: Expression;
  readonly global: Expression;
}

const namespacePrefix = 'pcns.';
/** Of what is in a namespace, each of these is the name of that namespace. */
const nameKeys: ReadonlySet<string> = new Set([
  'projectcalico.org/namespace',
  `${namespacePrefix}projectcalico.org/name`,
  `${namespacePrefix}${namespaceNameLabel}`,
]);

/** A key of Calico's as reach has it. Calico takes `pcns.` away from labels of pods, so what has it is a label of the namespace. */
export function reachKey(key: string): string {
  if (nameKeys.has(key)) return nameKey;
  return key.startsWith(namespacePrefix) ? `${ofNamespace}${key.slice(namespacePrefix.length)}` : key;
}

/** Of endpoints: both match everything (AllNode, GlobalNode). */
export const ofEndpoints: Meaning = { prefix: '', all: everything, global: everything };

/** "all() -> has(projectcalico.org/namespace)", "global() -> !has(projectcalico.org/namespace)" (getEndpointSelector). */
export const ofNamespaces: Meaning = {
  prefix: namespacePrefix,
  all: { key: nameKey, test: { op: 'has' }, holds: true },
  global: { key: nameKey, test: { op: 'has' }, holds: false },
};

export const ofServiceAccounts: Meaning = { ...ofEndpoints, prefix: 'pcsa.' };

/** Longer than any key of a label: 253 characters, a slash and 63 more. A key that Calico's own prefix makes too long is read anew otherwise. */
const longestKey = 317;

export type Parsed = { readonly expression: Expression } | { readonly reason: string };

/** @param text not too long, so that parentheses nest no deeper */
export function parseSelector(text: string, meaning: Meaning): Parsed {
  const tokens = tokensOf(text);
  if ('reason' in tokens) return tokens;
  if (tokens.length === 1) return { expression: meaning.all };
  return new Parser(tokens, meaning).parse();
}

class Unexpected extends Error {}

class Parser {
  readonly #tokens: readonly Token[];
  readonly #meaning: Meaning;
  #at = 0;

  constructor(tokens: readonly Token[], meaning: Meaning) {
    this.#tokens = tokens;
    this.#meaning = meaning;
  }

  parse(): Parsed {
    try {
      const expression = this.#or(true);
      this.#expect('end', 'the end');
      return { expression };
    } catch (error) {
      if (error instanceof Unexpected) return { reason: error.message };
      throw error;
    }
  }

  /** @param holds false: the negation of what is written */
  #or(holds: boolean): Expression {
    const parts = [this.#and(holds)];
    while (this.#take('||')) parts.push(this.#and(holds));
    return joined(parts, !holds);
  }

  #and(holds: boolean): Expression {
    const parts = [this.#operation(holds)];
    while (this.#take('&&')) parts.push(this.#operation(holds));
    return joined(parts, holds);
  }

  #operation(outer: boolean): Expression {
    let holds = outer;
    while (this.#take('!')) holds = !holds;
    const token = this.#next();
    switch (token.kind) {
      case 'has':
        return this.#literal(token.value, { op: 'has' }, holds);
      case 'all':
        return holds ? this.#meaning.all : negated(this.#meaning.all);
      case 'global':
        return holds ? this.#meaning.global : negated(this.#meaning.global);
      case 'label':
        return this.#comparison(token.value, holds);
      case '(': {
        const inner = this.#or(holds);
        this.#expect(')', ')');
        return inner;
      }
      default:
        throw unexpected(token, 'a test such as key == "value"');
    }
  }

  #comparison(key: string, holds: boolean): Expression {
    const operator = this.#next();
    switch (operator.kind) {
      case '==':
        return this.#literal(key, { op: 'in', values: new Set([this.#text()]) }, holds);
      case '!=':
        return this.#literal(key, { op: 'in', values: new Set([this.#text()]) }, !holds);
      case 'in':
        return this.#literal(key, { op: 'in', values: this.#set() }, holds);
      case 'not in':
        return this.#literal(key, { op: 'in', values: this.#set() }, !holds);
      case 'contains':
      case 'starts':
      case 'ends':
        return this.#literal(key, { op: operator.kind, text: this.#text() }, holds);
      default:
        throw unexpected(operator, `an operator after ${key.slice(0, 60)}`);
    }
  }

  #literal(key: string, test: Test, holds: boolean): Expression {
    if (key.length > longestKey) throw new Unexpected('has a key that is longer than any key of a label');
    return { key: reachKey(`${this.#meaning.prefix}${key}`), test, holds };
  }

  #text(): string {
    const token = this.#next();
    if (token.kind !== 'text') throw unexpected(token, 'a value in quotes');
    return token.value;
  }

  #set(): ReadonlySet<string> {
    this.#expect('{', '{');
    const values = new Set<string>();
    for (let token = this.#peek(); token.kind === 'text'; token = this.#peek()) {
      values.add(token.value);
      this.#at++;
      if (!this.#take(',')) break;
    }
    this.#expect('}', '}');
    return values;
  }

  #peek(): Token {
    return this.#tokens[this.#at] ?? { kind: 'end' };
  }

  #next(): Token {
    const token = this.#peek();
    this.#at++;
    return token;
  }

  #take(kind: Token['kind']): boolean {
    if (this.#peek().kind !== kind) return false;
    this.#at++;
    return true;
  }

  #expect(kind: Token['kind'], what: string): void {
    const token = this.#next();
    if (token.kind !== kind) throw unexpected(token, what);
  }
}

function joined(parts: readonly Expression[], isAll: boolean): Expression {
  const [first] = parts;
  if (parts.length === 1 && first !== undefined) return first;
  return isAll ? { all: parts } : { any: parts };
}

function unexpected(token: Token, wanted: string): Unexpected {
  const found =
    token.kind === 'end' ? 'ends' : `has ${'value' in token ? JSON.stringify(token.value.slice(0, 60)) : token.kind}`;
  return new Unexpected(`${found} where ${wanted} belongs`);
}
