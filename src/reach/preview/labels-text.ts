/** Labels of one side of a box, in as few words as a warning has room for. */
import { type Domain, domainFor, type Selector } from '../../kubernetes/label-selector.ts';
import { namespaceNameLabel } from '../../kubernetes/objects.ts';
import { listedBy } from '../listed.ts';
import type { Place } from './boxes-of-policy.ts';

const mostShown = 3;

/** `app=web and no team`; empty where every label fits. */
export function labelsText(labels: Selector): string {
  const said = [...labels].filter(([, { absent, finite, values }]) => !absent || finite || values.size > 0);
  return listedBy(said, ([key, domain]) => labelText(key, domain), mostShown);
}

function labelText(key: string, { absent, finite, values }: Domain): string {
  const some = [...values].slice(0, mostShown).map((value) => (value === '' ? '""' : value));
  const text = `${some.join('|')}${values.size > mostShown ? '|...' : ''}`;
  if (finite && values.size === 0) return `no ${key}`;
  if (finite) return `${key}=${text}${absent ? ' or none' : ''}`;
  if (values.size === 0) return key;
  return absent ? `${key}!=${text}` : `${key} but not ${text}`;
}

/** `this namespace`, `namespaces with team=a`, `every namespace`. */
export function namespacesText(labels: Selector, { namespace }: Place): string {
  const name = domainFor(labels, namespaceNameLabel);
  if (!name.absent && name.finite && name.values.size === 1 && name.values.has(namespace)) return 'this namespace';
  const said = labelsText(labels);
  return said === '' ? 'every namespace' : `namespaces with ${said}`;
}
