/** What the mesh lets in and network policies do not. */
import { isManagedName } from '../../baseline/managed.ts';
import { formatPath } from '../../kubernetes/field-path.ts';
import { isLiteral } from '../../reach/identity/glob.ts';
import { listed } from '../../reach/listed.ts';
import type { AllowRule } from '../../reach/model.ts';
import type { Direction } from '../../tenancy/tenant.ts';
import { membershipOf } from '../mesh.ts';
import type { PodClass } from '../parties.ts';
import {
  everyPort,
  hasPort,
  intersectionOf,
  noPorts,
  type PortSet,
  portNumber,
  resolved,
  unionOf,
} from '../port-set.ts';
import { portSummary } from '../port-summary.ts';
import { refText, type SnapshotPolicy } from '../snapshot.ts';
import type { World } from '../world.ts';
import { isAllow, type LayerContext, type LayerFinding, mostRules, ofFiles, whoIs } from './context.ts';

/** Where ztunnel takes what comes through the mesh (HBONE). */
const tunnel = portNumber('TCP', 15008);
/** Pods that one rule is asked about. With more it is not asked. */
const mostCallers = 100;

/** Callers or ports that the mesh lets in, and no network policy does. */
export function dead({ pods, own, worlds, budget, scope, report }: LayerContext): void {
  for (const { ref, opens } of own.filter(isAllow))
    for (const rule of opens.slice(0, mostRules)) {
      const callers = callersOf(rule, worlds);
      if (callers === undefined) continue;
      const wanted = resolved(rule.ports, pods.ports);
      const isAmbient = membershipOf(pods) === 'ambient';
      const open = openFrom(callers, { pods, worlds, budget, scope }, wanted, isAmbient);
      if (open === undefined) return;
      if (intersectionOf(open, wanted).length > 0) {
        const throughTunnel = isAmbient && callers.some((one) => membershipOf(one) === 'ambient');
        if (!throughTunnel || hasPort(open, tunnel)) continue;
        report({
          ...{ check: 'port-mismatch', object: refText(ref), path: formatPath(rule.path), ...closing(pods, worlds) },
          reason: `lets ${names(callers)} in through the mesh, which comes to ${whoIs(pods)} on port 15008 (HBONE), and network policies${ofFiles(scope)} do not open it`,
          fix: `add port 15008/TCP to the ingress rule of the network policy that opens ${portSummary(intersectionOf(open, wanted))}`,
        });
      } else if (!(isAmbient && hasPort(open, tunnel)))
        report({
          ...{ check: 'l7-dead', object: refText(ref), path: formatPath(rule.path), ...closing(pods, worlds) },
          reason: `lets ${names(callers)} call ${whoIs(pods)} on ${portSummary(wanted)}, and no network policy${ofFiles(scope)} opens that`,
          fix: 'add a rule for these callers and ports to a network policy, on both sides, or remove this one',
        });
    }
}

/** The pods of the namespaces that it names. Undefined: who calls is not known, or there are too many of them to ask about each. */
function callersOf({ peer }: AllowRule, [world]: readonly World[]): readonly PodClass[] | undefined {
  if (peer.kind !== 'identity' || world === undefined) return undefined;
  for (const patterns of peer.all) {
    const namespaces = patterns.flatMap(({ products }) => products.map(({ namespace }) => namespace));
    if (!namespaces.every(isLiteral)) continue;
    const pods = namespaces.flatMap((name) => world.parties.byName.get(name)?.classes ?? []);
    // About pods on the network of their node no policy decides.
    const isOnNode = world.parties.onNodes.some(({ namespace }) => namespaces.includes(namespace));
    return pods.length === 0 || pods.length > mostCallers || isOnNode ? undefined : pods;
  }
  return undefined;
}

/** In any reading; no more than it takes to know. Undefined: the namespace has been asked about too much. */
function openFrom(
  callers: readonly PodClass[],
  { pods, worlds, budget, scope }: Pick<LayerContext, 'pods' | 'worlds' | 'budget' | 'scope'>,
  wanted: PortSet,
  isAmbient: boolean,
): PortSet | undefined {
  let open = noPorts;
  for (const world of worlds)
    for (const caller of callers) {
      if (budget.pairs-- <= 0) return undefined;
      open = unionOf(open, scope === 'cluster' ? world.connection(caller, pods) : openAtHand(world, caller, pods));
      if (intersectionOf(open, wanted).length > 0 && (!isAmbient || hasPort(open, tunnel))) return open;
    }
  return open;
}

function names(callers: readonly PodClass[]): string {
  return listed([...new Set(callers.map(({ namespace }) => `namespace ${namespace.name}`))], 3);
}

/** A side counts where a policy at hand isolates it: what the baseline closes, policies elsewhere may open. */
function openAtHand(world: World, caller: PodClass, pods: PodClass): PortSet {
  const side = (own: PodClass, direction: Direction, peer: PodClass): PortSet =>
    closedBy(world, own, direction).some(isWritten) ? world.allowed(own, direction, peer) : everyPort;
  return intersectionOf(side(caller, 'egress', pods), side(pods, 'ingress', caller));
}

const isWritten = ({ ref }: SnapshotPolicy): boolean => !isManagedName(ref.name);

function closedBy(world: World, pods: PodClass, direction: Direction): readonly SnapshotPolicy[] {
  return world.plan(pods, direction).flatMap((stage) => stage.closedBy);
}

/** The policy that isolates the pods; one that people write, where there is one. */
function closing(pods: PodClass, worlds: readonly World[]): Pick<LayerFinding, 'other' | 'otherObject' | 'otherPath'> {
  const all = worlds.flatMap((world) => closedBy(world, pods, 'ingress'));
  const first = all.find(isWritten) ?? all[0];
  if (first === undefined) return { other: 'the callers are isolated for egress' };
  const object = refText(first.ref);
  return { other: `${object} isolates them for ingress`, otherObject: object, otherPath: 'spec' };
}
