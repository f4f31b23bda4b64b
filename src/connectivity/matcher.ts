/** Whom a rule is about, where that needs no list of pods. */
import type { IpSet } from '../kubernetes/ip-set.ts';
import type { Entity } from '../reach/model.ts';
import type { Party, PodClass } from './parties.ts';

/** Whom a rule is about. */
export interface Matcher {
  /** Every party of every kind. */
  readonly isEverybody: boolean;
  /** Every class of pods, whatever else. */
  readonly isEveryPod: boolean;
  has(party: Party): boolean;
  /** Addresses of sets that its selector matches: the rule names them by their labels alone. Undefined: it matches no sets. */
  readonly setAddresses?: IpSet;
  /** The classes that it has; not called where it has every one. */
  classes(): readonly PodClass[];
}

export const everybody: Matcher = { isEverybody: true, isEveryPod: true, has: () => true, classes: () => [] };
export const nobody: Matcher = { isEverybody: false, isEveryPod: false, has: () => false, classes: () => [] };
export const nodes: Matcher = { ...nobody, has: ({ kind }) => kind === 'node' };
export const isPod = ({ kind }: Party) => kind === 'pod' || kind === 'unnamed';
export const everyPod: Matcher = { ...nobody, isEveryPod: true, has: isPod };

/** As Cilium 1.20 has them. The own node of a pod is never kept from it, and so is no party. */
export function entityMatcher(entity: Entity): Matcher {
  const isOutside = ({ kind }: Party) => kind === 'address' || kind === 'name';
  switch (entity) {
    case 'all':
      return everybody;
    case 'world':
      return { ...nobody, has: isOutside };
    case 'world-ipv4':
    case 'world-ipv6': {
      const family = entity === 'world-ipv4' ? 4 : 6;
      return { ...nobody, has: (party) => party.kind === 'address' && party.range.family === family };
    }
    case 'cluster':
      return { ...everyPod, has: (party) => isPod(party) || party.kind === 'node' };
    case 'remote-node':
      return nodes;
    default:
      return nobody;
  }
}
