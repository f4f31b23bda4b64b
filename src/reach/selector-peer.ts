/**
 * Whether everything that a selector could ever match is the tenant's own, or agreed.
 *
 * Nothing is asked about the namespaces that exist today. Two labels of a namespace can be trusted, because no tenant can
 * choose them freely: the tenant label, which follows the owner, and the name, which the API server sets and prefixes reserve.
 * A selector is contained exactly when one of them is pinned to values that are all the tenant's, a shared service's (name)
 * or an agreed tenant's (tenant label). Labels of pods prove nothing: everybody labels his own.
 */
import { excerpt } from '../kubernetes/json.ts';
import { type Domain, domainFor } from '../kubernetes/label-selector.ts';
import { formatPort } from '../kubernetes/port-range.ts';
import { gateObjection } from './gate.ts';
import type { Opening, SelectorPeer } from './model.ts';
import type { Border, Objection } from './objection.ts';
import { servePods, servicesOf } from './shared-service.ts';
import { anotherTenant, describeWitness, nameLabel } from './witness.ts';

export function judgeSelector(peer: SelectorPeer, opening: Opening, border: Border): Objection | undefined {
  const { namespaces, pods } = peer;
  if (namespaces === undefined) return undefined;
  const { tenant, tenancy } = border;
  const { tenantLabel } = tenancy.settings;
  const names = possibleNames(domainFor(namespaces, nameLabel));
  if (names?.length === 0) {
    const reason = 'matches nothing, as no namespace can have such a name';
    return { verdict: 'nothing', reason, fix: `correct the value of ${nameLabel}, or remove the peer` };
  }
  const name = names?.find((candidate) => !isOwn(candidate, border) && !isServed(candidate, peer, opening, border));
  if (names !== undefined && name === undefined) return undefined;

  const escapes = (other: string | undefined, reason: string, fix: string): Objection => {
    const witness = describeWitness(namespaces, pods, { tenant: other, name }, border);
    return { verdict: 'escapes', reason, witness, fix };
  };
  const tenants = domainFor(namespaces, tenantLabel);
  if (tenants.finite && !tenants.absent) {
    for (const other of tenants.values) {
      if (other === tenant.name) continue;
      const shut = gateObjection(other, opening, border);
      if (shut !== undefined) {
        return escapes(other, `matches namespaces of tenant ${excerpt(other)}, and ${shut.reason}`, shut.fix);
      }
    }
    return undefined;
  }
  const other = tenants.finite ? undefined : anotherTenant(border, tenants.values);
  if (name !== undefined) return escapes(other, ...aboutName(name, opening, border));
  const agree = `add ${tenantLabel}: ${tenant.name} to its matchLabels, or agree on a gate with the other tenant`;
  if (tenants.finite) {
    const reason = `matches namespaces without the label ${tenantLabel}, which are the platform's`;
    return escapes(other, reason, `write ${tenantLabel}: ${tenant.name} in matchLabels instead`);
  }
  const whose = tenants.values.size === 0 ? 'every tenant' : 'other tenants';
  return escapes(other, `matches namespaces of ${whose}, also ones that do not exist yet`, agree);
}

/** The names that a namespace may have, undefined when they cannot be listed. A name is a DNS label (RFC 1123). */
function possibleNames({ absent, finite, values }: Domain): readonly string[] | undefined {
  if (!finite) return undefined;
  // Every namespace has the label.
  if (absent) return [];
  return [...values].filter((name) => /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/.test(name));
}

function isOwn(name: string, { namespace, tenancy, tenant }: Border): boolean {
  if (name === namespace) return true;
  const owner = tenancy.reservation(name);
  return owner !== undefined && owner !== 'platform' && owner.name === tenant.name;
}

function isServed(name: string, { pods }: SelectorPeer, opening: Opening, border: Border): boolean {
  const services = servicesOf(name, opening.direction, border);
  return services.length > 0 && servePods(services, pods, opening);
}

/** Reason and fix. A name that another tenant has reserved is told from one that nobody has as little as may be: not at all. */
function aboutName(name: string, { direction }: Opening, border: Border): [reason: string, fix: string] {
  const { tenant, tenancy } = border;
  const [service] = servicesOf(name, direction, border);
  if (service !== undefined) {
    const ports = service.ports.length === 0 ? '' : ` and its ports to ${service.ports.map(formatPort).join(', ')}`;
    return [
      `opens more of the namespace ${name} than its shared service ${service.name}`,
      `narrow the podSelector to the pods of ${service.name}${ports}`,
    ];
  }
  return [
    `matches the namespace ${name}, and that name is not reserved to ${tenant.name}, so anybody may come to own it`,
    `add ${tenancy.settings.tenantLabel}: ${tenant.name} to its matchLabels, or agree on a gate with the other tenant`,
  ];
}
