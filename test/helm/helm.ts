/** Helm for tests, built from its Go modules: both major versions that people use. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Output } from '../apiserver/control-plane.ts';
import { thriftyGo } from '../apiserver/go-environment.ts';
import { buildOnce, type GoProgram, type Missing } from '../apiserver/go-program.ts';

export type HelmVersion = 3 | 4;

export const helmVersions: readonly HelmVersion[] = [3, 4];

function program(version: HelmVersion): GoProgram {
  const module = `helm.sh/helm/v${version}`;
  return {
    sources: import.meta.dirname,
    package: `${module}/cmd/helm`,
    cacheName: `helm-${version}`,
    name: 'helm',
    from: { module, title: 'Helm' },
    stamps: [`${module}/internal/version.version`],
    complete: async () => {},
  };
}

/** @throws when the build fails */
export async function findHelm(version: HelmVersion): Promise<{ readonly path: string } | Missing> {
  const built = await buildOnce(program(version));
  return 'missing' in built ? built : { path: join(built.folder, 'helm') };
}

/** Runs Helm to its end. It knows nothing of the caller's own kubeconfig, plugins and caches. */
export type Helm = (helmArguments: readonly string[], kubeconfig?: string) => Promise<Output>;

/** @throws when it is not there */
export async function openHelm(version: HelmVersion, teardown: (end: () => Promise<void>) => void): Promise<Helm> {
  const found = await findHelm(version);
  if ('missing' in found) throw new Error(found.missing);
  const home = await mkdtemp(join(tmpdir(), 'bulkhead-helm-'));
  teardown(() => rm(home, { recursive: true, force: true }));
  return (helmArguments, kubeconfig) =>
    new Promise((resolve) => {
      const env = {
        PATH: process.env.PATH,
        HOME: home,
        ...thriftyGo,
        ...(kubeconfig && { KUBECONFIG: kubeconfig }),
      };
      const options = { env, timeout: 120_000, maxBuffer: 2 ** 26 };
      execFile(found.path, helmArguments, options, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
        resolve({ code, stdout, stderr });
      });
    });
}

if (import.meta.main) {
  for (const version of helmVersions) {
    const found = await findHelm(version);
    if ('missing' in found) {
      process.stderr.write(`${found.missing}\n`);
      process.exitCode = 1;
    }
  }
}
