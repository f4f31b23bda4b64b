import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/**
 * A user and network namespace in which every address of 10.0.0.0/23, the Services' range and a range for "pods", is
 * this machine itself. Nothing outside can be reached, and nothing outside sees it.
 */
const enterNamespace = ['--map-root-user', '--net', 'setpriv', '--pdeathsig', 'KILL', '/bin/sh', '-c'];
const makeNetwork = 'ip link set lo up && ip route add local 10.0.0.0/23 dev lo && exec "$@"';

/** The program that runs a command in a network of its own, and its arguments. The command ends with whoever started it. */
export function inNetworkNamespace(command: readonly string[]): readonly [program: string, programArguments: string[]] {
  return ['unshare', [...enterNamespace, makeNetwork, 'sh', ...command]];
}

/** Why no private network can be made here; `undefined` when one can. */
export async function whyUnavailable(): Promise<string | undefined> {
  try {
    await promisify(execFile)(...inNetworkNamespace(['true']));
    return undefined;
  } catch (error) {
    const detail = error instanceof Error ? error.message.trim().split('\n').at(-1) : String(error);
    return `needs Linux, user namespaces, unshare, setpriv and ip (${detail})`;
  }
}
