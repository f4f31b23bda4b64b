/**
 * Whether everything that a selector could ever match is the tenant's own, or agreed.
 *
 * Two labels of a namespace are proof, because no tenant can choose them freely. The tenant label follows the owner.
 * The name is set by the API server, and is reserved by prefixes. A selector is contained exactly when it pins one of them.
 * All pinned values must be the tenant's, a shared service's (name) or an agreed tenant's (tenant label).
 * The settings may list platform labels: each value stands for the names that are listed for it.
 * Labels of pods prove nothing: every tenant labels its own pods. A selector that only lacks reservations is conditional.
 */
import { excerpt } from '../kubernetes/json.ts';
import { domainFor, labelsOutside, type Selector, witnessLabels } from '../kubernetes/label-selector.ts';
import { namespaceNameLabel } from '../kubernetes/objects.ts';
import { allPorts } from '../kubernetes/port-range.ts';
import type { Fix } from './fix.ts';
import { gateViolation, partnersFor } from './gate.ts';
import { listed, listedPorts } from './listed.ts';
import type { AllowRule, SelectorPeer } from './model.ts';
import { beyondNamespaces, mostLookedUp, ownershipOf, possibleNames } from './namespace-name.ts';
import { shutPorts } from './open-ports.ts';
import { openOf, podServices, servicesMeant, servicesOf, unservedPod } from './shared-service.ts';
import { namesIn, type Trusted, trustedIn, valuesOf } from './trusted-label.ts';
import { type Border, ownsThere, type Violation } from './violation.ts';
import { anotherTenant, describeWitness } from './witness.ts';

const coveredInParts: Violation = {
  verdict: 'unproven',
  reason: 'may open more than the shared services, as no one of them has all these pods',
  fix: { id: 'one-peer-for-each-service' },
};

const openInParts: Violation = {
  verdict: 'unproven',
  reason: 'may open more than the shared services, as gates of other tenants would have to account for the rest',
  fix: { id: 'service-and-tenant-apart' },
};

const notLookedUp: Violation = {
  verdict: 'unproven',
  reason: `belongs to a policy that selects more than ${mostLookedUp} namespaces by name, and only so many are looked up`,
  fix: { id: 'add-tenant-label' },
};

/** Names beyond these are counted, so that a refusal stays readable. */
const mostShownNames = 3;

/** A namespace that the selector may match by its name, and that is not proven to be the tenant's or a shared service's. */
interface UnprovenNamespace {
  readonly name: string;
  readonly ownership: ReturnType<typeof ownershipOf>;
  /** A pod there that gets through. */
  readonly pod: ReadonlyMap<string, string> | 'unproven';
}

export function judgeSelector(
  { namespaces, pods }: SelectorPeer,
  rule: AllowRule,
  border: Border,
): Violation | undefined {
  if (namespaces === undefined) return undefined;
  const trusted = trustedIn(namespaces, border);
  const violation = judgeNamespaces(namespaces, pods, trusted, rule, border);
  if (violation === undefined || violation.verdict === 'nothing' || trusted.doubtful === undefined) return violation;
  return {
    verdict: 'unproven',
    reason: `selects by the label ${trusted.doubtful}, which proves nothing while namespaces have it that the settings do not list`,
    fix: { id: 'remove-misplaced-label', label: trusted.doubtful },
  };
}

