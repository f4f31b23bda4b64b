/** An immutable snapshot of settings and tenants, with look-ups whose cost does not depend on how many tenants there are. */

import { compileReservedKeys, type ReservedKey, type ReservedKeys } from '../keys/reserved-keys.ts';
import { entry, type StringMap } from '../kubernetes/objects.ts';
import { serviceAccountOf, type UserInfo } from '../kubernetes/user.ts';
import type { Exemptions } from './exemption.ts';
import { type GateRequests, opposite } from './gate-request.ts';
import { compileGrants, type GrantOn } from './namespace-grant.ts';
import { compileAgents, type IsAgentsWrite } from './network-agents.ts';
import { probeTenant } from './probe.ts';
import { reservationsOf } from './reserved-names.ts';
import { compileHosts, type ReservedHosts } from './route-grants.ts';
import { compileControllers, type IsServiceController } from './service-grants.ts';
import type { Settings } from './settings.ts';
import { bySubject, isAmong, nameOf, place } from './subjects.ts';
import type { Direction, Gate, Tenant } from './tenant.ts';

/** Who owns a namespace: a tenant, or the platform. */
export type Owner = Tenant | 'platform';

/** Who is asking. An unaffiliated user is neither the platform nor a member of any tenant. */
export interface Requester {
  readonly username: string;
  readonly platform: boolean;
  /** The tenants it is a member of, by name order; empty for an unaffiliated user and for the platform. */
  readonly tenants: readonly Tenant[];
}

export interface Tenancy {
  readonly settings: Settings;
  /** In order of their names. */
  readonly tenants: ReadonlyMap<string, Tenant>;
  /** Label and annotation keys that tenants may not set. */
  readonly reserved: {
    /** Holds the tenant label too when that is under `bulkhead.dev/`: its value has a rule of its own. */
    readonly namespaceKeys: ReservedKeys<ReservedKey>;
    readonly podKeys: ReservedKeys<ReservedKey>;
    readonly policyKeys: ReservedKeys<ReservedKey>;
    readonly serviceKeys: ReservedKeys<ReservedKey>;
    readonly routeKeys: ReservedKeys<ReservedKey>;
  };
  /** The tenant that a namespace name is reserved to, `platform` for the platform's names and prefixes, or undefined. */
  reservation(namespaceName: string): Owner | undefined;
  /**
   * The owner by the tenant label of a namespace. A label that names no declared tenant gives a tenant of that name with
   * no members, hard isolation and mode enforce: an undeclared tenant is closed, not open. The namespace of the probe is the platform's.
   */
  ownerByLabels(labels: StringMap | null | undefined): Owner;
  /** Whether a version of the tenant is in force. A tenant without one is closed to all users, and its mode is not known. */
  declares(tenant: Tenant): boolean;
  /**
   * @param home the owner of the namespace the service account lives in, when the user is one
   */
  requester(user: UserInfo, home: Owner | undefined): Requester;
  /** Where tenants and exemptions are read; `objects` in a new tenancy. The documents of the other home have no effect. */
  readonly home: 'files' | 'objects';
  /** None in a new tenancy (exemptions/load-exemptions.ts). Those of a namespace count for their tenant alone, and until their end. */
  readonly exemptions: Exemptions;
  /** GateRequests of the API server. What they agree on is among the gates of the tenants. Undefined: they are not read, as in a new tenancy. */
  readonly requests: GateRequests | undefined;
  /** Of an account that is not the platform: what the settings let it write on a namespace. */
  readonly grantOn: GrantOn;
  /** Whether an agent of the network writes what is its own. */
  readonly isAgentsWrite: IsAgentsWrite;
  /** Whether it writes endpoints, or the status of Services, for the cluster. */
  readonly isServiceController: IsServiceController;
  /** Hosts that are reserved for tenants and for the platform. */
  readonly hosts: ReservedHosts;
  /** Whether it is one of the cluster's schedulers. */
  schedules(user: UserInfo): boolean;
  /**
   * The half of a gate that `tenant` declares towards `other`, and its mirror image; both unexpired at `now`. One may be missing.
   *
   * @param cluster where the pods of `other` are, in a mesh: only what Tenants declare counts, and the own half must list it. Undefined: here
   */
  gates(
    tenant: Tenant,
    other: string,
    direction: Direction,
    now: number,
    cluster?: string,
  ): { own: readonly Gate[]; theirs: readonly Gate[] };
}

/** The tenant that a label names when no such tenant is declared: without members, and closed. */
export function undeclaredTenant(name: string): Tenant {
  return {
    name,
    labels: new Map(),
    mode: 'enforce',
    isolation: 'hard',
    members: [],
    reserved: new Map(),
    limit: undefined,
    resourceQuota: undefined,
    network: { within: 'tenant', egressRanges: [], egress: [], vouched: [], names: [], gates: [] },
  };
}

/**
 * Builds the snapshot; cost linear in the input. Input that validateTenancy refuses (a name twice, overlapping reservations) is the
 * caller's mistake; here the first declaration stands.
 *
 * @param closed tenants of which no version is in force: they have a name and maybe reserved names
 */
