/**
 * What a question about two ends needs of a snapshot: the namespaces in which they are. A policy with a namespace is about pods there alone,
 * and peers are matched by what is asked about, so nothing else counts.
 */
import { contains, intersect } from '../kubernetes/ip-set.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import { addressOf, kindOf } from './endpoints.ts';
import { addressesOf } from './read-pod.ts';
import { serviceNameOf } from './service-name.ts';
import type { Snapshot } from './snapshot.ts';

/** @param ends as they are written, without their ports */
export function narrowed(snapshot: Snapshot, ends: readonly string[], namespace: string, tenancy: Tenancy): Snapshot {
  const names = new Set(ends.flatMap((end) => namesOf(end, namespace, snapshot, tenancy)));
  // Sets of addresses are matched by labels of their namespaces too.
  const ofSets = new Set(snapshot.sets?.map(({ ref }) => ref.namespace));
  return {
    ...snapshot,
    namespaces: snapshot.namespaces.filter(({ name }) => names.has(name) || ofSets.has(name)),
    workloads: snapshot.workloads.filter((one) => names.has(one.namespace)),
    policies: snapshot.policies.filter(({ ref }) => ref.namespace === '' || names.has(ref.namespace)),
  };
}

/** More than are needed does no harm. */
function namesOf(
  end: string,
  namespace: string,
  { namespaces, workloads, services }: Snapshot,
  tenancy: Tenancy,
): readonly string[] {
  const range = addressOf(end);
  if (range !== undefined)
    return [
      ...workloads.filter((one) => intersect(addressesOf(one), [range]).length > 0),
      ...services.filter(({ addresses }) => contains(addresses, [range])),
    ].map((one) => one.namespace);
  const [first = '', second, third] = end.split('/');
  if (third !== undefined) return [second ?? ''];
  if (second === undefined) return [namespace, serviceNameOf(first)?.namespace ?? namespace];
  const kind = kindOf(first);
  if (kind === 'tenant')
    return namespaces
      .filter(({ labels }) => {
        const owner = tenancy.ownerByLabels(labels);
        return owner !== 'platform' && owner.name === second;
      })
      .map(({ name }) => name);
  return kind === 'namespace' ? [first, second] : [first];
}
