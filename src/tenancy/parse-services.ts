/** `spec.sharedServices` of the settings. */
import { contradiction, type LabelSelector, type Selector } from '../kubernetes/label-selector.ts';
import { parseSelector } from '../kubernetes/parse-selector.ts';
import { namePorts, type PortRange } from '../kubernetes/port-range.ts';
import { parsePorts, parseRange } from './parse-network.ts';
import { type Located, type Problem, problemAt, type Report, type Step } from './problem.ts';
import type { SharedServiceDocument } from './schema/shared-service-schema.ts';
import { isInBaseline, portsOf } from './served-tenants.ts';
import type { ServiceEndpoint, SharedService, TenantSelection } from './settings.ts';

export function parseServices(documents: readonly SharedServiceDocument[], report: Report): readonly SharedService[] {
  const seen = new Map<string, number>();
  return documents.map((document, index) => {
    const steps: Step[] = ['spec', 'sharedServices', index];
    const { name, direction, namespace, podSelector } = document;
    if (name === 'within')
      report([...steps, 'name'], 'within names the policy for traffic inside a tenant', 'choose another name');
    // One service may be both used and let in: the two halves share a name.
    const first = seen.get(`${name} ${direction}`);
    if (first === undefined) seen.set(`${name} ${direction}`, index);
    else
      report(
        [...steps, 'name'],
        `${name} is declared for ${direction} by spec.sharedServices[${first}] already`,
        'merge the two',
      );
    readSelector(podSelector, [...steps, 'podSelector'], 'pod', report);
    judgePlace(document, steps, report);
    return {
      name,
      direction,
      namespace,
      podSelector,
      ports: parsePorts(document.ports ?? [], [...steps, 'ports'], report),
      addresses: (document.addresses ?? []).flatMap(
        (text, at) => parseRange(text, [...steps, 'addresses', at], report) ?? [],
      ),
      ...(document.endpoints && {
        endpoints: document.endpoints.flatMap(({ cidr, ports }, at): readonly ServiceEndpoint[] => {
          const address = parseRange(cidr, [...steps, 'endpoints', at, 'cidr'], report);
          const parsed = parsePorts(ports, [...steps, 'endpoints', at, 'ports'], report);
          return address === undefined ? [] : [{ address, ports: parsed }];
        }),
      }),
      ...(document.entity && { entity: document.entity }),
      ...(document.clusters && { clusters: new Set(document.clusters) }),
      ...(document.serviceAccounts && { serviceAccounts: new Set(document.serviceAccounts) }),
      ...offerOf(document),
      ...selectionOf(document, steps, report),
    };
  });
}

/** The list replaces the built-in one: with another service alone in it, DNS is lost. */
export function withoutNames(services: readonly SharedService[], { locate }: Located<unknown>): readonly Problem[] {
  if (services.some(opensNames)) return [];
  return [
    problemAt(
      locate,
      ['spec', 'sharedServices'],
      'opens DNS to no tenant or not to all, and replaces the built-in list, so names do not resolve',
      'add a service for egress to the DNS of the cluster on UDP and TCP 53',
    ),
  ];
}

/** Whether it gives every tenant the names of the cluster. */
export function opensNames(service: SharedService): boolean {
  return (
    service.direction === 'egress' &&
    isInBaseline(service) &&
    service.tenants === undefined &&
    portsOf(service).some(isNamePort)
  );
}

function isNamePort({ protocol, first, last }: PortRange): boolean {
  return protocol === 'UDP' && namePorts.some((port) => first <= port && port <= last);
}

/** `namespace` and `podSelector` together select pods; a service without pods and addresses would have no effect. */
function judgePlace(document: SharedServiceDocument, steps: readonly Step[], report: Report): void {
  const { entity, namespace, podSelector, addresses = [], endpoints = [], offer } = document;
  if (entity !== undefined) {
    const others = {
      ...{ namespace, podSelector, addresses: document.addresses, endpoints: document.endpoints },
      clusters: document.clusters,
      serviceAccounts: document.serviceAccounts,
    };
    for (const [field, value] of Object.entries(others))
      if (value !== undefined)
        report([...steps, field], 'stands beside entity', 'make a service of its own of it, or remove it');
    if (offer === 'baseline')
      report([...steps, 'offer'], 'is baseline, and no NetworkPolicy can name an entity', 'remove it, or write policy');
  } else if (namespace === undefined && document.serviceAccounts !== undefined) {
    report(
      [...steps, 'serviceAccounts'],
      'is given without namespace',
      'give namespace and podSelector too, or remove it',
    );
  } else if ((namespace === undefined) !== (podSelector === undefined)) {
    const [missing, given] = namespace === undefined ? ['namespace', 'podSelector'] : ['podSelector', 'namespace'];
    report([...steps, missing], `is missing beside ${given}`, 'give both, or neither for a service at addresses alone');
  } else if (namespace === undefined && addresses.length + endpoints.length === 0) {
    report(steps, 'has neither pods nor addresses', 'give namespace and podSelector, addresses, or an entity');
  }
}

function offerOf({ entity, offer }: SharedServiceDocument): Pick<SharedService, 'offer'> {
  if (entity !== undefined) return { offer: 'policy' };
  return offer === undefined ? {} : { offer };
}

function selectionOf(
  { tenants, tenantSelector }: SharedServiceDocument,
  steps: readonly Step[],
  report: Report,
): { tenants?: TenantSelection } {
  if (tenants !== undefined && tenantSelector !== undefined)
    report([...steps, 'tenantSelector'], 'stands beside tenants', 'keep one of the two');
  if (tenants !== undefined) return { tenants: { names: new Set(tenants) } };
  const labels = readSelector(tenantSelector, [...steps, 'tenantSelector'], 'tenant', report);
  return labels === undefined ? {} : { tenants: { labels } };
}

/** Undefined where there is none, or where it was reported. */
function readSelector(
  written: LabelSelector | undefined,
  steps: readonly Step[],
  selected: string,
  report: Report,
): Selector | undefined {
  if (written === undefined) return undefined;
  const selector = parseSelector(written);
  if (!selector.ok) return report([...steps, ...selector.steps], selector.reason, selector.fix);
  const contradictory = contradiction(selector.value);
  if (contradictory === undefined) return selector.value;
  return report(steps, `leaves no value for the label ${contradictory}, so it selects no ${selected}`);
}
