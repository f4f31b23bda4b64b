/** The end that a name in a namespace means: a workload, a pod, or a Service. */
import { matches } from '../kubernetes/label-selector.ts';
import { possibleMakers } from '../kubernetes/pod-names.ts';
import type { End, Unknown } from './endpoints.ts';
import { node, type Parties, type PodClass } from './parties.ts';
import type { Snapshot, SnapshotService, Workload } from './snapshot.ts';

export function named(
  namespace: string,
  name: string,
  kind: string | undefined,
  { services, workloads }: Snapshot,
  parties: Parties,
): End | Unknown {
  const home = parties.byName.get(namespace);
  if (home === undefined) return { unknown: `there is no namespace ${namespace}` };
  const isMeant = (one: { readonly kind: string; readonly name: string }) =>
    one.name === name && (kind === undefined || one.kind.toLowerCase() === kind);
  const found = ofWorkloads(home.classes, isMeant);
  if (found !== undefined) return found;
  const service = services.find((one) => one.namespace === namespace && one.name === name);
  if (service !== undefined && (kind === undefined || kind === 'service')) return ofService(service, parties);
  const onNodes = workloads.filter((one) => one.hostNetwork && one.namespace === namespace);
  const onNode = ofNodes(onNodes, isMeant);
  if (onNode !== undefined) return onNode;
  for (const isMaker of makersOf(name, kind)) {
    const made = ofWorkloads(home.classes, isMaker) ?? ofNodes(onNodes, isMaker);
    if (made !== undefined) return made;
  }
  const known = home.classes.flatMap((one) =>
    one.workloads.map(({ kind, name }) => `${kind.toLowerCase()}/${namespace}/${name}`),
  );
  const hint = known.length === 0 ? 'which has no pods' : `which has ${listed([...new Set(known)])}`;
  return {
    unknown: `nothing is called ${kind === undefined ? '' : `${kind} `}${name} in the namespace ${namespace}, ${hint}`,
  };
}

type IsMeant = (workload: Pick<Workload, 'kind' | 'name'>) => boolean;

/** Workloads that a cluster lists under another name: the makers of a pod, and the Jobs of a CronJob. */
function makersOf(name: string, kind: string | undefined): readonly IsMeant[] {
  const ofPod = possibleMakers(name).map(
    (maker): IsMeant =>
      (one) =>
        one.name === maker.name && maker.isOf(one.kind),
  );
  const isJob: IsMeant = (one) =>
    one.kind === 'Job' && one.name.startsWith(`${name}-`) && /^\d{8,10}$/.test(one.name.slice(name.length + 1));
  return [
    ...(kind === undefined || kind === 'pod' ? ofPod : []),
    ...(kind === undefined || kind === 'cronjob' ? [isJob] : []),
  ];
}

function ofWorkloads(all: readonly PodClass[], isMeant: IsMeant): End | Unknown | undefined {
  const classes = all.filter(({ workloads }) => workloads.some(isMeant));
  const maker = classes.flatMap((one) => one.workloads).find(isMeant);
  return maker && ofPods(`${maker.kind} ${maker.namespace}/${maker.name}`, classes, '');
}

function ofNodes(onNodes: readonly Workload[], isMeant: IsMeant): End | undefined {
  const one = onNodes.find(isMeant);
  if (one === undefined) return undefined;
  const name = `${one.kind} ${one.namespace}/${one.name}`;
  return { name, parties: [node], notes: [`${name} is on the network of its node, so it counts as a node`] };
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 5);
  const more = names.length - shown.length;
  return shown.join(', ') + (more > 0 ? ` and ${more} more` : '');
}

export function ofService(service: SnapshotService, parties: Parties): End | Unknown {
  const { namespace, name, selector } = service;
  const title = `Service ${namespace}/${name}`;
  if (selector === undefined)
    return { unknown: `${title} has no selector, so its addresses are what its EndpointSlices say; ask about those` };
  const wanted = new Map(
    Object.entries(selector).map(([key, value]) => [key, { absent: false, finite: true, values: new Set([value]) }]),
  );
  const classes = parties.byName.get(namespace)?.classes.filter(({ labels }) => matches(wanted, labels)) ?? [];
  const end = ofPods(title, classes, `${title} selects no pod on the pod network`);
  return 'unknown' in end ? end : { ...end, service };
}

export function ofPods(name: string, classes: readonly PodClass[], none: string): End | Unknown {
  return classes.length === 0 ? { unknown: none } : { name, parties: classes, notes: [] };
}
