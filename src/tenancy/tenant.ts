import type { DnsPattern } from '../kubernetes/dns-pattern.ts';
import type { IpRange } from '../kubernetes/ip-range.ts';
import type { PortRange } from '../kubernetes/port-range.ts';
import type { ReservedNames } from './reserved-names.ts';
import type { RouteGrants } from './route-grants.ts';
import type { ServiceGrants } from './service-grants.ts';

/** How far the rollout of a tenant is: `enforce` refuses, `warn` admits with a warning, `audit` admits and only records. */
export type Mode = 'enforce' | 'warn' | 'audit';

/** The side of the border a rule opens, seen from the tenant that writes it. */
export type Direction = 'ingress' | 'egress';

/** One of rbac.authorization.k8s.io Subject: who acts. Compared exactly; never by prefix, pattern or letter case (ADM-18). */
export type Subject =
  | { readonly kind: 'User'; readonly name: string }
  | { readonly kind: 'Group'; readonly name: string }
  | { readonly kind: 'ServiceAccount'; readonly namespace: string; readonly name: string };

/** One half of an agreed crossing. It opens nothing until the other tenant declares the mirror image. */
export interface Gate {
  readonly tenant: string;
  readonly direction: Direction;
  /** Empty: every port. */
  readonly ports: readonly PortRange[];
  /** Milliseconds since the epoch; from then on the gate is shut. */
  readonly expires: number | undefined;
  /** Other clusters of a mesh where pods of the other tenant count too. */
  readonly clusters?: ReadonlySet<string>;
  /** Two GateRequests agree on it, both of them of this cluster. It completes no half that a Tenant declares. */
  readonly agreed?: true;
}

/** Addresses that policies of a tenant may open egress to. What the settings protect is never among them. */
export interface EgressGrant {
  /** `internet`: what is in no private network either (reach/internet.ts). */
  readonly cidr: IpRange | 'internet';
  readonly except: readonly IpRange[];
  /** Empty: every port. */
  readonly ports: readonly PortRange[];
}

/**
 * What the platform answers for, although it lies in a range that the settings protect: one address; for `ingress` also a range of nodes
 * or load balancers (node-sources.ts).
 */
export interface VouchedAddress {
  readonly address: IpRange;
  /** Never empty. For `ingress` these are the tenant's. */
  readonly ports: readonly PortRange[];
  readonly direction: Direction;
  /** Milliseconds since the epoch. Undefined: never. */
  readonly expires: number | undefined;
  readonly notAssignedToPods: boolean;
}

/** core/v1 LimitRangeSpec, as far as it has defaults: amounts by resource. */
export interface LimitRangeSpec {
  readonly limits: readonly [
    {
      readonly type: 'Container';
      readonly defaultRequest: Readonly<Record<string, string>>;
      /** Of limits. */
      readonly default?: Readonly<Record<string, string>>;
    },
  ];
}

/** A team or customer, parsed from a `Tenant` document (bulkhead.dev/v1alpha1). Immutable. */
export interface Tenant {
  readonly name: string;
  /** metadata.labels of its document, by which shared services may select it. */
  readonly labels: ReadonlyMap<string, string>;
  readonly mode: Mode;
  readonly isolation: 'hard' | 'soft';
  readonly members: readonly Subject[];
  readonly reserved: ReservedNames;
  /** Its members create namespaces under these names alone. */
  readonly enforcePrefix?: true;
  /** Its object is terminating: it gets no further namespace (check `tenant-leaving`). */
  readonly terminating?: true;
  /** How many namespaces the tenant may have; undefined is no limit. */
  readonly limit: number | undefined;
  /** The spec of the ResourceQuota that every namespace of the tenant gets. */
  readonly resourceQuota: Readonly<Record<string, unknown>> | undefined;
  /** The spec of the LimitRange that every namespace of the tenant gets. */
  readonly limitRange?: LimitRangeSpec;
  readonly network: {
    /** What the baseline leaves open inside the tenant. */
    readonly within: 'none' | 'namespace' | 'tenant';
    /** Addresses outside the cluster that the tenant may open egress to. */
    readonly egressRanges: readonly IpRange[];
    readonly egress: readonly EgressGrant[];
    readonly vouched: readonly VouchedAddress[];
    /** Names that toFQDNs of its CiliumNetworkPolicies may list. */
    readonly names: readonly DnsPattern[];
    readonly gates: readonly Gate[];
    /** Left out: no more than every tenant. */
    readonly services?: ServiceGrants;
    /** Left out: no hosts of its own, and no more than every tenant. */
    readonly routes?: RouteGrants;
    /** Other clusters of a mesh where its label and names are its own too. */
    readonly clusters?: ReadonlySet<string>;
  };
}
