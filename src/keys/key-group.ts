/** What a group of built-in keys says of itself, and by what of a cluster it is chosen. */
import type { ReservedKey } from './reserved-keys.ts';

export const knownPlugins = [
  'cilium',
  'calico',
  'ovn-kubernetes',
  'antrea',
  'aws-vpc-cni',
  'azure-cni',
  'gke',
  'kube-router',
  'other',
] as const;
export type NetworkPlugin = (typeof knownPlugins)[number];

export const knownMeshes = ['istio', 'istio-ambient', 'linkerd', 'kuma', 'consul', 'none'] as const;
export type Mesh = (typeof knownMeshes)[number];

/** What the settings say about the cluster. Undefined: not known. */
export interface KeyProfile {
  readonly plugin?: NetworkPlugin | undefined;
  readonly mesh?: Mesh | undefined;
}

/** Objects that carry keys. */
export type KeyCarrier = 'namespaces' | 'pods' | 'policies' | 'services' | 'routes';

export interface KeyGroup extends Pick<ReservedKey, 'protects' | 'effect'> {
  /** Exact keys, beginnings and endings (reserved-keys.ts). */
  readonly keys: readonly string[];
  readonly on: readonly KeyCarrier[];
  readonly source: string;
  /** The plugins that may read it. Left out: whatever the plugin is. */
  readonly plugins?: readonly NetworkPlugin[];
  /** The meshes that read it. Left out: whatever the mesh is. */
  readonly meshes?: readonly Mesh[];
  /** Settings by which the platform lets tenants set it, beside `reserved.released`. */
  readonly settings?: readonly string[];
}
