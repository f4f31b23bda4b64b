/**
 * Traffic over borders: which tenants reach which in one reading of a snapshot, and what grants it. A gate or a shared service does, as the
 * border of a tenant asks it (reach/gate.ts, reach/shared-service.ts); the rest is a violation.
 */

import { matches } from '../kubernetes/label-selector.ts';
import { orAllPorts, type PortRange } from '../kubernetes/port-range.ts';
import { openOf, servicesOf } from '../reach/shared-service.ts';
import type { Border } from '../reach/violation.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import type { Direction, Tenant } from '../tenancy/tenant.ts';
import { type Example, groupOf, matrixOf, platformGroup } from './matrix.ts';
import type { Violating } from './opened-by.ts';
import type { PodClass } from './parties.ts';
import { differenceOf, intersectionOf, noPorts, type PortSet, setOf, unionOf } from './port-set.ts';
import { covers, type ReportScope } from './report-scope.ts';
import type { World } from './world.ts';

/** What lets a connection over the border. */
export interface Grant {
  readonly kind: 'gate' | 'shared service';
  /** Of a shared service; empty for a gate, which the two tenants name. */
  readonly name: string;
  readonly ports: PortSet;
}

/** Never within one tenant, nor within the platform. */
export interface Crossing {
  readonly from: string;
  readonly to: string;
  readonly ports: PortSet;
  readonly grants: readonly Grant[];
  /** What nothing grants. */
  readonly violation: PortSet;
  /** Two who connect; of a violation where there is one. */
  readonly example: Pick<Example, 'from' | 'to'>;
  /** The example of a violation; undefined: there is none. What opens it is looked for where it is shown. */
  readonly violating: Violating | undefined;
}

export interface Crossings {
  /** In the order of the names. */
  readonly crossings: readonly Crossing[];
  /** What is open inside: the group, and the ports. */
  readonly inside: ReadonlyMap<string, PortSet>;
}

/** Of a key of pods that are not to be reported. No tenant has this name. */
const elsewhere = '(elsewhere) ';

/**
 * @param now   milliseconds since the epoch
 * @param scope of one end at least
 */
export function crossingsOf(world: World, tenancy: Tenancy, now: number, scope?: ReportScope): Crossings {
  const borders = new Map<string, Border>();
  const borderOf = (tenant: Tenant): Border => {
    const known = borders.get(tenant.name) ?? { tenant, namespace: '', tenancy, now };
    borders.set(tenant.name, known);
    return known;
  };
  const tenants = new Map<string, Tenant>();
  for (const { owner } of world.parties.namespaces) if (owner !== 'platform') tenants.set(owner.name, owner);

  // Pods of the platform are grouped by their shared services, as each service is granted by itself.
  const platform = platformGroups(tenancy);
  const isReported = (pods: PodClass): boolean => scope === undefined || covers(scope, pods);
  const { cells } = matrixOf(world, (pods) => `${isReported(pods) ? '' : elsewhere}${platform.keyOf(pods)}`);
  const stripped = (key: string): string => (key.startsWith(elsewhere) ? key.slice(elsewhere.length) : key);
  const found = new Map<string, Crossing>();
  const inside = new Map<string, PortSet>();
  for (const { ports, examples, ...ends } of cells) {
    if (ends.from.startsWith(elsewhere) && ends.to.startsWith(elsewhere)) continue;
    const [keyFrom, keyTo] = [stripped(ends.from), stripped(ends.to)];
    const [from, to] = [platform.groupOf(keyFrom), platform.groupOf(keyTo)];
    if (from === to) {
      inside.set(from, unionOf(inside.get(from) ?? noPorts, ports));
      continue;
    }
    const [source, target] = [tenants.get(from), tenants.get(to)];
    const grants =
      source !== undefined && target !== undefined
        ? gatesBetween(source, target, tenancy, now)
        : source !== undefined
          ? platform.services(keyTo, 'egress', borderOf(source))
          : target !== undefined
            ? platform.services(keyFrom, 'ingress', borderOf(target))
            : [];
    const used = grants
      .map((grant) => ({ ...grant, ports: intersectionOf(ports, grant.ports) }))
      .filter((grant) => grant.ports.length > 0);
    const violation = used.reduce((rest, grant) => differenceOf(rest, grant.ports), ports);
    const broken = examples.find((one) => intersectionOf(one.ports, violation).length > 0);
    const violating = broken && { ...broken, world, ports: intersectionOf(broken.ports, violation) };
    const example = broken ?? (examples[0] as Example);
    const one = { from, to, ports, grants: used, violation, example, violating };
    const known = found.get(`${from} ${to}`);
    found.set(`${from} ${to}`, known === undefined ? one : joined(known, one));
  }
  return { crossings: [...found.values()].toSorted(byName), inside };
}

