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

/** Groups of an IPv6 address, and one more where `::` begins or ends it. */
const mostGroups = 9;

/** IPv6 with hyphens for colons, whatever words are before and behind it. Each text is tried once, and few are: names may be made to be dear. */
function withColons(label: string): readonly string[] {
  const groups = label.split('-');
  const texts: string[] = [];
  for (let first = 0; first < groups.length; first++) {
    let gaps = 0;
    for (let end = first; end < first + mostGroups && isGroup(groups[end]); end++) {
      if (groups[end] === '' && (end === first || groups[end - 1] !== '')) gaps++;
      // An address has one `::` at most.
      if (gaps > 1) break;
      const some = groups.slice(first, end + 1);
      if (isAddress(some)) texts.push(some.join(':'));
    }
  }
  return texts;
}

function isGroup(text: string | undefined): boolean {
  return text !== undefined && /^[0-9a-f]{0,4}$/.test(text);
}

/** Eight words, or fewer with `::`, which leaves one group empty between words, and two at an end. @param groups with one gap at most */
function isAddress(groups: readonly string[]): boolean {
  const words = groups.filter((group) => group !== '').length;
  const empty = groups.length - words;
  if (empty === 0) return words === 8;
  const isAtEnd = groups[0] === '' || groups.at(-1) === '';
  return words < 8 && empty === (words === 0 ? 3 : isAtEnd ? 2 : 1);
}
