/**
 * What a policy that is being written contradicts, by the policies and Services of its namespace alone. Pods come and go, so nothing is said
 * that depends on which there are: a finding holds for whatever pods the policies select.
 */
import { isManagedName } from '../../baseline/managed.ts';
import { formatPath } from '../../kubernetes/field-path.ts';
import type { Selector } from '../../kubernetes/label-selector.ts';
import { listed as joined } from '../../reach/listed.ts';
import type { Authorization, Mesh, PeerAuthentication, RequestAuthentication } from '../mesh.ts';
import { membershipOfLabels } from '../mesh.ts';
import { refText, type SnapshotPolicy, type SnapshotService } from '../snapshot.ts';
import { isAllow, type LayerFinding, mostRules, withField } from './context.ts';
import { exactOf, shareOf } from './known-pods.ts';
import { BudgetSpent, type Caller, type Listed, shareOfPart, spend } from './may-open.ts';
import { optionalTokens } from './optional-tokens.ts';
import { closedCallers, contradictingMethods, holeAt, wrongServicePorts } from './written-looks.ts';

export interface Around extends Listed {
  /** Of the namespace and of the root namespace, with the written one. */
  readonly mesh: Mesh;
  readonly services: readonly SnapshotService[];
  readonly root: string;
  /** Of the same tenant; undefined: of another, or none. */
  readonly callerOf: (namespace: string) => Caller | undefined;
}

export type WrittenFinding = Omit<LayerFinding, 'tenant'>;

export type WrittenPolicy =
  | { readonly kind: 'network'; readonly policy: SnapshotPolicy }
  | { readonly kind: 'authorization'; readonly policy: Authorization }
  | { readonly kind: 'mutual-tls'; readonly policy: PeerAuthentication }
  | { readonly kind: 'tokens'; readonly policy: RequestAuthentication };

/** @returns the findings, each once; undefined: the policies are too many to compare */
export function layersOfWritten(written: WrittenPolicy, around: Around): readonly WrittenFinding[] | undefined {
  try {
    const found = new Map<string, WrittenFinding>();
    for (const one of look(written, around)) {
      const key = `${one.check} ${one.object} ${one.path}`;
      if (!found.has(key)) found.set(key, one);
    }
    // A wrong port is why nothing opens it.
    const isExplained = ({ check, object, path }: WrittenFinding): boolean =>
      check === 'l7-dead' && found.has(`port-mismatch ${object} ${path}`);
    return [...found.values()].filter((one) => !isExplained(one)).map(withField);
  } catch (error) {
    if (error instanceof BudgetSpent) return undefined;
    throw error;
  }
}

function look(written: WrittenPolicy, around: Around): readonly WrittenFinding[] {
  const own = around.mesh.authorizations.filter(({ ref }) => ref.namespace === around.namespace);
  switch (written.kind) {
    case 'network': {
      const { policy } = written;
      if (isManagedName(policy.ref.name)) return [];
      const about = own.filter(({ pods }) => selects(policy, pods, around) && !isOutside(pods, around));
      return [
        ...unguarded(policy, own, around),
        ...wrongPortsOf(policy, own, around),
        ...about.flatMap((one) => [...closedCallers(one, around), ...contradictingMethods(one, policy, around)]),
      ];
    }
    case 'authorization': {
      const { policy } = written;
      const beside = around.mesh.requestAuthentications.filter(
        ({ pods }) => pods === undefined || shareOf(pods, policy.pods) !== 'none',
      );
      const isFirst = isAllow(policy) && own.filter(isAllow).length === 1;
      const left = outside(policy, around);
      if (left.length > 0) return [...left, ...tokensOf(beside, around)];
      return [
        ...policy.opens
          .slice(0, mostRules)
          .flatMap((rule) =>
            wrongServicePorts(refText(policy.ref), formatPath(rule.path), rule.ports, policy.pods, around),
          ),
        ...closedCallers(policy, around),
        ...holeAt(policy, around),
        ...around.policies.flatMap((one) => [
          ...contradictingMethods(policy, one, around),
          ...(isFirst && !isManagedName(one.ref.name) ? unguarded(one, own, around) : []),
        ]),
        ...tokensOf(beside, around),
      ];
    }
    case 'mutual-tls': {
      const { pods = new Map() } = written.policy;
      const about = own.filter((one) => shareOf(one.pods, pods) !== 'none' && !isOutside(one.pods, around));
      return about.flatMap((one) => holeAt(one, around));
    }
    case 'tokens':
      return tokensOf([written.policy], around);
  }
}

