/** What people call the ends of a connection -> parties of a snapshot. */
import { parsePattern } from '../kubernetes/dns-pattern.ts';
import { formatAddress } from '../kubernetes/ip-address.ts';
import { formatRange, type IpRange, parseCidr } from '../kubernetes/ip-range.ts';
import { contains } from '../kubernetes/ip-set.ts';
import type { PortRange } from '../kubernetes/port-range.ts';
import type { Settings } from '../tenancy/settings.ts';
import { addressedIn } from './addressed.ts';
import { groupOf } from './matrix.ts';
import { named, ofPods, ofService } from './named-end.ts';
import { outsideOf } from './outside.ts';
import { node, type Parties, type Party, type PodClass } from './parties.ts';
import { noPorts, type PortSet, portNumber } from './port-set.ts';
import { type ServiceName, serviceNameOf } from './service-name.ts';
import type { ServicePort, Snapshot, SnapshotService } from './snapshot.ts';
import { withoutUrl } from './url.ts';

/** One end. */
export interface End {
  /** As it is called from here on: `Deployment acme-web/front`, `the addresses 203.0.113.0/24`. */
  readonly name: string;
  /** Not empty. */
  readonly parties: readonly Party[];
  /** It is reached by this Service. */
  readonly service?: SnapshotService;
  /** Its parties are pieces of the internet, between the ranges that policies name. */
  readonly isInternet?: true;
  /** Its party is any node, and not pods on the network of one. */
  readonly isNode?: true;
  /** What is to be known about it, each a sentence without its full stop. */
  readonly notes: readonly string[];
}

/** What is asked for of an end: `[1::2]:80/UDP` is an address and a port. */
export interface Asked {
  readonly end: string;
  readonly port: AskedPort | undefined;
}

export interface AskedPort {
  readonly protocol: PortRange['protocol'];
  readonly port: number | string;
}

export interface Unknown {
  readonly unknown: string;
}

/** Which ports of the pods are meant: a number is itself, a name is what the pods call it, and a Service leads to its own. */
export type PortOf = (pods: Party) => PortSet;

const protocols = ['TCP', 'UDP', 'SCTP'] as const;

/** `END`, `END:PORT`, `END:PORT/PROTOCOL`; an address of IPv6 stands in brackets where a port follows. */
export function parseAsked(text: string): Asked | Unknown {
  const unknown = withoutUrl(text);
  if (unknown !== undefined) return { unknown };
  const bracket = /^\[([^\]]*)\](?::(.*))?$/.exec(text);
  const [end, port] = bracket === null ? splitPort(text) : [bracket[1] ?? '', bracket[2]];
  if (end === '') return { unknown: `${JSON.stringify(text)} names no end of a connection` };
  if (port === undefined) return { end, port };
  const [number = '', name = 'TCP', more] = port.split('/');
  const protocol = protocols.find((one) => one === name.toUpperCase());
  if (protocol === undefined || more !== undefined || !/^[a-z0-9-]{1,15}$/.test(number))
    return { unknown: `${JSON.stringify(port)} is not a port: write 443, 53/UDP, or the name of a port` };
  const value = /^\d+$/.test(number) ? Number(number) : number;
  if (typeof value === 'number' && (value < 1 || value > 65535))
    return { unknown: `${number} is not a port: ports are numbers from 1 to 65535` };
  return { end, port: { protocol, port: value } };
}

/** The last colon parts the port, unless the text is an address of IPv6. */
function splitPort(text: string): readonly [end: string, port: string | undefined] {
  const at = text.lastIndexOf(':');
  if (at < 0 || text.indexOf(':') !== at) return [text, undefined];
  return [text.slice(0, at), text.slice(at + 1)];
}

/**
 * Who is meant:
 *
 *   NAMESPACE/NAME, or NAME in the namespace   a workload, a pod, or a Service
 *   KIND/NAMESPACE/NAME                        the same of one kind: pod, deployment, service …
 *   namespace/NAME, tenant/NAME                all pods of it
 *   NAME.NAMESPACE.svc, NAME.NAMESPACE         a Service, by its name in the DNS
 *   203.0.113.7, 203.0.113.0/24, api.example   an address, addresses, a DNS name
 *   internet, node                             any address outside, a node
 */
export function findEnd(
  text: string,
  namespace: string,
  snapshot: Snapshot,
  parties: Parties,
  settings: Settings,
): End | Unknown {
  if (text === 'internet') return anyOutside(snapshot, settings);
  if (text === 'node') return { name: 'a node', parties: [node], isNode: true, notes: [labelsOfNodes] };
  const range = addressOf(text);
  if (range !== undefined) return byAddress(range, snapshot, parties);
  const [first = '', second, third, more] = text.split('/');
  if (more !== undefined) return { unknown: `${JSON.stringify(text)} has too many parts` };
  const kind = kindOf(first);
  if (second !== undefined && kind === 'tenant') {
    const pods = parties.classes.filter((one) => groupOf(one) === second);
    return ofPods(`tenant ${second}`, pods, `tenant ${second} has no pods on the pod network`);
  }
  if (second !== undefined && third === undefined && kind === 'namespace') return allOf(second, parties);
  if (third !== undefined) return named(second ?? '', third, kind, snapshot, parties);
  if (second !== undefined) return named(first, second, undefined, snapshot, parties);
  const found = named(namespace, first, undefined, snapshot, parties);
  if (!('unknown' in found) || !first.includes('.')) return found;
  const service = serviceNameOf(first);
  const end = service && named(service.namespace, service.name, 'service', snapshot, parties);
  if (end !== undefined && (service?.isSure === true || isService(service, snapshot))) return end;
  const pattern = parsePattern(first);
  return pattern === undefined || first.includes('*')
    ? found
    : { name: `the DNS name ${pattern.text}`, parties: [{ kind: 'name', name: pattern.text }], notes: [] };
}

