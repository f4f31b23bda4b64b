/** Shared services: what the platform opens to every tenant. */
import { destinations } from '../kubernetes/embedded-ipv4.ts';
import { normalise } from '../kubernetes/ip-set.ts';
import { labelsOutside, matches, type Selector, witnessLabels } from '../kubernetes/label-selector.ts';
import { parseSelector } from '../kubernetes/parse-selector.ts';
import type { Settings, SharedService } from '../tenancy/settings.ts';
import type { Direction } from '../tenancy/tenant.ts';
import { type GrantedRange, grantedRanges } from './address-grants.ts';
import type { AllowRule } from './model.ts';
import { once } from './once.ts';
import { shutPorts } from './open-ports.ts';
import type { Border } from './violation.ts';

interface ReadService extends SharedService {
  readonly pods: Selector;
}

/** By direction and namespace. A selector that cannot be read, which the parser of the settings refuses, serves nobody. */
const selected = once(({ sharedServices }: Settings) =>
  Map.groupBy(
    sharedServices.flatMap((service): readonly ReadService[] => {
      const pods = parseSelector(service.podSelector);
      return pods.ok ? [{ ...service, pods: pods.value }] : [];
    }),
    ({ direction, namespace }) => `${direction} ${namespace}`,
  ),
);

/** By direction, the addresses on which they answer beside their pods. */
export const serviceAddresses = once(
  ({ sharedServices }: Settings): Readonly<Record<Direction, readonly GrantedRange[]>> => {
    const of = (side: Direction) =>
      grantedRanges(
        sharedServices
          .filter(({ direction }) => direction === side)
          .map(({ addresses, ports }) => ({ addresses: destinations(normalise(addresses)), ports })),
      );
    return { ingress: of('ingress'), egress: of('egress') };
  },
);

/** The services of one namespace that tenants may reach (egress) or be reached from (ingress). */
export function servicesOf(namespace: string, direction: Direction, { tenancy }: Border): readonly ReadService[] {
  return selected(tenancy.settings).get(`${direction} ${namespace}`) ?? [];
}

/** The services whose pods these labels single out, wherever those pods are looked for. */
export function servicesMeant(pods: Selector, direction: Direction, border: Border): readonly ReadService[] {
  if (pods.size === 0) return [];
  return border.tenancy.settings.sharedServices
    .flatMap(({ namespace }) => servicesOf(namespace, direction, border))
    .filter((service) => service.pods.size > 0 && labelsOutside(pods, service.pods) === undefined);
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
  const whole: SharedService[] = [];
  for (const service of services) {
    const outside = labelsOutside(pods, service.pods);
    if (outside === undefined) whole.push(service);
    else candidates.push(outside);
  }
  if (shutPorts(whole, ports).length === 0) return 'served';
  const unserved = candidates.find((labels) => {
    const serving = services.filter((service) => matches(service.pods, labels));
    return shutPorts(serving, ports).length > 0;
  });
  return unserved ?? 'unproven';
}
