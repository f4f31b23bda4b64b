/**
 * IP ranges and their text. Pure; the set operations are in ip-set.ts.
 *
 * The parser is strict on purpose: Kubernetes before 1.36 accepted leading zeros, host bits and IPv4-mapped IPv6, and
 * network plugins read such text differently (octal, or not at all, which can turn a rule into "everything"). So only the
 * one canonical spelling is read: dotted decimal for IPv4, RFC 5952 for IPv6, the first address of the block, a prefix length.
 */
import {
  addressBits,
  embeddedIn,
  type Family,
  formatAddress,
  formatGroups,
  type Groups,
  maskTo,
  readAddress,
  toNumber,
} from './ip-address.ts';
import { excerpt } from './json.ts';
import type { Parsed } from './parsed.ts';

/** The addresses from `first` to `last`, both included, as unsigned numbers of 32 (IPv4) or 128 (IPv6) bits. */
export interface IpRange {
  readonly family: Family;
  readonly first: bigint;
  readonly last: bigint;
}

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

function readPrefix(text: string, bits: number): number | undefined {
  return /^\d{1,4}$/.test(text) && Number(text) <= bits ? Number(text) : undefined;
}

function formatBlock(block: Groups, prefix: number): string {
  return `${formatGroups(block)}/${prefix}`;
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
