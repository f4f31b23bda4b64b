/** One NetworkPolicyPeer of networking.k8s.io/v1 -> an allow rule, or a diagnostic that says why it is none. */
import { type FieldPath, field } from '../../kubernetes/field-path.ts';
import type { IpRange } from '../../kubernetes/ip-range.ts';
import { contains, type IpSet, normalise, subtract } from '../../kubernetes/ip-set.ts';
import { excerpt, isGiven, isMap, unknownField } from '../../kubernetes/json.ts';
import { contradiction, domainFor, type Selector, witnessLabels } from '../../kubernetes/label-selector.ts';
import { meshClusterLabel, namespaceNameLabel } from '../../kubernetes/objects.ts';
import { parseSelector } from '../../kubernetes/parse-selector.ts';
import type { Port } from '../../kubernetes/port-range.ts';
import type { Direction } from '../../tenancy/tenant.ts';
import {
  type AllowRule,
  type Diagnostic,
  type DiagnosticScope,
  diagnostic,
  everyPod,
  invalid,
  type Subject,
} from '../model.ts';
import { possibleNames } from '../namespace-name.ts';
import { valuesPerLabel } from './found.ts';
import { readRange } from './range.ts';

const peerFields: ReadonlySet<string> = new Set(['podSelector', 'namespaceSelector', 'ipBlock']);
const blockFields: ReadonlySet<string> = new Set(['cidr', 'except']);

/**
 * Keys that Cilium does not take for labels of the pod: the cluster of a mesh, the namespace, and labels of the namespace. It
 * merges both selectors of a peer into one map, where such a key in the podSelector takes the place of what namespaceSelector
 * says (cilium/cilium pkg/k8s/network_policy.go, parseNetworkPolicyPeer).
 */
function isForeign(key: string): boolean {
  return key.startsWith('io.cilium.') || key.startsWith('io.kubernetes.pod.');
}

/**
 * The first key of a selector of pods that Cilium may replace by what it says itself. What such a selector requires may be gone then,
 * so that even one that contradicts itself selects pods.
 */
export function foreignKeyOf(selector: Selector): string | undefined {
  for (const key of selector.keys()) if (isForeign(key)) return key;
  return undefined;
}

/** What is said of the peers of one direction. */
export interface PeerScopes {
  readonly direction: Direction;
  readonly bySelector: DiagnosticScope;
  readonly byAddress: DiagnosticScope;
}

/**
 * `null` is "not given" and `{}` is "all of them". podSelector alone: pods of the policy's own namespace. Together with
 * namespaceSelector: both must match. ipBlock: "If this field is set then neither of the other fields can be." None of the
 * three is refused by the API.
 */
export function readPeer(
  peer: unknown,
  path: FieldPath,
  { direction, bySelector, byAddress }: PeerScopes,
  ports: readonly Port[],
  subject: Subject,
): AllowRule | Diagnostic {
  if (!isMap(peer)) return invalid(bySelector, path, `${excerpt(peer)} is not a peer`, 'write podSelector: {}');
  const { podSelector, namespaceSelector, ipBlock } = peer;
  const unknown = unknownField(peer, peerFields);
  if (unknown !== undefined) {
    const reason = `${excerpt(unknown)} is not a field of a peer that is understood`;
    const fix = 'write podSelector, namespaceSelector or ipBlock';
    return invalid(isGiven(ipBlock) ? byAddress : bySelector, path, reason, fix);
  }
  if (isGiven(ipBlock)) {
    if (isGiven(podSelector) || isGiven(namespaceSelector)) {
      const reason = 'has an ipBlock beside a selector, and the two exclude each other';
      return invalid(byAddress, path, reason, 'make two peers of them');
    }
    const blockPath = field(path, 'ipBlock');
    const addresses = readIpBlock(ipBlock, blockPath, byAddress);
    return 'verdict' in addresses
      ? addresses
      : { action: 'allow', subject, direction, path: blockPath, peer: { kind: 'ipBlock', addresses }, ports };
  }
  if (!isGiven(podSelector) && !isGiven(namespaceSelector)) {
    const reason = 'names no podSelector, namespaceSelector or ipBlock';
    return invalid(bySelector, path, reason, 'write podSelector: {} for the pods of this namespace');
  }
  const podsPath = field(path, 'podSelector');
  const namespacesPath = field(path, 'namespaceSelector');
  const most = isGiven(namespaceSelector) ? valuesPerLabel : Number.POSITIVE_INFINITY;
  const pods = isGiven(podSelector) ? readSelector(podSelector, podsPath, bySelector, most) : everyPod;
  const namespaces = isGiven(namespaceSelector)
    ? readSelector(namespaceSelector, namespacesPath, bySelector, most)
    : undefined;
  // What is not understood outweighs what matches nothing.
  if ('verdict' in pods) return pods;
  if (namespaces !== undefined && 'verdict' in namespaces) return namespaces;
  const dead = (namespaces && deadIn(namespaces, namespacesPath, bySelector)) ?? deadIn(pods, podsPath, bySelector);
  // Before what matches nothing: with what is replaced, the contradiction may be gone, also that of the namespaceSelector.
  const key = foreignKeyOf(pods);
  if (key !== undefined) {
    const reason = `names ${excerpt(key)}, with which Cilium selects pods of other namespaces and clusters`;
    const fix = 'remove it, and select namespaces with namespaceSelector';
    const selectsNothing = dead !== undefined || (namespaces !== undefined && !canSelectNamespace(namespaces));
    const cluster = selectsNothing ? undefined : clusterOf(pods);
    if (cluster === undefined) return diagnostic(bySelector, 'unproven', podsPath, reason, fix);
    // Whose a namespace of another cluster is, the labels of this one do not say.
    const witness = `a pod of the cluster ${cluster} in the same mesh`;
    return { ...diagnostic(bySelector, 'escapes', podsPath, reason, fix), witness, cluster };
  }
  if (dead !== undefined) return dead;
  const said = namespaces === undefined ? podsPath : namespacesPath;
  return { action: 'allow', subject, direction, path: said, peer: { kind: 'selector', namespaces, pods }, ports };
}

