/**
 * Endpoint selectors of cilium.io/v2 -> which pods of which namespaces.
 *
 * Cilium keeps the labels of a pod, of its namespace and of its cluster in one set, each with a source: `k8s:app`. A key without a source
 * means any source. Where a selector says nothing about the namespace, Cilium adds the policy's own, and the own cluster
 * (cilium/cilium pkg/k8s/apis/cilium.io/utils, getEndpointSelector).
 */
import { type FieldPath, field } from '../../../kubernetes/field-path.ts';
import { excerpt, isMap } from '../../../kubernetes/json.ts';
import {
  contradiction,
  type Domain,
  domainFor,
  type Selector,
  witnessLabels,
} from '../../../kubernetes/label-selector.ts';
import { meshClusterLabel, namespaceNameLabel } from '../../../kubernetes/objects.ts';
import {
  type Fold,
  Folded,
  isLabelKey,
  type Requirements,
  readRequirements,
} from '../../../kubernetes/parse-selector.ts';
import {
  type Diagnostic,
  type DiagnosticScope,
  diagnostic,
  everyPod,
  invalid,
  isEntity,
  namesCluster,
  type SelectorPeer,
} from '../../model.ts';
import { possibleNames } from '../../namespace-name.ts';
import { valuesPerLabel } from '../found.ts';

const namespaceKey = 'io.kubernetes.pod.namespace';
const namespaceLabels = 'io.cilium.k8s.namespace.labels.';

/** A key of the source `reserved`, as it is written. */
interface Reserved {
  readonly key: string;
  readonly domain: Domain;
}

export function readEndpoints(
  written: unknown,
  path: FieldPath,
  scope: DiagnosticScope,
): Omit<SelectorPeer, 'kind'> | Diagnostic {
  const parts = readParts(written, path, scope);
  if ('verdict' in parts) return parts;
  const { cluster, reserved, keys } = parts;
  const pods = parts.pods?.byLabel ?? everyPod;
  const namespaces = parts.namespaces?.byLabel;
  if (reserved !== undefined) return unscoped(reserved, keys === 1, path, scope);
  if (parts.values > valuesPerLabel) {
    for (const [label, { values }] of namespaces ?? []) {
      if (values.size <= valuesPerLabel) continue;
      const reason = `lists ${values.size} values of the label ${label}, and only ${valuesPerLabel} are examined`;
      return diagnostic(scope, 'unproven', path, reason, 'list fewer values, or make several selectors of it');
    }
  }
  const dead = contradictionIn(parts.namespaces) ?? contradictionIn(parts.pods);
  const clusters = cluster && namesOf(domainFor(cluster.byLabel, meshClusterLabel));
  if (cluster !== undefined && clusters === undefined) {
    const names = namespaces && possibleNames(domainFor(namespaces, namespaceNameLabel));
    return inMesh(cluster.byLabel, dead !== undefined || names?.length === 0, path, scope);
  }
  if (dead === undefined) return { namespaces, pods, clusters };
  const reason = `matches nothing, as no value of the label ${dead} meets all its requirements`;
  return diagnostic(scope, 'nothing', path, reason, { id: 'correct-requirements', label: dead });
}

/**
 * The pods that a policy is about. "EndpointSelector always applies in namespace of the policy resource": what it says of namespaces
 * is replaced, and what it says of clusters may be. So both are left out, and more pods count than are selected.
 */
export function readSubject(written: unknown, path: FieldPath, scope: DiagnosticScope): Selector | Diagnostic {
  const parts = readParts(written, path, scope);
  if ('verdict' in parts) return parts;
  const { pods, reserved } = parts;
  if (reserved === undefined) return pods?.byLabel ?? everyPod;
  // Cilium before 1.14.2 left the namespace out for reserved:init, and so selected pods of others (CVE-2023-41333, SVC-09).
  const reason = `names ${excerpt(reserved.key)}, with which some versions of Cilium select pods of every namespace`;
  return diagnostic(scope, 'unproven', path, reason, 'remove it, and select pods by their own labels');
}

function readParts(written: unknown, path: FieldPath, scope: DiagnosticScope): Parts | Diagnostic {
  const twice = writtenTwice(written);
  if (twice !== undefined) {
    const reason = `writes the label ${excerpt(twice)} with and without its source, and Cilium takes one of the two`;
    return invalid(scope, field(path, 'matchLabels'), reason, 'write it once');
  }
  const parts = new Parts();
  const wrong = readRequirements(written, parts);
  if (wrong !== undefined) return invalid(scope, wrong.steps.reduce<FieldPath>(field, path), wrong.reason, wrong.fix);
  return parts;
}

/** What a selector says, by whom it is about. */
class Parts implements Requirements {
  /** Labels of the namespace; undefined: no key is about it. */
  namespaces: Folded | undefined;
  pods: Folded | undefined;
  cluster: Folded | undefined;
  reserved: Reserved | undefined;
  keys = 0;
  /** Of all keys together. */
  values = 0;
  #ofKubernetes: Set<string> | undefined;

  /** A key without a source is of any source; text such as `$host` is no key (labels.IsValidCiliumLabelKey). */
  isKey(key: string): boolean {
    const colon = isFrom('k8s:', key) ? 3 : key.indexOf(':');
    return isLabelKey(key, colon + 1) && (colon < 0 || isSource(key, colon));
  }