function selects({ inForce }: SnapshotPolicy, pods: Selector, around: Around): boolean {
  return inForce.parts.some(({ subject }) => shareOfPart(subject, pods, around) !== 'none');
}

function tokensOf(
  written: readonly RequestAuthentication[],
  { mesh, root, budget }: Around,
): readonly WrittenFinding[] {
  spend(budget, written.length * (1 + mesh.authorizations.length));
  return optionalTokens(mesh, written, root, 'cluster').map(({ namespace: _, pods: __, ...one }) => one);
}

/** Pods with these labels have left the mesh, unless other labels take them in. */
function isOutside(pods: Selector, { labels }: Around): boolean {
  return membershipOfLabels(exactOf(pods), labels) === 'outside';
}

function outside({ ref, pods }: Authorization, around: Around): readonly WrittenFinding[] {
  const { namespace } = around;
  if (!isOutside(pods, around)) return [];
  const byPods = membershipOfLabels(exactOf(pods), new Map()) === 'outside';
  return [
    {
      ...{ check: 'outside-the-mesh', object: refText(ref), path: 'spec.selector' },
      other: byPods ? 'labels of the selector' : `labels of Namespace ${namespace}`,
      ...(!byPods && { otherObject: `Namespace ${namespace}`, otherPath: 'metadata.labels' }),
      reason: `selects pods that have left the mesh${byPods ? '' : ', unless a label of their own takes them in'}`,
      fix: 'narrow the selector to pods of the mesh, or take the pods into the mesh again',
    },
  ];
}

/** Pods of the policy are selected by no AuthorizationPolicy, whatever other labels they have. */
function unguarded(
  { ref, inForce }: SnapshotPolicy,
  own: readonly Authorization[],
  around: Around,
): readonly WrittenFinding[] {
  const { mesh, namespace } = around;
  const allowing = own.filter(isAllow);
  if (allowing.length === 0 || mesh.waypoints.has(namespace)) return [];
  for (const { subject, rules } of inForce.parts) {
    const rule = rules.find(({ action, direction }) => action === 'allow' && direction === 'ingress');
    if (rule === undefined || !('pods' in subject)) continue;
    const { pods } = subject;
    if (isOutside(pods, around)) continue;
    if (mesh.authorizations.some((one) => isGuarding(one, pods, around))) continue;
    return [
      {
        ...{ check: 'l4-unguarded', object: refText(ref), path: formatPath(rule.path) },
        other: `none of ${joined(
          allowing.map((one) => refText(one.ref)),
          3,
        )} selects them`,
        ...{ otherObject: allowing.map((one) => refText(one.ref))[0], otherPath: 'spec.selector' },
        reason: 'opens ports of pods that no AuthorizationPolicy selects',
        fix: 'add an AuthorizationPolicy that selects these pods',
      },
    ];
  }
  return [];
}

function isGuarding(one: Authorization, pods: Selector, around: Around): boolean {
  return shareOfPart({ namespaces: undefined, pods: one.pods }, pods, around) !== 'none';
}

/** Ports of Services in a network policy. Only where a policy of the mesh stands beside it. */
function wrongPortsOf(
  { ref, inForce }: SnapshotPolicy,
  own: readonly Authorization[],
  around: Around,
): readonly WrittenFinding[] {
  if (own.length === 0) return [];
  return inForce.parts.flatMap(({ subject, rules }) => {
    if (!('pods' in subject) || isOutside(subject.pods, around)) return [];
    const opening = rules.filter(({ action, direction }) => action === 'allow' && direction === 'ingress');
    return opening.flatMap((rule) =>
      wrongServicePorts(refText(ref), formatPath(rule.path), rule.ports, subject.pods, around),
    );
  });
}