function isService(wanted: ServiceName | undefined, { services }: Snapshot): boolean {
  return services.some(({ namespace, name }) => namespace === wanted?.namespace && name === wanted.name);
}

const labelsOfNodes =
  'labels of nodes are not read, so a rule that allows some nodes allows all here, and a denial of some denies none';

/** An address outside of the cluster that no rule names. */
function anyOutside(snapshot: Snapshot, settings: Settings): End | Unknown {
  const { pieces, left } = outsideOf(snapshot, settings);
  if (pieces.length === 0) return { unknown: 'policies name every address outside; ask about one of them' };
  const notes = [`policies cut the internet into many pieces, and the ${left} smallest are left out`];
  return {
    name: 'the internet',
    parties: pieces.map((range) => ({ kind: 'address', range })),
    notes: left === 0 ? [] : notes,
    isInternet: true,
  };
}

const kindsByName: ReadonlyMap<string, string> = new Map(
  [
    ['pod', 'po', 'pods'],
    ['deployment', 'deploy', 'deployments'],
    ['statefulset', 'sts', 'statefulsets'],
    ['daemonset', 'ds', 'daemonsets'],
    ['replicaset', 'rs', 'replicasets'],
    ['job', 'jobs'],
    ['cronjob', 'cj', 'cronjobs'],
    ['replicationcontroller', 'rc', 'replicationcontrollers'],
    ['service', 'svc', 'services'],
    ['namespace', 'ns', 'namespaces'],
    ['tenant', 'tenants'],
  ].flatMap((names) => names.map((name) => [name, names[0] ?? ''] as const)),
);

export function kindOf(text: string): string {
  return kindsByName.get(text.toLowerCase()) ?? text.toLowerCase();
}

/** Undefined: it is no address. */
export function addressOf(text: string): IpRange | undefined {
  const isRange = text.includes('/');
  if (!/^[0-9a-f.:]+(\/\d+)?$/i.test(text) || !/[.:]/.test(text)) return undefined;
  const parsed = parseCidr(isRange ? text : `${text}/${text.includes(':') ? 128 : 32}`);
  return parsed.ok ? parsed.value : undefined;
}

function byAddress(range: IpRange, { services }: Snapshot, parties: Parties): End | Unknown {
  const isOne = range.first === range.last;
  const text = isOne ? formatAddress(range.family, range.first) : formatRange(range);
  const service = services.find(({ addresses }) => isOne && contains(addresses, [range]));
  if (service !== undefined) return ofService(service, parties);
  const classes = [...new Set(addressedIn(range, parties.addressed))];
  if (isOne && classes.length > 0) return ofPods(`${nameOfClass(classes[0])} (${text})`, classes, '');
  const notes = classes.length === 0 ? [] : [`${text} holds addresses of pods, which are looked at by themselves`];
  return {
    name: isOne ? `the address ${text}` : `the addresses ${text}`,
    parties: [{ kind: 'address', range }],
    notes,
  };
}

function allOf(name: string, { byName }: Parties): End | Unknown {
  const found = byName.get(name);
  if (found === undefined) return { unknown: `there is no namespace ${name}` };
  return ofPods(`namespace ${name}`, found.classes, `the namespace ${name} has no pods on the pod network`);
}

/** `Deployment acme-web/front`, and how many others have pods that look the same. */
export function nameOfClass(pods: PodClass | undefined): string {
  const [first, ...others] = new Set(
    pods?.workloads.map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`),
  );
  if (first === undefined) return '';
  return others.length === 0 ? first : `${first} and ${others.length} more like it`;
}

/** @returns why the Service has no such port, where it is reached by one */
export function portsAt(asked: AskedPort, { service }: End): PortOf | Unknown {
  if (service === undefined) return (party) => ofParty(asked, party);
  const { protocol, port } = asked;
  const isMeant = (one: ServicePort) => one.protocol === protocol && (one.port === port || one.name === port);
  const found = service.ports.find(isMeant);
  if (found !== undefined)
    return (party) => ofParty({ protocol: found.protocol, port: targetOf(found.targetPort) }, party);
  const has = service.ports.map((one) => `${one.port}/${one.protocol}`).join(', ');
  return {
    unknown: `Service ${service.namespace}/${service.name} has no port ${port}/${protocol}; it has ${has === '' ? 'none' : has}`,
  };
}

/** A number that is written as text is a number. */
function targetOf(port: number | string): number | string {
  return typeof port === 'string' && /^\d+$/.test(port) ? Number(port) : port;
}

function ofParty({ protocol, port }: AskedPort, party: Party): PortSet {
  if (typeof port === 'number') return one(portNumber(protocol, port));
  if (party.kind !== 'pod') return noPorts;
  const found = party.ports.find((one) => one.name === port && one.protocol === protocol);
  return found === undefined ? noPorts : one(portNumber(protocol, found.port));
}

function one(number: number): PortSet {
  return [number, number];
}
