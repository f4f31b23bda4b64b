/** Everything that `bulkhead doctor` looks at, in the order of its page. */
import { advisories } from './advisories.ts';
import { appliedBackstop } from './applied-backstop.ts';
import { certificates } from './certificates.ts';
import type { DoctorCheck, FindingKind } from './check.ts';
import { ciliumMesh } from './cilium-mesh.ts';
import { clock } from './clock.ts';
import { clusterPolicy } from './cluster-policy.ts';
import { configuration } from './configuration.ts';
import { dns } from './dns.ts';
import { installation } from './installation.ts';
import { laterMutations } from './later-mutations.ts';
import { meshMutualTls } from './mesh-mutual-tls.ts';
import { namespaces } from './namespaces.ts';
import { networkPlugin } from './network-plugin.ts';
import { ranges } from './ranges.ts';
import { rights } from './rights.ts';
import { webhooks } from './webhooks.ts';

export const checks: readonly DoctorCheck[] = [
  networkPlugin,
  ciliumMesh,
  advisories,
  webhooks,
  laterMutations,
  certificates,
  ranges,
  dns,
  clusterPolicy,
  meshMutualTls,
  rights,
  configuration,
  namespaces,
  installation,
  clock,
  appliedBackstop,
];

/** @throws where two checks have one id */
export function findingKinds(): ReadonlyMap<string, FindingKind> {
  const kinds = new Map<string, FindingKind>();
  for (const [id, kind] of checks.flatMap(({ findings }) => Object.entries(findings))) {
    if (kinds.has(id)) throw new Error(`two checks have the id ${id}`);
    kinds.set(id, kind);
  }
  return kinds;
}
