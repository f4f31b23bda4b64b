/**
 * A running pod whose containers change. Most of a pod never changes, and what it was created with is not judged again; but its
 * images can change, and containers can be added. These get what the pod has, such as the network of its node, and perhaps only
 * because an exemption named other images. So the checks of such fields are asked again, as if the pod were new.
 */
import type { PodSpec } from '../kubernetes/objects.ts';
import type { PodRequest } from '../kubernetes/review.ts';
import type { Finding } from './check.ts';
import { containerLists, containersOf, seesProcesses } from './containers.ts';

export interface ChangedContainers {
  /** The pod as if it were created with its containers. */
  readonly asCreated: PodRequest;
  /** Findings about the pod as a whole, and about containers that change or whose processes these see; with what can be done now. */
  about(findings: readonly Finding[]): readonly Finding[];
}

const fix =
  'leave the images as they are and add no container, because it would share this; or ask the platform for an exemption from this check that matches the update';

/** @returns undefined: no image changes, and no container is added */
export function changedContainers(request: PodRequest): ChangedContainers | undefined {
  const { operation, object, oldObject } = request;
  if (operation !== 'UPDATE' || oldObject === undefined || haveSameImages(oldObject.spec, object.spec))
    return undefined;
  return {
    asCreated: { ...request, operation: 'CREATE', subresource: '', oldObject: undefined },
    about(findings) {
      if (findings.length === 0) return findings;
      const leftOut = leftOutOf(oldObject.spec, object.spec);
      return findings
        .filter(({ path }) => !leftOut.some((one) => path.startsWith(one)))
        .map((one) => ({ ...one, fix }));
    },
  };
}

/** A container keeps its place: the API server refuses to remove one, and adds ephemeral ones at the end. */
function haveSameImages(before: PodSpec | null | undefined, after: PodSpec | null | undefined): boolean {
  for (const list of containerLists) {
    const [old, now] = [before?.[list] ?? [], after?.[list] ?? []];
    if (old.length !== now.length) return false;
    for (let index = 0; index < now.length; index++) if (old[index]?.image !== now[index]?.image) return false;
  }
  return true;
}

/** Beginnings of the paths of containers that neither change nor are seen by one that does. */
function leftOutOf(before: PodSpec | null | undefined, after: PodSpec | null | undefined): readonly string[] {
  const images = new Map<string, unknown>();
  for (const { container, path } of containersOf(before)) images.set(path, container.image);
  const all = [...containersOf(after)];
  const changed = all.filter(({ container, path }) => !images.has(path) || images.get(path) !== container.image);
  const kept = all.filter((one) => {
    return !changed.includes(one) && !changed.some((other) => seesProcesses(after, one.container, other.container));
  });
  // Ephemeral containers have a check of their own.
  return ['spec.ephemeralContainers[', ...kept.map(({ path }) => `${path}.`)];
}