function judgeNamespaces(
  namespaces: Selector,
  pods: Selector,
  trusted: Trusted,
  rule: AllowRule,
  border: Border,
): Violation | undefined {
  const { tenant, tenancy } = border;
  const { tenantLabel } = tenancy.settings;
  const name = domainFor(namespaces, namespaceNameLabel);
  const named = possibleNames(name);
  if (named?.length === 0) {
    const outside = beyondNamespaces(namespaces);
    if (outside !== undefined) return outside;
    const reason = 'matches nothing, as no namespace can have such a name';
    return { verdict: 'nothing', reason, fix: { id: 'correct-name' } };
  }
  const tenants = domainFor(namespaces, tenantLabel);
  if (trusted.key !== undefined && !tenants.absent) {
    const reason = `matches nothing, as no namespace has both ${tenantLabel} and ${trusted.key}`;
    return { verdict: 'nothing', reason, fix: { id: 'remove-peer' } };
  }
  const names = namesIn(trusted, name);
  if (names?.length === 0) {
    const reason = `matches nothing, as no namespace of such a name has ${trusted.key}`;
    return { verdict: 'nothing', reason, fix: { id: 'remove-peer' } };
  }
  const unproven = names && unprovenAmong(names, pods, rule, border);
  if (unproven?.length === 0) return undefined;
  // An example that is proven comes before one that was not looked up.
  const example = unproven?.find(({ ownership }) => ownership !== 'unknown') ?? unproven?.[0];

  const escapes = (other: string | undefined, reason: string, fix: Fix): Violation => {
    if (example?.ownership === 'unknown') return notLookedUp;
    const pod = example?.pod ?? witnessLabels(pods);
    if (pod === 'unproven') return coveredInParts;
    const witness = describeWitness(namespaces, { tenant: other, name: example?.name, pod }, border);
    return { verdict: 'escapes', reason, witness, fix };
  };
  if (trusted.key !== undefined && example?.ownership !== 'platform')
    return escapes(undefined, ...aboutLabel(trusted.key, trusted.unlisted, rule, border));
  if (tenants.finite && !tenants.absent) {
    for (const other of tenants.values) {
      if (other === tenant.name && ownsThere(border)) continue;
      const shut = gateViolation(other, rule, border);
      if (shut !== undefined) {
        // A service may open a port that the gate does not, so no example can be named that surely gets through.
        if (example !== undefined && servicesOf(example.name, rule.direction, border).length > 0) return openInParts;
        return escapes(other, `matches namespaces of tenant ${excerpt(other)}, and ${shut.reason}`, shut.fix);
      }
    }
    return undefined;
  }
  /** Whether the selector lets the tenant label have this value. */
  const isPossible = (name: string) => tenants.values.has(name) === tenants.finite;
  const other = tenants.finite ? undefined : anotherTenant(border, tenants.values);
  if (unproven !== undefined && example !== undefined) {
    const platforms = tenants.absent && example.ownership === 'platform';
    const violation = escapes(
      platforms ? undefined : other,
      ...aboutNames(example, unproven, rule, border, isPossible, named === undefined ? trusted.key : undefined),
    );
    if (!isPossible(tenant.name) || !unproven.every((one) => isAssumable(one, rule, border))) return violation;
    return { ...violation, verdict: 'conditional', assumedOwn: unproven.map(({ name }) => name) };
  }
  if (tenants.finite) {
    const reason = `matches namespaces without the label ${tenantLabel}, which are the platform's`;
    return escapes(other, reason, { id: 'set-tenant-label' });
  }
  const whose = tenants.values.size === 0 ? 'every tenant' : 'other tenants';
  const [meant] = servicesMeant(pods, rule.direction, border);
  const fix: Fix =
    meant === undefined
      ? {
          id: 'add-tenant-label',
          or: 'agree-on-gate',
          partners: partnersFor(rule, border).filter(isPossible),
          services: namespaces.size > 0 && rule.direction === 'ingress' ? podServices('ingress', border) : [],
        }
      : { id: 'narrow-to-service', service: meant, by: 'namespace' };
  return escapes(other, `matches namespaces of ${whose}, including ones created later`, fix);
}

function unprovenAmong(
  names: readonly string[],
  pods: Selector,
  rule: AllowRule,
  border: Border,
): readonly UnprovenNamespace[] {
  return names.flatMap((name): UnprovenNamespace | [] => {
    const ownership = ownershipOf(name, border);
    const pod = ownership === 'own' ? 'served' : unservedPod(name, pods, rule, border);
    return pod === 'served' ? [] : { name, ownership, pod };
  });
}

