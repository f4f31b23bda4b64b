/** Whom a range of addresses is about. */
import { contains, everyAddress, type IpSet, intersect } from '../kubernetes/ip-set.ts';
import type { Settings } from '../tenancy/settings.ts';
import { addressedIn } from './addressed.ts';
import type { Matcher } from './matcher.ts';
import type { Parties, Party, PodClass } from './parties.ts';

export interface Networks {
  readonly pods: IpSet;
  readonly nodes: IpSet;
}

export function networksOf(settings: Settings): Networks {
  return { pods: networkOf(settings, 'pod network'), nodes: networkOf(settings, 'node network') };
}

/** Undefined in the settings: it may be any address. */
function networkOf({ protectedRanges }: Settings, name: 'pod network' | 'node network'): IpSet {
  const ranges = protectedRanges.filter((one) => one.name === name).map(({ range }) => range);
  return ranges.length === 0 ? everyAddress : ranges;
}

export class Addressed implements Matcher {
  readonly isEverybody = false;
  readonly #parties: Parties;
  readonly #addresses: IpSet;
  readonly #opens: boolean;
  readonly #hasPods: boolean;
  readonly #ofEvery: boolean;
  /** Where its own address is not known, a pod may have any of its network. */
  readonly #ofUnknown: boolean;
  readonly #ofNodes: boolean;
  #known: { readonly version: number; readonly classes: readonly PodClass[] } = { version: -1, classes: [] };

  /** @param hasPods whether ranges are also about pods and nodes that have one of the addresses */
  constructor(parties: Parties, { pods, nodes }: Networks, addresses: IpSet, opens: boolean, hasPods: boolean) {
    this.#parties = parties;
    this.#addresses = addresses;
    this.#opens = opens;
    this.#hasPods = hasPods;
    this.#ofEvery = hasPods && contains(addresses, everyAddress);
    this.#ofUnknown = hasPods && this.#touches(pods);
    this.#ofNodes = hasPods && this.#touches(nodes);
  }

  get isEveryPod(): boolean {
    return this.#ofEvery || (this.#ofUnknown && !this.#parties.hasAddresses);
  }

  has(party: Party): boolean {
    switch (party.kind) {
      case 'pod':
        if (!this.#hasPods) return false;
        return party.addresses.length === 0 ? this.#ofUnknown : this.#touches(party.addresses);
      case 'unnamed':
        return this.isEveryPod;
      case 'node':
        return this.#ofNodes;
      case 'address':
        return contains(this.#addresses, [party.range]);
      default:
        return false;
    }
  }

  classes(): readonly PodClass[] {
    if (!this.#hasPods) return [];
    const { version, unaddressed } = this.#parties;
    if (this.#known.version !== version) {
      const found = this.#addresses.flatMap((range) => addressedIn(range, this.#parties.addressed));
      const addressed = [...new Set(found)].filter((one) => this.has(one));
      this.#known = { version, classes: [...(this.#ofUnknown ? unaddressed : []), ...addressed] };
    }
    return this.#known.classes;
  }

  #touches(own: IpSet): boolean {
    return this.#opens ? intersect(this.#addresses, own).length > 0 : contains(this.#addresses, own);
  }
}
