/**
 * Names that Cilium turns into addresses: every address that the DNS of the cluster gives for one is let through. Who answers for a name so
 * decides where it leads, to the metadata service for example. So the platform grants names, as it grants addresses.
 */
import { containsPattern, type DnsPattern } from '../kubernetes/dns-pattern.ts';
import type { NamePeer } from './model.ts';
import type { Border, Violation } from './violation.ts';

export function judgeName({ pattern }: NamePeer, { tenant }: Border): Violation | undefined {
  const { names } = tenant.network;
  if (names.some((granted) => containsPattern(granted, pattern))) return undefined;
  return {
    verdict: 'escapes',
    reason: `allows whatever address ${nameIn(pattern)} leads to, and network.names of ${tenant.name} does not grant it`,
    witness: `the address 169.254.169.254, if the DNS gives it for ${exampleOf(pattern)}`,
    fix: { id: 'grant-name', name: pattern, granted: names },
  };
}

const nameIn = ({ text, labels }: DnsPattern): string =>
  labels === undefined ? 'any name' : text.includes('*') ? `a name such as ${text}` : `the name ${text}`;

/** A name that the pattern matches. */
function exampleOf({ labels, deep }: DnsPattern): string {
  if (labels === undefined) return 'a name of their own';
  return [...(deep ? ['any'] : []), ...labels.map((label) => label.replaceAll('*', 'any'))].join('.');
}
