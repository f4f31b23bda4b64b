/** Who the ends of observed flows are, among the parties of a snapshot. */
import { parseCidr } from '../kubernetes/ip-range.ts';
import { compareRanges } from '../kubernetes/ip-set.ts';
import type { FlowEnd } from './flow.ts';
import { node, type Parties, type Party, type PodClass } from './parties.ts';

export interface FoundParty {
  readonly party: Party;
  /** As `acme-web/Deployment/front`, or the address. */
  readonly text: string;
}

/** @returns undefined where nothing in the snapshot is meant */
export type Finder = (end: FlowEnd) => FoundParty | undefined;

/** Names of pods end in up to two parts that their makers add: `web-5d4f8-x7k2p`, `orders-0`. */
const mostParts = 2;

export function createFinder(parties: Parties): Finder {
  const byName = new Map<string, FoundParty>();
  for (const pods of parties.classes)
    for (const { namespace, kind, name } of pods.workloads) {
      const key = `${namespace}/${name}`;
      if (!byName.has(key)) byName.set(key, { party: pods, text: `${namespace}/${kind}/${name}` });
    }
  const onNodes = new Set(parties.onNodes.map(({ namespace, name }) => `${namespace}/${name}`));

  const named = (namespace: string, name: string): FoundParty | undefined => {
    let text = name.replace(/-?\*$/, '');
    for (let part = 0; part <= mostParts && text !== ''; part++) {
      const found = byName.get(`${namespace}/${text}`);
      if (found !== undefined) return found;
      if (onNodes.has(`${namespace}/${text}`)) return { party: node, text: 'nodes' };
      text = text.slice(0, Math.max(0, text.lastIndexOf('-')));
    }
    return undefined;
  };

  return ({ namespace, name, workloads, labels, address, isNode }) => {
    if (isNode && name === '') return { party: node, text: 'nodes' };
    if (namespace !== '') {
      for (const one of [...workloads, name]) {
        const found = named(namespace, one);
        if (found !== undefined) return found;
      }
      const own = parties.byName.get(namespace)?.classes.find((one) => hasLabels(one, labels));
      return own && { party: own, text: textOf(own) };
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
