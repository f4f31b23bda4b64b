/** cert-manager for tests: its definitions and its own controllers, built from its Go module. */
import { cp, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { ControlPlane } from '../apiserver/control-plane.ts';
import { type Built, buildOnce, type GoProgram, type Missing, runGo } from '../apiserver/go-program.ts';
import { killGuarded, spawnGuarded } from '../apiserver/guarded-process.ts';

const module = 'github.com/cert-manager/cert-manager';
/** Those of the controllers of main.go. */
const definitions = ['certificates', 'certificaterequests', 'issuers', 'clusterissuers'];

const program: GoProgram = {
  sources: import.meta.dirname,
  cacheName: 'cert-manager',
  name: 'cert-manager',
  from: { module, title: 'cert-manager' },
  stamps: [`${module}/pkg/util.AppVersion`],
  async complete(folder) {
    const source = (await runGo(import.meta.dirname, ['list', '-m', '-f', '{{.Dir}}', module])).trim();
    await cp(join(source, 'deploy', 'crds'), join(folder, 'crds'), { recursive: true });
  },
};

/** @throws when the build fails */
export function findCertManager(): Promise<Built | Missing> {
  return buildOnce(program);
}

export interface RunningCertManager {
  /** The file that it writes its log into. */
  readonly log: string;
  stop(): Promise<void>;
}

/**
 * Installs the definitions and runs the controllers, who may do everything, until this process ends at the latest.
 *
 * @throws when the API server does not take the definitions
 */
export async function startCertManager(plane: ControlPlane, { folder }: Built): Promise<RunningCertManager> {
  const files = definitions.map(
    (definition) => `--filename=${join(folder, 'crds', `cert-manager.io_${definition}.yaml`)}`,
  );
  for (const command of [
    ['apply', '--server-side', ...files],
    ['wait', '--for=condition=Established', ...files, '--timeout=20s'],
  ]) {
    const { code, stderr } = await plane.kubectl(plane.adminKubeconfig, command);
    if (code !== 0) throw new Error(stderr);
  }
  const log = join(plane.directory, 'cert-manager.log');
  const output = await open(log, 'w');
  const child = spawnGuarded(join(folder, program.name), [plane.adminKubeconfig], {
    env: { HOME: plane.directory },
    output: output.fd,
  });
  await output.close();
  return { log, stop: () => killGuarded(child) };
}

if (import.meta.main) {
  const found = await findCertManager();
  if ('missing' in found) {
    process.stderr.write(`${found.missing}\n`);
    process.exitCode = 1;
  }
}
