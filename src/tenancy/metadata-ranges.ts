/** Where clouds hand out the credentials of a node. */
import { type IpRange, knownRange } from '../kubernetes/ip-range.ts';
import type { ProtectedRange } from './settings.ts';

export const knownClouds = ['all', 'none', 'alibaba', 'aws', 'azure', 'gcp', 'linode', 'oracle', 'scaleway'] as const;
export type Cloud = (typeof knownClouds)[number];

/**
 * On every cluster: 169.254.169.254, which nearly all clouds use, 169.254.170.2 and .23 for tasks and pods on AWS, and the link-local
 * addresses around them. Of IPv4, the metadata services lie among those; of IPv6, every interface has one, and neighbours on one link
 * reach each other by it.
 */
const always: readonly ProtectedRange[] = [
  { ...range('169.254.0.0/16'), kind: 'link-local', name: 'metadata service' },
  { ...range('fe80::/10'), kind: 'cluster', name: 'link-local network' },
  ...['169.254.169.254/32', '169.254.170.2/32', '169.254.170.23/32'].map(metadata),
];

const ofCloud: Readonly<Record<Exclude<Cloud, 'all' | 'none'>, readonly ProtectedRange[]>> = {
  alibaba: ['100.100.100.200/32', 'fd00:100::100:200/128'].map(metadata),
  aws: ['fd00:ec2::254/128', 'fd00:ec2::23/128'].map(metadata),
  azure: [metadata('168.63.129.16/32')],
  gcp: [metadata('fd20:ce::254/128')],
  linode: [metadata('fd00:a9fe:a9fe::1/128')],
  oracle: [metadata('fd00:c1::a9fe:a9fe/128')],
  scaleway: [metadata('fd00:42::42/128')],
};

/** What is protected without a word of the settings. */
export function metadataRanges(cloud: Cloud): readonly ProtectedRange[] {
  if (cloud === 'none') return always;
  return [...always, ...(cloud === 'all' ? Object.values(ofCloud).flat() : ofCloud[cloud])];
}

function metadata(text: string): ProtectedRange {
  return { ...range(text), kind: 'metadata', name: 'metadata service' };
}

function range(text: string): { readonly text: string; readonly range: IpRange } {
  return { text, range: knownRange(text) };
}
