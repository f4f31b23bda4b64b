/** Shared services: what the platform opens to every tenant. */
import { type IpSet, normalise } from '../kubernetes/ip-set.ts';
import { labelsOutside, matches, parseSelector, type Selector, witnessLabels } from '../kubernetes/label-selector.ts';
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

/**
 * A pod of the namespace that the opening reaches and no shared service accounts for: `served` when there is none,
 * `unproven` when no service alone has all the pods and each pod that was tried belongs to one.
 */
export function unservedPod(
  namespace: string,
  pods: Selector,
  { direction, ports }: Opening,
  border: Border,
): ReadonlyMap<string, string> | 'served' | 'unproven' {
  const candidates: ReadonlyMap<string, string>[] = [witnessLabels(pods)];
  const services: { readonly selector: Selector; readonly service: SharedService }[] = [];
  const whole: SharedService[] = [];
  for (const service of servicesOf(namespace, direction, border)) {
    const selector = parseSelector(service.podSelector);
    if (!selector.ok) continue;
    services.push({ selector: selector.value, service });
    const outside = labelsOutside(pods, selector.value);
    if (outside === undefined) whole.push(service);
    else candidates.push(outside);
  }
  if (shutPort(whole, ports) === undefined) return 'served';
  const unserved = candidates.find((labels) => {
    const serving = services.filter(({ selector }) => matches(selector, labels));
    return (
      shutPort(
        serving.map(({ service }) => service),
        ports,
      ) !== undefined
    );
  });
  return unserved ?? 'unproven';
}

/** The addresses on which a service answers on every port of the opening. */
export function servedAddresses({ direction, ports }: Opening, { tenancy }: Border): IpSet {
  const serving = tenancy.settings.sharedServices.filter(
    (service) =>
      service.direction === direction && service.addresses.length > 0 && shutPort([service], ports) === undefined,
  );
  return normalise(serving.flatMap(({ addresses }) => addresses));
}
