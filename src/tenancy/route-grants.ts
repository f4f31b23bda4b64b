/** Hosts, classes and gateways of routes: what the platform keeps, what every tenant may use, and what is one tenant's. */
import { containsHost, type HostName, sharesHost } from '../kubernetes/host-name.ts';

/** A Gateway by its namespace, and its name where one alone is meant. */
export interface GatewayName {
  readonly namespace: string;
  readonly name: string | undefined;
}

export interface RouteSettings {
  /** With false, nothing of the module is sent. */
  readonly judged: boolean;
  /** `unreserved`: tenants may also use hosts that are not reserved. `reserved`: only their own. */
  readonly hosts: 'unreserved' | 'reserved';
  /** No tenant uses them. */
  readonly platformHosts: readonly HostName[];
  /** Of Ingresses, for every tenant. Undefined: every class. */
  readonly ingressClasses: ReadonlySet<string> | undefined;
  /** Of Gateways, for every tenant. Undefined: every class. */
  readonly gatewayClasses: ReadonlySet<string> | undefined;
  /** To which routes of every tenant may attach. Undefined: to all but those of other tenants. */
  readonly gateways: readonly GatewayName[] | undefined;
}

/** What one tenant may use beside. */
export interface RouteGrants {
  readonly hosts: readonly HostName[];
  readonly ingressClasses: ReadonlySet<string>;
  readonly gatewayClasses: ReadonlySet<string>;
  readonly gateways: readonly GatewayName[];
}

/** Whose the hosts are that are reserved, for look-ups that do not depend on their number. */
export interface ReservedHosts {
  /** Whether a host that it matches is reserved for another than this tenant. */
  readonly isOfOthers: (host: HostName, tenant: string) => boolean;
}

interface Reserved {
  readonly host: HostName;
  readonly owner: string;
}

/** @param reserved of tenants by their names; those of the platform by an empty one */
export const compileHosts = (reserved: readonly Reserved[]): ReservedHosts => {
  /** By every end of a reserved host: what lies at or below it. */
  const below = new Map<string, Reserved[]>();
  for (const one of reserved)
    for (const end of endsOf(one.host)) {
      const known = below.get(end);
      if (known === undefined) below.set(end, [one]);
      else known.push(one);
    }
  const wildcards = new Map(
    reserved.filter(({ host }) => host.wildcard).map((one) => [one.host.labels.join('.'), one.owner] as const),
  );
  const deepest = Math.max(0, ...reserved.map(({ host }) => host.labels.length));
  return {
    isOfOthers(host, tenant) {
      if (host.wildcard) {
        const under = below.get(host.labels.join('.')) ?? [];
        if (under.some((one) => one.owner !== tenant && sharesHost(one.host, host))) return true;
      } else if ((below.get(host.text) ?? []).some((one) => one.owner !== tenant && one.host.text === host.text))
        return true;
      return endsOf(host, deepest).some((end) => {
        const owner = wildcards.get(end);
        return owner !== undefined && owner !== tenant && (host.wildcard || end !== host.text);
      });
    },
  };
};

/**
 * `shop.example.com`, `example.com`, `com`, and the empty end.
 * @param most no end with more labels
 */
function endsOf({ labels }: HostName, most = labels.length): readonly string[] {
  const last = labels.slice(Math.max(0, labels.length - most));
  return Array.from({ length: last.length + 1 }, (_, index) => last.slice(index).join('.'));
}

export function isOwnHost(host: HostName, grants: RouteGrants | undefined): boolean {
  return grants?.hosts.some((own) => containsHost(own, host)) === true;
}

export function isListedGateway(gateways: readonly GatewayName[], namespace: string, name: string): boolean {
  return gateways.some((one) => one.namespace === namespace && (one.name === undefined || one.name === name));
}
