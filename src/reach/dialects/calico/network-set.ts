/**
 * NetworkSet of projectcalico.org/v3, and of crd.projectcalico.org/v1 -> Reach.
 *
 * Its addresses have its labels and those of its namespace, so every policy that selects pods by them selects the addresses too: those of
 * NetworkPolicies as well, and those of other tenants that select this one. So it is judged as a rule that opens them, both ways and on
 * every port. A label of its own goes before one of its namespace (felix/labelindex), by which it would be in another namespace.
 */
import { field } from '../../../kubernetes/field-path.ts';
import { normalise } from '../../../kubernetes/ip-set.ts';
import { excerpt, isGiven, isMap, type JsonMap } from '../../../kubernetes/json.ts';
import type { Policy } from '../../../kubernetes/objects.ts';
import { allPorts } from '../../../kubernetes/port-range.ts';
import type { Subject } from '../../model.ts';
import { type Diagnostic, diagnostic, type Reach } from '../../model.ts';
import { Found, type Limits } from '../found.ts';
import { rangesAt } from './entity.ts';
import { flawIn, mapAt, type Place, within, wrong } from './place.ts';
import { metadataAnnotation, storedMetadata } from './stored-metadata.ts';

const limits: Limits = { rules: 2, peers: 5000, ports: 2, excepts: 1, labels: 1, items: Number.POSITIVE_INFINITY };
const specFields: ReadonlySet<string> = new Set(['nets']);
const forged = ['pcns.', 'pcsa.', 'projectcalico.org/'];

export function readNetworkSet(set: Policy): Reach {
  const { spec: written }: { spec?: unknown } = set;
  const found = Found.within(limits);
  const { rules, diagnostics } = found;
  const place: Place = {
    path: field(undefined, 'spec'),
    scope: { direction: 'ingress', kind: 'selector' },
  };
  for (const one of forgedLabels(set, place)) found.add(one);
  const flaw = flawIn(() => {
    if (isGiven(written)) readNets(mapAt(written, specFields, 'a NetworkSet', place), place, found);
  });
  if (flaw !== undefined) found.add(flaw);
  return { rules, isolates: [], diagnostics };
}

function readNets(spec: JsonMap, place: Place, found: Found): void {
  const at: Place = { ...place, scope: { direction: 'ingress', kind: 'ipBlock' } };
  const count = Array.isArray(spec.nets) ? spec.nets.length : 0;
  const path = field(place.path, 'nets');
  if (!found.examines(count, found.left.peers, at.scope, path)) return;
  const nets = rangesAt(spec.nets, 'nets', at);
  if (nets.length === 0) return;
  const subject: Subject = { namespaces: undefined, pods: new Map(), path: field(undefined, 'metadata') };
  const peer = { kind: 'ipBlock', addresses: normalise(nets) } as const;
  for (const direction of ['ingress', 'egress'] as const)
    found.add({ action: 'allow', subject, direction, path, peer, ports: allPorts });
}

function forgedLabels(set: Policy, place: Place): readonly Diagnostic[] {
  const { metadata }: { metadata?: unknown } = set;
  if (!isMap(metadata)) return [];
  const at: Place = { ...place, path: field(undefined, 'metadata') };
  const own = forgedIn(metadata.labels, within(at, 'labels'));
  const { annotations } = metadata;
  const text =
    isMap(annotations) && Object.hasOwn(annotations, metadataAnnotation) ? annotations[metadataAnnotation] : undefined;
  if (text === undefined) return own;
  const annotation = within(within(at, 'annotations'), metadataAnnotation);
  const stored = storedMetadata(text);
  if (stored === undefined)
    return [...own, wrong(annotation, 'is not metadata in JSON as Calico writes it', 'remove the annotation')];
  return [...own, ...forgedIn(stored.labels, annotation)];
}

function forgedIn(labels: unknown, place: Place): readonly Diagnostic[] {
  if (!isMap(labels)) return [];
  const key = Object.keys(labels).find((one) => forged.some((prefix) => one.startsWith(prefix)));
  if (key === undefined) return [];
  const reason = `has the label ${excerpt(key)}, by which its addresses are taken for pods of another namespace`;
  const forgery = diagnostic(place.scope, 'escapes', place.path, reason, `remove the label ${key}`);
  return [{ ...forgery, witness: 'a policy of another tenant that selects pods by this label' }];
}
