/** The lists of peers of a rule of cilium.io/v2: one reader for each. */
import { type DnsPattern, parsePattern } from '../../../kubernetes/dns-pattern.ts';
import { type FieldPath, field } from '../../../kubernetes/field-path.ts';
import type { IpRange } from '../../../kubernetes/ip-range.ts';
import { contains, normalise, subtract } from '../../../kubernetes/ip-set.ts';
import { excerpt, isGiven, isMap, unknownField } from '../../../kubernetes/json.ts';
import type { Direction } from '../../../tenancy/tenant.ts';
import { type Diagnostic, type DiagnosticScope, diagnostic, invalid, isEntity, type Peer } from '../../model.ts';
import { readRange, readRangeOrAddress } from '../range.ts';
import { readEndpoints } from './selector.ts';

/** A peer, or why there is none. */
export type ReadPeer = Peer | Diagnostic;

/** One list of peers. */
export interface PeerList {
  /** An empty list of these selects no pod; of the others, it counts as a missing list (mergeEndpointSelectors of pkg/policy/utils). */
  readonly emptyMatchesNone: boolean;
  /** Of which an item may have many. */
  readonly many?: 'labels' | 'excepts';
  readonly read: (item: unknown, path: FieldPath, direction: Direction) => ReadPeer;
}

const setFields: ReadonlySet<string> = new Set(['cidr', 'except', 'cidrGroupRef', 'cidrGroupSelector']);
const nameFields: ReadonlySet<string> = new Set(['matchName', 'matchPattern']);

const both: readonly (readonly [name: string, PeerList])[] = [
  ['Endpoints', { emptyMatchesNone: true, many: 'labels', read: readEndpoint }],
  ['CIDR', { emptyMatchesNone: true, read: readCidr }],
  ['CIDRSet', { emptyMatchesNone: true, many: 'excepts', read: readCidrRule }],
  ['Entities', { emptyMatchesNone: true, read: readEntity }],
  ['Nodes', { emptyMatchesNone: true, read: readNodes }],
  ['Groups', { emptyMatchesNone: false, read: readGroup }],
];

/** By the name of the field. */
export const peerLists: Readonly<Record<Direction, ReadonlyMap<string, PeerList>>> = {
  ingress: new Map(both.map(([name, list]) => [`from${name}`, list])),
  egress: new Map([
    ...both.map(([name, list]) => [`to${name}`, list] as const),
    ['toFQDNs', { emptyMatchesNone: false, read: readName }],
    ['toServices', { emptyMatchesNone: false, read: readService }],
  ]),
};

/** How many of them an item has. */
export const countIn: Readonly<Record<NonNullable<PeerList['many']>, (item: unknown) => number>> = {
  excepts: (item) => (isMap(item) && Array.isArray(item.except) ? item.except.length : 0),
  labels(item) {
    if (!isMap(item)) return 0;
    const { matchLabels, matchExpressions } = item;
    let count = Array.isArray(matchExpressions) ? matchExpressions.length : 0;
    if (isMap(matchLabels)) for (const _ in matchLabels) count++;
    return count;
  },
};

/** An empty selector means the pods of the own namespace. */
function readEndpoint(item: unknown, path: FieldPath, direction: Direction): ReadPeer {
  const read = readEndpoints(item, path, { direction, kind: 'selector' });
  if ('verdict' in read) return read;
  const { namespaces, pods, clusters } = read;
  return { kind: 'selector', namespaces, pods, clusters };
}

/** A range, or one address. */
function readCidr(item: unknown, path: FieldPath, direction: Direction): ReadPeer {
  const range = readRangeOrAddress(item, path, { direction, kind: 'ipBlock' });
  return 'verdict' in range ? range : { kind: 'ipBlock', addresses: [range] };
}

