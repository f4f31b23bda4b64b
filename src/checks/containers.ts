/** All containers of a pod, whichever list they stand in (a check that forgets one is a way around it: POD-02, POD-11). */
import type { Container, PodSpec } from '../kubernetes/objects.ts';

const lists = ['containers', 'initContainers', 'ephemeralContainers'] as const;

export function* containersOf(spec: PodSpec | null | undefined): Generator<{ container: Container; path: string }> {
  for (const list of lists) {
    for (const [index, container] of (spec?.[list] ?? []).entries())
      yield { container, path: `spec.${list}[${index}]` };
  }
}
