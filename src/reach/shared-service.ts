/** Shared services: what the platform opens to every tenant. */
import { destinations } from '../kubernetes/embedded-ipv4.ts';
import { normalise } from '../kubernetes/ip-set.ts';
import {
  type LabelSelector,
  labelsOutside,
  matches,
  type Selector,
  witnessLabels,
} from '../kubernetes/label-selector.ts';
import { once } from '../kubernetes/once.ts';
import { parseSelector } from '../kubernetes/parse-selector.ts';
import type { PortRange } from '../kubernetes/port-range.ts';
import { isInBaseline, openPorts, serves } from '../tenancy/served-tenants.ts';
import type { Settings, SharedService } from '../tenancy/settings.ts';
import type { Direction } from '../tenancy/tenant.ts';
import { type AddressGrant, type GrantedRange, grantedRanges } from './address-grants.ts';
import type { AllowRule } from './model.ts';
import { shutPorts } from './open-ports.ts';
import type { Border } from './violation.ts';

/** One that has pods. */
export interface PodService extends SharedService {
  readonly namespace: string;
  readonly podSelector: LabelSelector;
}

interface ReadService extends PodService {
  readonly pods: Selector;
  /** On which ports policies may open it. */
  readonly open: { readonly ports: readonly PortRange[] };
}

export const openOf = ({ open }: ReadService): ReadService['open'] => open;

/** By direction and namespace. A selector that cannot be read matches no pod; the parser of the settings refuses it. */
const selected = once(({ sharedServices }: Settings) =>
  Map.groupBy(
    sharedServices.flatMap((service): readonly ReadService[] => {
      const { namespace, podSelector } = service;
      if (namespace === undefined || podSelector === undefined) return [];
      const pods = parseSelector(podSelector);
      const open = { ports: openPorts(service.direction, service.ports) };
      return pods.ok ? [{ ...service, namespace, podSelector, pods: pods.value, open }] : [];
    }),
    ({ direction, namespace }) => `${direction} ${namespace}`,
  ),
);

/** Whom addresses are open to. */
export interface ServedRange extends AddressGrant {
  readonly service: SharedService;
}

/** By direction, the addresses on which they answer beside their pods. */
export const serviceAddresses = once(
  ({ sharedServices }: Settings): Readonly<Record<Direction, readonly GrantedRange<ServedRange>[]>> => {
    const of = (side: Direction) =>
      grantedRanges(
        sharedServices
          .filter(({ direction }) => direction === side)
          .flatMap((service): readonly ServedRange[] => [
            { service, addresses: destinations(normalise(service.addresses)), ports: openPorts(side, service.ports) },
            ...(service.endpoints ?? []).map(({ address, ports }) => ({
              ...{ service, addresses: destinations([address]), ports: openPorts(side, ports) },
            })),
          ]),
      );
    return { ingress: of('ingress'), egress: of('egress') };
  },
);

/** The services of one namespace that the tenant may reach (egress) or be reached from (ingress). */
export function servicesOf(
  namespace: string,
  direction: Direction,
  { tenancy, tenant, cluster }: Border,
): readonly ReadService[] {
  const services = selected(tenancy.settings).get(`${direction} ${namespace}`) ?? [];
  return services.filter(
    (service) => serves(service, tenant) && (cluster === undefined || service.clusters?.has(cluster) === true),
  );
}

/** The services whose pods these labels single out, wherever those pods are looked for. */
export function servicesMeant(pods: Selector, direction: Direction, border: Border): readonly ReadService[] {
  if (pods.size === 0) return [];
  return [...selected(border.tenancy.settings).values()]
    .flat()
    .filter(
      (service) =>
        service.direction === direction &&
        service.pods.size > 0 &&
        serves(service, border.tenant) &&
        labelsOutside(pods, service.pods) === undefined,
    );
}

/**
 * A pod of the namespace that the rule reaches and no shared service accounts for: `served` when there is none,
 * `unproven` when no service alone has all the pods and each pod that was tried belongs to one.
 */
export function unservedPod(
  namespace: string,
  pods: Selector,
  { direction, ports }: AllowRule,
  border: Border,
): ReadonlyMap<string, string> | 'served' | 'unproven' {
  const candidates: ReadonlyMap<string, string>[] = [witnessLabels(pods)];
  const services = servicesOf(namespace, direction, border);
  const whole: ReadService['open'][] = [];
  for (const service of services) {
    const outside = labelsOutside(pods, service.pods);
    if (outside === undefined) whole.push(service.open);
    else candidates.push(outside);
  }
  if (shutPorts(whole, ports).length === 0) return 'served';
  const unserved = candidates.find((labels) => {
    const serving = services.filter((service) => matches(service.pods, labels)).map(openOf);
    return shutPorts(serving, ports).length > 0;
  });
  return unserved ?? 'unproven';
}

/** The services of the tenant that list all of these ports: what a rule without the right peers may be meant for. */
export function servicesOn({ direction, ports }: AllowRule, { tenancy, tenant }: Border): readonly SharedService[] {
  return tenancy.settings.sharedServices.filter((service) => {
    const open = [...service.ports, ...(service.endpoints ?? []).flatMap((endpoint) => endpoint.ports)];
    const lists = open.length > 0 && shutPorts([{ ports: openPorts(direction, open) }], ports).length === 0;
    const isNamed = service.entity !== undefined;
    return service.direction === direction && lists && !isNamed && serves(service, tenant);
  });
}

/** The services of the tenant that have pods, and that only its own policies open. */
const withPods = once(({ tenancy, tenant }: Border) =>
  Map.groupBy(
    tenancy.settings.sharedServices.filter(
      (one) => one.podSelector !== undefined && !isInBaseline(one) && serves(one, tenant),
    ),
    ({ direction }) => direction,
  ),
);

export const podServices = (direction: Direction, border: Border): readonly SharedService[] =>
  withPods(border).get(direction) ?? [];
