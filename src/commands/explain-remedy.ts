/** What would have to change so that a connection is let through: a policy to add, and what the webhook would say of it. */
import { stringify } from 'yaml';
import { createNamespaceStore } from '../admission/namespace-store.ts';
import { judgeStoredPolicy } from '../admission/stored-policy.ts';
import type { End } from '../connectivity/endpoints.ts';
import { nameOfParty, type PairAnswer, pathText, type Side } from '../connectivity/explain.ts';
import type { Party, PodClass } from '../connectivity/parties.ts';
import { differenceOf, everyPort, type PortSet, rangesOf } from '../connectivity/port-set.ts';
import { portsText, sameSet } from '../connectivity/port-text.ts';
import { refText, type Snapshot } from '../connectivity/snapshot.ts';
import { networkPolicy } from '../kinds/network-policy/network-policy.ts';
import { blocksOf, formatRange } from '../kubernetes/ip-range.ts';
import { type NetworkPolicy, namespaceNameLabel } from '../kubernetes/objects.ts';
import type { Remedy } from '../report/explain-report.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';

/** Labels that a workload gives each of its pods anew. */
const ofOnePod: ReadonlySet<string> = new Set([
  ...['pod-template-hash', 'controller-revision-hash', 'statefulset.kubernetes.io/pod-name'],
  ...['apps.kubernetes.io/pod-index', 'controller-uid', 'batch.kubernetes.io/controller-uid', 'job-name'],
  ...['batch.kubernetes.io/job-name', 'pod-template-generation'],
]);

export interface RemedyContext {
  readonly snapshot: Snapshot;
  readonly tenancy: Tenancy;
  readonly now: number;
}

/** One for each side that blocks something. */
export function remediesFor(answer: PairAnswer, from: End, to: End, context: RemedyContext): readonly Remedy[] {
  if (answer.asked.length === 0) return [];
  return answer.sides.flatMap((side) => {
    const missing = differenceOf(answer.asked, side.open);
    if (missing.length === 0) return [];
    return [remedyFor(side, missing, nameOfParty(side.peer, side.direction === 'egress' ? to : from), context)];
  });
}

function remedyFor(side: Side, missing: PortSet, peerName: string, context: RemedyContext): Remedy {
  const { direction, pods, decisions } = side;
  const way = direction === 'egress' ? `leave ${pods.namespace.name}` : `enter ${pods.namespace.name}`;
  const denial = decisions.find(({ step, action }) => action === 'deny' && step !== undefined)?.step;
  if (denial !== undefined)
    return {
      says: [
        `To let it ${way}: ${refText(denial.policy.ref)} ${pathText(denial)} denies it, and no policy that is added changes that. Narrow or remove that rule.`,
      ],
      manifest: [],
    };
  if (isUnlabelled(side))
    return {
      says: [
        `To let it ${way}: ${peerName} or its peer has pods without labels of their own, so no policy can name them alone. Give them a label first.`,
      ],
      manifest: [],
    };
  const policy = policyFor(side, missing, context.tenancy.settings.tenantLabel);
  if (policy === undefined)
    return {
      says: [`To let it ${way}: ${peerName} cannot be named in a NetworkPolicy; name addresses of it`],
      manifest: [],
    };
  const manifest = stringify(policy).trimEnd().split('\n');
  const { tenancy, now } = context;
  const namespaces = createNamespaceStore(() => tenancy);
  namespaces.replaceAll(
    context.snapshot.namespaces.map(({ name, labels }) => ({ name, uid: '', labels, terminating: false })),
  );
  const judged = judgeStoredPolicy(networkPolicy, policy, { tenancy, namespaces, now });
  const on = `${direction} on ${portsText(missing)}`;
  if (judged === undefined) {
    const agreed = agreement(pods, side.peer);
    return { says: [`To let it ${way}, add a policy for ${on}${agreed}:`], manifest };
  }
  const reasons = judged.findings.map(({ reason, fix }) => `  ${reason}; ${fix}`);
  return {
    says: [`To let it ${way}, a policy for ${on} is needed, and Bulkhead would refuse it today:`, ...new Set(reasons)],
    manifest,
  };
}

function agreement(pods: PodClass, peer: Party): string {
  if (peer.kind !== 'pod') return '';
  const [own, other] = [pods.namespace.owner, peer.namespace.owner];
  if (own === 'platform' || other === own) return '';
  return other === 'platform'
    ? '; what it opens is granted'
    : `; the gate between ${own.name} and ${other.name} is there`;
}

function policyFor({ direction, pods, peer }: Side, ports: PortSet, tenantLabel: string): NetworkPolicy | undefined {
  const peers = peersFor(peer, pods, tenantLabel);
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
    metadata: { name: nameFor(isOut, pods, peer), namespace: pods.namespace.name },
    spec: {
      podSelector: { matchLabels: ownLabels(pods) },
      policyTypes: [isOut ? 'Egress' : 'Ingress'],
      ...(isOut ? { egress: [{ to: peers, ...listed }] } : { ingress: [{ from: peers, ...listed }] }),
    },
  };
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

function nameFor(isOut: boolean, pods: PodClass, peer: Party): string {
  const of = pods.workloads[0]?.name ?? 'pods';
  const other = peer.kind === 'pod' ? (peer.workloads[0]?.name ?? 'pods') : 'addresses';
  return `${of}-${isOut ? 'to' : 'from'}-${other}`.slice(0, 63).replace(/[.-]$/, '');
}

/** A policy for such pods would be about the whole namespace. */
function isUnlabelled({ pods, peer }: Side): boolean {
  return [pods, peer].some((one) => one.kind === 'pod' && Object.keys(ownLabels(one)).length === 0);
}
