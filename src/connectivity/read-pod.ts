/** Pods, and what makes pods -> workloads of a snapshot. Equal labels and ports are one object: there are as many as pods. */
import { type IpRange, parseCidr } from '../kubernetes/ip-range.ts';
import { type IpSet, normalise } from '../kubernetes/ip-set.ts';
import { fieldOf, isMap, type JsonMap, valueAt } from '../kubernetes/json.ts';
import type { StringMap } from '../kubernetes/objects.ts';
import type { Interned } from './interned.ts';
import type { ContainerPort } from './port-set.ts';
import type { Workload } from './snapshot.ts';

/** @param isStored a cluster has it, and so keeps its status and its maker true; of a file, neither is taken for more than a claim */
export function readPod(object: JsonMap, isStored: boolean, interned: Interned): Workload | undefined {
  const { metadata, spec, status } = object;
  const phase = isStored ? fieldOf(status, 'phase') : undefined;
  if (phase === 'Succeeded' || phase === 'Failed') return undefined;
  const owners = isStored ? listAt(metadata, 'ownerReferences') : [];
  const controller = owners.find((owner) => fieldOf(owner, 'controller') === true);
  const labels = interned.labels(textsOf(fieldOf(metadata, 'labels')));
  const [kind, name] = makerOf(controller, labels) ?? ['Pod', textAt(metadata, 'name')];
  const ips = listAt(status, 'podIPs');
  return {
    namespace: textAt(metadata, 'namespace'),
    kind,
    name,
    labels,
    pods: 1,
    ports: interned.ports(portsOf(spec)),
    hostNetwork: fieldOf(spec, 'hostNetwork') === true,
    addresses: ips.length === 1 ? textAt(ips[0], 'ip') : ips.map((one) => textAt(one, 'ip')).join(),
  };
}

export function addressesOf({ addresses }: Pick<Workload, 'addresses'>): IpSet {
  if (addresses === '') return noAddresses;
  return typeof addresses === 'string' ? setOfAddresses(addresses.split(',')) : addresses;
}

/** By the label that holds the hash of the template: whose ReplicaSets have its name and that hash. */
const ofReplicaSets = [
  ['pod-template-hash', 'Deployment'],
  ['rollouts-pod-template-hash', 'Rollout'],
] as const;

function makerOf(controller: unknown, labels: StringMap): readonly [kind: string, name: string] | undefined {
  if (controller === undefined) return undefined;
  const [kind, name] = [textAt(controller, 'kind'), textAt(controller, 'name')];
  for (const [label, maker] of kind === 'ReplicaSet' ? ofReplicaSets : []) {
    const suffix = `-${Object.hasOwn(labels, label) ? labels[label] : ''}`;
    if (suffix !== '-' && name.endsWith(suffix)) return [maker, name.slice(0, -suffix.length)];
  }
  return [kind, name];
}

/** Of pods that are called by the maker of their ReplicaSet: as of the ReplicaSet itself. */
export function replicaSetOf({ kind, name, labels }: Workload): Pick<Workload, 'kind' | 'name'> | undefined {
  const hash = ofReplicaSets.find(([, maker]) => maker === kind)?.[0];
  if (hash === undefined || !Object.hasOwn(labels, hash)) return undefined;
  return { kind: 'ReplicaSet', name: `${name}-${labels[hash]}` };
}

/** @param path of the template of the pods */
export function readMaker(object: JsonMap, kind: string, path: readonly string[], interned: Interned): Workload {
  const { metadata } = object;
  const template = valueAt(object, ...path);
  const spec = valueAt(template, 'spec');
  const replicas = valueAt(object, 'spec', 'replicas');
  return {
    namespace: textAt(metadata, 'namespace'),
    kind,
    name: textAt(metadata, 'name'),
    labels: interned.labels(textsOf(valueAt(template, 'metadata', 'labels'))),
    pods: typeof replicas === 'number' ? replicas : 1,
    ports: interned.ports(portsOf(spec)),
    hostNetwork: fieldOf(spec, 'hostNetwork') === true,
    addresses: [],
  };
}

const noPorts: readonly ContainerPort[] = [];

function portsOf(spec: unknown): readonly ContainerPort[] {
  // A container that starts first and stays is among these (restartPolicy: Always).
  let ports: ContainerPort[] | undefined;
  for (const list of ['containers', 'initContainers'])
    for (const container of listAt(spec, list))
      for (const port of listAt(container, 'ports')) {
        const number = fieldOf(port, 'containerPort');
        if (typeof number !== 'number') continue;
        ports ??= [];
        ports.push({ name: textAt(port, 'name'), protocol: protocolOf(fieldOf(port, 'protocol')), port: number });
      }
  return ports ?? noPorts;
}

export function protocolOf(written: unknown): ContainerPort['protocol'] {
  return written === 'UDP' || written === 'SCTP' ? written : 'TCP';
}

const noAddresses: IpSet = [];

export function setOfAddresses(list: readonly unknown[]): IpSet {
  let first: IpRange | undefined;
  const others: IpRange[] = [];
  for (const text of list) {
    const range = typeof text === 'string' ? parseCidr(text.includes('/') ? text : oneOf(text)) : undefined;
    if (!range?.ok) continue;
    if (first === undefined) first = range.value;
    else others.push(range.value);
  }
  if (first === undefined) return noAddresses;
  return others.length === 0 ? [first] : normalise([first, ...others]);
}

function oneOf(address: string): string {
  return `${address}/${address.includes(':') ? 128 : 32}`;
}

export function textAt(value: unknown, key: string): string {
  const text = fieldOf(value, key);
  return typeof text === 'string' ? text : '';
}

const nothing: readonly unknown[] = [];

export function listAt(value: unknown, key: string): readonly unknown[] {
  const list = fieldOf(value, key);
  return Array.isArray(list) ? list : nothing;
}

/** The map itself where nothing is to be left out. */
export function textsOf(value: unknown): StringMap {
  if (!isMap(value)) return {};
  if (isOfTexts(value)) return value;
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

function isOfTexts(map: JsonMap): map is StringMap {
  for (const key in map) if (typeof map[key] !== 'string') return false;
  return true;
}
