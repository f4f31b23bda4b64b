import type { DnsPattern } from '../kubernetes/dns-pattern.ts';
import type { IpRange } from '../kubernetes/ip-range.ts';
import type { Port, PortRange } from '../kubernetes/port-range.ts';
import type { ServiceEntity, SharedService } from '../tenancy/settings.ts';
import type { Direction } from '../tenancy/tenant.ts';
import type { PodService } from './shared-service.ts';

/** As the Tenant writes it. */
export interface GrantedAddresses {
  readonly cidr: IpRange | 'internet';
  /** Empty: every port. */
  readonly ports: readonly PortRange[];
}

/** What the platform could grant to the tenant. */
export interface AddressGrant {
  /** Of `network`. */
  readonly field: 'egress' | 'vouched';
  /** Undefined: no single range. */
  readonly cidr: IpRange | undefined;
  /** Of the rule. Empty: every port. */
  readonly ports: readonly Port[];
}

/**
 * What mends a violation, as data. Each kind of policy writes it in its own fields (kinds/fix-text.ts, with the words of kinds/KIND/words.ts). Names and labels of the
 * tenant are not in it: they are in the border.
 */
export type Fix =
  /** The rule names no peers. */
  | {
      readonly id: 'list-peers';
      readonly direction: Direction;
      readonly ports: readonly Port[];
      /** Those that are on these ports; if there are none, those on every port that no baseline opens. */
      readonly services: readonly SharedService[];
      /** Addresses that the tenant has. */
      readonly granted: readonly GrantedAddresses[];
    }
  /** The baseline opens the service in every namespace of the tenant. */
  | { readonly id: 'open-already'; readonly service: SharedService }
  | { readonly id: 'remove-peer' }
  /** The requirements on this label contradict each other. */
  | { readonly id: 'correct-requirements'; readonly label: string }
  /** No namespace can have the names that the peer lists. */
  | { readonly id: 'correct-name' }
  /** The peer selects a namespace of the platform by its name. */
  | { readonly id: 'remove-name' }
  /** The peer selects namespaces of the tenant, and of others. */
  | {
      readonly id: 'add-tenant-label';
      readonly or?: 'agree-on-gate' | 'remove-name';
      /** Tenants with whom a gate opens these ports. */
      readonly partners?: readonly string[];
      /** Which the peer may be meant for, by a label that proves nothing. They have pods. */
      readonly services?: readonly SharedService[];
    }
  /** The peer selects namespaces by names that are not proven to be the tenant's. */
  | {
      readonly id: 'not-by-name';
      readonly names: readonly string[];
      /** Tenants with whom a gate opens these ports, whosever the names are. */
      readonly partners: readonly string[];
    }
  /** The peer selects namespaces of others alone. */
  | { readonly id: 'set-tenant-label'; readonly or?: 'agree-on-gate' }
  /** The pods that the policy is about. */
  | { readonly id: 'select-own-pods' }
  /** The other tenant declares its half. */
  | {
      readonly id: 'agree-on-gate';
      readonly tenant: string;
      readonly direction: Direction;
      readonly ports: readonly Port[];
      /** With a GateRequest; left out: in its Tenant. */
      readonly by?: 'requests';
    }
  | { readonly id: 'renew-gate'; readonly tenant: string }
  /** `ports` are those that the gate opens. */
  | { readonly id: 'only-gate-ports'; readonly ports: readonly Port[] }
  /** By its namespace, where the peer selects the pods of the service in every namespace, or else by its pods. */
  | { readonly id: 'narrow-to-service'; readonly service: PodService; readonly by: 'namespace' | 'pods' | 'ports' }
  /** The peer selects namespaces by a platform label: `values` of it lead to shared services of the tenant. */
  | { readonly id: 'write-trusted-value'; readonly label: string; readonly values: readonly string[] }
  /** The peer selects a namespace of the platform by a platform label, and the tenant has no shared service there. */
  | { readonly id: 'share-namespace'; readonly namespace: string; readonly direction: Direction }
  | { readonly id: 'remove-misplaced-label'; readonly label: string }
  | { readonly id: 'one-peer-for-each-service' }
  | { readonly id: 'service-and-tenant-apart' }
  | {
      readonly id: 'only-granted-ranges';
      readonly family: IpRange['family'];
      /** Empty: none of this family is granted by itself. */
      readonly ranges: readonly IpRange[];
      /** The tenant has the grant `internet`. */
      readonly internet: boolean;
      /** The block covers addresses of pods, which selectors select. */
      readonly coversCluster: boolean;
      readonly ask: AddressGrant;
    }
  /** The block covers addresses of nodes and load balancers alone, as sources. `cidr` is undefined where it is no single range. */
  | { readonly id: 'vouch-nodes'; readonly cidr: IpRange | undefined; readonly ports: readonly Port[] }
  /** The addresses are granted, on these ports alone. */
  | { readonly id: 'only-granted-ports'; readonly ports: readonly PortRange[]; readonly ask: AddressGrant }
  /** Of the block; `embedsIpv4`: with the IPv6 forms of IPv4 addresses. */
  | {
      readonly id: 'leave-out-ranges';
      readonly ranges: readonly IpRange[];
      readonly embedsIpv4: boolean;
      readonly coversCluster: boolean;
      /** What else is granted on these ports alone. Empty: the ports are in order. */
      readonly only: readonly PortRange[];
    }
  | { readonly id: 'only-ipv6-internet' }
  | { readonly id: 'write-as-ipv4' }
  | { readonly id: 'select-pods' }
  /** The entity holds pods of every tenant. */
  | { readonly id: 'entity-of-pods' }
  /** No shared service of the tenant is this entity. */
  | {
      readonly id: 'share-entity';
      readonly entity: ServiceEntity;
      readonly direction: Direction;
      readonly ports: readonly Port[];
    }
  | { readonly id: 'narrow-to-entity'; readonly service: SharedService }
  /** The entity is as many addresses. `instead` mends those. */
  | { readonly id: 'world-as-addresses'; readonly family: IpRange['family']; readonly instead: Fix | string }
  /** The names that the peer stands for are not granted. */
  | { readonly id: 'grant-name'; readonly name: DnsPattern; readonly granted: readonly DnsPattern[] }
  /** `tiers` are those in which the settings let tenants write; `isName`: the name says in which the policy is. */
  | { readonly id: 'other-tier'; readonly tiers: readonly string[]; readonly isName: boolean }
  /** Pods of another cluster of a mesh, which nothing grants. `isOwnKnown`: the settings say which cluster this is. */
  | { readonly id: 'grant-cluster'; readonly cluster: string; readonly isOwnKnown: boolean }
  /** The source of a policy of a mesh names no caller, or others than the tenant's. */
  | {
      readonly id: 'name-callers';
      /** The policy's own. */
      readonly namespace: string;
      /** Tenants with whom a gate opens these ports. */
      readonly partners: readonly string[];
      /** Of the tenant, with pods. */
      readonly services: readonly SharedService[];
      /** A name that it has and that is not reserved. */
      readonly unreserved?: string;
    }
  /** The source names more of the namespace than the service. */
  | { readonly id: 'narrow-to-callers'; readonly service: SharedService }
  /** The settings do not list the cluster's ranges of a family. */
  | { readonly id: 'complete-settings' };