/** "Only allow notation <IP address>/<prefix>." What `except` leaves out must lie inside. */
function readCidrRule(item: unknown, path: FieldPath, direction: Direction): ReadPeer {
  const scope: DiagnosticScope = { direction, kind: 'ipBlock' };
  if (!isMap(item)) return invalid(scope, path, `${excerpt(item)} is not a map`, 'write a map with cidr and except');
  const unknown = unknownField(item, setFields);
  if (unknown !== undefined) {
    const reason = `${excerpt(unknown)} is not a field of a CIDR rule that is understood`;
    return invalid(scope, path, reason, 'write cidr and except');
  }
  for (const name of ['cidrGroupRef', 'cidrGroupSelector']) {
    if (!isGiven(item[name])) continue;
    const reason = 'takes its ranges from CiliumCIDRGroups, which change without this policy';
    const witness = 'any address, once a CiliumCIDRGroup lists it';
    return {
      ...diagnostic(scope, 'escapes', field(path, name), reason, 'write the ranges with cidr: 203.0.113.0/24'),
      witness,
    };
  }
  const cidr = readRange(item.cidr, field(path, 'cidr'), scope);
  if ('verdict' in cidr) return cidr;
  const excepts = item.except ?? [];
  const exceptsPath = field(path, 'except');
  if (!Array.isArray(excepts))
    return invalid(scope, exceptsPath, `${excerpt(excepts)} is not a list of ranges`, 'write a list of ranges');
  const holes: IpRange[] = [];
  for (const [index, written] of excepts.entries()) {
    const at = field(exceptsPath, index);
    const hole = readRange(written, at, scope);
    if ('verdict' in hole) return hole;
    if (!contains([cidr], [hole])) {
      const reason = `${excerpt(written)} does not lie inside ${excerpt(item.cidr)}`;
      return invalid(scope, at, reason, 'write a range inside cidr, or remove it');
    }
    holes.push(hole);
  }
  const addresses = subtract([cidr], normalise(holes));
  if (addresses.length > 0) return { kind: 'ipBlock', addresses };
  const reason = 'matches nothing, as except leaves no address of cidr';
  return diagnostic(scope, 'nothing', path, reason, { id: 'remove-peer' });
}

/** By an allow-list: later versions of Cilium have more of them. */
function readEntity(item: unknown, path: FieldPath, direction: Direction): ReadPeer {
  const scope: DiagnosticScope = { direction, kind: 'entity' };
  if (item === 'none')
    return diagnostic(scope, 'nothing', path, 'matches nothing, as no pod and no address is the entity none', {
      id: 'remove-peer',
    });
  if (typeof item === 'string' && isEntity(item)) return { kind: 'entity', entity: item };
  return invalid(scope, path, `${excerpt(item)} is not an entity that is understood`, 'write an entity of Cilium 1.20');
}

/** Whatever the selector says, they are nodes other than the pod's own. */
function readNodes(): ReadPeer {
  return { kind: 'entity', entity: 'remote-node' };
}

/** Security groups, which Cilium turns into addresses. A group that it does not understand was everybody (CVE-2025-64715). */
function readGroup(_: unknown, path: FieldPath, direction: Direction): ReadPeer {
  const reason = 'takes its addresses from a cloud, and some versions of Cilium read a wrong group as everybody';
  const fix = `list the ranges under ${direction === 'ingress' ? 'fromCIDR' : 'toCIDR'}`;
  const witness = 'any address, on Cilium before 1.16.17, 1.17.10 and 1.18.4';
  return { ...diagnostic({ direction, kind: 'ipBlock' }, 'escapes', path, reason, fix), witness };
}

/** Cilium asks for one of both; where neither is there, no name matches. */
function readName(item: unknown, path: FieldPath, direction: Direction): ReadPeer {
  const scope: DiagnosticScope = { direction, kind: 'name' };
  const pattern = patternOf(item);
  if (pattern !== undefined) return { kind: 'name', pattern };
  const reason = `${excerpt(item)} names no DNS name that is understood`;
  return invalid(scope, path, reason, 'write matchName: api.example.org, or matchPattern: "*.example.org"');
}

function patternOf(item: unknown): DnsPattern | undefined {
  if (!isMap(item) || unknownField(item, nameFields) !== undefined) return undefined;
  const { matchName, matchPattern } = item;
  if (isGiven(matchName) === isGiven(matchPattern)) return undefined;
  if (typeof matchName === 'string') return matchName.includes('*') ? undefined : parsePattern(matchName);
  return typeof matchPattern === 'string' ? parsePattern(matchPattern) : undefined;
}

/**
 * Even a Service of the own namespace may lead out: without a selector, its EndpointSlices decide its addresses. A name without a
 * namespace is a Service of any namespace. If no such Service exists, the rule admits every peer on its ports.
 */
function readService(_: unknown, path: FieldPath, direction: Direction): ReadPeer {
  const reason = 'takes its peers from Services, whose addresses change without this policy';
  const fix = 'select the pods of the Service with toEndpoints, or write its addresses with toCIDR';
  return diagnostic({ direction, kind: 'selector' }, 'unproven', path, reason, fix);
}
