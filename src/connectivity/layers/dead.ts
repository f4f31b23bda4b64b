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
import { isAllow, type LayerContext, type LayerFinding, mostRules, ofFiles, type Scope, whoIs } from './context.ts';

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
      const context = { pods, worlds, budget, scope };
      const open = openFrom(callers, context, wanted, isAmbient);
      if (open === undefined) return;
      if (intersectionOf(open, wanted).length > 0) {
        const throughTunnel = isAmbient && callers.some((one) => membershipOf(one) === 'ambient');
        if (!throughTunnel || hasPort(open, tunnel)) continue;
        report({
          ...{ check: 'port-mismatch', object: refText(ref), path: formatPath(rule.path) },
          ...closing(callers, context, [tunnel, tunnel]),
          reason: `lets ${names(callers)} in through the mesh, which comes to ${whoIs(pods)} on port 15008 (HBONE), and network policies${ofFiles(scope)} do not open it`,
          fix: `add port 15008/TCP to the ingress rule of the network policy that opens ${portSummary(intersectionOf(open, wanted))}`,
        });
      } else if (!(isAmbient && hasPort(open, tunnel)))
        report({
          ...{ check: 'l7-dead', object: refText(ref), path: formatPath(rule.path) },
          ...closing(callers, context, wanted),
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

type Asked = Pick<LayerContext, 'pods' | 'worlds' | 'budget' | 'scope'>;

/** In any reading; no more than it takes to know. Undefined: the namespace has been asked about too much. */
function openFrom(
  callers: readonly PodClass[],
  { pods, worlds, budget, scope }: Asked,
  wanted: PortSet,
  isAmbient: boolean,
): PortSet | undefined {
  let open = noPorts;
  for (const world of worlds)
    for (const caller of callers) {
      if (budget.pairs-- <= 0) return undefined;
      const both = intersectionOf(
        side(world, scope, caller, 'egress', pods),
        side(world, scope, pods, 'ingress', caller),
      );
      open = unionOf(open, both);
      if (intersectionOf(open, wanted).length > 0 && (!isAmbient || hasPort(open, tunnel))) return open;
    }
  return open;
}

function names(callers: readonly PodClass[]): string {
  return listed([...new Set(callers.map(({ namespace }) => `namespace ${namespace.name}`))], 3);
}

/** Of files, a side counts where a policy at hand isolates it: what the baseline closes, policies elsewhere may open. */
function side(world: World, scope: Scope, own: PodClass, direction: Direction, peer: PodClass): PortSet {
  if (scope === 'files' && !closedBy(world, own, direction).some(isWritten)) return everyPort;
  return world.allowed(own, direction, peer);
}

const isWritten = ({ ref }: SnapshotPolicy): boolean => !isManagedName(ref.name);

function closedBy(world: World, pods: PodClass, direction: Direction): readonly SnapshotPolicy[] {
  return world.plan(pods, direction).flatMap((stage) => stage.closedBy);
}

/** The policy that isolates the pods, or the callers where the pods let them in; one that people write, where there is one. */
function closing(
  callers: readonly PodClass[],
  { pods, worlds, budget, scope }: Asked,
  wanted: PortSet,
): Pick<LayerFinding, 'other' | 'otherObject' | 'otherPath'> {
  budget.pairs -= callers.length;
  const letIn = callers.find((caller) =>
    worlds.some((world) => intersectionOf(side(world, scope, pods, 'ingress', caller), wanted).length > 0),
  );
  const [own, direction, peers] =
    letIn === undefined ? ([pods, 'ingress', callers] as const) : ([letIn, 'egress', [pods]] as const);
  const all = worlds.flatMap((world) => closedBy(world, own, direction));
  const first = all.find(isWritten) ?? all[0];
  if (first === undefined)
    return { other: `${letIn === undefined ? 'they' : 'the callers'} are isolated for ${direction}` };
  const rule = worlds
    .flatMap((world) => world.plan(own, direction).flatMap(({ steps }) => steps))
    .find(
      ({ policy, rule, peer }) => policy === first && rule.action === 'allow' && peers.some((one) => peer.has(one)),
    );
  const object = refText(first.ref);
  return {
    other: `${object} isolates ${letIn === undefined ? 'them' : `${whoIs(own)} of ${own.namespace.name}`} for ${direction}`,
    ...{
      otherObject: object,
      otherPath: rule === undefined ? `spec.${direction}` : portsAt(formatPath(rule.rule.path)),
    },
  };
}

/** Of the rule whose peer is at the path. */
function portsAt(path: string): string {
  const [rule = 'spec'] = /^spec\.\w+\[\d+\]/.exec(path) ?? [];
  return /^\.(from|to)\[/.test(path.slice(rule.length)) ? `${rule}.ports` : rule;
}
