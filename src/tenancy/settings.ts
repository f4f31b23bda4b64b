import type { NetworkPlugin } from '../keys/key-group.ts';
import type { ReservedKey } from '../keys/reserved-keys.ts';
import type { Family } from '../kubernetes/ip-address.ts';
import type { IpRange } from '../kubernetes/ip-range.ts';
import type { LabelSelector, Selector } from '../kubernetes/label-selector.ts';
import type { PortRange } from '../kubernetes/port-range.ts';
import type { IstioSettings } from './istio-settings.ts';
import type { RouteSettings } from './route-grants.ts';
import type { ServiceSettings } from './service-grants.ts';
import type { Direction, Mode, Subject } from './tenant.ts';
import type { TrustedLabels } from './trusted-labels.ts';

/**
 * What the platform lets tenants use (`egress`: tenants reach it, such as DNS) or be reached from
 * (`ingress`: it reaches tenants, such as an ingress controller).
 */
export interface SharedService {
  readonly name: string;
  readonly direction: Direction;
  /** Whom Cilium has a name for; then it has neither pods nor addresses. Opened by policies of the tenants alone. */
  readonly entity?: ServiceEntity;
  /** Both undefined: it answers on its addresses alone. */
  readonly namespace?: string | undefined;
  readonly podSelector?: LabelSelector | undefined;
  /** Empty: every port. For `ingress` these are the tenant's ports. */
  readonly ports: readonly PortRange[];
  readonly addresses: readonly IpRange[];
  /** Addresses with ports of their own. */
  readonly endpoints?: readonly ServiceEndpoint[];
  /** Left out: `baseline`. */
  readonly offer?: Offer;
  /** Left out: every tenant. */
  readonly tenants?: TenantSelection;
  /** Other clusters of a mesh whose pods it has too, in the namespace of that name. */
  readonly clusters?: ReadonlySet<string>;
  /** Of its pods, in a mesh. Undefined: not known, so that a policy of the mesh names its pods only by the whole namespace. */
  readonly serviceAccounts?: ReadonlySet<string>;
}

/** In no other entity of Cilium are tenants without a part. */
export const serviceEntities = ['kube-apiserver', 'host', 'remote-node', 'health', 'ingress'] as const;
export type ServiceEntity = (typeof serviceEntities)[number];

/** `baseline`: every namespace of its tenants gets a policy that opens it. `policy`: policies of the tenants may open it. */
export type Offer = 'baseline' | 'policy';

export interface ServiceEndpoint {
  readonly address: IpRange;
  /** Never empty. */
  readonly ports: readonly PortRange[];
}

/** Tenants by name, or by the labels of their Tenant documents. */
export type TenantSelection = { readonly names: ReadonlySet<string> } | { readonly labels: Selector };

/** A named set of addresses that no tenant policy may open: the cluster's own ranges and the metadata services. */
export interface ProtectedRange {
  /** What it is, in words for a refusal: `pod network`, `service network`, `node network`, `metadata service`. */
  readonly name: string;
  readonly range: IpRange;
  readonly text: string;
  /**
   * `cluster`: pods, services, nodes, and what the settings protect beside them. `metadata`: where a cloud hands out the credentials of a
   * node. `link-local`: the IPv4 addresses around those, some of which a node answers on. No connection comes from the last two.
   */
  readonly kind: 'cluster' | 'metadata' | 'link-local';
  /** Nodes and load balancers, which also forward traffic of others (node-sources.ts). */
  readonly forwards?: true;
  /** Pods, services and nodes: Cilium tells them by their identity, whatever their address is. */
  readonly hasIdentity?: true;
}

export type PodSecurityLevel = 'privileged' | 'baseline' | 'restricted';

/**
 * What becomes of a request with a finding that refuses. `enforce`: it is denied. `observe`: nothing is denied, changed or created; every
 * finding is reported (docs/how-to/adopt.md).
 */
export type Enforcement = 'observe' | 'enforce';

/**
 * Accounts that may write the named keys, and no others, on namespaces of others: UID ranges, operator groups, project ids. Whatever
 * else such a request does is judged as for everybody.
 */
export interface NamespaceWriter {
  readonly subjects: readonly Subject[];
  /** Of labels and annotations: exact keys, or the beginning `DOMAIN/`. */
  readonly keys: readonly string[];
  readonly finalizers: readonly string[];
  /** Undefined: every namespace. */
  readonly namespaces?: ReadonlySet<string> | undefined;
}

/**
 * Accounts that create namespaces for people. What they are granted holds on CREATE, and afterwards on namespaces with their mark
 * (tenancy/namespace-grant.ts).
 */
export interface Provisioner {
  readonly name: string;
  readonly subjects: readonly Subject[];
  /** As those of a {@link NamespaceWriter}. */
  readonly keys: readonly string[];
  /** The annotation in which it writes the user name of the requester; undefined: the name of the namespace decides alone. */
  readonly tenantFrom: string | undefined;
  readonly ownerReferences: boolean;
  /** What becomes of a namespace that has no decided owner and whose name is not reserved. */
  readonly undecided: 'refuse' | 'platform';
}

/** A driver that volumes of pods may name. Entries of one driver add up. */
export interface AllowedDriver {
  readonly driver: string;
  /** Undefined: every tenant. */
  readonly tenants: ReadonlySet<string> | undefined;
}

