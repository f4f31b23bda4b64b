/** What every comparison of the layers gets: one class of pods, with the policies and Services that select it. */
import { isManagedName } from '../../baseline/managed.ts';
import type { Group } from '../matrix.ts';
import type { Authorization, Mesh } from '../mesh.ts';
import type { PodClass } from '../parties.ts';
import type { SnapshotService } from '../snapshot.ts';
import type { Step, World } from '../world.ts';

export type LayerCheck =
  | 'l7-dead'
  | 'l4-unguarded'
  | 'port-mismatch'
  | 'outside-the-mesh'
  | 'calico-http'
  | 'permissive-hole'
  | 'token-optional';

/** A contradiction, reported where it can be corrected; docs/layers.md explains each. */
export interface LayerFinding {
  readonly check: LayerCheck;
  readonly tenant: Group;
  /** `KIND NAMESPACE/NAME`, and a field of it. */
  readonly object: string;
  readonly path: string;
  /** What it contradicts, in words. */
  readonly other: string;
  /** The object that `other` names first, and a field of it; empty: all of it. Undefined where it names none. */
  readonly otherObject?: string | undefined;
  readonly otherPath?: string | undefined;
  readonly reason: string;
  readonly fix: string;
}

/** `files`: policies elsewhere may open and guard more, so it is said of whom the findings speak. */
export type Scope = 'cluster' | 'files';

/** Of one policy. */
export const mostRules = 100;

export interface LayerContext {
  readonly pods: PodClass;
  /** About these pods, of their namespace and of the root namespace. */
  readonly own: readonly Authorization[];
  readonly inherited: readonly Authorization[];
  /** All of the namespace. */
  readonly around: readonly Authorization[];
  readonly worlds: readonly World[];
  readonly mesh: Mesh;
  /** How many pairs of pods of this namespace are still asked about, so that one with very many policies does not hold up the others. */
  readonly budget: { pairs: number };
  readonly root: string;
  /** That lead to these pods. */
  readonly services: readonly SnapshotService[];
  readonly scope: Scope;
  readonly report: (finding: Omit<LayerFinding, 'tenant'>) => void;
}

/** The other side with its field. */
export function withField<One extends Omit<LayerFinding, 'tenant'>>(finding: One): One {
  const { other, otherPath = '' } = finding;
  return otherPath === '' || other.includes(otherPath) ? finding : { ...finding, other: `${other} (${otherPath})` };
}

export function whoIs({ workloads: [first], namespace }: PodClass): string {
  return first === undefined ? namespace.name : `${first.kind} ${first.name}`;
}

/** As findings name objects. */
export function podsText({ workloads: [first], namespace }: PodClass): string {
  return first === undefined ? `Namespace ${namespace.name}` : `${first.kind} ${namespace.name}/${first.name}`;
}

/** After a noun of which a finding says that there is none. */
export const ofFiles = (scope: Scope): string => (scope === 'files' ? ' of these files' : '');

export const isAllow = ({ action }: Authorization): boolean => action === 'ALLOW';

/** Of a policy whose rules all have methods. */
export const methodsPath = 'spec.rules[0].to[0].operation.methods';

/** Rules that allow, of policies that people write. */
export function opening(pods: PodClass, worlds: readonly World[]): readonly Step[] {
  return worlds.flatMap((world) =>
    world
      .plan(pods, 'ingress')
      .flatMap(({ steps }) =>
        steps.filter(({ policy, rule }) => rule.action === 'allow' && !isManagedName(policy.ref.name)),
      ),
  );
}
