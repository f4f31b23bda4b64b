/** The changes of a comparison, those that are alike in one: the same two tenants, ports and causes. */
import type { Cause } from './causes.ts';
import type { PortSet } from './port-set.ts';
import type { PolicyRef } from './snapshot.ts';

export interface End {
  /** The tenant, the platform, or {@link outside}. */
  readonly group: string;
  /** Workloads as `acme-web/Deployment/front`, ranges of addresses, names of DNS, `nodes`. */
  readonly members: ReadonlySet<string>;
  /** Of the members, those that do not exist yet. */
  readonly hypothetical: ReadonlySet<string>;
}

/** A cause in every namespace where it is alike. */
export interface SharedCause extends Omit<Cause, 'policy'> {
  readonly policies: readonly PolicyRef[];
}

export interface Change {
  readonly change: 'gained' | 'lost';
  /** Gained over the border of a tenant: to or from another one, outside, or the platform where no shared service opens it. */
  readonly isCrossing: boolean;
  readonly from: End;
  readonly to: End;
  readonly ports: PortSet;
  readonly causes: readonly SharedCause[];
}

/** What is neither a pod nor a node of the cluster. No tenant can have this name. */
export const outside = '(outside)';
/** Nodes other than the pod's own. */
export const nodes = '(nodes)';

/** One that is added. */
export interface Part {
  readonly change: Change['change'];
  readonly isCrossing: boolean;
  readonly from: PartEnd;
  readonly to: PartEnd;
  readonly ports: PortSet;
  readonly causes: readonly Cause[];
}

interface PartEnd {
  readonly group: string;
  readonly members: readonly string[];
  readonly isHypothetical: boolean;
}

export interface Changes {
  add(part: Part): void;
  /** Crossings first, then what is gained, then by name. */
  all(): readonly Change[];
}

interface Kept {
  readonly part: Part;
  readonly from: EndInMaking;
  readonly to: EndInMaking;
  readonly policies: readonly Map<string, PolicyRef>[];
}

interface EndInMaking {
  readonly group: string;
  readonly members: Set<string>;
  readonly hypothetical: Set<string>;
}

export function createChanges(): Changes {
  const kept = new Map<string, Kept>();
  return {
    add(part) {
      const key = keyOf(part);
      let known = kept.get(key);
      if (known === undefined) {
        known = { part, from: endOf(part.from), to: endOf(part.to), policies: part.causes.map(() => new Map()) };
        kept.set(key, known);
      }
      join(known.from, part.from);
      join(known.to, part.to);
      for (const [index, { policy }] of part.causes.entries())
        if (policy !== undefined) known.policies[index]?.set(policy.namespace, policy);
    },
    all: () =>
      [...kept]
        .map(([key, { part, from, to, policies }]) => {
          const causes = part.causes.map(({ policy: _, ...cause }, index) => ({
            ...cause,
            policies: [...(policies[index]?.values() ?? [])].sort(byNamespace),
          }));
          return { key, change: { ...part, from, to, causes } satisfies Change };
        })
        .sort((one, other) => rank(one.change) - rank(other.change) || (one.key < other.key ? -1 : 1))
        .map(({ change }) => change),
  };
}

function byNamespace(one: PolicyRef, other: PolicyRef): number {
  return one.namespace < other.namespace ? -1 : 1;
}

function rank({ isCrossing, change }: Change): number {
  return isCrossing ? 0 : change === 'gained' ? 1 : 2;
}

function endOf({ group }: PartEnd): EndInMaking {
  return { group, members: new Set(), hypothetical: new Set() };
}

function join({ members, hypothetical }: EndInMaking, part: PartEnd): void {
  for (const one of part.members) {
    members.add(one);
    if (part.isHypothetical) hypothetical.add(one);
  }
}

/** Namespaces of policies are left out: a policy of the same name in many namespaces is one cause. */
function keyOf({ change, isCrossing, from, to, ports, causes }: Part): string {
  const why = causes.map(({ kind, side, direction, policy, path }) =>
    [kind, side, direction, policy?.kind, policy?.name, path].join(' '),
  );
  return JSON.stringify([change, isCrossing, from.group, to.group, ports, why]);
}
