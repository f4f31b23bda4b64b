/**
 * What every namespace of a tenant must hold: the default-deny policy, and the policies that allow what is agreed. Pure.
 *
 *   bulkhead-default-deny      no pod is reached and no pod reaches anything
 *   bulkhead-allow-<service>   one for each shared service of the settings, DNS among them
 *   bulkhead-allow-within      the other pods of the namespace, or of the tenant, as the tenant has chosen
 *   bulkhead-quota             the tenant's ResourceQuota, if it has one
 *   bulkhead-defaults          a LimitRange with its containerDefaults, if it has some
 *
 * Policies add up, so everything beyond that is the tenant's to open with policies of its own; gates too.
 */
import { formatRange, type IpRange } from '../kubernetes/ip-range.ts';
import type { LabelSelector, LabelSelectorRequirement } from '../kubernetes/label-selector.ts';
import {
  type NetworkPolicyEgressRule,
  type NetworkPolicyIngressRule,
  type NetworkPolicyPeer,
  type NetworkPolicyPort,
  type NetworkPolicySpec,
  namespaceNameLabel,
  type StringMap,
} from '../kubernetes/objects.ts';
import { allPorts, type PortRange } from '../kubernetes/port-range.ts';
import { isInBaseline, serves } from '../tenancy/served-tenants.ts';
import type { Settings, SharedService } from '../tenancy/settings.ts';
import type { Direction, LimitRangeSpec, Tenant } from '../tenancy/tenant.ts';
import { descriptionAnnotation, managedByLabel, managedByValue, managedPrefix } from './managed.ts';

interface ManagedMeta {
  readonly name: string;
  readonly namespace: string;
  readonly labels: StringMap;
  readonly annotations: StringMap;
}

/** One object of a baseline, whole, as it is sent to the API server: fields that it would drop or fill in are as it leaves them. */
export type ManagedObject =
  | {
      readonly apiVersion: 'networking.k8s.io/v1';
      readonly kind: 'NetworkPolicy';
      readonly metadata: ManagedMeta;
      readonly spec: NetworkPolicySpec;
    }
  | {
      readonly apiVersion: 'v1';
      readonly kind: 'ResourceQuota';
      readonly metadata: ManagedMeta;
      readonly spec: Readonly<Record<string, unknown>>;
    }
  | {
      readonly apiVersion: 'v1';
      readonly kind: 'LimitRange';
      readonly metadata: ManagedMeta;
      readonly spec: LimitRangeSpec;
    };

/** No pod of a tenant namespace is admitted before this policy is there. */
export const defaultDenyName = `${managedPrefix}default-deny`;

/** Traffic that is let through in one direction: to or from these peers, on these ports. */
interface BaselineRule {
  readonly name: string;
  readonly direction: Direction;
  readonly peers: readonly NetworkPolicyPeer[];
  readonly ports: readonly PortRange[];
}

/** The baseline of one namespace of a tenant. The same input gives the same objects in the same order; the default-deny policy is the first. */
export function baselineOf(namespace: string, tenant: Tenant, settings: Settings): readonly ManagedObject[] {
  const labels = { [managedByLabel]: managedByValue, [settings.tenantLabel]: tenant.name };
  const metaOf = (name: string, description: string): ManagedMeta => ({
    ...{ name, namespace, labels },
    annotations: { [descriptionAnnotation]: description },
  });
  const policy = (name: string, description: string, spec: NetworkPolicySpec): ManagedObject => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: metaOf(name, description),
    spec,
  });
  const offered = settings.sharedServices.filter((service) => isInBaseline(service) && serves(service, tenant));
  const rules = [...offered.flatMap(openService), ...openWithin(tenant, settings)];
  const denies = 'Denies all traffic of all pods here. The other policies of this namespace allow what is wanted.';
  const objects = [policy(defaultDenyName, denies, { podSelector: {}, policyTypes: ['Ingress', 'Egress'] })];
  // A service may be both reached and reaching; the two halves share a name and so an object.
  for (const [name, group] of Map.groupBy(rules, (rule) => rule.name)) {
    objects.push(policy(`${managedPrefix}allow-${name}`, describe(name, group, tenant), specOf(group)));
  }
  const spec = tenant.resourceQuota;
  if (spec !== undefined) {
    const metadata = metaOf(`${managedPrefix}quota`, `What tenant ${tenant.name} may use in this namespace.`);
    objects.push({ apiVersion: 'v1', kind: 'ResourceQuota', metadata, spec });
  }
  if (tenant.limitRange !== undefined) {
    const metadata = metaOf(`${managedPrefix}defaults`, 'Requests and limits of containers that state none.');
    objects.push({ apiVersion: 'v1', kind: 'LimitRange', metadata, spec: tenant.limitRange });
  }
  return objects;
}

