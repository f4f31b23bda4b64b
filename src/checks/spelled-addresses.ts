/** Names that are addresses: some domains answer each name with the address that is spelled in it. */

/** Public ones that do so for every client: https://nip.io, https://sslip.io, https://traefik.me; xip.io is gone. */
const answering: ReadonlySet<string> = new Set(['nip.io', 'sslip.io', 'xip.io', 'traefik.me']);

/**
 * @param labels of the name, in lower case
 * @returns every address that the name may be read as, as text; readers take one of them
 */
export function addressesIn(labels: readonly string[]): readonly string[] {
  if (!answering.has(labels.slice(-2).join('.'))) return [];
  const own = labels.slice(0, -2);
  const parts = own.join('.').split(/[.-]/);
  const dotted = parts.flatMap((_, index) => asDotted(parts.slice(index, index + 4)) ?? []);
  const hexadecimal = parts.flatMap((part) => {
    if (!/^[0-9a-f]{8}$/.test(part)) return [];
    return [[0, 2, 4, 6].map((at) => Number.parseInt(part.slice(at, at + 2), 16)).join('.')];
  });
  return [...dotted, ...hexadecimal, ...own.flatMap(withColons)];
}

function asDotted(four: readonly string[]): string | undefined {
  const numbers = four.map((part) => (/^[0-9]{1,3}$/.test(part) ? Number(part) : 256));
  return numbers.length === 4 && numbers.every((one) => one < 256) ? numbers.join('.') : undefined;
}

/** IPv6 with hyphens for colons, whatever words are before and behind it. */
function withColons(label: string): readonly string[] {
  if (!label.includes('-')) return [];
  const groups = label.split('-');
  return groups.flatMap((_, first) =>
    groups.slice(first + 2).map((__, more) => groups.slice(first, first + more + 3).join(':')),
  );
}
