/** Namespaces of files whose label names another owner than their name is reserved to. Only the platform may create such a namespace. */
import { printable } from '../admission/message.ts';
import { isMap, type JsonMap, valueAt } from '../kubernetes/json.ts';
import type { StringMap } from '../kubernetes/objects.ts';
import type { Owner, Tenancy } from '../tenancy/tenancy.ts';

/** @returns sentences: the snapshot takes the label for true, so the answer holds only where the platform applies the file */
export function claimedNames(objects: readonly JsonMap[], tenancy: Tenancy): readonly string[] {
  const { tenantLabel } = tenancy.settings;
  return objects.flatMap((object) => {
    const [name, labels] = [valueAt(object, 'metadata', 'name'), valueAt(object, 'metadata', 'labels')];
    if (object.kind !== 'Namespace' || typeof name !== 'string' || !isMap(labels)) return [];
    const [reserved, label] = [tenancy.reservation(name), labels[tenantLabel]];
    if (reserved === undefined || label === undefined) return [];
    if (nameOf(tenancy.ownerByLabels(labels as StringMap)) === nameOf(reserved)) return [];
    const text = `Namespace ${name} has the label ${tenantLabel}=${String(label)}, and its name is reserved to ${nameOf(reserved)}: correct the label or the name`;
    return [printable(text)];
  });
}

function nameOf(owner: Owner): string {
  return owner === 'platform' ? 'the platform' : owner.name;
}
