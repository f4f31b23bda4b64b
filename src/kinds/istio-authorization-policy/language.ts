/**
 * Which identities the texts of an AuthorizationPolicy match, as Istio compiles them for Envoy (pilot/pkg/security/authz/model/generator.go,
 * 1.31, and what versions before did otherwise: of two readings the one that matches more).
 *
 *   spiffe://DOMAIN/ns/NAMESPACE/sa/ACCOUNT      no part has a slash; NAMESPACE is a DNS label
 *
 * A text becomes a list of products: for each part of the identity a glob (glob.ts). It matches when all parts of one product do. An empty list
 * matches nothing: a `*` that Istio takes for itself is in no identity.
 */
import { isName, isNamespace, matchesGlob } from '../../reach/identity/glob.ts';
import { anyIdentity, type IdentityPattern, type IdentityProduct } from '../../reach/identity/pattern.ts';

/** Twice what a name can have. */
const longestNamespace = 126;

/** What Istio has taken for a regular expression at one time. */
const expressionSyntax = /[()[\]{}|+^$\\?]/;

const notAnAccount = /[*()[\]{}|+^$\\?]/;

/** `principals`: exact, a beginning before `*`, an end after it, or `*` alone. Undefined: versions of Istio differ, some take it for an expression. */
export function principalPattern(text: string): IdentityPattern | undefined {
  const star = text.indexOf('*');
  if (star < 0) return { text, products: listOf(exactly(text)) };
  if (text === '*') return { text, products: [anyIdentity] };
  const plain = star === 0 ? endingIn(text) : comparedWith(text);
  // A trust domain that is written whole, or left out.
  const slash = text.indexOf('/');
  if (star > slash || slash === 1) return plain;
  const [domain = '', ...rest] = partsOf(text);
  if (plain === undefined || rest.length !== 4 || !/^(?:\*[^*]+|[^*]+\*)$/.test(domain)) return plain;
  // Where the trust domain fits one of the mesh, istiod writes each of the mesh's in its place, and reads what comes of it (bundle.go). The
  // end of one it keeps for those that fit, so that a `*` behind it counts for aliases alone.
  if (domain.startsWith('*')) return text.endsWith('*') ? undefined : plain;
  const { products } = comparedWith(`cluster.local/${rest.join('/')}`);
  return {
    text,
    products: [...plain.products, ...products.map((one) => ({ ...one, domain, isOfMesh: true as const }))],
  };
}

function comparedWith(text: string): IdentityPattern {
  const star = text.indexOf('*');
  if (star < 0) return { text, products: listOf(exactly(text)) };
  // Behind the first `*` every other one is meant literally, and is in no identity.
  if (star < text.length - 1) return { text, products: [] };
  return { text, products: listOf(beginningWith(partsOf(text.slice(0, star)))) };
}

/** As `split` gives them, of a beginning or of an end: 900 instructions for five parts, against 2,200. */
function partsOf(text: string): string[] {
  const parts: string[] = [];
  let from = 0;
  for (let slash = text.indexOf('/'); slash >= 0; slash = text.indexOf('/', from)) {
    parts.push(from === 0 ? domainOf(text, slash) : text.slice(from, slash));
    from = slash + 1;
  }
  parts.push(text.slice(from));
  return parts;
}

const listOf = (product: IdentityProduct | undefined): readonly IdentityProduct[] =>
  product === undefined ? [] : [product];

function exactly(text: string): IdentityProduct | undefined {
  const ns = text.indexOf('/');
  const sa = text.indexOf('/', ns + 4);
  if (ns < 1 || sa < 0 || !text.startsWith('/ns/', ns) || !text.startsWith('/sa/', sa)) return undefined;
  const account = text.slice(sa + 4);
  if (account === '' || account.includes('/')) return undefined;
  return { domain: domainOf(text, ns), namespace: text.slice(ns + 4, sa), account };
}

const usualDomain = 'cluster.local';

/** The trust domain before the slash. Of the usual one there is one text: a copy for each caller takes 700 instructions to look up. */
function domainOf(text: string, slash: number): string {
  return slash === usualDomain.length && text.startsWith(usualDomain) ? usualDomain : text.slice(0, slash);
}

/** The text is compared as it stands: what it ends in may go on. */
function beginningWith(parts: readonly string[]): IdentityProduct | undefined {
  const [domain = '', ns, namespace, sa, account, ...more] = parts;
  if (more.length > 0) return undefined;
  if (ns === undefined) return { ...anyIdentity, domain: `${domain}*` };
  if (namespace === undefined) return 'ns'.startsWith(ns) ? { ...anyIdentity, domain } : undefined;
  if (ns !== 'ns') return undefined;
  if (sa === undefined) return { domain, namespace: `${namespace}*`, account: '*' };
  if (account === undefined) return 'sa'.startsWith(sa) ? { domain, namespace, account: '*' } : undefined;
  return sa === 'sa' ? { domain, namespace, account: `${account}*` } : undefined;
}

