/** The NetworkPolicy that lets a blocked connection through on one side. */
import type { Side } from '../connectivity/explain.ts';
import { aroundMapped, familiesOf } from '../connectivity/outside.ts';
import type { Party, PodClass } from '../connectivity/parties.ts';
import { everyPort, type PortSet, rangesOf } from '../connectivity/port-set.ts';
import { sameSet } from '../connectivity/port-text.ts';
import { blocksOf, formatRange, knownRange } from '../kubernetes/ip-range.ts';
import { subtract } from '../kubernetes/ip-set.ts';
import { type NetworkPolicy, namespaceNameLabel } from '../kubernetes/objects.ts';
import { internet } from '../reach/internet.ts';
import type { Settings } from '../tenancy/settings.ts';

/** Labels that a workload gives each of its pods anew. */
const ofOnePod: ReadonlySet<string> = new Set([
  ...['pod-template-hash', 'controller-revision-hash', 'statefulset.kubernetes.io/pod-name'],
  ...['apps.kubernetes.io/pod-index', 'controller-uid', 'batch.kubernetes.io/controller-uid', 'job-name'],
  ...['batch.kubernetes.io/job-name', 'pod-template-generation'],
]);

/**
 * @param addresses in place of those of the peer
 * @param isTaken whether a NetworkPolicy of that name is in the namespace, which an apply would overwrite
 * @returns undefined where no NetworkPolicy can name the peer
 */
export function policyFor(
  { direction, pods, peer }: Side,
  ports: PortSet,
  tenantLabel: string,
  isTaken: (name: string) => boolean,
  addresses?: readonly IpBlock[],
): NetworkPolicy | undefined {
  const peers = addresses?.map((ipBlock) => ({ ipBlock })) ?? peersFor(peer, pods, tenantLabel);
  if (peers === undefined) return undefined;
  const listed = sameSet(ports, everyPort)
    ? {}
    : {
        ports: rangesOf(ports).map(({ protocol, first, last }) => ({
          protocol,
          port: first,
          ...(last !== first && { endPort: last }),
        })),
      };
  const isOut = direction === 'egress';
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: freeName(nameFor(isOut, pods, peer), isTaken), namespace: pods.namespace.name },
    spec: {
      podSelector: { matchLabels: ownLabels(pods) },
      policyTypes: [isOut ? 'Egress' : 'Ingress'],
      ...(isOut ? { egress: [{ to: peers, ...listed }] } : { ingress: [{ from: peers, ...listed }] }),
    },
  };
}

export interface IpBlock {
  readonly cidr: string;
  readonly except: readonly string[];
}

/** Every address of the internet, for each family of the cluster: ranges that the settings protect and private ones are left out. */
export function internetBlocks(settings: Settings): readonly IpBlock[] {
  return familiesOf(settings).map((family) => {
    const cidr = family === 4 ? '0.0.0.0/0' : '::/0';
    const inside = subtract([knownRange(cidr)], subtract(internet(settings), [aroundMapped]));
    return { cidr, except: inside.flatMap(blocksOf).map(formatRange) };
  });
}

function peersFor(peer: Party, own: PodClass, tenantLabel: string) {
  switch (peer.kind) {
    case 'pod': {
      const podSelector = { matchLabels: ownLabels(peer) };
      if (peer.namespace === own.namespace) return [{ podSelector }];
      const { name, labels } = peer.namespace;
      const tenant = labels.get(tenantLabel);
      const matchLabels = { ...(tenant !== undefined && { [tenantLabel]: tenant }), [namespaceNameLabel]: name };
      return [{ namespaceSelector: { matchLabels }, podSelector }];
    }
    case 'address':
      return blocksOf(peer.range).map((block) => ({ ipBlock: { cidr: formatRange(block) } }));
    default:
      return undefined;
  }
}

function ownLabels({ labels }: PodClass): Record<string, string> {
  const own = [...labels].filter(([key]) => !ofOnePod.has(key));
  // Pods of a Job have no other label, where its author gives them none.
  return Object.fromEntries(own.length > 0 ? own : [...labels].filter(([key]) => key === 'job-name'));
}

/** Names of objects have at most 253 characters; short ones are read. */
const longestName = 63;

function nameFor(isOut: boolean, pods: PodClass, peer: Party): string {
  const of = pods.workloads[0]?.name ?? 'pods';
  const other = peer.kind === 'pod' ? (peer.workloads[0]?.name ?? 'pods') : 'addresses';
  return cutName(`${of}-${isOut ? 'to' : 'from'}-${other}`, longestName);
}

function freeName(name: string, isTaken: (name: string) => boolean): string {
  if (!isTaken(name)) return name;
  for (let number = 2; ; number++) {
    const suffix = `-${number}`;
    const one = `${cutName(name, longestName - suffix.length)}${suffix}`;
    if (!isTaken(one)) return one;
  }
}

function cutName(name: string, length: number): string {
  return name.slice(0, length).replace(/[.-]$/, '');
}

/** A policy for such pods would be about the whole namespace. */
export function isUnlabelled({ pods, peer }: Side): boolean {
  return [pods, peer].some((one) => one.kind === 'pod' && Object.keys(ownLabels(one)).length === 0);
}
