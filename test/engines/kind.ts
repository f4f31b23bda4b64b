/** The search's view of a kind of policy: one file each in kinds/, and one beside main.go of each engine that reads it. */
import type fc from 'fast-check';
import type { PeerVerdict } from '../../src/reach/border.ts';
import type { Border } from '../../src/reach/violation.ts';
import type { Direction, World } from '../reach/evaluator.ts';
import type { Candidate } from './parties.ts';
import type { Random } from './random.ts';

/** The peers that a verdict may mean, since its sentence leaves some of their labels open: at least one of them gets through. */
export interface NamedWitness {
  readonly direction: Direction;
  readonly candidates: readonly Candidate[];
}

/** `unread`: a sentence that does not say whom it means. `unasked`: no engine could know them, for the reason given. */
export type ReadWitness = NamedWitness | { readonly unread: string } | { readonly unasked: string };

export interface PolicyKind<Spec> {
  readonly kind: 'NetworkPolicy' | 'CiliumNetworkPolicy' | 'CalicoNetworkPolicy' | 'AuthorizationPolicy';
  /** Random ones for a world: every field, and every spelling of it. */
  readonly specs: fc.Arbitrary<(world: World) => Spec>;
  /** Objects of the platform that are in force beside every policy of a world. They deny, so a witness may be stopped by them. */
  readonly beside?: fc.Arbitrary<(world: World) => readonly { readonly kind: string; readonly object: unknown }[]>;
  /** The whole object as the API server stores it. */
  objectOf(spec: Spec, world: World): unknown;
  judge(spec: Spec, border: Border): readonly PeerVerdict[];
  /**
   * The policy is tried once for each of these, on one of the pods that it lists; none listed: on one of those that every policy is
   * tried on. More than one where the same text means something else for another pod, such as a port by its name.
   */
  subjects(spec: Spec, world: World): readonly (readonly Candidate[])[];
  /** Further peers to try, beside those of every policy: peers that just get through, and peers that just do not. */
  around(spec: Spec, world: World, random: Random): readonly Candidate[];
  /** Of an admitted policy: peers that it lets through in this direction on purpose, although the evaluator calls them foreign. */
  excuses?(spec: Spec, world: World): ((candidate: Candidate, direction: Direction) => boolean) | undefined;
  /** Shared services by `entity` are about this kind. Left out: such a grant opens nothing. */
  readonly knowsEntities?: true;
  /** What a policy of this kind can decide about at all. Left out: both directions, every protocol. */
  isAbout?(direction: Direction, protocol: string): boolean;
  /** Whether there can be such a party beside what the kind takes for granted; of others no policy is held against it. */
  isPossible?(candidate: Candidate, world: World): boolean;
  witness(verdict: PeerVerdict, spec: Spec, world: World): ReadWitness;
}
