/**
 * What etcd has stored when the network definitions are installed. An API server that starts with them spends a third of the processor
 * time of one that is given them: it compiles each schema once, and not again at each step of its definition's way to be served.
 */
import { createHash, randomBytes } from 'node:crypto';
import { cp, mkdir, readFile, realpath, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Binaries } from './binaries.ts';
import { type ClusterTestOptions, clusterTest } from './cluster-test.ts';
import { startControlPlane } from './control-plane.ts';
import { cacheFolder, exists, withLock } from './go-program.ts';
import { guardFolder, killGuarded } from './guarded-process.ts';
import { installNetworkDefinitions } from './network-definitions.ts';

/** What the definitions are made of. */
const sources = [
  'network-definitions.ts',
  ...['definitions', '../engines/cilium', '../engines/istio'].flatMap((folder) => [
    `${folder}/go.mod`,
    `${folder}/go.sum`,
  ]),
];

/** A `clusterTest` whose API server has the network definitions from its start, as if `installNetworkDefinitions` had come first. */
export async function networkKindsTest(
  name: string,
  run: Parameters<typeof clusterTest>[1],
  options: ClusterTestOptions = {},
): Promise<void> {
  await clusterTest(name, run, { ...options, stored: storedNetworkDefinitions });
}

/** Made once, into the cache of the programs. */
async function storedNetworkDefinitions(binaries: Binaries): Promise<string> {
  const cache = cacheFolder('network-definitions');
  const target = join(cache, await cacheKey(binaries));
  if (await exists(target)) return target;
  await mkdir(cache, { recursive: true });
  await withLock(`${target}.lock`, async () => {
    if (!(await exists(target))) await store(binaries, target);
  });
  return target;
}

async function store(binaries: Binaries, target: string): Promise<void> {
  const temporary = `${target}.${randomBytes(6).toString('hex')}`;
  const guard = guardFolder(temporary);
  const plane = await startControlPlane({ binaries, controllers: false });
  try {
    await installNetworkDefinitions(plane);
    await plane.restartEtcd((data) => cp(data, temporary, { recursive: true }));
    await rename(temporary, target);
  } finally {
    await plane.stop();
    await killGuarded(guard);
  }
}

async function cacheKey({ kubeApiServer }: Binaries): Promise<string> {
  const program = await realpath(kubeApiServer);
  const { size, mtimeMs } = await stat(program);
  const hash = createHash('sha256').update(JSON.stringify([program, size, mtimeMs]));
  for (const source of sources) hash.update(await readFile(join(import.meta.dirname, source)));
  return hash.digest('hex').slice(0, 16);
}
