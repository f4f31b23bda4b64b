/** What objects of networking.istio.io say of traffic: whose it is, where it goes, and which proxies read them. Values only. */
import type { PortRange } from '../../kubernetes/port-range.ts';
import type { Misfit } from './shape.ts';

export interface Written {
  readonly path: string;
  readonly text: string;
}

/** A host for which it answers. A short one is completed with the namespace of the object, where Istio completes it. */
export interface LedHost extends Written {
  /** `mesh`: proxies beside their pods read it. `gateway`: a gateway takes traffic for it. */
  readonly at: 'mesh' | 'gateway';
}

/** A host or address to which it leads. */
export interface Destination extends Written {
  /** Undefined: every port of the host. */
  readonly port: PortRange | undefined;
}

/** Another object of Istio. */
export interface Reference {
  readonly path: string;
  readonly namespace: string;
  readonly name: string;
  /** `gateway`: takes the traffic. `delegate`: says where it goes. `secret`: the keys for it. */
  readonly role: 'gateway' | 'delegate' | 'secret';
}

/** An address that proxies connect to, or with a name the host that they look up. */
export interface Endpoint extends Written {
  /** Never empty. */
  readonly ports: readonly PortRange[];
}

export interface Traffic {
  /** Undefined: left out. Always `.` where Istio reads nothing else. */
  readonly exportTo: readonly Written[] | undefined;
  readonly hosts: readonly LedHost[];
  readonly destinations: readonly Destination[];
  readonly references: readonly Reference[];
  readonly endpoints: readonly Endpoint[];
  /** Addresses and ranges whose traffic it takes. */
  readonly addresses: readonly Written[];
  /** What leads more than its hosts where proxies of others read it. */
  readonly wide: readonly Misfit[];
  readonly misfits: readonly Misfit[];
}

export const noTraffic: Traffic = {
  exportTo: undefined,
  ...{ hosts: [], destinations: [], references: [], endpoints: [], addresses: [], wide: [], misfits: [] },
};
