/**
 * Which rules of a comparison select many pods. Broad rules divide the pods into classes, and pods that a narrow rule selects are compared one
 * by one. With the limit at the square root of all, neither the classes nor the single pairs become many.
 */
import type { Matcher } from './matcher.ts';
import type { PodClass } from './parties.ts';
import type { Step, World } from './world.ts';

export interface Breadth {
  /** Whether it names many, or everyone. */
  isBroad(matcher: Matcher): boolean;
  /** Whether it is about all pods, whatever else. */
  isTotal(matcher: Matcher): boolean;
}

export function createBreadth(worlds: Readonly<Record<string, World>>): Breadth {
  const most = Math.sqrt(Math.max(...Object.values(worlds).map(({ parties }) => parties.classes.length)));
  const known = new WeakMap<Matcher, boolean>();
  const isTotal = (matcher: Matcher): boolean => matcher.isEverybody || matcher.isEveryPod;
  return {
    isTotal,
    isBroad(matcher) {
      let isBroad = known.get(matcher);
      if (isBroad === undefined) {
        isBroad = isTotal(matcher) || matcher.classes().length > most;
        known.set(matcher, isBroad);
      }
      return isBroad;
    },
  };
}

/** Of the steps of a stage, those that count for pods that no narrow rule names. */
export function broadSteps(steps: readonly Step[], pods: PodClass, { isBroad }: Breadth): readonly Step[] {
  return steps.filter(({ peer, own }) => own?.has(pods) !== false && isBroad(peer));
}
