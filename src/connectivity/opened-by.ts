/** The rules that let a connection through: what to change where it should be closed. */
import { formatPath } from '../kubernetes/field-path.ts';
import { hypotheticalKind } from './hypothetical.ts';
import type { PodClass } from './parties.ts';
import { intersectionOf, type PortSet } from './port-set.ts';
import { refText } from './snapshot.ts';
import type { World } from './world.ts';

export interface Opener {
  /** `KIND NAMESPACE/NAME` */
  readonly policy: string;
  /** The field of its rule. */
  readonly path: string;
}

/** Two who connect in a world, on ports that nothing grants. */
export interface Violating {
  readonly world: World;
  readonly from: PodClass;
  readonly to: PodClass;
  /** Not empty. */
  readonly ports: PortSet;
}

/**
 * The first rule at each end that allows the connection: of the target, then of the source. An end has none where no policy isolates it,
 * or where it does not exist yet.
 */
export function openersOf({ world, from, to, ports }: Violating): readonly Opener[] {
  const found: Opener[] = [];
  for (const [direction, pods, peer] of [['ingress', to, from] as const, ['egress', from, to] as const]) {
    if (pods.workloads[0]?.kind === hypotheticalKind) continue;
    world.allowed(pods, direction, peer, ({ step, action, ports: decided }) => {
      if (step === undefined || action !== 'allow' || intersectionOf(decided, ports).length === 0) return undefined;
      found.push({ policy: refText(step.policy.ref), path: formatPath(step.rule.path) });
      return 'enough';
    });
  }
  return found;
}
