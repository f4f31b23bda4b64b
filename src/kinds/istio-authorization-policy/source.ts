/**
 * Sources and conditions of an AuthorizationPolicy -> who calls.
 *
 * Fields of one source, and all conditions, narrow each other; items of one list widen it. A list that is missing, null or empty asks
 * nothing: only Istio's own webhook refuses it. What a proxy alone knows of a request (`requestPrincipals`, `remoteIpBlocks`, headers) says
 * nothing of who sends it.
 */
import { type FieldPath, field as fieldAt } from '../../kubernetes/field-path.ts';
import { type IpRange, knownRange } from '../../kubernetes/ip-range.ts';
import { type IpSet, intersect, normalise, subtract } from '../../kubernetes/ip-set.ts';
import { excerpt, isGiven, type JsonMap } from '../../kubernetes/json.ts';
import { readRangeOrAddress } from '../../reach/dialects/range.ts';
import type { IdentityPattern } from '../../reach/identity/pattern.ts';
import { accountPattern, domainPattern, namespacePattern, principalPattern } from './language.ts';
import { given, listAt, mapAt, type Place, scope, textsAt, within, wrong } from './place.ts';

/** A field, or a condition, that says which identities match. */
interface Listed {
  readonly patterns: readonly IdentityPattern[];
  readonly path: FieldPath;
}

export interface Callers {
  readonly all: readonly Listed[];
  readonly none: readonly IdentityPattern[];
  /** Undefined: any. */
  readonly addresses: IpSet | undefined;
}

export const everyCaller: Callers = { all: [], none: [], addresses: undefined };

function joined<Item>(one: readonly Item[], other: readonly Item[]): readonly Item[] {
  if (one.length === 0) return other;
  return other.length === 0 ? one : [...one, ...other];
}

/** Both must hold. */
export function both(one: Callers, other: Callers): Callers {
  if (other === everyCaller) return one;
  if (one === everyCaller) return other;
  const { addresses: some } = one;
  const { addresses: others } = other;
  return {
    all: joined(one.all, other.all),
    none: joined(one.none, other.none),
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
/** Fields of a source, some of which are read in pairs. */
interface SourceField {
  readonly order: number;
  /** Undefined: it is not understood, which was said. */
  readonly read: (source: JsonMap, place: Place) => Callers | undefined;
  /** The same where the source has no other field, as most have: to look for one that is not there costs 300 instructions. */
  readonly alone: (source: JsonMap, place: Place) => Callers | undefined;
}

const otherFields = ['requestPrincipals', 'notRequestPrincipals', 'remoteIpBlocks', 'notRemoteIpBlocks'];
const readAddresses: SourceField['read'] = (source, place) => {
  const addresses = addressesOf(source, 'ipBlocks', 'notIpBlocks', place);
  return addresses && { ...everyCaller, addresses: addresses.set };
};
const ofAddresses: SourceField = {
  order: otherFields.length + identityFields.length,
  read: readAddresses,
  alone: readAddresses,
};
const sourceFields: ReadonlyMap<string, SourceField> = new Map([
  ...identityFields.flatMap((field, index): readonly [string, SourceField][] => {
    const { name, negative } = field;
    const order = otherFields.length + index;
    const read: SourceField['read'] = (source, place) => identitiesAt(source, name, negative, field, place);
    return [
      [name, { order, read, alone: (source, place) => identitiesAt(source, name, undefined, field, place) }],
      [negative, { order, read, alone: (source, place) => identitiesAt(source, undefined, negative, field, place) }],
    ];
  }),
  ...['ipBlocks', 'notIpBlocks'].map((name): [string, SourceField] => [name, ofAddresses]),
  ...otherFields.map((name, order): [string, SourceField] => {
    const read: SourceField['read'] = (source, place) => textsAt(source[name], name, place) && everyCaller;
    return [name, { order, read, alone: read }];
  }),
]);
const sourceNames: ReadonlySet<string> = new Set(sourceFields.keys());
const otherKeys: ReadonlySet<string> = new Set([
  ...['remote.ip', 'request.auth.principal', 'request.auth.audiences', 'request.auth.presenter'],
  ...['destination.ip', 'destination.port', 'connection.sni'],
]);
const conditionFields: ReadonlySet<string> = new Set(['key', 'values', 'notValues']);
const openKeys = ['request.headers[', 'request.auth.claims[', 'experimental.envoy.filters.'];

/** Undefined: something in it is not understood, which was said. `from: [{}]` is every caller. */
export function readSource(written: unknown, place: Place): Callers | undefined {
  const source = mapAt(written, sourceNames, 'a source', place);
  if (source === undefined) return undefined;
  const fields = given(source, sourceFields);
  const [only] = fields;
  if (only !== undefined && fields.length === 1) return only.alone(source, place);
  let callers = everyCaller;
  let before: SourceField['read'] | undefined;
  for (const field of fields) {
    if (field.read === before) continue;
    before = field.read;
    const some = field.read(source, place);
    if (some === undefined) return undefined;
    callers = both(callers, some);
  }
  return callers;
}

/** A list of identities, and what it leaves out. */
function identitiesAt(
  map: JsonMap,
  positive: string | undefined,
  negative: string | undefined,
  field: IdentityField,
  place: Place,
): Callers | undefined {
  const patterns = positive === undefined ? noPatterns : patternsAt(map[positive], positive, field, place);
  const none = negative === undefined ? noPatterns : patternsAt(map[negative], negative, field, place);
  if (patterns === undefined || none === undefined) return undefined;
  const isAny = positive === undefined || patterns.length === 0;
  return { all: isAny ? noLists : [{ patterns, path: fieldAt(place.path, positive) }], none, addresses: undefined };
}

/** Undefined: it is not understood, which was said. */
export function readCondition(written: unknown, place: Place): Callers | undefined {
  const condition = mapAt(written, conditionFields, 'a condition', place);
  if (condition === undefined) return undefined;
  const { key } = condition;
  const field = byKey.get(key);
  if (field !== undefined) return identitiesAt(condition, 'values', 'notValues', field, place);
  if (key === 'source.ip') {
    const addresses = addressesOf(condition, 'values', 'notValues', place);
    return addresses && { ...everyCaller, addresses: addresses.set };
  }
  if (
    textsAt(condition.values, 'values', place) === undefined ||
    textsAt(condition.notValues, 'notValues', place) === undefined
  )
    return undefined;
  if (typeof key === 'string' && (otherKeys.has(key) || openKeys.some((open) => key.startsWith(open))))
    return everyCaller;
  return wrong(within(place, 'key'), `${excerpt(key)} is not a key of Istio`, 'write a key such as source.namespace');
}

const noLists: readonly Listed[] = [];
const noPatterns: readonly IdentityPattern[] = [];

function patternsAt(
  written: unknown,
  name: string,
  { read, fix }: IdentityField,
  place: Place,
): readonly IdentityPattern[] | undefined {
  const texts = textsAt(written, name, place);
  if (texts === undefined || texts.length === 0) return texts && noPatterns;
  const patterns: IdentityPattern[] = [];
  for (let index = 0; index < texts.length; index++) {
    const text = texts[index] ?? '';
    const pattern = read(text, place.namespace);
    if (pattern === undefined)
      return wrong(
        within(place, name, index),
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
  const list = listAt(map[name], name, place);
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
