/** `spec.network` of the settings: the addresses that no policy of a tenant may open, and the address families that they cover. */
import { destinations } from '../kubernetes/embedded-ipv4.ts';
import { type Family, familyNames } from '../kubernetes/ip-address.ts';
import { parseCidr } from '../kubernetes/ip-range.ts';
import { intersect } from '../kubernetes/ip-set.ts';
import { metadataRanges } from './metadata-ranges.ts';
import { isOfNodes } from './node-sources.ts';
import { parseRange } from './parse-network.ts';
import { type Located, type Problem, problemAt, type Report, type Step } from './problem.ts';
import type { NetworkDocument } from './schema/network-schema.ts';
import type { ProtectedRange, SharedService } from './settings.ts';

const networkFields = [
  ['podCIDRs', 'pod network'],
  ['serviceCIDRs', 'service network'],
  ['nodeCIDRs', 'node network'],
] as const;

type NetworkField = (typeof networkFields)[number][0];

function familiesOf({ ipFamilies = [] }: NetworkDocument): readonly Family[] {
  const both = [4, 6] as const;
  return ipFamilies.length === 0 ? both : both.filter((family) => ipFamilies.includes(familyNames[family]));
}

/** For each family of the cluster, the lists without a range of it. An IPv6 range that stands for IPv4 addresses counts as IPv4. */
function unlisted(network: NetworkDocument): ReadonlyMap<Family, readonly NetworkField[]> {
  const listed = new Set(
    networkFields.flatMap(([field]) =>
      (network[field] ?? []).flatMap((text) => {
        const range = parseCidr(text);
        return range.ok ? destinations([range.value]).map(({ family }) => `${field} ${family}`) : [];
      }),
    ),
  );
  return new Map(
    familiesOf(network).flatMap((family): [Family, readonly NetworkField[]][] => {
      const fields = networkFields.map(([field]) => field).filter((field) => !listed.has(`${field} ${family}`));
      return fields.length === 0 ? [] : [[family, fields]];
    }),
  );
}

/** The families of the cluster of which at least one of the three lists has no range; see Settings.unlistedFamilies. */
export function unlistedFamilies(network: NetworkDocument): readonly Family[] {
  return [...unlisted(network).keys()];
}

/** One warning for each empty list, and one for each family that the other lists leave out. */
export function warningsAbout(network: NetworkDocument, { locate }: Located<unknown>): readonly Problem[] {
  const isEmpty = (field: NetworkField) => (network[field] ?? []).length === 0;
  const missing = networkFields.flatMap(([field]) =>
    isEmpty(field)
      ? problemAt(
          locate,
          ['spec', 'network', field],
          'is missing, so no address can be proven to lie outside the cluster and every ipBlock of a tenant is refused',
          'list the ranges of the cluster',
        )
      : [],
  );
  const ofOneFamily = [...unlisted(network)].flatMap(([family, fields]) => {
    const given = fields.filter((field) => !isEmpty(field));
    if (given.length === 0) return [];
    const [name, other] = family === 4 ? ['IPv4', 'IPv6'] : ['IPv6', 'IPv4'];
    return problemAt(
      locate,
      ['spec', 'network'],
      `lists no ${name} range under ${given.join(', ')}, so no ${name} address can be proven to lie outside the cluster and every ${name} ipBlock of a tenant is refused`,
      `list them, or write ipFamilies: [${other}] if the cluster has no ${name}`,
    );
  });
  return [...missing, ...ofOneFamily];
}

/**
 * The ranges of the cluster, the metadata addresses and the CIDRs of `protectedCIDRs`, with those that are built in.
 *
 * @param report takes each CIDR that is malformed, and each range of a family that `ipFamilies` leaves out
 */
