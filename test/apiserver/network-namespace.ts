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
