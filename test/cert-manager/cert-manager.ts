/** cert-manager for tests: its definitions and its own controllers, built from its Go module. */
import { copyFile, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { ControlPlane } from '../apiserver/control-plane.ts';
import { buildOnce, type GoProgram, type Missing, runGo } from '../apiserver/go-program.ts';
import { killGuarded, spawnGuarded } from '../apiserver/guarded-process.ts';

const module = 'github.com/cert-manager/cert-manager';
const definitions = ['certificates', 'certificaterequests', 'issuers', 'clusterissuers'];
const fileOf = (definition: string): string => `cert-manager.io_${definition}.yaml`;

const program: GoProgram = {
  sources: import.meta.dirname,
  cacheName: 'cert-manager',
  name: 'cert-manager',
  from: { module, title: 'cert-manager' },
  stamps: [`${module}/pkg/util.AppVersion`],
  async complete(folder) {
    const source = (await runGo(import.meta.dirname, ['list', '-m', '-f', '{{.Dir}}', module])).trim();
    for (const definition of definitions)
      await copyFile(join(source, 'deploy', 'crds', fileOf(definition)), join(folder, fileOf(definition)));
  },
};

export interface CertManager {
  /** Holds the program and the definitions. */
  readonly folder: string;
}

/** @throws when the build fails */
export async function findCertManager(): Promise<CertManager | Missing> {
  const built = await buildOnce(program);
  return typeof built === 'string' ? { folder: built } : built;
}

/**
 * Installs the definitions and runs the controllers, who may do everything, until the control plane's own end at the latest.
 *
 * @throws when the API server does not take the definitions
 */
export async function startCertManager(
  plane: ControlPlane,
  { folder }: CertManager,
): Promise<{ stop(): Promise<void> }> {
  const files = definitions.map((definition) => `--filename=${join(folder, fileOf(definition))}`);
  for (const command of [
    ['apply', '--server-side', ...files],
    ['wait', '--for=condition=Established', ...files, '--timeout=20s'],
  ]) {
    const { code, stderr } = await plane.kubectl(plane.adminKubeconfig, command);
    if (code !== 0) throw new Error(stderr);
  }
  const log = await open(join(plane.directory, 'cert-manager.log'), 'w');
  const child = spawnGuarded(join(folder, program.name), [plane.adminKubeconfig], {
    env: { HOME: plane.directory },
    output: log.fd,
  });
  await log.close();
  return { stop: () => killGuarded(child) };
}

if (import.meta.main) {
  const found = await findCertManager();
  if ('missing' in found) throw new Error(found.missing);
}
