/** How the source of a policy of a mesh names callers. */
import { formatPort } from '../kubernetes/port-range.ts';
import type { Fix } from '../reach/fix.ts';
import { listed } from '../reach/listed.ts';
import type { SharedService } from '../tenancy/settings.ts';
import type { Tenant } from '../tenancy/tenant.ts';

/** The rest is counted, so that a refusal stays readable. */
const maxShown = 3;

export function nameCallers(
  { namespace, partners, services, unreserved }: Fix & { readonly id: 'name-callers' },
  { name }: Tenant,
): string {
  const own = `write namespaces: [${JSON.stringify(namespace)}] in a source of its from, or list more namespaces of ${name} by their whole names`;
  const gate =
    partners.length === 0 ? '' : `; or namespaces of a tenant with an open gate: ${listed([...partners], maxShown)}`;
  const shared =
    services.length === 0
      ? ''
      : `; or a shared service: ${listed(services.map(callersOf), maxShown).replace(' and ', ' or ')}`;
  const reserve =
    unreserved === undefined
      ? ''
      : `; or ask the platform to reserve ${unreserved} (namespaces.names of tenant ${name})`;
  return `${own}${gate}${shared}${reserve}`;
}

export function narrowToCallers({ service }: Fix & { readonly id: 'narrow-to-callers' }): string {
  const { name, ports, serviceAccounts, podSelector } = service;
  const isNamed = serviceAccounts !== undefined || Object.keys(podSelector ?? {}).length === 0;
  const only = ports.length === 0 ? '' : `, and only its ports: ${listed(ports.map(formatPort))}`;
  return isNamed
    ? `name the callers of ${name}: ${callersOf(service)}${only}`
    : `ask the platform to list the service accounts of ${name} (settings: sharedServices, serviceAccounts)`;
}

function callersOf({ namespace = '', serviceAccounts }: SharedService): string {
  if (serviceAccounts === undefined) return `namespaces: [${JSON.stringify(namespace)}]`;
  const principals = [...serviceAccounts].map((account) => JSON.stringify(`*/ns/${namespace}/sa/${account}`));
  return `principals: [${principals.join(', ')}]`;
}