/** A taint that pods of these tenants alone may tolerate. Entries add up. */
export interface ReservedToleration {
  readonly key: string;
  /** Undefined: every value. One value reserves the whole key. */
  readonly value: string | undefined;
  /** Empty: the platform alone. */
  readonly tenants: ReadonlySet<string>;
}

/** A resource that Bulkhead does not read, and that tenants may write in their namespaces. Entries of one resource add up. */
export interface AllowedPolicyKind {
  /** `virtualservices.networking.istio.io` */
  readonly resource: string;
  /** Undefined: every tenant. */
  readonly tenants: ReadonlySet<string> | undefined;
}

/** The border of tenants in ClusterNetworkPolicies (baseline/data-plane-border.ts). */
export interface ClusterPolicySettings {
  readonly deniesNodes: boolean;
}

/** Accounts of a network plugin or mesh. They have names of their own: no groups. */
export interface NetworkAgent {
  readonly subjects: readonly Subject[];
  /** API groups (policy-groups.ts). */
  readonly groups: readonly string[];
  /** Whether it writes every cluster-scoped resource of these groups, and not only what agents write. */
  readonly every: boolean;
}

/** An extended resource or a device class (resource.k8s.io) for pods of these tenants alone. Exactly one is given. Entries add up. */
export interface ReservedDevice {
  readonly resource: string | undefined;
  readonly deviceClass: string | undefined;
  /** Empty: the platform alone. */
  readonly tenants: ReadonlySet<string>;
}

/** Kinds that lead traffic or give rights, by the webhook to which they are sent. */
export type Module = 'services' | 'routes' | 'rights';

/** Whether members of tenants may agree on gates by GateRequests (tenancy/gate-request.ts), and on which. */
export interface GateSettings {
  /** `platform`: requests open nothing. */
  readonly from: 'platform' | 'tenants';
  /** Requests open these alone. */
  readonly ports: readonly PortRange[];
  /** Groups of tenants. Any two of one group may agree; undefined: any two tenants. */
  readonly between: readonly ReadonlySet<string>[] | undefined;
}

/** The platform's settings, parsed from the `Settings` document. Its schema describes the fields. Immutable. */
export interface Settings {
  readonly enforcement: Enforcement;
  /** Without a slash at its end. */
  readonly docsURL: string;
  readonly tenantLabel: string;
  readonly platform: {
    readonly identities: readonly Subject[];
    readonly schedulers: readonly Subject[];
    readonly namespaces: ReadonlySet<string>;
    readonly prefixes: readonly string[];
    readonly namespaceWriters: readonly NamespaceWriter[];
    /** An account acts as the first that lists it. */
    readonly provisioners: readonly Provisioner[];
    readonly networkAgents: readonly NetworkAgent[];
  };
  /** On namespaces. */
  readonly reservedNamespaceKeys: readonly ReservedKey[];
  readonly reservedPodKeys: readonly ReservedKey[];
  readonly reservedPolicyKeys: readonly ReservedKey[];
  readonly reservedServiceKeys: readonly ReservedKey[];
  readonly reservedRouteKeys: readonly ReservedKey[];
  /** Values of reserved keys that tenants may set, by key; for keys that hold a list, its items. */
  readonly allowedValues: ReadonlyMap<string, ReadonlySet<string>>;
  /** The level that Pod Security enforces in namespaces without a label; undefined: not known. */
  readonly podSecurityDefault: PodSecurityLevel | undefined;
  readonly pods: {
    readonly sysctls: ReadonlySet<string>;
    /** Undefined: every one. */
    readonly runtimeClasses: ReadonlySet<string> | undefined;
    readonly csiDrivers: readonly AllowedDriver[];
    readonly tolerations: readonly ReservedToleration[];
    readonly devices: readonly ReservedDevice[];
  };
  readonly policyKinds: readonly AllowedPolicyKind[];
  /** Types of CNI plugins of which tenants may write NetworkAttachmentDefinitions. Undefined: policyKinds alone decides. */
  readonly attachmentTypes?: ReadonlySet<string>;
  /** Tiers of Calico in which tenants may write policies, in the order in which they are listed. */
  readonly calicoTiers: ReadonlySet<string>;
  readonly services: ServiceSettings;
  readonly routes: RouteSettings;
  /** The modes of tenants in which an update of a policy is answered with what it opens and closes. */
  readonly previewModes: ReadonlySet<Mode>;
  /** Roles and RoleBindings. With false they are not sent. */
  readonly rights: { readonly judged: boolean };
  /** Undefined: the network itself keeps no border. */
  readonly clusterPolicy?: ClusterPolicySettings;
  readonly protectedRanges: readonly ProtectedRange[];
  /**
   * The address families of the cluster for which the settings leave out pod, service or node ranges. No address of such a family can
   * be proven to lie outside the cluster.
   */
  readonly unlistedFamilies: readonly Family[];
  readonly sharedServices: readonly SharedService[];
  readonly trustedLabels: TrustedLabels;
  readonly gates: GateSettings;
  /** What enforces policies. Undefined: not known. */
  readonly plugin?: NetworkPlugin | undefined;
  /** Of this cluster, in a mesh of Cilium. Undefined: not known. */
  readonly clusterName?: string | undefined;
  /** Undefined: policies of Istio are not read. */
  readonly istio?: IstioSettings | undefined;
}
