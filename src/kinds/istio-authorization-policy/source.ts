/**
 * Sources and conditions of an AuthorizationPolicy -> who calls.
 *
 * Fields of one source, and all conditions, narrow each other; items of one list widen it. A list that is missing, null or empty asks
 * nothing: only Istio's own webhook refuses it. What a proxy alone knows of a request (`requestPrincipals`, `remoteIpBlocks`, headers) says
 * nothing of who sends it.
 */
import { type IpRange, knownRange } from '../../kubernetes/ip-range.ts';
import { type IpSet, intersect, normalise, subtract } from '../../kubernetes/ip-set.ts';
import { excerpt, isGiven, type JsonMap } from '../../kubernetes/json.ts';
import { readRangeOrAddress } from '../../reach/dialects/range.ts';
import type { IdentityPattern } from '../../reach/identity/pattern.ts';
import { accountPattern, domainPattern, namespacePattern, principalPattern } from './language.ts';
import { listAt, mapAt, type Place, scope, textsAt, within, wrong } from './place.ts';

/** A field, or a condition, that says which identities match. */
interface Listed {
  readonly patterns: readonly IdentityPattern[];
  readonly place: Place;
}

export interface Callers {
  readonly all: readonly Listed[];
  readonly none: readonly IdentityPattern[];
  /** Undefined: any. */
  readonly addresses: IpSet | undefined;
}

export const everyCaller: Callers = { all: [], none: [], addresses: undefined };

/** Both must hold. */
export function both(one: Callers, other: Callers): Callers {
  if (other === everyCaller) return one;
  const { addresses: some } = one;
  const { addresses: others } = other;
  return {
    all: [...one.all, ...other.all],
    none: [...one.none, ...other.none],
    addresses: some === undefined || others === undefined ? (some ?? others) : intersect(some, others),
  };
}

/** A field of a source that lists identities, and the condition that says the same. */
interface IdentityField {
  readonly name: string;
  readonly negative: string;
  readonly key: string;
  readonly read: (text: string, own: string) => IdentityPattern | undefined;
  readonly fix: string;
}

const identityFields: readonly IdentityField[] = [
  {
    ...{ name: 'namespaces', negative: 'notNamespaces', key: 'source.namespace', read: namespacePattern },
    fix: 'write names of namespaces: lower-case letters, digits, hyphens and *',
  },
  {
    ...{ name: 'principals', negative: 'notPrincipals', key: 'source.principal', read: principalPattern },
    fix: 'write principals such as cluster.local/ns/NAMESPACE/sa/ACCOUNT',
  },
  {
    ...{ name: 'serviceAccounts', negative: 'notServiceAccounts', key: 'source.serviceAccount', read: accountPattern },
    fix: 'write ACCOUNT or NAMESPACE/ACCOUNT, without *',
  },
  {
    ...{ name: 'trustDomains', negative: 'notTrustDomains', key: 'source.trustDomain', read: domainPattern },
    fix: 'write a trust domain',
  },
];
const byKey: ReadonlyMap<unknown, IdentityField> = new Map(identityFields.map((one) => [one.key, one]));
const otherFields = ['requestPrincipals', 'notRequestPrincipals', 'remoteIpBlocks', 'notRemoteIpBlocks'];
const sourceFields: ReadonlySet<string> = new Set([
  ...identityFields.flatMap(({ name, negative }) => [name, negative]),
  ...['ipBlocks', 'notIpBlocks'],
  ...otherFields,
]);
const otherKeys: ReadonlySet<string> = new Set([
  ...['remote.ip', 'request.auth.principal', 'request.auth.audiences', 'request.auth.presenter'],
  ...['destination.ip', 'destination.port', 'connection.sni'],
]);
const conditionFields: ReadonlySet<string> = new Set(['key', 'values', 'notValues']);
const openKeys = ['request.headers[', 'request.auth.claims[', 'experimental.envoy.filters.'];

