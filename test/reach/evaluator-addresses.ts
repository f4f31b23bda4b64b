/** Addresses for evaluator.ts: plain numbers and a loop over blocks. Shares no code with src/. */

export type Family = 4 | 6;

export interface Address {
  readonly family: Family;
  readonly value: bigint;
}

export interface Block {
  readonly family: Family;
  readonly first: bigint;
  readonly last: bigint;
}

const mapped = 0xffffn << 32n;
const nat64 = 0x64ff9bn << 96n;
const ipv4Size = 1n << 32n;

/** One address in its canonical spelling; undefined for any other text. */
export function readAddress(text: string): Address | undefined {
  return text.includes(':') ? readIpv6(text) : readIpv4(text);
}

/**
 * One CIDR as everybody reads it: canonical address, no bit set after the prefix, a prefix length without leading zeros, and not
 * IPv4 in the clothes of IPv6. Undefined for any other text.
 */
export function readBlock(text: unknown): Block | undefined {
  if (typeof text !== 'string') return undefined;
  const known = blocks.get(text);
  if (known !== undefined) return known;
  const block = parseBlock(text);
  // Searches write the same few texts over and over; whatever else comes by is forgotten in time.
  if (blocks.size > 10_000) blocks.clear();
  if (block !== undefined) blocks.set(text, block);
  return block;
}

const blocks = new Map<string, Block>();

function parseBlock(text: string): Block | undefined {
  const [, written = '', digits = ''] = /^(.+)\/(0|[1-9]\d{0,2})$/.exec(text) ?? [];
  const address = readAddress(written);
  if (address === undefined) return undefined;
  const { family, value } = address;
  const free = (family === 4 ? 32 : 128) - Number(digits);
  if (free < 0) return undefined;
  const size = 1n << BigInt(free);
  if (value % size !== 0n) return undefined;
  if (family === 6 && value >= mapped && value < mapped + ipv4Size) return undefined;
  return { family, first: value, last: value + size - 1n };
}

/** Every address that traffic to this one can be written with: itself, and for IPv4 its two IPv6 forms. */
export function spellings(address: Address): readonly Address[] {
  if (address.family === 6) return [address];
  return [address, { family: 6, value: mapped + address.value }, { family: 6, value: nat64 + address.value }];
}

/** Where traffic to an address arrives: an IPv6 form of an IPv4 address is that IPv4 address. */
export function destination({ family, value }: Address): Address {
  for (const base of [mapped, nat64]) {
    if (family === 6 && value >= base && value < base + ipv4Size) return { family: 4, value: value - base };
  }
  return { family, value };
}

export function isIn({ family, value }: Address, block: Block): boolean {
  return family === block.family && block.first <= value && value <= block.last;
}

/** Whether some spelling of the address is in the block. */
export function reaches(block: Block, address: Address): boolean {
  return spellings(address).some((spelling) => isIn(spelling, block));
}

/**
 * Addresses enough to decide every question about the blocks: what they say changes nowhere but at their own ends, and at the
 * ends of the two ranges that embed IPv4.
 */
export function samples(blocks: readonly Block[]): readonly Address[] {
  const ends: Address[] = [
    { family: 4, value: 0n },
    { family: 4, value: ipv4Size - 1n },
    { family: 6, value: 0n },
    { family: 6, value: (1n << 128n) - 1n },
  ];
  const embedding = [mapped, nat64].map((base): Block => ({ family: 6, first: base, last: base + ipv4Size - 1n }));
  for (const { family, first, last } of [...blocks, ...embedding]) {
    for (const value of [first - 1n, first, last, last + 1n]) {
      if (value >= 0n && value < 1n << (family === 4 ? 32n : 128n)) ends.push({ family, value });
    }
  }
  const found = new Map<string, Address>();
  for (const end of ends) {
    const arrived = destination(end);
    found.set(`${arrived.family} ${arrived.value}`, arrived);
  }
  return [...found.values()];
}

function readIpv4(text: string): Address | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)) {
    return undefined;
  }
  return { family: 4, value: parts.reduce((sum, part) => sum * 256n + BigInt(part), 0n) };
}

/** The WHATWG host parser knows the canonical spelling of RFC 5952. */
function readIpv6(text: string): Address | undefined {
  const url = `http://[${text}]/`;
  if (!/^[0-9a-f:]+$/.test(text) || !URL.canParse(url) || new URL(url).hostname !== `[${text}]`) return undefined;
  const [head = '', tail = ''] = text.split('::');
  const [before, after] = [head, tail].map((part) => (part === '' ? [] : part.split(':')));
  const zeros = 8 - (before?.length ?? 0) - (after?.length ?? 0);
  const groups = [...(before ?? []), ...new Array<string>(zeros).fill('0'), ...(after ?? [])];
  return { family: 6, value: groups.reduce((sum, group) => sum * 65536n + BigInt(`0x${group}`), 0n) };
}
