/** The addresses in Endpoints and EndpointSlices, wherever they stand. Reads the object as untrusted data. */
import { isMap, listOf, valueAt } from '../kubernetes/json.ts';
import { allPorts, type PortRange } from '../kubernetes/port-range.ts';
import type { NeighbourRequest } from '../kubernetes/review.ts';

export interface WrittenAddress {
  readonly path: string;
  readonly text: string;
  /** One list for all addresses with these ports. Never empty. */
  readonly ports: readonly PortRange[];
}

export interface WrittenTarget {
  readonly path: string;
  readonly namespace: string;
}

/** Of addressType FQDN, `text` is a name. */
export function* addressesIn({ kind, object }: Pick<NeighbourRequest, 'kind' | 'object'>): Generator<WrittenAddress> {
  const fields: Readonly<Record<string, unknown>> = { ...object };
  if (kind === 'Endpoints') yield* addressesOfSubsets(fields.subsets);
  else yield* addressesOfSlice(fields);
}

/** core/v1 Endpoints. Addresses that are not ready become so by the writer's word alone. */
function* addressesOfSubsets(subsets: unknown): Generator<WrittenAddress> {
  for (const [index, subset] of listOf(subsets).entries()) {
    if (!isMap(subset)) continue;
    const ports = portsOf(subset.ports);
    for (const field of ['addresses', 'notReadyAddresses'])
      for (const [place, address] of listOf(subset[field]).entries()) {
        const path = `subsets[${index}].${field}[${place}].ip`;
        yield { path, text: isMap(address) ? textOf(address.ip) : '', ports };
      }
  }
}

/** discovery.k8s.io/v1 EndpointSlice. Conditions say nothing of who may change them. */
function* addressesOfSlice(slice: Readonly<Record<string, unknown>>): Generator<WrittenAddress> {
  const ports = portsOf(slice.ports);
  for (const [index, endpoint] of listOf(slice.endpoints).entries()) {
    if (!isMap(endpoint)) continue;
    for (const [place, address] of listOf(endpoint.addresses).entries())
      yield { path: `endpoints[${index}].addresses[${place}]`, text: textOf(address), ports };
  }
}

/** Objects that endpoints name as theirs. A controller that finds pods by it takes the pod's word for its address or identity. */
export function* targetsIn({ kind, object }: Pick<NeighbourRequest, 'kind' | 'object'>): Generator<WrittenTarget> {
  const fields: Readonly<Record<string, unknown>> = { ...object };
  const lists: readonly (readonly [path: string, list: unknown])[] =
    kind === 'Endpoints'
      ? listOf(fields.subsets).flatMap((subset, index) =>
          ['addresses', 'notReadyAddresses'].map(
            (field) => [`subsets[${index}].${field}`, valueAt(subset, field)] as const,
          ),
        )
      : [['endpoints', fields.endpoints]];
  for (const [path, list] of lists)
    for (const [place, one] of listOf(list).entries()) {
      const namespace = textOf(valueAt(one, 'targetRef', 'namespace'));
      if (namespace !== '') yield { path: `${path}[${place}].targetRef.namespace`, namespace };
    }
}

/** A port without a number is every port, and readers differ about a list without ports. */
function portsOf(written: unknown): readonly PortRange[] {
  const ports = listOf(written).map((port): PortRange | undefined => {
    if (!isMap(port)) return undefined;
    const { port: number, protocol } = port;
    if (typeof number !== 'number' || number < 1 || number > 65535) return undefined;
    if (protocol !== undefined && protocol !== null && protocol !== 'TCP' && protocol !== 'UDP' && protocol !== 'SCTP')
      return undefined;
    return { protocol: protocol ?? 'TCP', first: number, last: number };
  });
  const read = ports.filter((port) => port !== undefined);
  return read.length === 0 || read.length < ports.length ? allPorts : read;
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
