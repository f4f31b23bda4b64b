/**
 * What pods open to and from outside of the cluster. The addresses are cut where the policies of a pod cut them, so that one address of
 * a range stands for all. Whether the tenant may open it is asked of its border, as for a policy.
 */

import { familyNames } from '../kubernetes/ip-address.ts';
import { formatRange, type IpRange, knownRange } from '../kubernetes/ip-range.ts';
import { contains, type IpSet, normalise, subtract } from '../kubernetes/ip-set.ts';
import { judgeRule } from '../reach/border.ts';
import { internet, protectedAddresses } from '../reach/internet.ts';
import { type AllowRule, everyPod } from '../reach/model.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import type { Direction } from '../tenancy/tenant.ts';
import type { PodClass } from './parties.ts';
import { type PortSet, rangesOf } from './port-set.ts';
import { portSummary } from './port-summary.ts';
import { edgesOf, type Plan, type World } from './world.ts';

export interface Exposure {
  readonly direction: Direction;
  /** `every address outside`, `the internet`, or ranges and names. */
  readonly addresses: string;
  readonly ports: PortSet;
  /** Whether the tenant may open it; `not proven` where the settings do not list the addresses of the cluster. */
  readonly state: 'granted' | 'not granted' | 'not proven';
}

type Outside = readonly { readonly set: IpSet; readonly ports: PortSet }[];

const mostShown = 6;
const everything = ['0.0.0.0/0', '::/0'].map(knownRange);

/** Keeps its answers: many pods share their plans, and tenants their grants. */
export function createExposure(world: World, tenancy: Tenancy, now: number) {
  const { settings } = tenancy;
  const outside = subtract(everything, protectedAddresses(settings));
  const known: Record<Direction, Map<Plan, Outside>> = { ingress: new Map(), egress: new Map() };
  const judged = new Map<string, Exposure>();

  function openOf(pods: PodClass, direction: Direction): Outside {
    const plan = world.plan(pods, direction);
    const steps = plan.flatMap((stage) => stage.steps);
    const isShared = steps.every(({ own, ports }) => own === undefined && ports !== undefined);
    const before = isShared ? known[direction].get(plan) : undefined;
    if (before !== undefined) return before;
    const cuts = cutsOf(
      steps.flatMap((step) => edgesOf(step)),
      outside,
    );
    const byPorts = new Map<string, { set: IpRange[]; ports: PortSet }>();
    for (const range of cuts) {
      const ports = world.allowed(pods, direction, { kind: 'address', range });
      if (ports.length === 0) continue;
      const found = byPorts.get(ports.join());
      if (found === undefined) byPorts.set(ports.join(), { set: [range], ports });
      else found.set.push(range);
    }
    const open = [...byPorts.values()].map(({ set, ports }) => ({ set: normalise(set), ports }));
    if (isShared) known[direction].set(plan, open);
    return open;
  }

  function judge(pods: PodClass, direction: Direction, { set, ports }: Outside[number]): Exposure {
    const { owner } = pods.namespace;
    const addresses = addressText(set);
    const key = `${owner === 'platform' ? '' : owner.name} ${direction} ${ports.join()} ${set.map(formatRange).join()}`;
    const before = judged.get(key);
    if (before !== undefined) return before;
    const made: Exposure = { direction, addresses, ports, state: owner === 'platform' ? 'granted' : stateOf() };
    judged.set(key, made);
    return made;

    function stateOf(): Exposure['state'] {
      if (owner === 'platform') return 'granted';
      const rule: AllowRule = {
        subject: { namespaces: undefined, pods: everyPod, path: at },
        direction,
        path: at,
        peer: { kind: 'ipBlock', addresses: set },
        ports: rangesOf(ports),
        action: 'allow',
      };
      const violation = judgeRule(rule, { tenant: owner, namespace: pods.namespace.name, tenancy, now });
      if (violation === undefined || violation.verdict === 'nothing') return 'granted';
      return violation.verdict === 'escapes' ? 'not granted' : 'not proven';
    }
  }

  function addressText(set: IpSet): string {
    if (contains(set, outside)) return 'every address outside';
    const whole = internet(settings);
    if (whole.length > 0 && contains(set, whole) && contains(whole, set)) return 'the internet';
    const shown: string[] = [];
    const rest: IpRange[] = [];
    for (const family of [4, 6] as const) {
      const own = set.filter((range) => range.family === family);
      const isAll =
        own.length > 0 &&
        contains(
          own,
          outside.filter((range) => range.family === family),
        );
      if (isAll) shown.push(`every ${familyNames[family]} address outside`);
      else rest.push(...own);
    }
    shown.push(...rest.slice(0, mostShown).map(formatRange));
    return rest.length > mostShown ? `${shown.join(', ')} and ${rest.length - mostShown} more` : shown.join(', ');
  }

  /** Names that rules of the pods open. */
  function names(pods: PodClass): readonly Exposure[] {
    const found = new Map<string, Exposure>();
    for (const { rule } of world.plan(pods, 'egress').flatMap(({ steps }) => steps)) {
      if (rule.peer.kind !== 'name' || rule.action !== 'allow') continue;
      const name = rule.peer.pattern.text;
      const ports = world.allowed(pods, 'egress', { kind: 'name', name });
      if (ports.length === 0) continue;
      const { owner, namespace } = { owner: pods.namespace.owner, namespace: pods.namespace.name };
      const asked: AllowRule = {
        subject: { namespaces: undefined, pods: everyPod, path: at },
        direction: 'egress',
        path: at,
        peer: rule.peer,
        ports: rangesOf(ports),
        action: 'allow',
      };
      const isFine = owner === 'platform' || judgeRule(asked, { tenant: owner, namespace, tenancy, now }) === undefined;
      found.set(name, { direction: 'egress', addresses: name, ports, state: isFine ? 'granted' : 'not granted' });
    }
    return [...found.values()];
  }

  return (pods: PodClass): readonly Exposure[] => [
    ...(['ingress', 'egress'] as const).flatMap((direction) =>
      openOf(pods, direction).map((one) => judge(pods, direction, one)),
    ),
    ...names(pods),
  ];
}

const at = { parent: undefined, step: 'spec' } as const;

/** Ranges that no edge of a block cuts, and that together are what is outside. */
function cutsOf(blocks: readonly IpRange[], outside: IpSet): readonly IpRange[] {
  return outside.flatMap((whole) => {
    const edges = new Set<bigint>([whole.first]);
    for (const { family, first, last } of blocks) {
      if (family !== whole.family) continue;
      for (const edge of [first, last + 1n]) if (edge > whole.first && edge <= whole.last) edges.add(edge);
    }
    const sorted = [...edges].filter((edge) => edge <= whole.last).sort((one, other) => (one < other ? -1 : 1));
    return sorted.map((first, index) => ({
      family: whole.family,
      first,
      last: (sorted[index + 1] ?? whole.last + 1n) - 1n,
    }));
  });
}

export function exposureKey({ direction, addresses, ports, state }: Exposure): string {
  return `${direction} ${addresses} ${portSummary(ports)} ${state}`;
}