/** For people who look at their namespace and wonder. */
function describe(name: string, rules: readonly BaselineRule[], tenant: Tenant): string {
  if (name === 'within') {
    const where = tenant.network.within === 'namespace' ? 'of this namespace' : `of tenant ${tenant.name}`;
    return `Allows all pods ${where} to reach each other.`;
  }
  const directions = new Set(rules.map(({ direction }) => direction));
  const goes = directions.has('egress') && 'all pods here to reach it';
  const comes = directions.has('ingress') && 'it to reach all pods here';
  return `Shared service ${name}: allows ${[goes, comes].filter(Boolean).join(', and ')}.`;
}

function openService(service: SharedService): readonly BaselineRule[] {
  const { name, direction, namespace, podSelector, ports, addresses, endpoints = [] } = service;
  const pods: readonly NetworkPolicyPeer[] =
    namespace === undefined || podSelector === undefined
      ? []
      : [
          {
            namespaceSelector: { matchLabels: { [namespaceNameLabel]: namespace } },
            podSelector: withoutEmptyParts(podSelector),
          },
        ];
  // Settings write each of them as one CIDR, which is how this prints it again.
  const block = (range: IpRange): NetworkPolicyPeer => ({ ipBlock: { cidr: formatRange(range) } });
  const peers = [...pods, ...addresses.map(block)];
  return [
    ...(peers.length === 0 ? [] : [{ name, direction, peers, ports }]),
    ...endpoints.map(({ address, ports }) => ({ name, direction, peers: [block(address)], ports })),
  ];
}

/** Both ends need their half: the sender's egress and the receiver's ingress. */
function openWithin(tenant: Tenant, settings: Settings): readonly BaselineRule[] {
  const { within } = tenant.network;
  if (within === 'none') return [];
  const peer: NetworkPolicyPeer =
    within === 'namespace'
      ? { podSelector: {} }
      : { namespaceSelector: { matchLabels: { [settings.tenantLabel]: tenant.name } } };
  return (['ingress', 'egress'] as const).map((direction) => ({ name: 'within', direction, peers: [peer], ports: [] }));
}

/** `policyTypes` is always written out: left to its default it would depend on which rules there are (NP-11). */
function specOf(rules: readonly BaselineRule[]): NetworkPolicySpec {
  const ingress: NetworkPolicyIngressRule[] = [];
  const egress: NetworkPolicyEgressRule[] = [];
  for (const { direction, peers, ports } of rules) {
    const limited = ports.length === 0 ? {} : { ports: ports.map(writePort) };
    if (direction === 'ingress') ingress.push({ from: peers, ...limited });
    else egress.push({ to: peers, ...limited });
  }
  return {
    podSelector: {},
    policyTypes: [...(ingress.length > 0 ? ['Ingress'] : []), ...(egress.length > 0 ? ['Egress'] : [])],
    ...(ingress.length > 0 ? { ingress } : {}),
    ...(egress.length > 0 ? { egress } : {}),
  };
}

function writePort({ protocol, first, last }: PortRange): NetworkPolicyPort {
  if (allPorts.some((all) => all.first === first && all.last === last)) return { protocol };
  return first === last ? { protocol, port: first } : { protocol, port: first, endPort: last };
}

/** A part of a selector that is empty or null means the same as none, and the API server stores none. */
export function withoutEmptyParts({ matchLabels, matchExpressions }: LabelSelector): LabelSelector {
  const requirements = (matchExpressions ?? []).map(
    ({ key, operator, values }): LabelSelectorRequirement =>
      values === null || values === undefined || values.length === 0 ? { key, operator } : { key, operator, values },
  );
  return {
    ...(matchLabels && Object.keys(matchLabels).length > 0 ? { matchLabels } : {}),
    ...(requirements.length > 0 ? { matchExpressions: requirements } : {}),
  };
}
