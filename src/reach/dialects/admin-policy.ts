/**
 * ClusterNetworkPolicy (policy.networking.k8s.io/v1alpha2), AdminNetworkPolicy and BaselineAdminNetworkPolicy (v1alpha1): rules in an order,
 * about pods of any namespace. Read as their engines do, network-policy-api 0.3 and Cilium 1.20:
 *
 *   `from` or `to` missing or empty   everybody
 *   a peer without a known field      no pod, in a rule that accepts; every pod, in other rules, which then deny it
 *   `namespaces: {}`                  every pod; nothing outside of namespaces
 *
 * Total: reads the object as untrusted data.
 */
import { parseCidr } from '../../kubernetes/ip-range.ts';
import { type IpSet, normalise } from '../../kubernetes/ip-set.ts';
import { isGiven, isMap, valueAt } from '../../kubernetes/json.ts';
import { contradiction, type Selector } from '../../kubernetes/label-selector.ts';
import { parseSelector } from '../../kubernetes/parse-selector.ts';
import { allPorts, type Port } from '../../kubernetes/port-range.ts';
import type { Direction } from '../../tenancy/tenant.ts';
import { everyPod } from '../model.ts';

export interface AdminPods {
  readonly kind: 'pods';
  readonly namespaces: Selector;
  readonly pods: Selector;
  /** Written as `namespaces`, and not as `pods`. */
  readonly byNamespace?: boolean;
}

export type AdminPeer =
  | AdminPods
  | { readonly kind: 'everybody' }
  | { readonly kind: 'networks'; readonly addresses: IpSet }
  /** Nodes and DNS names. */
  | { readonly kind: 'other' }
  | { readonly kind: 'nothing'; readonly reason: string }
  /** No field of it is known. */
  | { readonly kind: 'unknown' };

export interface AdminRule {
  readonly direction: Direction;
  readonly action: 'accept' | 'deny' | 'pass';
  /** `spec.ingress[0]` */
  readonly path: string;
  readonly peers: readonly { readonly path: string; readonly peer: AdminPeer }[];
  /** Not empty. */
  readonly ports: readonly Port[];
}

export interface AdminPolicy {
  readonly tier: 'Admin' | 'Baseline';
  readonly priority: number | undefined;
  /** What is not understood is every pod, and so is what selects none. */
  readonly subject: AdminPods;
  /** No pod can be selected. */
  readonly isDead: boolean;
  /** Those of each direction in their order. */
  readonly rules: readonly AdminRule[];
}

const everywhere: AdminPods = { kind: 'pods', namespaces: everyPod, pods: everyPod };

export function readAdminPolicy(kind: string, object: unknown): AdminPolicy {
  const spec = valueAt(object, 'spec');
  const priority = valueAt(spec, 'priority');
  const isBaseline = kind === 'BaselineAdminNetworkPolicy' || valueAt(spec, 'tier') === 'Baseline';
  const subject = readPeer(valueAt(spec, 'subject'), 'deny');
  return {
    tier: isBaseline ? 'Baseline' : 'Admin',
    priority: typeof priority === 'number' ? priority : undefined,
    subject: subject.kind === 'pods' ? subject : everywhere,
    isDead: subject.kind === 'nothing',
    rules: (['ingress', 'egress'] as const).flatMap((direction) =>
      listAt(spec, direction).flatMap((rule, index) => readRule(rule, direction, index) ?? []),
    ),
  };
}

function readRule(rule: unknown, direction: Direction, index: number): AdminRule | undefined {
  const action = actions.get(valueAt(rule, 'action'));
  if (action === undefined || !isMap(rule)) return undefined;
  const path = `spec.${direction}[${index}]`;
  const field = direction === 'ingress' ? 'from' : 'to';
  const written = listAt(rule, field);
  const peers =
    written.length === 0
      ? [{ path, peer: { kind: 'everybody' } as const }]
      : written.map((peer, at) => ({
          path: `${path}.${field}[${at}]`,
          peer: readPeer(peer, action),
        }));
  const ports = [...listAt(rule, 'protocols').flatMap(portsOfProtocol), ...listAt(rule, 'ports').flatMap(portsOfPort)];
  return { direction, action, path, peers, ports: ports.length === 0 ? allPorts : ports };
}

