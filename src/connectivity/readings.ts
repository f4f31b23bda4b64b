/**
 * How engines read the same policies. Where they differ about a text, each reading is followed by itself; what is open in one of them counts
 * as open (docs/decisions/0028).
 */
import type { NetworkPlugin } from '../keys/key-group.ts';
import type { SnapshotPolicy } from './snapshot.ts';

export interface Reading {
  readonly name: 'by the book' | 'Cilium' | 'Calico';
  /** Rules of a direction that policyTypes leaves out: Cilium enforces them and isolates, others enforce them, the API ignores them. */
  readonly untyped: 'ignored' | 'enforced' | 'isolate';
  /** Whether a range of addresses is also about pods and nodes that have one of them. Cilium tells those by their labels. */
  readonly rangesHavePods: boolean;
  /**
   * Whether isolation by NetworkPolicies comes after the tier Baseline, so that this tier may open what they only leave out, and whether
   * `namespaces` of a ClusterNetworkPolicy may be about who is in none. Both are what the code of Cilium 1.20.2 does, and not the API.
   */
  readonly isolatesLast: boolean;
  /** Of the stages of policies, those that the engine knows. */
  readonly reads: (policy: SnapshotPolicy) => boolean;
  /** Where NetworkPolicies stand: in a stage of their own, or in the default tier among Calico's. */
  readonly ordered: boolean;
}

const isCalico = ({ inForce }: SnapshotPolicy): boolean => inForce.stage.kind === 'calico';
const isCilium = ({ inForce }: SnapshotPolicy): boolean =>
  inForce.stage.kind === 'network' && inForce.stage.engine === 'cilium';

/** Cilium 1.20 reads ClusterNetworkPolicy, and none of the kinds that came before it (pkg/policy/k8s). */
const isOfV1alpha1 = ({ ref: { kind } }: SnapshotPolicy): boolean =>
  kind === 'AdminNetworkPolicy' || kind === 'BaselineAdminNetworkPolicy';

export const byTheBook: Reading = {
  name: 'by the book',
  untyped: 'ignored',
  rangesHavePods: true,
  isolatesLast: false,
  reads: (policy) => !isCalico(policy) && !isCilium(policy),
  ordered: false,
};

export const asCilium: Reading = {
  name: 'Cilium',
  untyped: 'isolate',
  rangesHavePods: false,
  isolatesLast: true,
  reads: (policy) => !isCalico(policy) && !isOfV1alpha1(policy),
  ordered: false,
};

export const asCalico: Reading = {
  name: 'Calico',
  untyped: 'ignored',
  rangesHavePods: true,
  isolatesLast: false,
  reads: (policy) => !isCilium(policy),
  ordered: true,
};

/** OVN-Kubernetes, Antrea and the AWS VPC CNI. */
const asOthers: Reading = { ...byTheBook, untyped: 'enforced' };

const ofPlugin: Readonly<Record<NetworkPlugin, Reading | undefined>> = {
  cilium: asCilium,
  calico: asCalico,
  'ovn-kubernetes': asOthers,
  antrea: asOthers,
  'aws-vpc-cni': asOthers,
  'azure-cni': undefined,
  gke: undefined,
  'kube-router': byTheBook,
  other: undefined,
};

/** Not empty. Where the plugin is not known, policies of one engine's own kinds say that it is there. */
export function readingsOf(plugin: NetworkPlugin | undefined, policies: readonly SnapshotPolicy[]): readonly Reading[] {
  const known = plugin === undefined ? undefined : ofPlugin[plugin];
  if (known !== undefined) return [known];
  const engines = [...(policies.some(isCilium) ? [asCilium] : []), ...(policies.some(isCalico) ? [asCalico] : [])];
  return engines.length > 0 ? engines : [byTheBook, asCilium];
}
