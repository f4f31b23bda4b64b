/** A tenant that may have as many namespaces as it likes, for measurements with many of them. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import tap from 'tap';
import { readTenancy } from '../../src/files/read-tenancy.ts';
import type { Tenancy } from '../../src/tenancy/tenancy.ts';
import { findBinaries } from '../apiserver/binaries.ts';
import { type ControlPlane, type ControlPlaneOptions, startControlPlane } from '../apiserver/control-plane.ts';
import { type GuardedCluster, guard } from '../e2e/guarded-cluster.ts';
import { tenant } from './crowd-tenant.ts';

const config = 'manifests/overlays/example/bulkhead.yaml';

export interface Crowd extends GuardedCluster {
  readonly tenancy: Tenancy;
}

/**
 * No controllers: without the ServiceAccount admission plugin a pod can be created in the very instant of its namespace, where it
 * would otherwise be refused until the account of its namespace exists.
 */
export const withoutControllers: ControlPlaneOptions = { controllers: false };

/** Bulkhead in front of a control plane, with that tenant alone. */
export async function guardCrowd(plane: ControlPlane): Promise<Crowd> {
  const tenants = join(plane.directory, 'crowd');
  await mkdir(tenants);
  await writeFile(join(tenants, 'acme.yaml'), tenant);
  const tenancy = await readTenancy({ tenants, config });
  if (!tenancy.ok) throw new Error('the tenant of the crowd cannot be read');
  return { ...(await guard(plane, tenants)), tenancy: tenancy.value };
}

/** Runs with a control plane of its own, and ends it whatever happens. */
export async function withCrowd<Result>(run: (cluster: Crowd) => Promise<Result>): Promise<Result> {
  // No test runs here, but what starts Bulkhead for tests brings tap along, and its clock.
  tap.setTimeout(0);
  const binaries = await findBinaries();
  if ('missing' in binaries) throw new Error(binaries.missing);
  const plane = await startControlPlane({ binaries, ...withoutControllers });
  try {
    const cluster = await guardCrowd(plane);
    try {
      return await run(cluster);
    } finally {
      await cluster.stop();
    }
  } finally {
    await plane.stop();
  }
}
