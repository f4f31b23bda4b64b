import type { Family, IpRange } from '../kubernetes/ip-range.ts';
import type { LabelSelector } from '../kubernetes/label-selector.ts';
import type { PortRange } from '../kubernetes/port-range.ts';
import type { Direction, Subject } from './tenant.ts';

/**
 * What the platform lets every tenant use (`egress`: tenants reach it, such as DNS) or be reached from
 * (`ingress`: it reaches tenants, such as an ingress controller).
 */
export interface SharedService {
  readonly name: string;
  readonly direction: Direction;
  /** The platform namespace its pods run in. */
  readonly namespace: string;
  readonly podSelector: LabelSelector;
  /** Empty: every port. For `ingress` these are the tenant's ports. */
  readonly ports: readonly PortRange[];
  /** Addresses it answers on besides its pods, such as the node-local DNS cache. */
  readonly addresses: readonly IpRange[];
}

/** A named set of addresses that no tenant policy may open: the cluster's own ranges and the metadata services. */
export interface ProtectedRange {
  /** What it is, in words for a refusal: `pod network`, `service network`, `node network`, `metadata service`. */
  readonly name: string;
  readonly range: IpRange;
  /** As written in the settings. */
  readonly text: string;
  /**
   * `cluster`: pods, services, nodes, and what the settings protect beside them. `metadata`: where a cloud hands out the credentials of a
   * node. `link-local`: the IPv4 addresses around those, some of which a node answers on. No connection comes from the last two.
   */
  readonly kind: 'cluster' | 'metadata' | 'link-local';
}

/** The platform's settings, parsed from the `Settings` document (bulkhead.dev/v1alpha1). Immutable. */
export interface Settings {
  /** Where the documentation is published: an http or https URL or a relative path, without a slash at its end. */
  readonly docsURL: string;
  /** The label that says to which tenant a namespace belongs. */
  readonly tenantLabel: string;
  readonly platform: {
    /** Whose word is final: exact users, groups and service accounts. */
    readonly identities: readonly Subject[];
    /** Who may put pods of tenants on nodes: exact users, groups and service accounts. */
    readonly schedulers: readonly Subject[];
    /** Names that only the platform may create. */
    readonly namespaces: ReadonlySet<string>;
    /** Beginnings of names that only the platform may create, such as `kube-`. */
    readonly prefixes: readonly string[];
  };
  /** Label and annotation keys that tenants may not set on namespaces: an exact key, or a beginning when it ends in `/`, `.`, `-` or `:`. */
  readonly reservedNamespaceKeys: readonly string[];
  /** The same for pods. */
  readonly reservedPodKeys: readonly string[];
  /** The same for network policies. */
  readonly reservedPolicyKeys: readonly string[];
  readonly pods: {
    /** Kernel settings of the network that pods of tenants may have beside the safe ones, written with dots. */
    readonly sysctls: ReadonlySet<string>;
    /** Runtime classes that pods of tenants may ask for; undefined: every one. */
    readonly runtimeClasses: ReadonlySet<string> | undefined;
  };
  readonly protectedRanges: readonly ProtectedRange[];
  /**
   * The address families of the cluster for which the settings leave out pod, service or node ranges. No address of such a family can
   * be proven to lie outside the cluster.
   */
  readonly unlistedFamilies: readonly Family[];
  readonly sharedServices: readonly SharedService[];
}