function readSelector(written: unknown, path: FieldPath, scope: DiagnosticScope, most: number): Selector | Diagnostic {
  const selector = parseSelector(written);
  if (!selector.ok) {
    return invalid(scope, selector.steps.reduce<FieldPath>(field, path), selector.reason, selector.fix);
  }
  for (const [label, { values }] of selector.value) {
    if (values.size <= most) continue;
    const reason = `lists ${values.size} values of the label ${label}, and only ${most} are examined`;
    return diagnostic(scope, 'unproven', path, reason, 'list fewer values, or make several peers of it');
  }
  return selector.value;
}

/** A selector that contradicts itself matches nothing. */
function deadIn(selector: Selector, path: FieldPath, scope: DiagnosticScope): Diagnostic | undefined {
  const contradictory = contradiction(selector);
  if (contradictory === undefined) return undefined;
  const reason = `matches nothing, as no value of the label ${contradictory} meets all its requirements`;
  return diagnostic(scope, 'nothing', path, reason, { id: 'correct-requirements', label: contradictory });
}

/** The other cluster of the mesh that the selector names. Undefined when another key of Cilium's also decides what it selects. */
function clusterOf(pods: Selector): string | undefined {
  for (const key of pods.keys()) if (isForeign(key) && key !== meshClusterLabel) return undefined;
  // The empty name means the own cluster.
  return witnessLabels(pods).get(meshClusterLabel) || undefined;
}

/** Whether some namespace can match: in another cluster too, every namespace has its name as a label. */
function canSelectNamespace(namespaces: Selector): boolean {
  return possibleNames(domainFor(namespaces, namespaceNameLabel))?.length !== 0;
}

/** "Except values will be rejected if they are outside the cidr range": inside it, of its family, and not the whole of it. */
function readIpBlock(block: unknown, path: FieldPath, scope: DiagnosticScope): IpSet | Diagnostic {
  if (!isMap(block))
    return invalid(scope, path, `${excerpt(block)} is not an ipBlock`, 'write a map with cidr and except');
  const unknown = unknownField(block, blockFields);
  if (unknown !== undefined) {
    const reason = `${excerpt(unknown)} is not a field of an ipBlock that is understood`;
    return invalid(scope, path, reason, 'write cidr and except');
  }
  const cidr = readRange(block.cidr, field(path, 'cidr'), scope);
  if ('verdict' in cidr) return cidr;
  const excepts = block.except;
  if (!isGiven(excepts)) return [cidr];
  const exceptsPath = field(path, 'except');
  if (!Array.isArray(excepts))
    return invalid(scope, exceptsPath, `${excerpt(excepts)} is not a list of ranges`, 'write a list of ranges');
  const holes: IpRange[] = [];
  for (const [index, written] of excepts.entries()) {
    const at = field(exceptsPath, index);
    const hole = readRange(written, at, scope);
    if ('verdict' in hole) return hole;
    if (!contains([cidr], [hole]) || (hole.first === cidr.first && hole.last === cidr.last)) {
      const reason = `${excerpt(written)} is not a part of ${excerpt(block.cidr)} smaller than the whole`;
      return invalid(scope, at, reason, 'write a smaller range inside cidr, or remove it');
    }
    holes.push(hole);
  }
  const addresses = subtract([cidr], normalise(holes));
  if (addresses.length > 0) return addresses;
  const reason = 'matches nothing, as except leaves no address of cidr';
  return diagnostic(scope, 'nothing', path, reason, { id: 'remove-peer' });
}
