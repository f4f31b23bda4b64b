/**
 * NetworkSet and GlobalNetworkSet of projectcalico.org/v3 and crd.projectcalico.org/v1 -> addresses with labels.
 *
 * A NetworkSet is in its namespace and has the labels of it, unless it has the same by itself; a GlobalNetworkSet is in none
 * (networksetprocessor.go, globalnetworksetprocessor.go, labelindex). Neither is selected as the subject of a policy.
 */
import { field } from '../../../kubernetes/field-path.ts';
import type { IpRange } from '../../../kubernetes/ip-range.ts';
import { normalise } from '../../../kubernetes/ip-set.ts';
import { isGiven, isMap } from '../../../kubernetes/json.ts';
import type { Policy } from '../../../kubernetes/objects.ts';
import type { AddressSet } from '../../address-set.ts';
import type { Unread } from '../../in-force.ts';
import { type Diagnostic, nameKey } from '../../model.ts';
import { readRangeOrAddress } from '../range.ts';
import { reachKey } from './parse-selector.ts';
import { flawIn, listAt, mapAt, type Place, unprovenAt, within } from './place.ts';
import { metadataAnnotation, storedMetadata } from './stored-metadata.ts';

const place: Place = { path: field(undefined, 'spec'), scope: { direction: 'egress', kind: 'ipBlock' } };
const specFields: ReadonlySet<string> = new Set(['nets', 'allowedEgressDomains']);

export function readAddressSet(set: Policy): AddressSet {
  const { spec, metadata }: { spec?: unknown; metadata?: unknown } = set;
  const unread: Unread[] = [];
  const add = ({ path, direction, verdict, reason }: Diagnostic): void =>
    void unread.push({ path, direction, verdict, reason });
  const ranges: IpRange[] = [];
  const flaw = flawIn(() => {
    if (!isGiven(spec)) return;
    const { nets, allowedEgressDomains } = mapAt(spec, specFields, 'a set of addresses', place);
    if (isGiven(allowedEgressDomains))
      add(unprovenAt(within(place, 'allowedEgressDomains'), 'has names, whose addresses change without this set', ''));
    // Calico leaves out the one that it cannot read, and takes the others.
    for (const [index, written] of listAt(nets, 'nets', place).entries()) {
      const at = within(within(place, 'nets'), index);
      const range = readRangeOrAddress(written, at.path, at.scope);
      if ('verdict' in range) add(range);
      else ranges.push(range);
    }
  });
  if (flaw !== undefined) add(flaw);
  const fields = isMap(metadata) ? metadata : {};
  const namespace = typeof fields.namespace === 'string' ? fields.namespace : '';
  const labels = [fields.labels, ...storedLabels(fields, add)].flatMap((one) => variantsOf(one, namespace));
  return { labels, addresses: normalise(ranges), unread };
}

/** Where crd.projectcalico.org has them. A list of either group may be of objects of the other. */
function storedLabels({ annotations }: Readonly<Record<string, unknown>>, add: (flaw: Diagnostic) => void) {
  if (!isMap(annotations) || !Object.hasOwn(annotations, metadataAnnotation)) return [];
  const stored = storedMetadata(annotations[metadataAnnotation]);
  if (stored !== undefined) return [stored.labels];
  const path = field(field(field(undefined, 'metadata'), 'annotations'), metadataAnnotation);
  add(unprovenAt({ ...place, path }, 'is not metadata in JSON as Calico writes it, so its labels are not known', ''));
  return [];
}

/** Several keys are the name of the namespace here, and its own labels may say another. */
function variantsOf(written: unknown, namespace: string): readonly ReadonlyMap<string, string>[] {
  const names = new Set(namespace === '' ? [] : [namespace]);
  const own = new Map<string, string>();
  for (const [label, value] of isMap(written) ? Object.entries(written) : []) {
    if (typeof value !== 'string') continue;
    const key = reachKey(label);
    if (key === nameKey) names.add(value);
    else own.set(key, value);
  }
  return names.size === 0 ? [own] : [...names].map((name) => new Map([...own, [nameKey, name]]));
}
