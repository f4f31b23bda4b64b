import { type HostName, parseHost } from '../kubernetes/host-name.ts';
import { excerpt } from '../kubernetes/json.ts';
import type { Report, Step } from './problem.ts';
import type { GatewayName, RouteGrants, RouteSettings } from './route-grants.ts';
import type { GatewayDocument, RoutesDocument, TenantRoutesDocument } from './schema/routes-schema.ts';

const base = ['spec', 'network'];

export function parseRouteSettings(
  { judged = true, hosts = 'unreserved', platformHosts = [], ingressClasses, gatewayClasses, gateways }: RoutesDocument,
  report: Report,
): RouteSettings {
  return {
    judged,
    hosts,
    platformHosts: parseHosts(platformHosts, [...base, 'routes', 'platformHosts'], report),
    ingressClasses: ingressClasses && new Set(ingressClasses),
    gatewayClasses: gatewayClasses && new Set(gatewayClasses),
    gateways: gateways?.map(gatewayOf),
  };
}

export function parseRouteGrants(
  hosts: readonly string[],
  { ingressClasses = [], gatewayClasses = [], gateways = [] }: TenantRoutesDocument,
  report: Report,
): RouteGrants {
  return {
    hosts: parseHosts(hosts, [...base, 'hosts'], report),
    ingressClasses: new Set(ingressClasses),
    gatewayClasses: new Set(gatewayClasses),
    gateways: gateways.map(gatewayOf),
  };
}

function parseHosts(texts: readonly string[], steps: readonly Step[], report: Report): readonly HostName[] {
  return texts.flatMap((text, index) => {
    const host = parseHost(text);
    if (host !== undefined && host.labels.length > 1) return [host];
    const reason = host === undefined ? 'is no host name' : 'stands for hosts of everybody';
    return report([...steps, index], `${excerpt(text)} ${reason}`, 'write shop.example.com or *.example.com') ?? [];
  });
}

function gatewayOf({ namespace, name }: GatewayDocument): GatewayName {
  return { namespace, name };
}