export function parseProtectedRanges(network: NetworkDocument, report: Report): readonly ProtectedRange[] {
  const families = familiesOf(network);
  const base = ['spec', 'network'];
  const named = (
    text: string,
    name: string,
    steps: readonly Step[],
    more: Partial<Pick<ProtectedRange, 'kind' | 'forwards' | 'hasIdentity'>> = {},
  ): readonly ProtectedRange[] => {
    const range = parseRange(text, steps, report);
    return range === undefined ? [] : [{ name, range, text, kind: 'cluster', ...more }];
  };
  const forwards = { forwards: true } as const;
  const cluster = networkFields.flatMap(([field, name]) =>
    (network[field] ?? []).flatMap((text, index) => {
      const steps = [...base, field, index];
      const more = { hasIdentity: true, ...(field === 'nodeCIDRs' && forwards) } as const;
      const ranges = named(text, name, steps, more);
      const foreign = destinations(ranges.map(({ range }) => range)).find(({ family }) => !families.includes(family));
      if (foreign !== undefined) {
        const family = familyNames[foreign.family];
        report(steps, `is ${family}, which network.ipFamilies leaves out`, `add ${family} there, or remove the range`);
      }
      return ranges;
    }),
  );
  return [
    ...cluster,
    ...(network.metadataAddresses ?? []).flatMap((text, index) =>
      named(text, 'metadata service', [...base, 'metadataAddresses', index], { kind: 'metadata' }),
    ),
    ...metadataRanges(network.cloud ?? 'all'),
    ...(network.loadBalancerCIDRs ?? []).flatMap((text, index) =>
      named(text, 'load balancer network', [...base, 'loadBalancerCIDRs', index], forwards),
    ),
    ...(network.protectedCIDRs ?? []).flatMap(({ name, cidr }, index) =>
      named(cidr, name, [...base, 'protectedCIDRs', index, 'cidr']),
    ),
  ];
}

/**
 * A shared service opens its addresses to every tenant. Inside a protected range it may list single addresses with ports, such as the
 * cluster IP of DNS, but no wider range and no metadata address (IP-02). One for ingress may list ranges of nodes and load balancers.
 * Each address of a family whose ranges are not all listed may be inside.
 *
 * @param report takes each address that breaks this
 */
export function judgeServiceAddresses(
  services: readonly SharedService[],
  protectedRanges: readonly ProtectedRange[],
  network: NetworkDocument,
  report: Report,
): void {
  const families = unlisted(network);
  for (const [index, { direction, ports, addresses, endpoints = [] }] of services.entries()) {
    const open = [
      ...addresses.map((range, at) => ({ range, ports, place: ['addresses', at] })),
      ...endpoints.map(({ address, ports }, at) => ({ range: address, ports, place: ['endpoints', at, 'cidr'] })),
    ];
    for (const { range, ports, place } of open) {
      const isEveryPort = ports.length === 0 || ports.some(({ first, last }) => first === 1 && last === 65535);
      const reached = destinations([range]);
      const touched = protectedRanges.filter((guard) => intersect(reached, destinations([guard.range])).length > 0);
      const guard = touched.find(({ kind }) => kind === 'metadata') ?? touched[0];
      const family = reached.find((one) => families.has(one.family))?.family;
      if (guard === undefined && family === undefined) continue;
      const steps: Step[] = ['spec', 'sharedServices', index, ...place];
      const inside =
        guard === undefined
          ? `may reach into the cluster, as network does not list all its ${familyNames[family ?? 4]} ranges`
          : `reaches into ${guard.text}, the ${guard.name}`;
      if (guard?.kind === 'metadata') {
        report(steps, `${inside}, which no tenant may reach`, 'remove it, or list addresses that leave it out');
      } else if (
        range.first !== range.last &&
        !(direction === 'ingress' && family === undefined && isOfNodes(range, protectedRanges))
      ) {
        report(steps, `${inside}, with more than one address`, 'list single addresses, such as 10.96.0.10/32');
      } else if (isEveryPort) {
        report(steps, `${inside}, on every port`, 'list the ports of the service by number');
      }
    }
  }
}