export function joined(one: Crossing, other: Crossing): Crossing {
  const grants = new Map<string, Grant>();
  for (const grant of [...one.grants, ...other.grants]) {
    const known = grants.get(`${grant.kind} ${grant.name}`);
    grants.set(`${grant.kind} ${grant.name}`, { ...grant, ports: unionOf(known?.ports ?? noPorts, grant.ports) });
  }
  const shown = one.violation.length === 0 && other.violation.length > 0 ? other : one;
  return {
    ...one,
    ports: unionOf(one.ports, other.ports),
    grants: [...grants.values()],
    violation: unionOf(one.violation, other.violation),
    example: shown.example,
    violating: shown.violating,
  };
}

export function byName(one: Pick<Crossing, 'from' | 'to'>, other: Pick<Crossing, 'from' | 'to'>): number {
  if (one.from !== other.from) return one.from < other.from ? -1 : 1;
  return one.to < other.to ? -1 : one.to > other.to ? 1 : 0;
}

function gatesBetween(from: Tenant, to: Tenant, tenancy: Tenancy, now: number): readonly Grant[] {
  const ports = gatePorts(from, to.name, 'egress', tenancy, now);
  return ports.length === 0 ? [] : [{ kind: 'gate', name: '', ports }];
}

/** What both halves of the gates between the two open. */
export function gatePorts(tenant: Tenant, other: string, direction: Direction, tenancy: Tenancy, now: number): PortSet {
  const { own, theirs } = tenancy.gates(tenant, other, direction, now);
  return intersectionOf(opened(own), opened(theirs));
}

function opened(grants: readonly { readonly ports: readonly PortRange[] }[]): PortSet {
  return setOf(grants.flatMap(({ ports }) => orAllPorts(ports)));
}

/** Ports that shared services open between a pod of a tenant and one of the platform. */
export function portsOfServices(from: PodClass, to: PodClass, tenancy: Tenancy): PortSet {
  const [source, target] = [from.namespace.owner, to.namespace.owner];
  if (source !== 'platform' && target === 'platform') return servedBy(to, 'egress', source, tenancy);
  if (source === 'platform' && target !== 'platform') return servedBy(from, 'ingress', target, tenancy);
  return noPorts;
}

function servedBy(pods: PodClass, direction: Direction, tenant: Tenant, tenancy: Tenancy): PortSet {
  // Shared services have no end.
  const border = { tenant, namespace: '', tenancy, now: 0 };
  return servicesOf(pods.namespace.name, direction, border)
    .filter((service) => matches(service.pods, pods.labels))
    .reduce((ports, service) => unionOf(ports, opened([openOf(service)])), noPorts);
}

/** Groups of pods of the platform: those in the same shared services. */
function platformGroups(tenancy: Tenancy) {
  const { sharedServices } = tenancy.settings;
  const spaces = new Set(sharedServices.map(({ namespace }) => namespace));
  const members = new Map<string, PodClass>();
  return {
    keyOf(pods: PodClass): string {
      const group = groupOf(pods);
      if (group !== platformGroup || !spaces.has(pods.namespace.name)) return group;
      // Services select by the namespace and the labels, so pods with the same ones are in the same services.
      const key = `${platformGroup} ${pods.namespace.name} ${JSON.stringify([...pods.labels].sort())}`;
      members.set(key, pods);
      return key;
    },
    groupOf: (key: string): string => (members.has(key) ? platformGroup : key),
    services(key: string, direction: Direction, border: Border): readonly Grant[] {
      const pods = members.get(key);
      if (pods === undefined) return [];
      return servicesOf(pods.namespace.name, direction, border)
        .filter((service) => matches(service.pods, pods.labels))
        .map((service) => ({ kind: 'shared service', name: service.name, ports: opened([openOf(service)]) }));
    },
  };
}
