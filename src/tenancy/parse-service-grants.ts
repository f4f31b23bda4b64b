import { parseRange } from './parse-network.ts';
import { parseNamedSubject } from './parse-subject.ts';
import type { Report } from './problem.ts';
import type { ServicesDocument, TenantServicesDocument } from './schema/services-schema.ts';
import type { ServiceGrants, ServiceSettings } from './service-grants.ts';

export function parseServiceSettings(
  { judged = true, types, loadBalancerClasses, controllers = [] }: ServicesDocument,
  report: Report,
): ServiceSettings {
  const base = ['spec', 'network', 'services'];
  const others = [types, loadBalancerClasses].some((one) => one !== undefined) || controllers.length > 0;
  if (!judged && others) report([...base, 'judged'], 'false leaves the other fields without effect', 'remove them');
  return {
    judged,
    types: types && new Set(types),
    loadBalancerClasses: loadBalancerClasses && new Set(loadBalancerClasses),
    controllers: controllers.flatMap(
      (one, index) => parseNamedSubject(one, [...base, 'controllers', index], report) ?? [],
    ),
  };
}

export function parseServiceGrants(
  { types = [], loadBalancerClasses = [], externalIPs = [] }: TenantServicesDocument,
  report: Report,
): ServiceGrants {
  const base = ['spec', 'network', 'services', 'externalIPs'];
  return {
    types: new Set(types),
    loadBalancerClasses: new Set(loadBalancerClasses),
    externalIPs: externalIPs.flatMap((text, index) => parseRange(text, [...base, index], report) ?? []),
  };
}
