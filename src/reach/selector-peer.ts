/**
 * Whether everything that a selector could ever match is the tenant's own, or agreed.
 *
 * Nothing is asked about the namespaces that exist today. Two labels of a namespace can be trusted, because no tenant can
 * choose them freely: the tenant label, which follows the owner, and the name, which the API server sets and prefixes reserve.
 * A selector is contained exactly when one of them is pinned to values that are all the tenant's, a shared service's (name)
 * or an agreed tenant's (tenant label). Labels of pods prove nothing: everybody labels his own.
 */
import { excerpt } from '../kubernetes/json.ts';
import { type Domain, domainFor, type Selector, witnessLabels } from '../kubernetes/label-selector.ts';
import { namespaceNameLabel } from '../kubernetes/objects.ts';
import { formatPort } from '../kubernetes/port-range.ts';
import { gateObjection } from './gate.ts';
import type { Opening, SelectorPeer } from './model.ts';
import type { Border, Objection } from './objection.ts';
import { servicesOf, unservedPod } from './shared-service.ts';
import { anotherTenant, describeWitness } from './witness.ts';

const coveredInParts: Objection = {
  verdict: 'unproven',
  reason: 'may open more than the shared services, as no one of them has all these pods',
  fix: 'write one peer for each shared service, with the podSelector of that service',
};

export function judgeSelector(peer: SelectorPeer, opening: Opening, border: Border): Objection | undefined {
  const { namespaces, pods } = peer;
  if (namespaces === undefined) return undefined;
  const { tenant, tenancy } = border;
  const { tenantLabel } = tenancy.settings;
  const names = possibleNames(domainFor(namespaces, namespaceNameLabel));
  if (names?.length === 0) {
    const reason = 'matches nothing, as no namespace can have such a name';
    return { verdict: 'nothing', reason, fix: `correct the value of ${namespaceNameLabel}, or remove the peer` };
  }
  const stranger = names && strangerAmong(names, pods, opening, border);
  if (names !== undefined && stranger === undefined) return undefined;

  const escapes = (other: string | undefined, reason: string, fix: string): Objection => {
    const pod = stranger?.pod ?? witnessLabels(pods);
    if (pod === 'unproven') return coveredInParts;
    const witness = describeWitness(namespaces, { tenant: other, name: stranger?.name, pod }, border);
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
  if (stranger !== undefined) {
    const platforms = tenants.absent && tenancy.reservation(stranger.name) === 'platform';
    return escapes(platforms ? undefined : other, ...aboutName(stranger.name, opening, border));
  }
  const agree = `add ${tenantLabel}: ${tenant.name} to its matchLabels, or agree on a gate with the other tenant`;
  if (tenants.finite) {
    const reason = `matches namespaces without the label ${tenantLabel}, which are the platform's`;
    return escapes(other, reason, `write ${tenantLabel}: ${tenant.name} in matchLabels instead`);
  }
  const whose = tenants.values.size === 0 ? 'every tenant' : 'other tenants';
  return escapes(other, `matches namespaces of ${whose}, also ones that do not exist yet`, agree);
}

/**
 * The names that a namespace may have, undefined when they cannot be listed. A name is a DNS label (RFC 1123), and the label
 * is on every namespace: where it must be missing no name is left.
 */
function possibleNames({ finite, values }: Domain): readonly string[] | undefined {
  if (!finite) return undefined;
  return [...values].filter((name) => /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/.test(name));
}

function isOwn(name: string, { namespace, tenancy, tenant }: Border): boolean {
  if (name === namespace) return true;
  const owner = tenancy.reservation(name);
  return owner !== undefined && owner !== 'platform' && owner.name === tenant.name;
}

/** The first name that is neither the tenant's nor a shared service's, with a pod there that gets through. */
function strangerAmong(
  names: readonly string[],
  pods: Selector,
  opening: Opening,
  border: Border,
): { readonly name: string; readonly pod: ReadonlyMap<string, string> | 'unproven' } | undefined {
  for (const name of names) {
    if (isOwn(name, border)) continue;
    const pod = unservedPod(name, pods, opening, border);
    if (pod !== 'served') return { name, pod };
  }
  return undefined;
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
  if (tenancy.reservation(name) === 'platform') {
    return [`matches the namespace ${name}, which is the platform's`, 'remove the name: only shared services are open'];
  }
  return [
    `matches the namespace ${name}, and that name is not reserved to ${tenant.name}, so anybody may come to own it`,
    `add ${tenancy.settings.tenantLabel}: ${tenant.name} to its matchLabels, or agree on a gate with the other tenant`,
  ];
}
