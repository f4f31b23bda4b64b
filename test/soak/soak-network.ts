/** Runs a measurement in a network of its own, where replicas have addresses and the API server finds them through their Service. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { findBinaries } from '../apiserver/binaries.ts';
import { type ControlPlane, type ControlPlaneOptions, startControlPlane } from '../apiserver/control-plane.ts';
import { inNetworkNamespace } from '../apiserver/network-namespace.ts';

/** Of kube-apiserver: a webhook's Service is called at the addresses of its EndpointSlices, as where no kube-proxy runs. */
export const routing = '--enable-aggregator-routing=true';

const insideVariable = 'BULKHEAD_SOAK_NETWORK';

/**
 * Starts the program once more inside such a network, with a control plane there, and ends as it ends.
 *
 * @param file the program's own `import.meta.url`
 * @param options of the control plane
 */
export async function soakInNetwork(
  file: string,
  run: (plane: ControlPlane) => Promise<void>,
  options: ControlPlaneOptions = { apiServerFlags: [routing] },
): Promise<void> {
  // Built out here if need be, as inside nothing can be downloaded.
  const binaries = await findBinaries();
  if ('missing' in binaries) throw new Error(binaries.missing);
  if (process.env[insideVariable] === undefined) {
    const command = [process.execPath, ...process.execArgv, fileURLToPath(file), ...process.argv.slice(2)];
    const child = spawn(...inNetworkNamespace(command), {
      env: { ...process.env, [insideVariable]: 'yes' },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const [code]: (number | null)[] = await once(child, 'exit');
    process.exitCode = code ?? 1;
    return;
  }
  const plane = await startControlPlane({ binaries, controllers: false, ...options });
  try {
    await run(plane);
  } finally {
    await plane.stop();
  }
}
