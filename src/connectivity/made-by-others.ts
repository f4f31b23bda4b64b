/**
 * Of the objects of files: those that another one of them makes, as in what `kubectl get -o yaml` writes. They stand for nothing of their
 * own. Every user may write `ownerReferences`, so an object counts as made only where its maker is there, and makes pods with these labels.
 */
import { fieldOf, type JsonMap, valueAt } from '../kubernetes/json.ts';
import { matches } from '../kubernetes/label-selector.ts';
import { parseSelector } from '../kubernetes/parse-selector.ts';
import { templateOf } from './read-object.ts';
import { textAt, textsOf } from './read-pod.ts';
import type { Workload } from './snapshot.ts';

type Labels = Readonly<Record<string, string>>;

/** What controllers add to the labels of a template. */
const addedLabels: ReadonlySet<string> = new Set([
  ...['pod-template-hash', 'pod-template-generation', 'controller-revision-hash', 'rollouts-pod-template-hash'],
  ...['statefulset.kubernetes.io/pod-name', 'apps.kubernetes.io/pod-index'],
  ...['controller-uid', 'job-name', 'batch.kubernetes.io/controller-uid', 'batch.kubernetes.io/job-name'],
  'batch.kubernetes.io/job-completion-index',
]);

/** A maker is itself made by none of these, so no two objects make each other. */
const madeKinds: ReadonlySet<unknown> = new Set(['Pod', 'ReplicaSet', 'Job']);

export function createMadeByOthers(objects: readonly JsonMap[]): (object: JsonMap) => boolean {
  const makers = new Map<string, Labels>();
  for (const object of objects) {
    const path = templateOf(object);
    if (path !== undefined)
      makers.set(keyOf(object, object.kind, textAt(object.metadata, 'name')), labelsAt(object, path));
  }
  return (object) => {
    const owners = valueAt(object, 'metadata', 'ownerReferences');
    if (!Array.isArray(owners) || owners.length === 0 || !madeKinds.has(object.kind)) return false;
    const own = labelsAt(object, templateOf(object) ?? []);
    return owners.some((owner) => {
      const kind = textAt(owner, 'kind');
      if (fieldOf(owner, 'controller') !== true || (object.kind !== 'Pod' && madeKinds.has(kind))) return false;
      const made = makers.get(keyOf(object, kind, textAt(owner, 'name')));
      return made !== undefined && isSame(own, made);
    });
  };
}

/** Of the makers among objects: which one there is, and whether pods with these labels are of it. */
export interface Makers {
  has(maker: MakerName): boolean;
  makes(maker: MakerName, labels: Labels): boolean;
}

type MakerName = Pick<Workload, 'namespace' | 'kind' | 'name'>;

/**
 * Every user may write the name of a maker into a pod, and labels that go with it. What holds it to be true: a selector cannot change, and
 * its controller lets go of pods that it does not select. A CronJob has none, so its pods have the labels of its template.
 */
export function createMakers(objects: readonly JsonMap[]): Makers {
  const known = new Map(objects.map((one) => [keyOf(one, one.kind, textAt(one.metadata, 'name')), one]));
  const at = ({ namespace, kind, name }: MakerName) => known.get(keyOf({ metadata: { namespace } }, kind, name));
  return {
    has: (maker) => at(maker) !== undefined,
    makes(maker, labels) {
      const object = at(maker);
      if (object === undefined) return false;
      if (maker.kind === 'CronJob') return isSame(labels, labelsAt(object, templateOf(object) ?? []));
      const selector = parseSelector(valueAt(object, 'spec', 'selector'));
      return !selector.ok || matches(selector.value, new Map(Object.entries(labels)));
    },
  };
}

function labelsAt(object: JsonMap, template: readonly string[]): Labels {
  return textsOf(valueAt(object, ...template, 'metadata', 'labels'));
}

function keyOf(object: JsonMap, kind: unknown, name: string): string {
  return `${textAt(object.metadata, 'namespace')}/${String(kind)}/${name}`;
}

function isSame(own: Labels, made: Labels): boolean {
  const keys = new Set([...Object.keys(own), ...Object.keys(made)]);
  for (const key of keys) if (!addedLabels.has(key) && own[key] !== made[key]) return false;
  return true;
}
