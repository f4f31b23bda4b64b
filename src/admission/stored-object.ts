/**
 * A stored namespace, pod, workload or quota, judged as if it were written now, by the same checks as in admission. The requester
 * of a pod is the controller that makes it, that of all others an unaffiliated user. For policies: stored-policy.ts.
 */
import type { Gathered } from '../checks/check.ts';
import { type Judged, judge } from '../checks/judge.ts';
import { addressAnnotations } from '../checks/pod-addresses.ts';
import { isMadeFor, makerOf, usernamesOf } from '../exemptions/pod-makers.ts';
import type { Kind } from '../kinds/kind.ts';
import { controllerOf, entry, type KubernetesObject, namespaceNameLabel, type Pod } from '../kubernetes/objects.ts';
import { tenantLabel } from '../mutations/tenant-label.ts';
import type { NamespaceRecord } from './facts.ts';
import { applyIntents } from './patch.ts';
import { notExempted, type State } from './stored-policy.ts';

const nobody = { username: '', groups: [] };
/** Checks whose findings depend on the stored namespace alone. Whether its creator was allowed to create it was decided then. */
const ofNamespaces: ReadonlySet<string> = new Set(['reserved-labels', 'namespace-owner-references']);

/**
 * The findings that no exemption covers, in catalogue order; of a namespace those about its keys and owner references. None in a
 * namespace of the platform.
 *
 * @param object decoded for this alone: it gets the label that admission would add
 */
export function judgeStoredObject(
  kind: Kind,
  object: KubernetesObject,
  record: NamespaceRecord,
  state: State,
): readonly Judged[] {
  const { tenancy, now } = state;
  const owner = tenancy.ownerByLabels(record.labels);
  if (owner === 'platform') return [];
  const gathered = gatheredOf(kind, object, record, { tenancy, now, owner });
  if (gathered === undefined) return [];
  const added = tenantLabel(gathered.request, gathered.facts);
  if (added !== undefined) applyIntents(gathered.request.object, [added]);
  const judged = notExempted(judge(gathered), state);
  return gathered.family === 'namespace' ? judged.filter(({ check }) => ofNamespaces.has(check)) : judged;
}

/** Undefined: it is no stored object of a tenant, such as a Binding. */
function gatheredOf(
  kind: Kind,
  object: KubernetesObject,
  record: NamespaceRecord,
  known: Pick<Gathered['facts'], 'tenancy' | 'now' | 'owner'>,
): Gathered | undefined {
  const { name = '', namespace = name } = object.metadata ?? {};
  const common = { uid: '', operation: 'CREATE', subresource: '', name, namespace, dryRun: true } as const;
  const user = kind.family === 'pod' ? { username: senderOf(object), groups: [] } : nobody;
  const facts = { ...known, requester: known.tenancy.requester(user, undefined), namespaceLabels: record.labels };
  const written = { ...common, user, object, oldObject: undefined };
  switch (kind.family) {
    case 'namespace': {
      const request = {
        ...written,
        operation: 'UPDATE',
        oldObject: withoutKeys(object, known.tenancy.settings.tenantLabel),
      };
      return {
        family: 'namespace',
        request: { ...request, family: 'namespace', kind: 'Namespace', operation: 'UPDATE' },
        facts: { ...facts, ownership: undefined, namespacesOwned: 0, namespaceEmptied: false },
      };
    }
    case 'pod':
      if (kind.judgedAs !== undefined) return undefined;
      return { family: 'pod', request: { ...written, family: 'pod', kind: 'Pod', object: asSent(object) }, facts };
    case 'workload':
      return { family: 'workload', request: { ...written, family: 'workload', kind: kind.kind }, facts };
    case 'quota':
      return {
        family: 'quota',
        request: { ...written, family: 'quota', kind: 'ResourceQuota' },
        facts: { ...facts, namespaceEmptied: false },
      };
    default:
      return undefined;
  }
}

/**
 * As which workload a pod counts, as `KIND NAMESPACE/NAME`: the Deployment by the name of its ReplicaSet, otherwise the object that
 * controls it. Undefined: none does.
 */
export function workloadOf(pod: KubernetesObject): string | undefined {
  const owner = controllerOf(pod);
  if (owner === undefined) return undefined;
  const deployment = owner.name.slice(0, Math.max(0, owner.name.lastIndexOf('-')));
  const maker = owner.kind === 'ReplicaSet' ? makerOf('Deployment') : undefined;
  const [kind, name] =
    maker !== undefined && isMadeFor(deployment, maker, owner.name)
      ? ['Deployment', deployment]
      : [owner.kind, owner.name];
  return `${kind} ${pod.metadata?.namespace}/${name}`;
}

/** The user name by which the controller of a pod has sent it; empty where it has none. */
function senderOf(pod: KubernetesObject): string {
  const owner = controllerOf(pod);
  const maker = owner && makerOf(owner.kind);
  return maker === undefined ? '' : (usernamesOf(maker)[0] ?? '');
}

/** Without what the scheduler, the kubelet, the network plugin and those who debugged it have written since. */
function asSent(pod: Pod): Pod {
  const { nodeName: _, ephemeralContainers: __, ...spec } = pod.spec ?? {};
  const annotations = Object.entries(pod.metadata?.annotations ?? {}).filter(([key]) => !addressAnnotations.has(key));
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...pod.metadata, annotations: Object.fromEntries(annotations) },
    spec,
  };
}

/** The namespace as if all keys but those that say its name and owner were written now. */
function withoutKeys(object: KubernetesObject, tenantLabelKey: string): KubernetesObject {
  const labels = object.metadata?.labels;
  const kept = [tenantLabelKey, namespaceNameLabel].flatMap((key) => {
    const value = entry(labels, key);
    return value === undefined ? [] : [[key, value]];
  });
  return {
    ...object,
    metadata: { ...object.metadata, labels: Object.fromEntries(kept), annotations: {}, ownerReferences: [] },
  };
}
