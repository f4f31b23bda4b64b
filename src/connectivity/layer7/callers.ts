/** Whether a caller is one whom a source or a condition of an AuthorizationPolicy names. Facts: istio.io/docs/reference/config/security. */
import {
  accountPattern,
  domainPattern,
  namespacePattern,
  principalPattern,
} from '../../kinds/istio-authorization-policy/language.ts';
import { parseCidr } from '../../kubernetes/ip-range.ts';
import { contains, type IpSet, intersect, normalise } from '../../kubernetes/ip-set.ts';
import { isMap, listOf } from '../../kubernetes/json.ts';
import { matchesGlob } from '../../reach/identity/glob.ts';
import type { IdentityPattern } from '../../reach/identity/pattern.ts';
import { isFilled } from '../tokens.ts';

/** `maybe`: it depends on the request, or on what is not known of the caller. */
export type Sure = 'yes' | 'no' | 'maybe';

export interface Caller {
  /** Whether the mesh proves who it is. */
  readonly hasIdentity: Sure;
  /** Undefined: it is in none. */
  readonly namespace: string | undefined;
  /** Undefined: not known, as a proxy may stand between. */
  readonly addresses: IpSet | undefined;
  /** Trust domains of the mesh. */
  readonly domains: ReadonlySet<string>;
}

/** With what a `maybe` depends on: `requestPrincipals *`. */
export interface Match {
  readonly sure: Sure;
  readonly conditions: readonly string[];
}

const always: Match = { sure: 'yes', conditions: [] };
const never: Match = { sure: 'no', conditions: [] };

/** All must hold. */
export function allOf(matches: readonly Match[]): Match {
  if (matches.some(({ sure }) => sure === 'no')) return never;
  const open = matches.filter(({ sure }) => sure === 'maybe');
  return open.length === 0 ? always : { sure: 'maybe', conditions: open.flatMap(({ conditions }) => conditions) };
}

/** One is enough. */
export function anyOf(matches: readonly Match[]): Match {
  if (matches.some(({ sure }) => sure === 'yes')) return always;
  const open = matches.filter(({ sure }) => sure === 'maybe');
  return open.length === 0 ? never : { sure: 'maybe', conditions: open.flatMap(({ conditions }) => conditions) };
}

function opposite({ sure, conditions }: Match): Match {
  return { sure: sure === 'yes' ? 'no' : sure === 'no' ? 'yes' : 'maybe', conditions };
}

type ReadPattern = (text: string, own: string) => IdentityPattern | undefined;

const identityFields: ReadonlyMap<string, ReadPattern> = new Map<string, ReadPattern>([
  ['namespaces', namespacePattern],
  ['principals', principalPattern],
  ['serviceAccounts', accountPattern],
  ['trustDomains', domainPattern],
]);
const identityKeys: ReadonlyMap<unknown, ReadPattern> = new Map<unknown, ReadPattern>([
  ['source.namespace', namespacePattern],
  ['source.principal', principalPattern],
  ['source.serviceAccount', accountPattern],
  ['source.trustDomain', domainPattern],
]);

/** @param own the namespace of the policy */
export function matchSource(source: unknown, caller: Caller, own: string): Match {
  if (!isMap(source)) return always;
  return allOf(
    Object.entries(source).flatMap(([name, list]): readonly Match[] => {
      if (!isFilled(list)) return [];
      const positive = positiveOf(name);
      const read = identityFields.get(positive);
      const isNot = positive !== name;
      const condition = conditionText(name, list);
      if (read !== undefined) return [matchIdentity(list, read, caller, own, isNot, condition)];
      return [positive === 'ipBlocks' ? matchAddress(list, caller, isNot, condition) : maybe(condition)];
    }),
  );
}

/** @returns undefined for a condition on the port, which is not about the caller */
export function matchCondition(written: unknown, caller: Caller, own: string): Match | undefined {
  if (!isMap(written)) return always;
  const { key, values, notValues } = written;
  if (key === 'destination.port') return undefined;
  const read = identityKeys.get(key);
  const parts = [
    { list: values, isNot: false },
    { list: notValues, isNot: true },
  ].filter(({ list }) => isFilled(list));
  return allOf(
    parts.map(({ list, isNot }) => {
      const condition = conditionText(`${String(key)}${isNot ? ' is not' : ''}`, list);
      if (read !== undefined) return matchIdentity(list, read, caller, own, isNot, condition);
      return key === 'source.ip' ? matchAddress(list, caller, isNot, condition) : maybe(condition);
    }),
  );
}

/** `notPrincipals` -> `principals` */
function positiveOf(name: string): string {
  return /^not[A-Z]/.test(name) ? `${name[3]?.toLowerCase()}${name.slice(4)}` : name;
}

export function maybe(condition: string): Match {
  return { sure: 'maybe', conditions: [condition] };
}

const mostValues = 3;

/** `methods GET, POST` */
export function conditionText(name: string, list: unknown): string {
  const texts = listOf(list).map(String);
  const more = texts.length > mostValues ? ` and ${texts.length - mostValues} more` : '';
  return `${name} ${texts.slice(0, mostValues).join(', ')}${more}`;
}

function matchIdentity(
  list: unknown,
  read: ReadPattern,
  caller: Caller,
  own: string,
  isNot: boolean,
  condition: string,
): Match {
  const named = anyOf(listOf(list).map((text) => ofText(String(text), read, caller, own, condition)));
  if (caller.hasIdentity === 'yes') return isNot ? opposite(named) : named;
  const proof = maybe(isNot ? 'no mutual TLS' : 'mutual TLS');
  const found = caller.hasIdentity === 'no' ? never : named.sure === 'yes' ? proof : named;
  return isNot ? opposite(found) : found;
}

function ofText(
  text: string,
  read: ReadPattern,
  { namespace, domains }: Caller,
  own: string,
  condition: string,
): Match {
  const pattern = read(text, own);
  // Versions of Istio differ about it.
  if (pattern === undefined) return maybe(condition);
  const inNamespace = pattern.products.filter(
    (one) => namespace === undefined || matchesGlob(one.namespace, namespace),
  );
  if (inNamespace.length === 0) return never;
  const isSure = inNamespace.some(
    (one) =>
      namespace !== undefined && one.account === '*' && [...domains].every((domain) => matchesGlob(one.domain, domain)),
  );
  return isSure && pattern.doubt === undefined ? always : maybe(condition);
}

function matchAddress(list: unknown, { addresses }: Caller, isNot: boolean, condition: string): Match {
  if (addresses === undefined) return maybe(condition);
  const ranges = listOf(list).map((text) => {
    const whole = String(text);
    return parseCidr(whole.includes('/') ? whole : `${whole}/${whole.includes(':') ? 128 : 32}`);
  });
  const set = normalise(ranges.flatMap((one) => (one.ok ? [one.value] : [])));
  if (set.length === 0 || ranges.some(({ ok }) => !ok)) return maybe(condition);
  const found = contains(set, addresses) ? always : intersect(set, addresses).length > 0 ? maybe(condition) : never;
  return isNot ? opposite(found) : found;
}
