/** Shared services: what the platform opens to every tenant. */
import { type IpSet, normalise } from '../kubernetes/ip-set.ts';
import { containsSelector, parseSelector, type Selector } from '../kubernetes/label-selector.ts';
import type { SharedService } from '../tenancy/settings.ts';
import type { Direction } from '../tenancy/tenant.ts';
import type { Opening } from './model.ts';
import type { Border } from './objection.ts';
import { shutPort } from './open-ports.ts';

/** The services of one namespace that tenants may reach (egress) or be reached from (ingress). */
export function servicesOf(namespace: string, direction: Direction, { tenancy }: Border): readonly SharedService[] {
  return tenancy.settings.sharedServices.filter(
    (service) => service.direction === direction && service.namespace === namespace,
  );
}

/** Whether the services together have all these pods, each of them on every port of the opening. */
export function servePods(services: readonly SharedService[], pods: Selector, { ports }: Opening): boolean {
  const serving = services.filter(({ podSelector }) => {
    const served = parseSelector(podSelector);
    return served.ok && containsSelector(served.value, pods);
  });
  return shutPort(serving, ports) === undefined;
}

/** The addresses on which a service answers on every port of the opening. */
export function servedAddresses({ direction, ports }: Opening, { tenancy }: Border): IpSet {
  const serving = tenancy.settings.sharedServices.filter(
    (service) =>
      service.direction === direction && service.addresses.length > 0 && shutPort([service], ports) === undefined,
  );
  return normalise(serving.flatMap(({ addresses }) => addresses));
}