/** Before 1.28.7 and 1.29.3 it was an expression, in which a dot is any character, a slash too. */
function endingIn(text: string): IdentityPattern | undefined {
  // `*/ns/NAMESPACE/sa/ACCOUNT`, as most people write it.
  const whole = exactly(text);
  if (whole?.domain === '*' && isNamespace(whole.namespace) && isName(whole.account))
    return { text, products: [whole] };
  const end = text.slice(1);
  if (expressionSyntax.test(end)) return undefined;
  const parts = partsOf(end).reverse();
  const [account = '', sa, namespace, ns, domain] = parts;
  const product = endOf(account, sa, namespace, ns, domain);
  const isDead = product === undefined || parts.length > 5 || end.includes('*');
  if (!isDead) return { text, products: [product] };
  return end.includes('.') ? undefined : { text, products: [] };
}

const anyForDots = (text: string) => (text.includes('.') ? text.replaceAll('.', '?') : text);

function endOf(
  account: string,
  sa: string | undefined,
  namespace: string | undefined,
  ns: string | undefined,
  domain: string | undefined,
): IdentityProduct | undefined {
  if (sa === undefined) return { ...anyIdentity, account: `*${account}` };
  if (namespace === undefined) return 'sa'.endsWith(sa) ? { ...anyIdentity, account } : undefined;
  if (sa !== 'sa') return undefined;
  const name = anyForDots(namespace);
  if (ns === undefined) return { domain: '*', namespace: `*${name}`, account };
  if (domain === undefined) return 'ns'.endsWith(ns) ? { domain: '*', namespace: name, account } : undefined;
  return ns === 'ns' ? { domain: `*${domain}`, namespace: name, account } : undefined;
}

/**
 * `namespaces`: an expression for anything, `/ns/TEXT/` and anything, with anything for each `*`. It is not bound to one part of the identity: a
 * `*` runs over slashes, and `/ns/` is found a second time where the namespace itself is called ns. Undefined: before 1.29.3 such a text
 * was an expression.
 */
export function namespacePattern(text: string): IdentityPattern | undefined {
  // One name, as most people write it.
  if (isNamespace(text) && text !== 'sa') return { text, products: [{ domain: '*', namespace: text, account: '*' }] };
  if (text.length > longestNamespace || !/^[a-z0-9*-]+$/.test(text)) return undefined;
  if (!text.includes('*') && text !== 'sa') return { text, products: [{ ...anyIdentity, namespace: text }] };
  const glob = text.replaceAll(/\*+/g, '*');
  const namespaces = new Set([glob]);
  // The text behind a star that matches "sa" is `*s*a*` at most, as two stars are never adjacent.
  for (let star = glob.indexOf('*', Math.max(0, glob.length - 6)); star >= 0; star = glob.indexOf('*', star + 1))
    if (matchesGlob(`*${glob.slice(star + 1)}`, 'sa')) namespaces.add(glob.slice(0, star + 1));
  if (matchesGlob(glob, 'sa')) namespaces.add('ns');
  return { text, products: [...namespaces].map((namespace) => ({ ...anyIdentity, namespace })) };
}

/**
 * `serviceAccounts`: ACCOUNT, which is one of the policy's own namespace, or NAMESPACE/ACCOUNT. Undefined: neither.
 */
export function accountPattern(text: string, own: string): IdentityPattern | undefined {
  const slash = text.indexOf('/');
  const namespace = slash < 0 ? own : text.slice(0, slash);
  const account = text.slice(slash + 1);
  if (!isName(account) || (slash >= 0 && !isNamespace(namespace))) {
    if (slash === 0 || account === '' || account.includes('/') || notAnAccount.test(text)) return undefined;
  }
  if (!text.includes('.')) return { text, products: [{ domain: '*', namespace, account }] };
  const product = { domain: '*', namespace: anyForDots(namespace), account };
  const doubt = `a dot, which Istio before 1.29.2 takes for any character (CVE-2026-39350)`;
  return { text, products: [{ ...product, account: anyForDots(account) }], doubt };
}

/** `trustDomains`. */
export function domainPattern(text: string): IdentityPattern {
  return { text, products: [{ ...anyIdentity, domain: text }], isHint: true };
}
