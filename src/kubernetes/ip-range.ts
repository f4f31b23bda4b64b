/**
 * IP ranges and their text. Pure; the set operations are in ip-set.ts.
 *
 * The parser is strict on purpose: Kubernetes before 1.36 accepted leading zeros, host bits and IPv4-mapped IPv6, and
 * network plugins read such text differently (octal, or not at all, which can turn a rule into "everything"). So only the
 * one canonical spelling is read: dotted decimal for IPv4, RFC 5952 for IPv6, the first address of the block, a prefix length.
 */
import { excerpt } from './json.ts';
import type { Parsed } from './parsed.ts';

export type Family = 4 | 6;

/** As the API writes them: Service.spec.ipFamilies. */
export const familyNames = { 4: 'IPv4', 6: 'IPv6' } as const;

/** The addresses from `first` to `last`, both included, as unsigned numbers of 32 (IPv4) or 128 (IPv6) bits. */
export interface IpRange {
  readonly family: Family;
  readonly first: bigint;
  readonly last: bigint;
}

/** An address as groups: four of 8 bits, or eight of 16 bits. */
interface Groups {
  readonly family: Family;
  readonly groups: readonly number[];
}

const groupBits = { 4: 8, 6: 16 } as const;
const addressBits = { 4: 32, 6: 128 } as const;

/** No spelling of a range is longer, leading zeros and blanks allowed for; anything longer is not looked at. */
const longest = 128;

/**
 * Reads one CIDR. Anything but the canonical spelling is refused; `fix` carries the canonical spelling of what
 * Kubernetes' own lenient parser would have read, where it would have read something.
 */
export function parseCidr(text: string): Parsed<IpRange> {
  const plain = readPlainIpv4(text);
  if (plain !== undefined) return { ok: true, value: plain };
  if (text.length > longest) return { ok: false, reason: notARange(text) };
  const slash = text.lastIndexOf('/');
  const address = readAddress(slash < 0 ? text : text.slice(0, slash));
  if (address === undefined) return explain(text);
  const bits = addressBits[address.family];
  const prefix = slash < 0 ? bits : readPrefix(text.slice(slash + 1), bits);
  if (prefix === undefined) {
    if (/\s/.test(text)) return explain(text);
    return { ok: false, reason: `${excerpt(text)} has no prefix length from 0 to ${bits}` };
  }
  const block = maskTo(address, prefix);
  const first = toNumber(block);
  if (address.family === 6 && toNumber(address) >> 32n === 0xffffn) {
    const fix =
      prefix >= 96 ? formatBlock(maskTo(embeddedIn(address), prefix - 96), prefix - 96) : formatBlock(block, prefix);
    return {
      ok: false,
      reason: `${excerpt(text)} is an IPv4-mapped IPv6 range, which network plugins read differently`,
      fix,
    };
  }
  const canonical = formatBlock(block, prefix);
  if (text !== canonical) return { ok: false, reason: nonCanonical(text, address, block), fix: canonical };
  return { ok: true, value: { family: address.family, first, last: first | ((1n << BigInt(bits - prefix)) - 1n) } };
}

/** A block of IPv4 in its one spelling, as nearly every range is; undefined for anything else. One pass: a policy may have thousands. */
function readPlainIpv4(text: string): IpRange | undefined {
  if (text.length > '255.255.255.255/32'.length) return undefined;
  let [address, number, groups] = [0, -1, 0];
  for (let at = 0; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit >= 0 && digit <= 9) {
      // Nothing follows a leading zero.
      if (number === 0) return undefined;
      number = number < 0 ? digit : number * 10 + digit;
      continue;
    }
    if (text[at] !== (groups < 3 ? '.' : '/') || groups > 3 || number < 0 || number > 255) return undefined;
    address = address * 256 + number;
    number = -1;
    groups++;
  }
  if (groups !== 4 || number < 0 || number > 32) return undefined;
  const size = 2 ** (32 - number);
  if (address % size !== 0) return undefined;
  const first = BigInt(address);
  return { family: 4, first, last: size === 1 ? first : BigInt(address + size - 1) };
}

/** A range that stands in the source. */
export function knownRange(text: string): IpRange {
  const parsed = parseCidr(text);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.value;
}

/** The canonical text of one address. */
export function formatAddress(family: Family, address: bigint): string {
  return formatGroups(toGroups(family, address));
}

/** `10.0.0.0/8` where the range is one block, else `10.0.0.1-10.0.0.9`. {@link parseCidr} reads the former back. */
export function formatRange(range: IpRange): string {
  const size = range.last - range.first + 1n;
  const address = formatAddress(range.family, range.first);
  if ((size & (size - 1n)) !== 0n || range.first % size !== 0n) {
    return `${address}-${formatAddress(range.family, range.last)}`;
  }
  return `${address}/${addressBits[range.family] - (size.toString(2).length - 1)}`;
}

/** The fewest blocks, each with a prefix length, that have the addresses of the range; in their order. */
export function blocksOf({ family, first, last }: IpRange): readonly IpRange[] {
  const blocks: IpRange[] = [];
  for (let begin = first; begin <= last; ) {
    let size = begin === 0n ? 1n << BigInt(addressBits[family]) : begin & -begin;
    while (begin + size - 1n > last) size >>= 1n;
    blocks.push({ family, first: begin, last: begin + size - 1n });
    begin += size;
  }
  return blocks;
}

