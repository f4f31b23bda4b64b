/**
 * Rules whose peers other objects say, as those objects are now: CiliumCIDRGroups by name or labels, Services by name or labels
 * (cidrsAndLabelsForCIDRGroup and processRule of pkg/policy/k8s in Cilium 1.20).
 */
import { formatPath } from '../../../kubernetes/field-path.ts';
import { type IpRange, knownRange, parseCidr } from '../../../kubernetes/ip-range.ts';
import { type IpSet, intersect, normalise, subtract } from '../../../kubernetes/ip-set.ts';
import { mapIn, valueAt } from '../../../kubernetes/json.ts';
import type { Selector } from '../../../kubernetes/label-selector.ts';
import { namespaceNameLabel, type StringMap } from '../../../kubernetes/objects.ts';
import type {
  InForce,
  InForcePeer,
  Part,
  Reference,
  Referring,
  Requirement,
  ServiceReference,
} from '../../in-force.ts';

/** A CiliumCIDRGroup. */
export interface AddressGroup {
  readonly name: string;
  readonly labels: StringMap;
  readonly addresses: IpSet;
  /** Whether these are all of its ranges. Otherwise some are not understood. */
  readonly isRead: boolean;
}

export interface Referred {
  readonly services: Services;
  readonly groups: { values(): Iterable<AddressGroup> };
  /** They are all that there are. Otherwise others may be elsewhere, and a rule about one of those stays unread. */
  readonly isComplete: boolean;
}

interface Services {
  values(): Iterable<ReferredService>;
  /** By `namespace/name`; undefined: the list does not change, and is indexed here. */
  get?(place: string): ReferredService | undefined;
}

export interface ReferredService {
  readonly namespace: string;
  readonly name: string;
  readonly labels?: StringMap;
  /** Undefined: Kubernetes does not write its endpoints. */
  readonly selector: StringMap | undefined;
}

/** Labels of Cilium itself are of no group (RemoveCiliumLabels). */
const ciliumLabels = 'io.cilium.k8s';

export function readAddressGroup(object: unknown): AddressGroup {
  const listed = valueAt(object, 'spec', 'externalCIDRs');
  const ranges = (Array.isArray(listed) ? listed : []).map(readPrefix);
  const read = ranges.filter((one) => one !== undefined);
  const labels = Object.entries(mapIn(valueAt(object, 'metadata'), 'labels'));
  return {
    name: String(valueAt(object, 'metadata', 'name') ?? ''),
    labels: Object.fromEntries(
      labels.filter((one): one is [string, string] => typeof one[1] === 'string' && !one[0].startsWith(ciliumLabels)),
    ),
    addresses: normalise(read),
    isRead: read.length === ranges.length,
  };
}

/** As netip.ParsePrefix of Go: no zone, no white space, and no leading zeros in decimal numbers. */
function isPrefix(written: string): boolean {
  const [address = '', length] = written.split('/');
  if (length === undefined || /[\s%]/.test(written)) return false;
  const numbers = address.includes(':') ? [length] : [length, ...address.split('.')];
  return (
    !numbers.some((one) => one.length > 1 && one.startsWith('0')) && !(address.includes(':') && address.includes('.'))
  );
}

/** The ipcache of Cilium masks the bits after the prefix: 203.0.113.7/24 is 203.0.113.0/24. */
function readPrefix(written: unknown): IpRange | undefined {
  if (typeof written !== 'string') return undefined;
  const plain = parseCidr(written);
  if (plain.ok) return plain.value;
  if (plain.fix === undefined || !isPrefix(written)) return undefined;
  const masked = parseCidr(plain.fix);
  return masked.ok && written.includes(':') === (masked.value.family === 6) ? masked.value : undefined;
}

/** @param written without what it refers to */
export function withReferred(written: InForce, referring: readonly Referring[], known: Referred): InForce {
  const parts: Part[] = [];
  const read = new Set<string>();
  const resolved = new Map<Reference, Peers>();
  const left: Left = { asked: 1_000_000, kept: 100_000 };
  for (const { subject, rule, to } of referring) {
    const found = resolved.get(to) ?? (to.kind === 'groups' ? ofGroups(to, known, left) : ofServices(to, known, left));
    resolved.set(to, found);
    const { peers, isAll } = found;
    if (isAll) read.add(formatPath(rule.path));
    if (peers.length > 0) parts.push({ subject, isolates: [], rules: peers.map((peer) => ({ ...rule, peer })) });
  }
  return {
    ...written,
    parts: [...written.parts, ...parts],
    // Of a list, each item by itself is among the unread.
    unread: written.unread.filter(
      ({ path }) => !read.has(formatPath(path)) && !(path.parent !== undefined && read.has(formatPath(path.parent))),
    ),
  };
}

interface Peers {
  readonly peers: readonly InForcePeer[];
  /** Nothing is left that is not known. */
  readonly isAll: boolean;
}

/** What is still resolved of one policy. What is beyond stays unread. */
interface Left {
  /** Objects and ranges that are looked at. */
  asked: number;
  /** Ranges and selectors that result. */
  kept: number;
}

