/** Objects of the API, as a cluster lists them or files hold them -> a snapshot. */
import { baselineOf } from '../baseline/baseline.ts';
import type { JsonMap } from '../kubernetes/json.ts';
import type { AddressGroup } from '../reach/dialects/cilium/referred.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import { createMadeByOthers } from './made-by-others.ts';
import { createObjectReader, type SnapshotOptions } from './read-object.ts';
import { withReferences } from './references.ts';
import type {
  CalicoTier,
  MeshPolicy,
  Snapshot,
  SnapshotAddressSet,
  SnapshotNamespace,
  SnapshotPolicy,
  SnapshotService,
  Workload,
} from './snapshot.ts';

/** Kinds to which rules refer. */
const referredKinds = ['Service', 'CiliumCIDRGroup'] as const;

/** @param failed kinds of a cluster whose lists could not be read: the objects have none of them, or not all */
export function readSnapshot(
  objects: readonly JsonMap[],
  tenancy: Tenancy,
  options: SnapshotOptions,
  failed: ReadonlySet<string> = new Set(),
): Snapshot {
  const namespaces: SnapshotNamespace[] = [];
  const workloads: Workload[] = [];
  const services: SnapshotService[] = [];
  const policies = new Map<string, SnapshotPolicy>();
  const mesh: MeshPolicy[] = [];
  const sets = new Map<string, SnapshotAddressSet>();
  const groups = new Map<string, AddressGroup>();
  const tiers = new Map<string, CalicoTier>();
  const read = createObjectReader(tenancy, options);
  const add = (object: JsonMap): void => {
    const one = read(object);
    switch (one?.kind) {
      case 'namespace':
        namespaces.push(one.value);
        break;
      case 'workload':
        workloads.push(one.value);
        break;
      case 'service':
        services.push(one.value);
        break;
      case 'mesh':
        mesh.push(one.value);
        break;
      case 'set':
        sets.set(one.key, one.value);
        break;
      case 'group':
        groups.set(one.value.name, one.value);
        break;
      case 'policy':
        policies.set(one.key, one.value);
        break;
      case 'tier':
        tiers.set(one.name, one.value);
    }
  };
  const isMade = options.hasPods ? () => false : createMadeByOthers(objects);
  for (const object of objects) if (!isMade(object)) add(object);
  // Of policies that decide alike, the first one is named, whatever the order of the files.
  const written = options.hasPods ? [] : [...policies].sort(([one], [other]) => (one < other ? -1 : 1));
  for (const [key, policy] of written) {
    policies.delete(key);
    policies.set(key, policy);
  }
  if (options.withBaseline)
    for (const { name, labels } of namespaces) {
      const owner = tenancy.ownerByLabels(labels);
      if (owner === 'platform' || owner.mode !== 'enforce' || !tenancy.declares(owner)) continue;
      for (const object of baselineOf(name, owner, tenancy.settings))
        if (object.kind === 'NetworkPolicy') add({ ...object });
    }
  return withReferences(
    {
      ...{ namespaces, workloads, services, policies: [...policies.values()] },
      ...{ mesh, sets: [...sets.values()], groups: [...groups.values()], tiers },
    },
    options.hasPods && referredKinds.every((kind) => !failed.has(kind)),
  );
}
