import { isDeepStrictEqual } from 'node:util';
import { entry, type Pod } from '../kubernetes/objects.ts';
import type { PodRequest } from '../kubernetes/review.ts';
import { type Check, type Finding, nothing, type PodFacts } from './check.ts';
import { fieldOf } from './metadata-changes.ts';

/**
 * Annotations from which network plugins and policy engines read a pod's address. The value lists the users that may write it, besides
 * the pod's node and the plugin's service account.
 *
 * - Calico reads podIP and podIPs, then Amazon's pod-ips, of a pod whose status has no address. containerID distinguishes a pod from
 *   its successor of the same name. A pod that is being deleted and has an empty value counts as finished, though it may still run
 *   (libcalico-go, backend/k8s/conversion).
 * - Amazon's network policy controller reads pod-ips the same way. Its CNI plugins attach the interface or address in pod-eni or
 *   PrivateIPv4Address, which EKS writes as the user below (amazon-vpc-resource-controller-k8s, webhooks/core).
 * - GKE and Alibaba Cloud's Terway report addresses in pod-ips of their own.
 */
export const addressAnnotations: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['cni.projectcalico.org/podIP', new Set()],
  ['cni.projectcalico.org/podIPs', new Set()],
  ['cni.projectcalico.org/containerID', new Set()],
  ['vpc.amazonaws.com/pod-ips', new Set()],
  ['vpc.amazonaws.com/pod-eni', new Set(['eks:vpc-resource-controller'])],
  ['vpc.amazonaws.com/PrivateIPv4Address', new Set(['eks:vpc-resource-controller'])],
  ['networking.gke.io/pod-ips', new Set()],
  ['k8s.aliyun.com/pod-ips', new Set()],
]);
const keys = [...addressAnnotations.keys()];

/** The addresses in a pod's status, which Services and policies use. */
export const addressFields = ['podIP', 'podIPs', 'hostIP', 'hostIPs'] as const;

/**
 * The node and the network plugin write a pod's address; its tenant does not.
 * Reads    the annotations above: on CREATE, also of a Binding, which writes them to the pod; on every UPDATE that changes them.
 *          status.{podIP,podIPs,hostIP,hostIPs}, where an UPDATE changes them
 * Allowed  on UPDATE the pod's own node and the platform; for annotations also the users above, and service accounts of namespaces that
 *          no tenant owns, where network plugins run. On CREATE no requester, because no plugin writes these annotations then
 * Why      network plugins enforce policies by these addresses, and Services route to them: a pod with the address of another pod
 *          gets its traffic and its access (POD-20, POD-22). The proofs of other tenants rest on addresses
 */
export const podAddresses: Check = {
  id: 'pod-addresses',
  headline: 'would have an address that its node did not assign',
  protects: 'identity',
  needs: { accountOwner: changesAddressAnnotations },
  pod(request, facts) {
    if (facts.owner === 'platform' || request.operation === 'DELETE') return nothing;
    const changed = changedAnnotations(request);
    const moved = request.operation === 'UPDATE' ? changedFields(request) : [];
    if (changed.length === 0 && moved.length === 0) return nothing;
    if (request.operation === 'CREATE') return changed.map(created);
    if (facts.requester.platform || isOwnNode(request)) return nothing;
    return [
      ...changed.filter((key) => !writes(key, facts)).map(rewritten),
      ...moved.map((field) => ({
        path: `status.${field}`,
        reason: "would be changed: only the pod's own node and the platform may write an address in its status",
        fix: 'leave it as it is',
      })),
    ];
  },
};

/** Whether the verdict depends on the owner of the requester's namespace, where the requester is a service account. */
function changesAddressAnnotations(request: PodRequest): boolean {
  return request.operation === 'UPDATE' && changedAnnotations(request).length > 0;
}

function changedAnnotations({ object, oldObject }: PodRequest): readonly string[] {
  const [after, before] = [object.metadata?.annotations, oldObject?.metadata?.annotations];
  if (!after && !before) return [];
  return keys.filter((key) => entry(after, key) !== entry(before, key));
}

function changedFields({ object, oldObject }: PodRequest): readonly string[] {
  const [after, before] = [object.status, oldObject?.status];
  return addressFields.filter((field) => !sameAddresses(after?.[field], before?.[field]));
}

type Addresses = NonNullable<Pod['status']>[(typeof addressFields)[number]];

/** A missing field equals an empty one. */
function sameAddresses(one: Addresses, other: Addresses): boolean {
  const given = (value: Addresses): Addresses => (value === null || value?.length === 0 ? undefined : value);
  return isDeepStrictEqual(given(one), given(other));
}

/** Compares the whole name, like the match condition. The Node authorizer prescribes this name for a kubelet. */
function isOwnNode({ oldObject, user }: PodRequest): boolean {
  const node = oldObject?.spec?.nodeName;
  return node !== undefined && node !== null && node !== '' && user.username === `system:node:${node}`;
}

function writes(key: string, { accountOwner, requester }: PodFacts): boolean {
  return accountOwner === 'platform' || addressAnnotations.get(key)?.has(requester.username) === true;
}

function created(key: string): Finding {
  const reason = "describes the pod's address, which its network plugin writes once the pod runs on a node";
  return { path: fieldOf({ map: 'annotations', key }), reason, fix: 'leave it out' };
}

function rewritten(key: string): Finding {
  const reason =
    "would be changed: only the pod's own node, its network plugin and the platform may write the pod's address";
  return { path: fieldOf({ map: 'annotations', key }), reason, fix: 'leave it as it is' };
}
