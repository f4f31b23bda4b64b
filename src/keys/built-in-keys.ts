/**
 * The label and annotation keys that no tenant may set, each with what it does and to whom.
 *
 * A key is listed when setting it changes whose an object is, or by whose rules it is treated. Keys that ordinary controllers put on
 * every pod (`pod-template-hash`, `app.kubernetes.io/*`, `statefulset.kubernetes.io/*`, `batch.kubernetes.io/*`,
 * `topology.kubernetes.io/*`) are not, nor are keys that a network plugin only writes to report (`k8s.v1.cni.cncf.io/network-status`),
 * nor those by which a pod only limits itself (`kubernetes.io/egress-bandwidth`). Annotations from which a pod's address is read
 * (`cni.projectcalico.org/podIP`) have a check of their own: pod-addresses. Plain words are listed where a plugin is known to compare
 * them without asking where a label comes from: Cilium does so for most names of its own identities, not for `cluster` or `all`.
 *
 * The settings say which plugin and which mesh the cluster has. Only keys that one of them reads are reserved. Without a word, all are.
 *
 * Some listed keys are also written by add-ons of the platform: OVN-Kubernetes and Kube-OVN (addresses of a pod), KubeVirt (the pods of
 * its machines), Alibaba Cloud's virtual nodes (what a pod was given). Their accounts belong among the platform identities (settings:
 * `platform.identities`). A mutating webhook writes in the name of the requester. The values that the injectors of meshes write by
 * default are free (free-values.ts); others belong among the allowed values (settings: `reserved.allowedValues`), or their keys among
 * the released ones (`reserved.released`): `k8s.aliyun.com/pod-` where Terway has PodNetworkings, the `eci-` keys and
 * `network.alibabacloud.com/` where an eci-profile has selectors that add them. Not listed at all are Kuma's `kuma.io/sidecar-injected`
 * and the ports of its proxy, Consul's `consul.hashicorp.com/connect-inject-status`, `transparent-proxy-status`, `original-pod`,
 * `redirect-traffic-config` and `consul-namespace`.
 */

import { calicoKeys } from './calico-keys.ts';
import { ciliumKeys } from './cilium-keys.ts';
import { guardKeys } from './guard-keys.ts';
import type { KeyCarrier, KeyGroup, KeyProfile } from './key-group.ts';
import { meshKeys } from './mesh-keys.ts';
import { networkKeys } from './network-keys.ts';
import type { ReservedKey } from './reserved-keys.ts';
import { routeKeys } from './route-keys.ts';

/** Keys of Bulkhead itself. They cannot be released. */
export const ownKeys: readonly string[] = ['bulkhead.dev/'];

/** Plain words that were listed once, and may still stand among the released keys. No effect of them is known. */
export const formerKeys: readonly string[] = ['cluster', 'all', 'unmanaged'];

/**
 * The tenant label begins with `bulkhead.dev/` by default. Every reader of a namespace's keys must let it through, because its value has
 * a rule of its own. `kubernetes.io/metadata.name` is not listed: every namespace has it, and the API server sets it.
 * Policies do not list Bulkhead's own keys: the tenant label and the label of managed objects have checks of their own.
 * Nor do they list switches that only write logs, where the plugin keeps them apart.
 */
export const keyGroups: readonly KeyGroup[] = [
  {
    keys: ownKeys,
    on: ['namespaces', 'pods'],
    protects: 'identity',
    effect: 'is how Bulkhead knows whose an object is and what it manages',
    source: 'Bulkhead',
  },
  ...guardKeys,
  ...networkKeys,
  ...ciliumKeys,
  ...calicoKeys,
  ...meshKeys,
  ...routeKeys,
];

/** The built-in keys that hold on one kind of object, in a cluster of this profile. */
export function builtInKeys(carrier: KeyCarrier, profile: KeyProfile = {}): readonly ReservedKey[] {
  return keyGroups
    .filter((group) => group.on.includes(carrier) && isRead(group, profile))
    .flatMap(({ keys, protects, effect, plugins, meshes, settings = [] }) => {
      const deciding = [
        ...(plugins === undefined ? [] : ['network.plugin']),
        ...(meshes === undefined ? [] : ['mesh', 'reserved.allowedValues']),
        ...settings,
      ];
      return keys.map((entry) => ({
        entry,
        protects,
        effect,
        settings: ownKeys.includes(entry) ? [] : [...deciding, 'reserved.released'],
      }));
    });
}

/** A plugin that has no name here may read every key. */
function isRead({ plugins, meshes }: KeyGroup, { plugin = 'other', mesh }: KeyProfile): boolean {
  return (
    (plugins === undefined || plugin === 'other' || plugins.includes(plugin)) &&
    (meshes === undefined || mesh === undefined || meshes.includes(mesh))
  );
}
