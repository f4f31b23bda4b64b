/** Parts that several kinds of networking.istio.io have in common. Reads untrusted data. */
import { fieldOf, isMap, listOf, valueAt } from '../../kubernetes/json.ts';
import { allPorts, type PortRange } from '../../kubernetes/port-range.ts';
import type { Shape } from './shape.ts';
import type { Destination, Endpoint, Written } from './traffic.ts';

export const texts: Shape = ['text'];

export const destinationShape: Shape = { host: 'text', subset: 'anything', port: { number: 'anything' } };

/** networking/v1alpha3 WorkloadEntry. Its labels and service account say of which pods of its own namespace it is one. */
export const workloadEntryShape: Shape = {
  address: 'text',
  ...{ ports: 'anything', labels: 'anything', network: 'anything', locality: 'anything', weight: 'anything' },
  serviceAccount: 'anything',
};

/** Of these a connection says for which host it is, before it is led. All others are known by their port alone, unless they have an address. */
const named: ReadonlySet<string> = new Set(['HTTP', 'HTTP2', 'GRPC', 'GRPC-WEB', 'HTTPS', 'TLS']);

export function namesHost(protocol: string): boolean {
  return named.has(protocol.toUpperCase());
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** @returns undefined: left out, which an empty list is too */
export function textsOf(list: unknown, path: string): readonly Written[] | undefined {
  const all = listOf(list).map((one, index) => ({ path: `${path}[${index}]`, text: textOf(one) }));
  return all.length === 0 ? undefined : all;
}

/** "If the hostname does not contain a dot", it is one of the namespace of the object (pilot/pkg/model, ResolveShortnameToFQDN). */
export function fullName(written: string, namespace: string): string {
  return written === '' || written === '*' || /[.:]/.test(written) ? written : `${written}.${namespace}.svc`;
}

export function portAt(number: unknown, protocol: PortRange['protocol'] = 'TCP'): PortRange | undefined {
  if (typeof number !== 'number' || !Number.isInteger(number) || number < 1 || number > 65535) return undefined;
  return { protocol, first: number, last: number };
}

/** networking/v1alpha3 Destination. */
export function destinationAt(value: unknown, path: string, namespace: string): readonly Destination[] {
  if (!isMap(value)) return [];
  const text = fullName(textOf(fieldOf(value, 'host')), namespace);
  return [{ path: `${path}.host`, text, port: portAt(valueAt(value, 'port', 'number')) }];
}

/** An endpoint whose port has no number is open on every port. */
export function endpointAt(address: unknown, path: string, ports: readonly (PortRange | undefined)[]): Endpoint {
  const read = ports.filter((port) => port !== undefined);
  return { path, text: textOf(address), ports: read.length === 0 || read.length < ports.length ? allPorts : read };
}