  add(key: string, domain: Fold): void {
    this.keys++;
    this.values += domain.values.size;
    const isOfKubernetes = isFrom('k8s:', key);
    const isSourced = isOfKubernetes || isFrom('any:', key);
    const name = isSourced ? key.slice(4) : key;
    const label = name.startsWith('io.') ? namespaceLabel(name) : undefined;
    if (label !== undefined) {
      this.namespaces ??= new Folded();
      this.namespaces.add(label, domain);
    } else if (name === meshClusterLabel) {
      this.cluster ??= new Folded();
      this.cluster.add(meshClusterLabel, domain);
    } else if (!isSourced && key.startsWith('reserved:')) this.reserved ??= { key, domain };
    else {
      this.pods ??= new Folded();
      this.pods.add(isSourced || !key.includes(':') ? this.#plain(name, isOfKubernetes, this.pods) : key, domain);
    }
  }

  /**
   * Labels of one name and two sources need not be the same label: nothing follows from a contradiction of the two. The plain name is for
   * the source that is written first.
   */
  #plain(name: string, isOfKubernetes: boolean, { byLabel }: Folded): string {
    if (isOfKubernetes && !byLabel.has(name)) {
      this.#ofKubernetes ??= new Set();
      this.#ofKubernetes.add(name);
    }
    if ((this.#ofKubernetes?.has(name) ?? false) === isOfKubernetes) return name;
    return `${isOfKubernetes ? 'k8s' : 'any'}:${name}`;
  }
}

function contradictionIn(folded: Folded | undefined): string | undefined {
  return folded?.isNarrowed === true ? contradiction(folded.byLabel) : undefined;
}

/** As {@link String.startsWith}, and at less cost for keys without a source. */
function isFrom(source: 'k8s:' | 'any:', key: string): boolean {
  return key.charCodeAt(3) === 0x3a && key.startsWith(source);
}

/** Letters and digits before `end`, at least one. */
function isSource(key: string, end: number): boolean {
  for (let at = 0; at < end; at++) {
    const code = key.charCodeAt(at) | 0x20;
    const isDigit = key.charCodeAt(at) >= 0x30 && key.charCodeAt(at) <= 0x39;
    if (!isDigit && !(code >= 0x61 && code <= 0x7a)) return false;
  }
  return end > 0;
}

/**
 * A label that matchLabels holds as `app` and as `any:app`: Cilium makes one key of them, and which value stays depends on the order of a
 * map (NewESFromK8sLabelSelector).
 */
function writtenTwice(written: unknown): string | undefined {
  const matchLabels = isMap(written) ? written.matchLabels : undefined;
  if (!isMap(matchLabels)) return undefined;
  for (const key in matchLabels) {
    if (key.startsWith('any:') && Object.hasOwn(matchLabels, key.slice(4))) return key.slice(4);
  }
  return undefined;
}

/** The label of the namespace that a key is about; undefined: it is about the pod. */
function namespaceLabel(name: string): string | undefined {
  if (name === namespaceKey) return namespaceNameLabel;
  return name.startsWith(namespaceLabels) ? name.slice(namespaceLabels.length) : undefined;
}

/**
 * "The k8s prefix must not be added to reserved labels": neither namespace nor cluster is added then, whatever the operator.
 * Beside other keys, no example can be named that surely matches.
 */
function unscoped({ key, domain }: Reserved, isAlone: boolean, path: FieldPath, scope: DiagnosticScope): Diagnostic {
  const reason = `names ${excerpt(key)}; with a reserved label Cilium adds neither the own namespace nor the own cluster`;
  const fix = 'remove it, and select pods by their own labels and those of their namespace';
  const witness = isAlone ? whoHas(key.slice('reserved:'.length), domain) : undefined;
  if (witness === undefined) return diagnostic(scope, 'unproven', path, reason, fix);
  return { ...diagnostic(scope, 'escapes', path, reason, fix), witness };
}

/** Such labels have no values. */
function whoHas(name: string, { absent, finite, values }: Domain): string | undefined {
  if (absent) return 'a pod of any namespace, or any address';
  return isEntity(name) && values.has('') === finite ? `an endpoint with the reserved label ${name}` : undefined;
}

/** The clusters that are selected; undefined: they cannot be listed. */
function namesOf({ absent, finite, values }: Domain): readonly string[] | undefined {
  return absent || !finite || values.size === 0 || values.has('') ? undefined : [...values];
}

/** A cluster that is named takes the place of the own one. Whose a namespace of another cluster is, the labels of this one do not say. */
function inMesh(cluster: Selector, selectsNothing: boolean, path: FieldPath, scope: DiagnosticScope): Diagnostic {
  const fix = 'remove it: pods of the own cluster are selected without it';
  const other = witnessLabels(cluster).get(meshClusterLabel);
  if (selectsNothing || !other) return diagnostic(scope, 'unproven', path, namesCluster, fix);
  return {
    ...diagnostic(scope, 'escapes', path, namesCluster, fix),
    witness: `a pod of the cluster ${other} in the same mesh`,
  };
}
