/** Whether a private network on this machine can have a firewall. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Missing } from '../apiserver/go-program.ts';
import { inNetworkNamespace } from '../apiserver/network-namespace.ts';

/** A set, and a rule of each kind that kube-router writes. A command that fails is printed. */
const trial = [
  'iptables-legacy --list --numeric',
  'ipset create trial hash:ip timeout 0',
  'iptables-legacy --append FORWARD --match set --match-set trial src --jump REJECT',
  'iptables-legacy --append FORWARD --match conntrack --ctstate INVALID --jump DROP',
  'iptables-legacy --append FORWARD --match physdev --physdev-is-bridged --jump ACCEPT',
  'iptables-legacy --append FORWARD --jump NFLOG --nflog-group 100',
]
  .map((command) => `${command} || { echo '${command}' >&2; exit 1; }`)
  .join('\n');

/** Undefined: nothing is missing. */
export async function firewallTools(): Promise<Missing | undefined> {
  try {
    await promisify(execFile)(...inNetworkNamespace(['/bin/sh', '-c', trial]));
    return undefined;
  } catch (error) {
    const detail = error instanceof Error ? error.message.trim().split('\n').at(-1) : String(error);
    return { missing: `needs Linux, user namespaces, iptables-legacy and ipset (failed: ${detail})` };
  }
}