const notResolved: Peers = { peers: [], isAll: false };

const everyAddress: IpSet = [knownRange('0.0.0.0/0'), knownRange('::/0')];

function ofGroups(
  { name, labels, except }: Extract<Reference, { kind: 'groups' }>,
  known: Referred,
  left: Left,
): Peers {
  const groups = [...known.groups.values()];
  left.asked -= groups.length * (labels.length + 1);
  if (left.asked < 0) return notResolved;
  const addressesOf = (isMeant: (one: AddressGroup) => boolean): IpSet => {
    const meant = groups.filter(isMeant);
    left.asked -= meant.reduce((sum, { addresses }) => sum + addresses.length, 0);
    const [only] = meant;
    if (left.asked < 0 || only === undefined) return [];
    return meant.length === 1 ? only.addresses : normalise(meant.flatMap((one) => one.addresses));
  };
  const found =
    name === undefined
      ? // An address has the labels of all groups that list it.
        labels.reduce((set, one) => narrowed(set, one, addressesOf), everyAddress)
      : addressesOf((one) => one.name === name);
  const addresses = subtract(found, except);
  left.kept -= addresses.length;
  if (left.asked < 0 || left.kept < 0) return notResolved;
  const own = name === undefined ? groups : groups.filter((one) => one.name === name);
  const isAll = own.every(({ isRead }) => isRead) && (known.isComplete || (name !== undefined && own.length > 0));
  return { peers: addresses.length === 0 ? [] : [{ kind: 'ipBlock', addresses }], isAll };
}

function narrowed(
  left: IpSet,
  { key, operator, values }: Requirement,
  addressesOf: (isMeant: (one: AddressGroup) => boolean) => IpSet,
): IpSet {
  const isByValue = operator === 'In' || operator === 'NotIn';
  const named = addressesOf(({ labels }) => {
    const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
    return value !== undefined && (!isByValue || values.includes(value));
  });
  return operator === 'In' || operator === 'Exists' ? intersect(left, named) : subtract(left, named);
}

function ofServices(
  to: Extract<Reference, { kind: 'services' }>,
  { services, isComplete }: Referred,
  left: Left,
): Peers {
  const meant = servicesOf(to.any, services, left);
  if (left.asked < 0) return notResolved;
  left.kept -= meant.length;
  if (left.kept < 0) return notResolved;
  if (meant.length === 0) return { peers: isComplete && to.hasPorts ? [{ kind: 'any' }] : [], isAll: isComplete };
  // Without a namespace it may be about others that are elsewhere.
  const isFound = (asked: ServiceReference): boolean =>
    asked.namespace !== undefined && asked.name !== undefined && meant.some((one) => isMeant(one, asked));
  return {
    peers: meant.flatMap(({ namespace, selector }) => (selector === undefined ? [] : [podsOf(namespace, selector)])),
    // Without a selector its EndpointSlices say its addresses, and those are not read.
    isAll: meant.every(({ selector }) => selector !== undefined) && (isComplete || to.any.every(isFound)),
  };
}

function servicesOf(any: readonly ServiceReference[], services: Services, left: Left): readonly ReferredService[] {
  const meant = new Set<ReferredService>();
  const isPlaced = ({ namespace, name }: ServiceReference): boolean => namespace !== undefined && name !== undefined;
  left.asked -= any.length;
  for (const one of any)
    if (isPlaced(one)) for (const found of servicesAt(`${one.namespace}/${one.name}`, services)) meant.add(found);
  const others = any.filter((one) => !isPlaced(one));
  if (others.length === 0) return [...meant];
  const all = [...services.values()];
  left.asked -= all.length * others.reduce((sum, { labels }) => sum + labels.length + 1, 0);
  if (left.asked < 0) return [];
  for (const one of all) if (others.some((asked) => isMeant(one, asked))) meant.add(one);
  return [...meant];
}

const indexes = new WeakMap<Services, ReadonlyMap<string, readonly ReferredService[]>>();

function servicesAt(place: string, services: Services): readonly ReferredService[] {
  if (services.get !== undefined) {
    const found = services.get(place);
    return found === undefined ? [] : [found];
  }
  const index =
    indexes.get(services) ?? Map.groupBy(services.values(), ({ namespace, name }) => `${namespace}/${name}`);
  indexes.set(services, index);
  return index.get(place) ?? [];
}

export function isMeant({ namespace, name, labels = {} }: ReferredService, asked: ServiceReference): boolean {
  if (asked.namespace !== undefined && asked.namespace !== namespace) return false;
  return asked.name === undefined ? asked.labels.every((one) => isMet(one, labels)) : asked.name === name;
}

function isMet({ key, operator, values }: Requirement, labels: StringMap): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
  }
}

function podsOf(namespace: string, selector: StringMap): InForcePeer {
  const domain = (value: string) => ({ absent: false, finite: true, values: new Set([value]) });
  const pods: Selector = new Map(Object.entries(selector).map(([key, value]) => [key, domain(value)]));
  const namespaces: Selector = new Map([[namespaceNameLabel, domain(namespace)]]);
  return { kind: 'selector', namespaces, pods };
}
