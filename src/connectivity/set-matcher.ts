/** Whom a selector of Calico matches beside pods: addresses of the sets that have its labels, and what has one of them. */
import type { IpSet } from '../kubernetes/ip-set.ts';
import type { Matcher } from './matcher.ts';
import type { Parties, Party, PodClass } from './parties.ts';

/** Pods by their labels, or by addresses of sets that may change. */
export class WithSets implements Matcher {
  readonly isEverybody = false;
  readonly #parties: Parties;
  readonly #pods: Matcher;
  readonly #versionOf: () => number;
  readonly #find: () => IpSet;
  readonly #having: (addresses: IpSet) => Matcher;
  #known = { sets: -1, parties: -1, setAddresses: [] as IpSet, addressed: undefined as Matcher | undefined };
  #listed = { sets: -1, parties: -1, classes: [] as readonly PodClass[] };

  /**
   * @param pods by their labels
   * @param sets their version, and the addresses of those that match
   * @param having who has one of these
   */
  constructor(
    parties: Parties,
    pods: Matcher,
    sets: { readonly version: () => number; readonly find: () => IpSet },
    having: (addresses: IpSet) => Matcher,
  ) {
    this.#parties = parties;
    this.#pods = pods;
    this.#versionOf = sets.version;
    this.#find = sets.find;
    this.#having = having;
  }

  get isEveryPod(): boolean {
    return this.#pods.isEveryPod || this.classes().length === this.#parties.classes.length;
  }

  get setAddresses(): IpSet {
    return this.#now().setAddresses;
  }

  has(party: Party): boolean {
    if (party.kind === 'unnamed') return this.isEveryPod;
    return this.#pods.has(party) || this.#now().addressed?.has(party) === true;
  }

  classes(): readonly PodClass[] {
    const { addressed, sets, parties } = this.#now();
    const own = this.#pods.isEveryPod ? this.#parties.classes : this.#pods.classes();
    if (addressed === undefined) return own;
    if (this.#listed.sets !== sets || this.#listed.parties !== parties) {
      const others = addressed.isEveryPod ? this.#parties.classes : addressed.classes();
      this.#listed = { sets, parties, classes: [...new Set([...own, ...others])] };
    }
    return this.#listed.classes;
  }

  #now() {
    const [sets, parties] = [this.#versionOf(), this.#parties.version];
    if (this.#known.sets !== sets || this.#known.parties !== parties) {
      const setAddresses = this.#find();
      const addressed = setAddresses.length === 0 ? undefined : this.#having(setAddresses);
      this.#known = { sets, parties, setAddresses, addressed };
    }
    return this.#known;
  }
}

/** All but those whom a selector matches, in or out of the cluster: no other selector says who it must be. */
export class AllBut implements Matcher {
  readonly isEverybody = false;
  readonly #parties: Parties;
  readonly #left: Matcher;
  readonly #within: Matcher | undefined;
  #listed = { key: '', classes: [] as readonly PodClass[] };

  /** @param within undefined: whatever the address */
  constructor(parties: Parties, left: Matcher, within: Matcher | undefined) {
    this.#parties = parties;
    this.#left = left;
    this.#within = within;
  }

  get isEveryPod(): boolean {
    return this.classes().length === this.#parties.classes.length;
  }

  /** Where these begin and end, it does too. */
  get setAddresses(): IpSet {
    return this.#left.setAddresses ?? [];
  }

  has(party: Party): boolean {
    if (party.kind === 'unnamed') return this.isEveryPod;
    return !this.#left.has(party) && this.#within?.has(party) !== false;
  }

  classes(): readonly PodClass[] {
    const key = `${this.#parties.version} ${this.setAddresses.map(({ first, last }) => `${first}-${last}`).join()}`;
    if (this.#listed.key !== key) this.#listed = { key, classes: this.#parties.classes.filter((one) => this.has(one)) };
    return this.#listed.classes;
  }
}
