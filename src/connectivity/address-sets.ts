/** The sets of addresses of a snapshot, by the selectors that match them. */
import { type IpSet, intersect, normalise } from '../kubernetes/ip-set.ts';
import { ofNamespace } from '../reach/model.ts';
import type { Parties } from './parties.ts';
import type { SnapshotAddressSet } from './snapshot.ts';

type LabelSet = ReadonlyMap<string, string>;

export class AddressSets {
  /** Grows with each change. */
  version = 0;
  readonly #byKey = new Map<string, SnapshotAddressSet>();

  constructor(sets: readonly SnapshotAddressSet[] = []) {
    for (const one of sets) this.put(one);
  }

  get size(): number {
    return this.#byKey.size;
  }

  put(set: SnapshotAddressSet): void {
    this.version++;
    this.#byKey.set(keyOf(set), set);
  }

  remove(set: SnapshotAddressSet): void {
    this.version++;
    this.#byKey.delete(keyOf(set));
  }

  /**
   * @param within undefined: every address of a set that matches
   * @param opens of a set whose labels may be read in several ways, one is enough to open, and all of them have to match to deny
   */
  matching(
    isMatched: (labels: LabelSet) => boolean,
    parties: Parties,
    within: IpSet | undefined,
    opens: boolean,
  ): IpSet {
    const found: IpSet[number][] = [];
    for (const { ref, set } of this.#byKey.values()) {
      const inherited = parties.byName.get(ref.namespace)?.labels;
      const isOf = (own: LabelSet): boolean => isMatched(inherited === undefined ? own : joined(own, inherited));
      if (opens ? set.labels.some(isOf) : set.labels.every(isOf)) found.push(...set.addresses);
    }
    const all = normalise(found);
    return within === undefined || all.length === 0 ? all : intersect(all, within);
  }
}

function keyOf({ ref: { kind, namespace, name } }: SnapshotAddressSet): string {
  return `${kind} ${namespace}/${name}`;
}

/** A label of its own goes before one of its namespace. */
function joined(own: LabelSet, inherited: LabelSet): LabelSet {
  const all = new Map<string, string>();
  for (const [key, value] of inherited) all.set(`${ofNamespace}${key}`, value);
  for (const [key, value] of own) all.set(key, value);
  return all;
}