function readAddress(text: string): Groups | undefined {
  const groups = text.includes(':') ? readIpv6(text) : readIpv4(text);
  return groups && { family: groups.length === 4 ? 4 : 6, groups };
}

/** Leading zeros are read as decimal, as Kubernetes did; the comparison with the canonical text refuses them later. */
function readIpv4(text: string): number[] | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  const groups = parts.map((part) => (/^\d{1,3}$/.test(part) ? Number(part) : 256));
  return groups.every((group) => group <= 255) ? groups : undefined;
}

/** The forms of RFC 4291 2.2: eight groups, one `::` for zeros, dotted decimal in the last 32 bits. */
function readIpv6(text: string): number[] | undefined {
  const gap = text.indexOf('::');
  const head = readIpv6Groups(gap < 0 ? text : text.slice(0, gap), gap < 0);
  const tail = gap < 0 ? [] : readIpv6Groups(text.slice(gap + 2), true);
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (gap < 0 ? missing !== 0 : missing < 1) return undefined;
  return [...head, ...new Array<number>(missing).fill(0), ...tail];
}

function readIpv6Groups(text: string, last: boolean): number[] | undefined {
  const groups: number[] = [];
  if (text === '') return groups;
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(Number.parseInt(part, 16));
    else {
      const [a, b, c, d] = (last && index === parts.length - 1 && readIpv4(part)) || [];
      if (a === undefined || b === undefined || c === undefined || d === undefined) return undefined;
      groups.push(a * 256 + b, c * 256 + d);
    }
  }
  return groups;
}

function readPrefix(text: string, bits: number): number | undefined {
  return /^\d{1,4}$/.test(text) && Number(text) <= bits ? Number(text) : undefined;
}

function maskTo({ family, groups }: Groups, prefix: number): Groups {
  const width = groupBits[family];
  return {
    family,
    groups: groups.map((group, index) => {
      const hostBits = Math.min(width, Math.max(0, width * (index + 1) - prefix));
      return (group >> hostBits) << hostBits;
    }),
  };
}

function embeddedIn({ groups }: Groups): Groups {
  return { family: 4, groups: groups.slice(6).flatMap((group) => [group >> 8, group & 0xff]) };
}

function toNumber({ family, groups }: Groups): bigint {
  if (family === 4) return BigInt(groups.reduce((sum, group) => sum * 256 + group, 0));
  let number = 0n;
  for (let index = 0; index < 8; index += 2) {
    number = (number << 32n) | BigInt((groups[index] ?? 0) * 0x10000 + (groups[index + 1] ?? 0));
  }
  return number;
}

function toGroups(family: Family, address: bigint): Groups {
  const width = groupBits[family];
  const groups: number[] = [];
  for (let shift = addressBits[family] - width; shift >= 0; shift -= width) {
    groups.push(Number(BigInt.asUintN(width, address >> BigInt(shift))));
  }
  return { family, groups };
}

function formatBlock(block: Groups, prefix: number): string {
  return `${formatGroups(block)}/${prefix}`;
}

/** RFC 5952: lower case, no leading zeros, `::` for the first longest run of two or more zero groups. */
function formatGroups({ family, groups }: Groups): string {
  if (family === 4) return groups.join('.');
  let start = 0;
  let length = 1;
  for (let index = 0; index < 8; index++) {
    let end = index;
    while (end < 8 && groups[end] === 0) end++;
    if (end - index > length) [start, length] = [index, end - index];
    index = end;
  }
  const hex = groups.map((group) => group.toString(16));
  if (length === 1) return hex.join(':');
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`;
}

function nonCanonical(text: string, address: Groups, block: Groups): string {
  if (!text.includes('/')) return `${excerpt(text)} has no prefix length`;
  if (address.groups.some((group, index) => group !== block.groups[index])) {
    return `${excerpt(text)} has bits set after its prefix, so readers disagree on whether it is an address or a range`;
  }
  if (address.family === 4 || /\/0\d/.test(text)) {
    return `${excerpt(text)} has leading zeros, which some programs read as octal`;
  }
  return `${excerpt(text)} is not in the canonical form of RFC 5952`;
}

/** Text that no lenient reader takes as it stands; after removing white space or a zone one may. */
function explain(text: string): Parsed<IpRange> {
  const trimmed = text.replace(/\s+/g, '');
  const bare = trimmed.replace(/%[^/]*/, '');
  const reason =
    bare !== trimmed
      ? `${excerpt(text)} names a zone, which a range cannot have`
      : trimmed !== text
        ? `${excerpt(text)} contains white space`
        : notARange(text);
  const parsed = bare === text ? undefined : parseCidr(bare);
  if (parsed === undefined) return { ok: false, reason };
  const fix = parsed.ok ? bare : parsed.fix;
  return fix === undefined ? { ok: false, reason } : { ok: false, reason, fix };
}

function notARange(text: string): string {
  return `${excerpt(text)} is not an IP range such as 203.0.113.0/24 or 2001:db8::/32`;
}