const actions: ReadonlyMap<unknown, AdminRule['action']> = new Map([
  ['Accept', 'accept'],
  ['Allow', 'accept'],
  ['Deny', 'deny'],
  ['Pass', 'pass'],
]);

function readPeer(peer: unknown, action: AdminRule['action']): AdminPeer {
  if (isMap(peer)) {
    const { pods, namespaces, networks } = peer;
    if (isMap(pods)) return podsOf(valueAt(pods, 'namespaceSelector'), valueAt(pods, 'podSelector'));
    if (isGiven(namespaces)) {
      const read = podsOf(namespaces, {});
      return read.kind === 'pods' ? { ...read, byNamespace: true } : read;
    }
    if (Array.isArray(networks)) return { kind: 'networks', addresses: addressesOf(networks) };
    if (isGiven(peer.nodes) || isGiven(peer.domainNames)) return { kind: 'other' };
  }
  return action === 'accept' ? { kind: 'nothing', reason: 'has no field that is known' } : { kind: 'unknown' };
}

function podsOf(namespaces: unknown, pods: unknown): AdminPeer {
  const [of, which] = [parseSelector(namespaces ?? {}), parseSelector(pods ?? {})];
  // Such as a key with a colon, with which Cilium looks for labels of its own.
  if (!of.ok || !which.ok) return { kind: 'everybody' };
  const key = contradiction(of.value) ?? contradiction(which.value);
  if (key !== undefined) return { kind: 'nothing', reason: `leaves no value for the label ${key}` };
  return { kind: 'pods', namespaces: of.value, pods: which.value };
}

/** What cannot be read opens nothing: the API server refuses it. */
function addressesOf(networks: readonly unknown[]): IpSet {
  return normalise(
    networks.flatMap((text) => {
      const range = typeof text === 'string' ? parseCidr(text) : undefined;
      return range?.ok ? [range.value] : [];
    }),
  );
}

const protocols = { tcp: 'TCP', udp: 'UDP', sctp: 'SCTP' } as const;

/** v1alpha2: `{ tcp: { destinationPort: { number } } }`, or a name, which stands for any port of any protocol. */
function portsOfProtocol(written: unknown): readonly Port[] {
  for (const [field, protocol] of Object.entries(protocols)) {
    const of = valueAt(written, field);
    if (!isMap(of)) continue;
    const { destinationPort } = of;
    return [portOf(protocol, valueAt(destinationPort, 'number'), valueAt(destinationPort, 'range'))];
  }
  return namedPorts(valueAt(written, 'destinationNamedPort'));
}

/** v1alpha1: `portNumber`, `portRange` or `namedPort`. */
function portsOfPort(written: unknown): readonly Port[] {
  if (!isMap(written)) return namedPorts(undefined);
  const { portNumber, portRange, namedPort } = written;
  const of = isMap(portNumber) ? portNumber : isMap(portRange) ? portRange : undefined;
  if (of === undefined) return namedPorts(namedPort);
  const protocol = Object.values(protocols).find((one) => one === (of.protocol ?? 'TCP'));
  return protocol === undefined
    ? namedPorts(undefined)
    : [portOf(protocol, of.port, of === portRange ? of : undefined)];
}

/** By a name that is not understood: of no container. */
function namedPorts(name: unknown): readonly Port[] {
  return Object.values(protocols).map((protocol) => ({ protocol, name: typeof name === 'string' ? name : '' }));
}

function portOf(protocol: (typeof protocols)[keyof typeof protocols], number: unknown, range: unknown): Port {
  if (typeof number === 'number') return { protocol, first: number, last: number };
  const [start, end] = [valueAt(range, 'start'), valueAt(range, 'end')];
  return typeof start === 'number' && typeof end === 'number'
    ? { protocol, first: start, last: end }
    : { protocol, first: 1, last: 65535 };
}

function listAt(value: unknown, field: string): readonly unknown[] {
  const list = valueAt(value, field);
  return Array.isArray(list) ? list : [];
}