/** Undefined: something in it is not understood, which was said. `from: [{}]` is every caller. */
export function readSource(written: unknown, place: Place): Callers | undefined {
  const source = mapAt(written, sourceFields, 'a source', place);
  if (source === undefined) return undefined;
  for (const name of otherFields) if (textsAt(source, name, place) === undefined) return undefined;
  const all: Listed[] = [];
  const none: IdentityPattern[] = [];
  for (const field of identityFields) {
    const { name, negative } = field;
    const patterns = patternsAt(source, name, field, place);
    const left = patternsAt(source, negative, field, place);
    if (patterns === undefined || left === undefined) return undefined;
    if (patterns.length > 0) all.push({ patterns, place: within(place, name) });
    if (left.length > 0) none.push(...left);
  }
  const addresses = addressesOf(source, 'ipBlocks', 'notIpBlocks', place);
  return addresses === undefined ? undefined : { all, none, addresses: addresses.set };
}

/** Undefined: it is not understood, which was said. */
export function readCondition(written: unknown, place: Place): Callers | undefined {
  const condition = mapAt(written, conditionFields, 'a condition', place);
  if (condition === undefined) return undefined;
  const { key } = condition;
  const field = byKey.get(key);
  if (field !== undefined) {
    const patterns = patternsAt(condition, 'values', field, place);
    const none = patternsAt(condition, 'notValues', field, place);
    if (patterns === undefined || none === undefined) return undefined;
    const all = patterns.length === 0 ? [] : [{ patterns, place: within(place, 'values') }];
    return { all, none, addresses: undefined };
  }
  if (key === 'source.ip') {
    const addresses = addressesOf(condition, 'values', 'notValues', place);
    return addresses && { ...everyCaller, addresses: addresses.set };
  }
  if (textsAt(condition, 'values', place) === undefined || textsAt(condition, 'notValues', place) === undefined)
    return undefined;
  if (typeof key === 'string' && (otherKeys.has(key) || openKeys.some((open) => key.startsWith(open))))
    return everyCaller;
  return wrong(within(place, 'key'), `${excerpt(key)} is not a key of Istio`, 'write a key such as source.namespace');
}

const noPatterns: readonly IdentityPattern[] = [];

function patternsAt(
  map: JsonMap,
  name: string,
  { read, fix }: IdentityField,
  place: Place,
): readonly IdentityPattern[] | undefined {
  const texts = textsAt(map, name, place);
  if (texts === undefined || texts.length === 0) return texts && noPatterns;
  const patterns: IdentityPattern[] = [];
  for (const text of texts) {
    const pattern = read(text, place.namespace);
    if (pattern === undefined)
      return wrong(
        within(place, name, patterns.length),
        `${excerpt(text)} is read differently by versions of Istio, or by none`,
        fix,
      );
    patterns.push(pattern);
  }
  return patterns;
}

const anyAddress = { set: undefined };
const everyAddress: IpSet = [knownRange('0.0.0.0/0'), knownRange('::/0')];

/** Undefined: not understood. An undefined set is any address. */
function addressesOf(
  map: JsonMap,
  positive: string,
  negative: string,
  place: Place,
): { readonly set: IpSet | undefined } | undefined {
  if (!isGiven(map[positive]) && !isGiven(map[negative])) return anyAddress;
  const some = rangesAt(map, positive, place);
  const left = rangesAt(map, negative, place);
  if (some === undefined || left === undefined) return undefined;
  if (some.length + left.length === 0) return anyAddress;
  return { set: subtract(some.length === 0 ? everyAddress : normalise(some), normalise(left)) };
}

function rangesAt(map: JsonMap, name: string, place: Place): readonly IpRange[] | undefined {
  const list = listAt(map, name, place);
  if (list === undefined) return undefined;
  const ranges: IpRange[] = [];
  for (const [index, text] of list.entries()) {
    const range = readRangeOrAddress(text, within(place, name, index).path, scope);
    if ('verdict' in range) {
      place.found.add(range);
      return undefined;
    }
    ranges.push(range);
  }
  return ranges;
}
