/**
 * Names that Cilium turns into addresses: every address that the DNS of the cluster gives for one is let through. Who answers for a name so
 * decides where it leads, to the metadata service for example. So the platform grants names, as it grants addresses.
 */
import { containsPattern, type DnsPattern, parsePattern } from '../kubernetes/dns-pattern.ts';
import type { NamePeer } from './model.ts';
import type { Border, Violation } from './violation.ts';

export function judgeName({ pattern }: NamePeer, { tenant }: Border): Violation | undefined {
  const { names } = tenant.network;
  if (names.some((granted) => containsPattern(granted, pattern))) return undefined;
  return {
    verdict: 'escapes',
    reason: `allows whatever address ${nameIn(pattern)} leads to, and network.names of ${tenant.name} does not grant it`,
    witness: `the address 169.254.169.254, if the DNS gives it for ${exampleOf(pattern, names)}`,
    fix: { id: 'grant-name', name: pattern, granted: names },
  };
}

const nameIn = ({ text, labels }: DnsPattern): string =>
  labels === undefined ? 'any name' : text.includes('*') ? `a name such as ${text}` : `the name ${text}`;

/** What a star may stand for, so that one of the names is none of those that are granted. */
const parts = ['any', 'other', '0', ''];

/** A name that the pattern matches, and that is not granted. */
function exampleOf({ labels, deep }: DnsPattern, granted: readonly DnsPattern[]): string {
  if (labels === undefined) return 'a name of their own';
  const examples = parts.flatMap((part) => {
    const name = labels.map((label) => label.replaceAll('*', part)).join('.');
    return deep ? [`any.${name}`, `any.any.${name}`] : [name];
  });
  const isOther = (name: string) => {
    const parsed = parsePattern(name);
    return parsed !== undefined && !granted.some((one) => containsPattern(one, parsed));
  };
  return examples.find(isOther) ?? examples[0] ?? 'such a name';
}
