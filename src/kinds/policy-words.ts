import type { IpRange } from '../kubernetes/ip-range.ts';
import type { LabelSelector } from '../kubernetes/label-selector.ts';
import type { PeerVerdict } from '../reach/border.ts';
import type { Direction } from '../tenancy/tenant.ts';

/** How a kind of policy writes what a fix is made of. */
export interface PolicyWords {
  /** The key by which it selects namespaces by one of their labels. */
  readonly namespaceLabel: (label: string) => string;
  /** The key by which it selects a namespace by its name. */
  readonly namespaceName: string;
  /** That a label has this value. Undefined: `key: value`. */
  readonly equals?: (key: string, value: string) => string;
  /** The field that holds labels of namespaces. Undefined: matchLabels. */
  readonly labels?: string;
  /** How one more is added there: ` with &&`. */
  readonly joining?: string;
  /** Where peers that are pods are listed. */
  readonly peers: Readonly<Record<Direction, string>>;
  readonly ownNamespace: string;
  /** What selects the pods of a namespace. */
  readonly namespaceSelector: string;
  /** Pods in a namespace, both by name. */
  readonly podsOf: (namespace: string, podSelector: LabelSelector, direction: Direction) => string;
  readonly podSelector: (podSelector: LabelSelector) => string;
  readonly selectPods: string;
  readonly selectsPods: string;
  /** A range, or several that are listed already. */
  readonly block: (ranges: string) => string;
  /** The field that leaves ranges out. */
  readonly except: (direction: Direction) => string;
  /** Other words for the fix of some verdict. */
  readonly of?: (verdict: PeerVerdict) => PolicyWords | undefined;
  /** Every address of IPv4, with exceptions. */
  readonly internet: string;
  /** What remains of a rule when its peers are gone. */
  readonly removePeer: string;
  /** The field that lists ranges. */
  readonly ranges: (direction: Direction) => string;
  /** A list of addresses with its exceptions, in place of something that has none. */
  readonly addresses: (family: IpRange['family'], direction: Direction) => string;
}

export function labelText(key: string, value: string, { equals }: PolicyWords): string {
  return equals === undefined ? `${key}: ${value}` : equals(key, value);
}

/** Where a label is added to what a policy says of namespaces. */
export function labelsOf({ labels = 'matchLabels', joining = '' }: PolicyWords): string {
  return `${labels}${joining}`;
}
