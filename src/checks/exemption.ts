/**
 * Whether the platform has exempted an object from a check: one pure function for admission, audit and every later command. The
 * backstop says the same in CEL (backstop/exempted.ts).
 *
 * Names, service accounts, images and owner are compared with what the object says, and its author writes that. `owner` counts only
 * in a request of the controller that makes pods for such an owner, or for the template of that very workload.
 */

import { isImageOf } from '../exemptions/images.ts';
import { groupOf, isMadeFor, makerOf, usernamesOf } from '../exemptions/pod-makers.ts';
import { type Container, controllerOf, type KubernetesObject, type PodSpec } from '../kubernetes/objects.ts';
import type { NeighbourRequest, PodRequest, PolicyRequest, UnreadRequest } from '../kubernetes/review.ts';
import type { ExemptedOwner, Exemption } from '../tenancy/exemption.ts';
import { isOneOf } from '../tenancy/subjects.ts';
import type { Facts, Finding } from './check.ts';
import { containersOf, seesProcesses } from './containers.ts';

type Exemptable = PodRequest | PolicyRequest | NeighbourRequest | UnreadRequest;

/**
 * The one exemption that covers all these findings of a check on an object; several never add up. Looks at the exemptions of the
 * namespace alone, and only where there are findings.
 *
 * @param findings at least one, all of the same check
 */
export function exemptionFor(
  check: string,
  findings: readonly Finding[],
  request: Exemptable,
  { tenancy, owner, now }: Facts,
): Exemption | undefined {
  if (owner === 'platform') return undefined;
  return tenancy.exemptions
    .get(request.namespace)
    ?.find(
      (one) =>
        one.tenant === owner.name &&
        one.checks.has(check) &&
        now < one.expires &&
        matches(one.match, findings, request),
    );
}

function matches(
  { kinds, names, owner, serviceAccounts, images, requesters }: Exemption['match'],
  findings: readonly Finding[],
  request: Exemptable,
): boolean {
  // A Binding says nothing of the pod that it binds.
  const pod = request.family === 'pod' && request.subresource !== 'binding' ? request.object : undefined;
  const isTemplate = request.subresource === 'template';
  if (kinds !== undefined && !kinds.has(request.kind)) return false;
  // The names of the pods that come of a template are not known, nor who will send them.
  if (names !== undefined && (isTemplate || !names.has(request.name))) return false;
  if (requesters !== undefined && (isTemplate || !isOneOf(requesters, request.user))) return false;
  if (owner !== undefined && !isOwnedBy(owner, request)) return false;
  if (serviceAccounts !== undefined && (pod === undefined || !serviceAccounts.has(accountOf(pod.spec)))) return false;
  return images === undefined || (pod !== undefined && haveImages(images, pod.spec, findings));
}

/** What the API server writes where none is named (admission plugin ServiceAccount). */
function accountOf(spec: PodSpec | null | undefined): string {
  return spec?.serviceAccountName || 'default';
}

function isOwnedBy(owner: ExemptedOwner, request: Exemptable): boolean {
  if (request.family !== 'pod') return false;
  // The requesters say who makes the pods of a kind that is not of Kubernetes, and those of a template are not known.
  if (owner.group !== undefined)
    return (
      request.operation === 'CREATE' &&
      isController(request.object, owner.group, owner.kind) &&
      controllerOf(request.object)?.name === owner.name
    );
  const maker = makerOf(owner.kind);
  if (maker === undefined) return false;
  if (request.workload !== undefined) {
    const { kind, name, object } = request.workload;
    if (kind === owner.kind && name === owner.name) return true;
    // The controller's own step between a workload and its pods; it is only warned about.
    return kind === maker.kind && isController(object, maker.group, owner.kind) && isMadeFor(owner.name, maker, name);
  }
  if (request.operation !== 'CREATE' || !usernamesOf(maker).includes(request.user.username)) return false;
  const name = controllerOf(request.object)?.name;
  return (
    name !== undefined && isController(request.object, maker.group, maker.kind) && isMadeFor(owner.name, maker, name)
  );
}

/** Whether an object of this group and kind controls it. A kind alone says nothing: other groups can have one of that name. */
function isController(object: KubernetesObject, group: string, kind: string): boolean {
  const controller = controllerOf(object);
  return controller?.kind === kind && groupOf(controller.apiVersion) === group;
}

/**
 * A finding about a container is about that one and those that see its processes; any other is about all of them. A debugger has its
 * powers for itself: what it debugs is not taken for one that uses them.
 */
function haveImages(
  images: readonly string[],
  spec: PodSpec | null | undefined,
  findings: readonly Finding[],
): boolean {
  const containers = [...containersOf(spec)];
  return findings.every(({ path }) => {
    const named = containers.find((one) => path === one.path || path.startsWith(`${one.path}.`));
    const isDebugger = named?.path.startsWith('spec.ephemeralContainers[') === true;
    const violating =
      named === undefined
        ? containers
        : containers.filter(
            (one) => one === named || (!isDebugger && seesProcesses(spec, named.container, one.container)),
          );
    return violating.length > 0 && violating.every(({ container }) => hasImage(images, container));
  });
}

function hasImage(images: readonly string[], { image }: Container): boolean {
  return typeof image === 'string' && images.some((entry) => isImageOf(entry, image));
}