export function createTenancy(settings: Settings, tenants: readonly Tenant[], closed: readonly Tenant[] = []): Tenancy {
  const byName = new Map<string, Tenant>();
  const undeclared = new Set(closed.map(({ name }) => name));
  for (const tenant of [...tenants, ...closed].toSorted(byNameOrder))
    if (!byName.has(tenant.name)) byName.set(tenant.name, tenant);
  const platform = bySubject<true>();
  const schedulers = bySubject<true>();
  const members = bySubject<Tenant[]>();
  const owners = new Map<string, Owner>();
  const gates = new Map<string, Gate[]>();
  for (const prefix of settings.platform.prefixes) owners.set(prefix, 'platform');
  for (const subject of settings.platform.identities) place(platform, subject).set(nameOf(subject), true);
  for (const subject of settings.platform.schedulers) place(schedulers, subject).set(nameOf(subject), true);
  for (const tenant of byName.values()) {
    for (const member of tenant.members) append(place(members, member), nameOf(member), tenant);
    for (const reserved of tenant.reserved.keys()) if (!owners.has(reserved)) owners.set(reserved, tenant);
    for (const gate of tenant.network.gates) append(gates, gateKey(tenant.name, gate.tenant, gate.direction), gate);
  }
  const openGates = (from: string, to: string, direction: Direction, now: number): readonly Gate[] =>
    (gates.get(gateKey(from, to, direction)) ?? []).filter(({ expires }) => expires === undefined || now < expires);

  function spokenFor(user: UserInfo, home: Owner | undefined): Tenant[] {
    const spoken = new Set(members.users.get(user.username));
    for (const group of user.groups) for (const tenant of members.groups.get(group) ?? []) spoken.add(tenant);
    if (home !== undefined && home !== 'platform' && serviceAccountOf(user) !== undefined) {
      const declared = byName.get(home.name);
      if (declared !== undefined) spoken.add(declared);
    }
    return [...spoken].sort(byNameOrder);
  }

  return {
    settings,
    tenants: byName,
    home: 'objects',
    exemptions: new Map(),
    requests: undefined,
    reserved: {
      namespaceKeys: compileReservedKeys(settings.reservedNamespaceKeys),
      podKeys: compileReservedKeys(settings.reservedPodKeys),
      policyKeys: compileReservedKeys(settings.reservedPolicyKeys),
      serviceKeys: compileReservedKeys(settings.reservedServiceKeys),
      routeKeys: compileReservedKeys(settings.reservedRouteKeys),
    },
    reservation(namespaceName) {
      if (settings.platform.namespaces.has(namespaceName)) return 'platform';
      for (const reserved of reservationsOf(namespaceName)) {
        const owner = owners.get(reserved);
        if (owner !== undefined) return owner;
      }
      return undefined;
    },
    ownerByLabels(labels) {
      const name = entry(labels, settings.tenantLabel);
      return name === undefined || name === probeTenant ? 'platform' : (byName.get(name) ?? undeclaredTenant(name));
    },
    declares: ({ name }) => byName.has(name) && !undeclared.has(name),
    requester(user, home) {
      const { username } = user;
      if (isAmong(platform, user)) {
        return { username, platform: true, tenants: [] };
      }
      return new Asker(username, () => spokenFor(user, home));
    },
    grantOn: compileGrants(settings, nameOf),
    isAgentsWrite: compileAgents(settings.platform.networkAgents, nameOf),
    hosts: compileHosts([
      ...settings.routes.platformHosts.map((host) => ({ host, owner: '' })),
      ...tenants.flatMap(({ name, network }) => (network.routes?.hosts ?? []).map((host) => ({ host, owner: name }))),
    ]),
    isServiceController: compileControllers(settings.services, nameOf),
    schedules: (user) => isAmong(schedulers, user),
    gates(tenant, other, direction, now, cluster) {
      const own = openGates(tenant.name, other, direction, now);
      const theirs = openGates(other, tenant.name, opposite(direction), now);
      if (cluster === undefined) return { own, theirs };
      return {
        own: own.filter(({ clusters }) => clusters?.has(cluster)),
        theirs: theirs.filter(({ agreed }) => agreed !== true),
      };
    },
  };
}

/** Finds the tenants of the requester on the first read: most requests write inside a namespace, where only its owner counts. */
class Asker implements Requester {
  readonly username: string;
  readonly platform = false;
  readonly #find: () => readonly Tenant[];
  #tenants: readonly Tenant[] | undefined;

  constructor(username: string, find: () => readonly Tenant[]) {
    this.username = username;
    this.#find = find;
  }

  get tenants(): readonly Tenant[] {
    this.#tenants ??= this.#find();
    return this.#tenants;
  }
}

/** The names of tenants hold no blank, so that two different triples never give one key. */
function gateKey(from: string, to: string, direction: Direction): string {
  return `${from} ${direction} ${to}`;
}

function append<Value>(lists: Map<string, Value[]>, key: string, value: Value): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

/** By code unit, not by locale: two replicas agree. */
function byNameOrder(one: Tenant, other: Tenant): number {
  return one.name < other.name ? -1 : one.name > other.name ? 1 : 0;
}
