/** The namespaces of a picture: their workloads, those that are open, and their policies. */

import { type Group, platformGroup } from '../connectivity/matrix.ts';
import type { NamespaceEntry, Parties, PodClass } from '../connectivity/parties.ts';
import { covers, type ReportScope } from '../connectivity/report-scope.ts';
import { refText } from '../connectivity/snapshot.ts';
import type { OpenRule, PolicyUse } from './inventory.ts';

export interface PictureNamespace {
  readonly name: string;
  readonly tenant: Group;
  /** On the pod network. */
  readonly pods: number;
  /** Pods on the network of their nodes. */
  readonly onNodes: number;
  /** Pods that no policy isolates in that direction, and in both. */
  readonly open: { readonly ingress: number; readonly egress: number; readonly both: number };
  readonly workloads: readonly PictureWorkload[];
  readonly policies: readonly PicturePolicy[];
}

export interface PictureWorkload {
  /** `Deployment front` */
  readonly name: string;
  readonly pods: number;
  /** The directions in which no policy isolates it. */
  readonly open: readonly ('ingress' | 'egress')[];
  readonly onNode?: true;
}

export interface PicturePolicy {
  /** `NetworkPolicy front` */
  readonly name: string;
  /** That it selects. */
  readonly pods: number;
  readonly rules: readonly OpenRule[];
}

/**
 * In the order of their names.
 *
 * @param scope of which namespaces, workloads and policies
 */
export function namespacesOf(
  { namespaces, onNodes }: Parties,
  uses: readonly (readonly PolicyUse[])[],
  isOpen: (pods: PodClass, direction: 'ingress' | 'egress') => boolean,
  scope?: ReportScope,
): readonly PictureNamespace[] {
  const policies = new Map<string, Map<string, PicturePolicy>>();
  for (const { policy, pods, rules } of uses.flat()) {
    const { kind, namespace, name: own } = policy.ref;
    if (namespace === '' || scope?.hasObject(refText(policy.ref)) === false) continue;
    const name = `${kind} ${own}`;
    const listed = policies.get(namespace) ?? new Map<string, PicturePolicy>();
    policies.set(namespace, listed);
    const known = listed.get(name);
    if (known === undefined || known.rules.length < rules.length) listed.set(name, { name, pods, rules });
  }
  const nodes = Map.groupBy(onNodes, ({ namespace }) => namespace);
  return [...namespaces]
    .filter(({ name }) => scope === undefined || scope.hasNamespace(name))
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .map((entry): PictureNamespace => {
      const open = { ingress: 0, egress: 0, both: 0 };
      const workloads = new Map<string, { -readonly [Field in keyof PictureWorkload]: PictureWorkload[Field] }>();
      const add = (kind: string, own: string, pods: number, directions: PictureWorkload['open'], onNode: boolean) => {
        const name = `${kind} ${own}`;
        const known = workloads.get(`${name} ${directions} ${onNode}`);
        if (known !== undefined) known.pods += pods;
        else
          workloads.set(`${name} ${directions} ${onNode}`, {
            ...{ name, pods, open: directions },
            ...(onNode && { onNode: true as const }),
          });
      };
      let pods = 0;
      for (const one of entry.classes) {
        if (scope !== undefined && !covers(scope, one)) continue;
        const directions = (['ingress', 'egress'] as const).filter((direction) => isOpen(one, direction));
        for (const { kind, name, pods: many } of one.workloads) {
          pods += many;
          for (const direction of directions) open[direction] += many;
          if (directions.length === 2) open.both += many;
          add(kind, name, many, directions, false);
        }
      }
      const all = nodes.get(entry.name) ?? [];
      const own = all.filter(({ labels }) => scope === undefined || scope.has(entry.name, labels));
      for (const { kind, name, pods: many } of own) add(kind, name, many, [], true);
      return {
        ...{ name: entry.name, tenant: tenantOf(entry), pods, open },
        onNodes: own.reduce((sum, { pods: many }) => sum + many, 0),
        workloads: [...workloads.values()],
        policies: [...(policies.get(entry.name)?.values() ?? [])],
      };
    })
    .filter((one) => scope?.isByLabels !== true || one.workloads.length + one.policies.length > 0);
}

function tenantOf({ owner }: NamespaceEntry): Group {
  return owner === 'platform' ? platformGroup : owner.name;
}
