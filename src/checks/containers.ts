/** All containers of a pod, whichever list they stand in (a check that forgets one is a way around it: POD-02, POD-11). */
import type { Container, PodSpec } from '../kubernetes/objects.ts';

export const containerLists = ['containers', 'initContainers', 'ephemeralContainers'] as const;

export function* containersOf(spec: PodSpec | null | undefined): Generator<{ container: Container; path: string }> {
  for (const list of containerLists) {
    for (const [index, container] of (spec?.[list] ?? []).entries())
      yield { container, path: `spec.${list}[${index}]` };
  }
}

/**
 * Whether `other` sees the processes of a container. Then it takes over the powers of that container, with the capability SYS_PTRACE,
 * which every container may have (network-capabilities.ts).
 */
export function seesProcesses(spec: PodSpec | null | undefined, { name }: Container, other: Container): boolean {
  return spec?.shareProcessNamespace === true || (name !== undefined && other.targetContainerName === name);
}
