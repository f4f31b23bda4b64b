/** Who the ends of observed flows are, among the parties of a snapshot. */
import { parseCidr } from '../kubernetes/ip-range.ts';
import { compareRanges } from '../kubernetes/ip-set.ts';
import { possibleMakers } from '../kubernetes/pod-names.ts';
import type { FlowEnd } from './flow.ts';
import { node, type Parties, type Party, type PodClass } from './parties.ts';

export interface FoundParty {
  readonly party: Party;
  /** As `acme-web/Deployment/front`, or the address. */
  readonly text: string;
}

/** @returns undefined where nothing in the snapshot is meant */
export type Finder = (end: FlowEnd) => FoundParty | undefined;

export function createFinder(parties: Parties): Finder {
  const byName = new Map<string, { readonly kind: string; readonly found: FoundParty }[]>();
  const add = (namespace: string, kind: string, name: string, found: FoundParty): void => {
    const key = `${namespace}/${name}`;
    const known = byName.get(key);
    if (known === undefined) byName.set(key, [{ kind, found }]);
    else known.push({ kind, found });
  };
  for (const pods of parties.classes)
    for (const { namespace, kind, name } of pods.workloads)
      add(namespace, kind, name, { party: pods, text: `${namespace}/${kind}/${name}` });
  for (const { namespace, kind, name } of parties.onNodes) add(namespace, kind, name, { party: node, text: 'nodes' });

  const called = (namespace: string, name: string, isOf = (_: string) => true): FoundParty | undefined =>
    byName.get(`${namespace}/${name}`)?.find(({ kind }) => isOf(kind))?.found;

  const labelled = (namespace: string, labels: FlowEnd['labels']): FoundParty | undefined => {
    const all = parties.byName.get(namespace)?.classes.filter((one) => hasLabels(one, labels)) ?? [];
    // The one of which most labels are known.
    const [own] = all.toSorted((one, other) => other.labels.size - one.labels.size);
    return own && { party: own, text: textOf(own) };
  };

  const made = (namespace: string, pod: string): FoundParty | undefined => {
    for (const { name, isOf } of possibleMakers(pod)) {
      const found = called(namespace, name, isOf);
      if (found !== undefined) return found;
    }
    return undefined;
  };

  return ({ namespace, name, workloads, labels, address, isNode }) => {
    if (isNode && name === '') return { party: node, text: 'nodes' };
    if (namespace !== '') {
      for (const one of [...workloads, name]) {
        const found = called(namespace, one);
        if (found !== undefined) return found;
      }
      // A workload that the flow names is no other one, whatever its pods are called.
      return labelled(namespace, labels) ?? (workloads.length > 0 ? undefined : made(namespace, name));
    }
    const parsed = address === '' ? undefined : parseCidr(`${address}/${address.includes(':') ? 128 : 32}`);
    if (!parsed?.ok) return undefined;
    const range = parsed.value;
    const pods = addressed(parties, range);
    return pods === undefined
      ? { party: { kind: 'address', range }, text: address }
      : { party: pods, text: textOf(pods) };
  };
}

function textOf({ workloads: [first], namespace }: PodClass): string {
  return `${namespace.name}/${first?.kind}/${first?.name}`;
}

/** All labels that are known of the pods. A flow has more: those that controllers add. */
function hasLabels({ labels }: PodClass, flow: ReadonlyMap<string, string>): boolean {
  if (labels.size === 0) return false;
  for (const [key, value] of labels) if (flow.get(key) !== value) return false;
  return true;
}

function addressed({ addressed: all }: Parties, range: Parties['addressed'][number]['range']): PodClass | undefined {
  let [low, high] = [0, all.length - 1];
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const one = all[middle];
    if (one === undefined) return undefined;
    const order = compareRanges(one.range, range);
    if (order === 0) return one.pods;
    if (order < 0) low = middle + 1;
    else high = middle - 1;
  }
  return undefined;
}
