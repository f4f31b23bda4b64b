/** Services that lead to other pods or ports than before. Who reaches whom by pods does not show that: clients keep the name and the address. */
import type { ServicePort, Snapshot, SnapshotService, Workload } from './snapshot.ts';

export interface ServiceChange {
  /** `acme-web/front` */
  readonly service: string;
  /** `app=front`; `none` where its endpoints are written by others. */
  readonly selector: { readonly old: string; readonly new: string };
  /** `80/TCP to 8080` */
  readonly ports: { readonly old: readonly string[]; readonly new: readonly string[] };
  /** Workloads that it selects, as `Deployment acme-web/front`. */
  readonly workloads: { readonly old: readonly string[]; readonly new: readonly string[] };
}

/** Those on both sides whose selector or ports differ, by their names. */
export function compareServices(before: Snapshot, after: Snapshot): readonly ServiceChange[] {
  const known = new Map(before.services.map((one) => [keyOf(one), one]));
  return after.services
    .flatMap((one): readonly ServiceChange[] => {
      const old = known.get(keyOf(one));
      if (old === undefined) return [];
      const selector = { old: selectorText(old), new: selectorText(one) };
      const ports = { old: portTexts(old), new: portTexts(one) };
      if (selector.old === selector.new && ports.old.join() === ports.new.join()) return [];
      const workloads = { old: selectedBy(old, before), new: selectedBy(one, after) };
      return [{ service: keyOf(one), selector, ports, workloads }];
    })
    .sort((one, other) => (one.service < other.service ? -1 : 1));
}

function keyOf({ namespace, name }: SnapshotService): string {
  return `${namespace}/${name}`;
}

function selectorText({ selector }: SnapshotService): string {
  if (selector === undefined) return 'none';
  return Object.entries(selector)
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(',');
}

function portTexts({ ports }: SnapshotService): readonly string[] {
  return ports.map((one: ServicePort) => `${one.port}/${one.protocol} to ${one.targetPort}`).sort();
}

function selectedBy({ namespace, selector }: SnapshotService, { workloads }: Snapshot): readonly string[] {
  if (selector === undefined) return [];
  const wanted = Object.entries(selector);
  const isMeant = (one: Workload): boolean =>
    one.namespace === namespace &&
    wanted.every(([key, value]) => Object.hasOwn(one.labels, key) && one.labels[key] === value);
  return [...new Set(workloads.filter(isMeant).map(({ kind, name }) => `${kind} ${namespace}/${name}`))].sort();
}
