/** One way to meet all fields of a source: a pattern of each, and what the identities that fit all of them have in common. */
import { isLiteral, isName, isNamespace, matchesGlob, wordsIn } from './glob.ts';
import type { IdentityPattern, IdentityProduct } from './pattern.ts';

export interface Conjunction {
  readonly patterns: readonly IdentityPattern[];
  readonly domains: readonly string[];
  readonly namespaces: readonly string[];
  readonly accounts: readonly string[];
  /** False: surely no identity fits. */
  readonly isPossible: boolean;
  /** Undefined: more than one may fit. */
  readonly domain: string | undefined;
  readonly account: string | undefined;
  readonly isOfMesh: boolean;
  /** Names of namespaces that fit. @param any one that fits where every name does */
  names(any: string): readonly string[];
}

/** Undefined: more than `most`. */
export function conjunctionsOf(
  lists: readonly (readonly IdentityPattern[])[],
  most: number,
): readonly Conjunction[] | undefined {
  let partial: readonly (readonly (readonly [IdentityPattern, IdentityProduct])[])[] = [[]];
  for (const list of lists) {
    const options = list.flatMap((pattern) => pattern.products.map((product) => [pattern, product] as const));
    if (partial.length * options.length > most) return undefined;
    partial = partial.flatMap((some) => options.map((option) => [...some, option]));
  }
  return partial.map(conjunctionOf);
}

function conjunctionOf(parts: readonly (readonly [IdentityPattern, IdentityProduct])[]): Conjunction {
  const products = parts.map(([, product]) => product);
  const [domains, namespaces, accounts] = [
    products.map(({ domain }) => domain),
    products.map(({ namespace }) => namespace),
    products.map(({ account }) => account),
  ];
  const sure = parts.filter(([{ isHint }]) => isHint !== true).map(([, product]) => product.domain);
  const [domain, namespace, account] = [sure, namespaces, accounts].map((globs) => globs.find(isLiteral));
  const isPossible =
    (domain === undefined || matchesAll(sure, domain)) &&
    (namespace === undefined || (isNamespace(namespace) && matchesAll(namespaces, namespace))) &&
    (account === undefined || (isName(account) && matchesAll(accounts, account)));
  return {
    ...{ patterns: parts.map(([pattern]) => pattern), domains, namespaces, accounts, isPossible, domain, account },
    isOfMesh: products.some((product) => product.isOfMesh),
    names(any) {
      if (namespace !== undefined) return [namespace];
      return namespaces.every((glob) => glob === '*') ? [any] : wordsIn(namespaces).filter(isNamespace);
    },
  };
}

/** The one namespace whose identities fit, if there is one. */
export function nameIn({ namespaces }: Conjunction): string | undefined {
  return namespaces.find(isLiteral);
}

const matchesAll = (globs: readonly string[], text: string) => globs.every((glob) => matchesGlob(glob, text));

/**
 * Identities that fit, in one of these namespaces, and that no pattern of `none` matches; the plainest first, and not all there are.
 *
 * @param first accounts to try before all others
 */
export function* identitiesOf(
  { domains, accounts, isOfMesh }: Conjunction,
  names: readonly string[],
  first: readonly string[],
  trusted: ReadonlySet<string>,
  none: readonly IdentityPattern[],
): Generator<IdentityProduct> {
  const isLeftOut = (identity: IdentityProduct) =>
    none.some(({ products }) =>
      products.some(
        (product) =>
          matchesGlob(product.domain, identity.domain) &&
          matchesGlob(product.namespace, identity.namespace) &&
          matchesGlob(product.account, identity.account),
      ),
    );
  const literal = (globs: readonly string[]) => globs.filter(isLiteral);
  const ofAccount = [...first, ...literal(accounts), 'default', 'other', ...wordsIn(accounts)];
  const ofDomain = isOfMesh ? [...trusted] : [...literal(domains), ...trusted, ...wordsIn(domains)];
  const fitting = ofDomain.filter((domain) => matchesAll(domains, domain));
  let compared = 0;
  for (const namespace of names)
    for (const account of ofAccount) {
      if (!matchesAll(accounts, account)) continue;
      for (const domain of fitting) {
        compared += 1 + none.length;
        if (compared > mostCompared) return;
        const identity = { domain, namespace, account };
        if (!isLeftOut(identity)) yield identity;
      }
    }
}

/** Where so many comparisons find none that is let in, the policy is refused without an example. */
const mostCompared = 512;
