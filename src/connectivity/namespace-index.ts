/** Namespaces by the values of their labels, for selectors: the fewest that have one of the values asked for are looked at. */
import { matches, type Selector } from '../kubernetes/label-selector.ts';
import { namespaceNameLabel } from '../kubernetes/objects.ts';
import type { NamespaceEntry } from './parties.ts';

/** Most values are of one namespace. */
type Having = NamespaceEntry | Set<NamespaceEntry>;

export class NamespaceIndex {
  readonly #all: readonly NamespaceEntry[];
  readonly #byName: ReadonlyMap<string, NamespaceEntry>;
  readonly #byLabel = new Map<string, Map<string, Having>>();

  constructor(all: readonly NamespaceEntry[], byName: ReadonlyMap<string, NamespaceEntry>) {
    this.#all = all;
    this.#byName = byName;
  }

  add(one: NamespaceEntry): void {
    for (const [key, value] of one.labels) {
      if (key === namespaceNameLabel) continue;
      const values = this.#byLabel.get(key) ?? new Map<string, Having>();
      this.#byLabel.set(key, values);
      const having = values.get(value);
      if (having === undefined) values.set(value, one);
      else if (having instanceof Set) having.add(one);
      else values.set(value, new Set([having, one]));
    }
  }

  /** With the labels that it was added with. */
  remove(one: NamespaceEntry): void {
    for (const [key, value] of one.labels) {
      const values = this.#byLabel.get(key);
      const having = values?.get(value);
      if (having === one) values?.delete(value);
      else if (having instanceof Set) having.delete(one);
    }
  }

  labelled(key: string, value: string): Iterable<NamespaceEntry> {
    const having = key === namespaceNameLabel ? this.#byName.get(value) : this.#byLabel.get(key)?.get(value);
    return having === undefined ? [] : having instanceof Set ? having : [having];
  }

  selected(selector: Selector): readonly NamespaceEntry[] {
    let fewest = this.#all.length;
    let by: string | undefined;
    for (const [key, { absent, finite, values }] of selector) {
      if (absent || !finite) continue;
      let count = 0;
      for (const value of values) count += this.#count(key, value);
      if (count < fewest) [fewest, by] = [count, key];
    }
    const found: NamespaceEntry[] = [];
    const values = by === undefined ? undefined : selector.get(by)?.values;
    if (by === undefined || values === undefined) {
      for (const one of this.#all) if (matches(selector, one.labels)) found.push(one);
    } else
      for (const value of values)
        for (const one of this.labelled(by, value)) if (matches(selector, one.labels)) found.push(one);
    return found;
  }

  #count(key: string, value: string): number {
    if (key === namespaceNameLabel) return this.#byName.has(value) ? 1 : 0;
    const having = this.#byLabel.get(key)?.get(value);
    return having === undefined ? 0 : having instanceof Set ? having.size : 1;
  }
}
