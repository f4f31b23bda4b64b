/**
 * Whom Cilium has a name for. `world` is judged as the addresses that it stands for. Of the others, the platform may open some as
 * shared services, on their ports: they are the same for every tenant.
 */
import { knownRange } from '../kubernetes/ip-range.ts';
import { type IpSet, normalise, subtract } from '../kubernetes/ip-set.ts';
import { once } from '../kubernetes/once.ts';
import { serves } from '../tenancy/served-tenants.ts';
import { type Settings, type SharedService, serviceEntities } from '../tenancy/settings.ts';
import type { Direction } from '../tenancy/tenant.ts';
import { judgeAddresses } from './ip-block-peer.ts';
import type { AllowRule, Entity, EntityPeer } from './model.ts';
import { shutPorts } from './open-ports.ts';
import type { Border, Violation } from './violation.ts';

const every = { 4: [knownRange('0.0.0.0/0')], 6: [knownRange('::/0')] } as const;
/** The addresses from which external clients connect over IPv6. 6to4 stands for IPv4, and no client connects from it. */
const sources: IpSet = subtract([knownRange('2000::/3'), knownRange('fc00::/7')], [knownRange('2002::/16')]);

type World = 'world' | 'world-ipv4' | 'world-ipv6';

/** Who gets through, for example. */
const witnesses: Readonly<Record<Exclude<Entity, World>, string>> = {
  all: 'a pod of any namespace, or any address',
  cluster: 'a pod of any namespace, or a node',
  'cluster-mesh': 'a pod of any namespace of any cluster of the mesh, or a node',
  init: 'a pod of any namespace while Cilium does not know its labels yet',
  unmanaged: 'a pod of any namespace that runs without Cilium',
  host: "the pod's own node, and every process on its network",
  'remote-node': 'another node, and every process on its network',
  'kube-apiserver': 'the API server of the cluster',
  ingress: "Cilium's proxy for Ingress and Gateway objects of every namespace",
  health: 'the health checks of Cilium between nodes',
};

const servicesOfEntity = once(({ sharedServices }: Settings) =>
  Map.groupBy(
    sharedServices.filter(({ entity }) => entity !== undefined),
    ({ direction, entity }) => `${direction} ${entity}`,
  ),
);

export function judgeEntity({ entity }: EntityPeer, rule: AllowRule, border: Border): Violation | undefined {
  const { direction, ports } = rule;
  if (entity === 'world' || entity === 'world-ipv4' || entity === 'world-ipv6') return judgeWorld(entity, rule, border);
  const services = servicesFor(entity, direction, border);
  if (shutPorts(services, ports).length === 0) return undefined;
  const witness = witnesses[entity];
  const [service] = services;
  if (service !== undefined) {
    const reason = `opens more ports than the shared service ${service.name}, which is the entity ${entity}`;
    return { verdict: 'escapes', reason, witness, fix: { id: 'narrow-to-entity', service } };
  }
  const grantable = serviceEntities.find((one) => one === entity);
  return {
    verdict: 'escapes',
    reason:
      grantable === undefined
        ? `allows the entity ${entity}, in which every tenant has a part`
        : `allows the entity ${entity}, which no shared service opens for ${direction}`,
    witness,
    fix:
      grantable === undefined ? { id: 'entity-of-pods' } : { id: 'share-entity', entity: grantable, direction, ports },
  };
}

function servicesFor(entity: Entity, direction: Direction, { tenancy, tenant }: Border): readonly SharedService[] {
  const services = servicesOfEntity(tenancy.settings).get(`${direction} ${entity}`) ?? [];
  return services.filter((service) => serves(service, tenant));
}

/**
 * Every pod of the cluster has an identity of its own, and so has every node: none of them comes from `world`, so for ingress the
 * ranges of the cluster are left out. What nodes and load balancers forward counts as theirs (settings: loadBalancerCIDRs). Of
 * egress, nothing is left out: a name or a route may lead to whatever has no identity, such as a metadata service.
 */
function judgeWorld(entity: World, rule: AllowRule, border: Border): Violation | undefined {
  const { settings } = border.tenancy;
  for (const family of [4, 6] as const) {
    if (entity === (family === 4 ? 'world-ipv6' : 'world-ipv4')) continue;
    const addresses = rule.direction === 'ingress' ? sourcesOf(settings)[family] : every[family];
    const violation = judgeAddresses({ kind: 'ipBlock', addresses }, rule, border);
    if (violation !== undefined)
      return { ...violation, fix: { id: 'world-as-addresses', family, instead: violation.fix } };
  }
  return undefined;
}

const sourcesOf = once(({ protectedRanges }: Settings) => {
  const ofCluster = normalise(protectedRanges.filter(({ hasIdentity }) => hasIdentity).map(({ range }) => range));
  return { 4: subtract(every[4], ofCluster), 6: subtract(sources, ofCluster) };
});
