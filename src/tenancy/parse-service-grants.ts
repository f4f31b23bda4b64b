import type { IpRange } from '../kubernetes/ip-range.ts';
import { parseRange } from './parse-network.ts';
import { parseNamedSubject } from './parse-subject.ts';
import type { Report } from './problem.ts';
import type { ServicesDocument, TenantServicesDocument } from './schema/services-schema.ts';
import type { ServiceGrants, ServiceSettings } from './service-grants.ts';

const base = ['spec', 'network', 'services'];

export function parseServiceSettings(
  {
    judged = true,
    types,
    loadBalancerClasses,
    externalNames,
    loadBalancerSourceRanges,
    controllers = [],
  }: ServicesDocument,
  report: Report,
): ServiceSettings {
  const lists = [types, loadBalancerClasses, externalNames, loadBalancerSourceRanges];
  const others = lists.some((one) => one !== undefined) || controllers.length > 0;
  if (!judged && others) report([...base, 'judged'], 'false leaves the other fields without effect', 'remove them');
  return {
    judged,
    types: types && new Set(types),
    loadBalancerClasses: loadBalancerClasses && new Set(loadBalancerClasses),
    externalNames: externalNames ?? 'every',
    loadBalancerSourceRanges:
      loadBalancerSourceRanges && parseRanges(loadBalancerSourceRanges, 'loadBalancerSourceRanges', report),
    controllers: controllers.flatMap(
      (one, index) => parseNamedSubject(one, [...base, 'controllers', index], report) ?? [],
    ),
  };
}

export function parseServiceGrants(
  { types = [], loadBalancerClasses = [], externalIPs = [], loadBalancerSourceRanges = [] }: TenantServicesDocument,
  report: Report,
): ServiceGrants {
  return {
    types: new Set(types),
    loadBalancerClasses: new Set(loadBalancerClasses),
    externalIPs: parseRanges(externalIPs, 'externalIPs', report),
    loadBalancerSourceRanges: parseRanges(loadBalancerSourceRanges, 'loadBalancerSourceRanges', report),
  };
}

function parseRanges(texts: readonly string[], field: string, report: Report): readonly IpRange[] {
  return texts.flatMap((text, index) => parseRange(text, [...base, field, index], report) ?? []);
}
