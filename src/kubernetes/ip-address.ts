/** One address of IPv4 or IPv6: its groups, its number and its text. */

export type Family = 4 | 6;

/** As the API writes them: Service.spec.ipFamilies. */
export const familyNames = { 4: 'IPv4', 6: 'IPv6' } as const;

/** An address as groups: four of 8 bits, or eight of 16 bits. */
export interface Groups {
  readonly family: Family;
  readonly groups: readonly number[];
}

const groupBits = { 4: 8, 6: 16 } as const;
export const addressBits = { 4: 32, 6: 128 } as const;

/** The canonical text of one address. */
export function formatAddress(family: Family, address: bigint): string {
  return formatGroups(toGroups(family, address));
}

export function readAddress(text: string): Groups | undefined {
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

export function maskTo({ family, groups }: Groups, prefix: number): Groups {
  const width = groupBits[family];
  return {
    family,
    groups: groups.map((group, index) => {
      const hostBits = Math.min(width, Math.max(0, width * (index + 1) - prefix));
      return (group >> hostBits) << hostBits;
    }),
  };
}

export function embeddedIn({ groups }: Groups): Groups {
  return { family: 4, groups: groups.slice(6).flatMap((group) => [group >> 8, group & 0xff]) };
}

export function toNumber({ family, groups }: Groups): bigint {
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

/** RFC 5952: lower case, no leading zeros, `::` for the first longest run of two or more zero groups. */
export function formatGroups({ family, groups }: Groups): string {
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