/** Whether a reservation for the tenant would prove it: the name is not reserved, and has no shared service. */
function isAssumable({ name, ownership }: UnprovenNamespace, { direction }: AllowRule, border: Border): boolean {
  return ownership === 'unreserved' && servicesOf(name, direction, border).length === 0;
}

/** Reason and fix. Namespaces of the platform can have any value that the settings do not list. */
function aboutLabel(
  label: string,
  unlisted: string | undefined,
  { direction }: AllowRule,
  border: Border,
): [reason: string, fix: Fix] {
  const isServed = (name: string) => servicesOf(name, direction, border).length > 0;
  const values = valuesOf(label, border.tenancy.settings, isServed);
  const which =
    unlisted === undefined
      ? `${label}, whatever its value`
      : `${label}: ${excerpt(unlisted)}, and the settings do not list that value`;
  return [
    `matches every namespace of the platform with the label ${which}`,
    { id: 'write-trusted-value', label, values },
  ];
}

/** Reason and fix. The text is the same for a name that another tenant has reserved and for an unreserved one. */
function aboutNames(
  { name, ownership }: UnprovenNamespace,
  unproven: readonly UnprovenNamespace[],
  rule: AllowRule,
  border: Border,
  isPossible: (tenant: string) => boolean,
  /** By which it is selected, if not by its name. */
  label: string | undefined,
): [reason: string, fix: Fix] {
  const { tenant } = border;
  const services = servicesOf(name, rule.direction, border);
  const [service] = services;
  if (service !== undefined) {
    const ports = aboutPorts(services, rule);
    if (ports !== undefined) return ports;
    return [
      `opens more of the namespace ${name} than its shared service ${service.name}`,
      { id: 'narrow-to-service', service, by: 'pods' },
    ];
  }
  if (label !== undefined) {
    const reason = `matches the namespace ${name} by the label ${label}, and the settings share no pods of it with ${tenant.name}`;
    return [reason, { id: 'share-namespace', namespace: name, direction: rule.direction }];
  }
  if (ownership === 'platform') {
    return [`matches the namespace ${name}, which is the platform's`, { id: 'remove-name' }];
  }
  if (ownership === 'taken') {
    const reason = `matches the namespace ${name}, which is not of ${tenant.name} although that name is reserved to it`;
    return [reason, { id: 'add-tenant-label', or: 'remove-name' }];
  }
  const free = unproven
    .filter((one) => one.ownership === 'unreserved' || one.ownership === 'foreign')
    .map((one) => one.name);
  const [what, said, them] =
    free.length === 1 ? ['namespace', 'that name is', 'it'] : ['namespaces', 'these names are', 'them'];
  return [
    `matches the ${what} ${listed(free, mostShownNames)}, but ${said} not reserved for ${tenant.name}, so another tenant could create ${them}`,
    { id: 'not-by-name', names: free, partners: partnersFor(rule, border).filter(isPossible) },
  ];
}

/** Where all pods are of a service: what is wrong is a port. */
function aboutPorts(
  services: ReturnType<typeof servicesOf>,
  { peer, ports }: AllowRule,
): [reason: string, fix: Fix] | undefined {
  const serving = services.filter(
    ({ pods }) => peer.kind === 'selector' && labelsOutside(peer.pods, pods) === undefined,
  );
  const [service] = serving;
  const shut = shutPorts(serving.map(openOf), ports);
  if (service === undefined || shut.length === 0) return undefined;
  const named = shut.some((port) => 'name' in port) ? ', and a name may stand for any port' : '';
  const which = ports === allPorts ? 'every port' : listedPorts(shut);
  return [
    `opens ${which}, and the shared service ${service.name} is open on its own ports alone${named}`,
    { id: 'narrow-to-service', service, by: 'ports' },
  ];
}
