/** kube-router for tests, of which only the part that enforces NetworkPolicies runs: built from its Go module. */
import { type ChildProcess, execFile } from 'node:child_process';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { ControlPlane } from '../apiserver/control-plane.ts';
import { type Built, buildOnce, type GoProgram, type Missing } from '../apiserver/go-program.ts';
import { hasEnded, killGuarded, spawnGuarded } from '../apiserver/guarded-process.ts';

const module = 'github.com/cloudnativelabs/kube-router/v2';

const program: GoProgram = {
  sources: join(import.meta.dirname, 'kube-router'),
  cacheName: 'kube-router',
  name: 'kube-router',
  from: { module, title: 'kube-router' },
  stamps: [`${module}/pkg/version.Version`],
  complete: async () => {},
};

/** @throws when the build fails */
export function findKubeRouter(): Promise<Built | Missing> {
  return buildOnce(program);
}

/** kube-router that runs, and the way to wait for it. */
export interface RunningKubeRouter {
  /** Resolves once the firewall goes by everything that the API server had answered before the call. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

/** Where the canaries live: a namespace of the platform, and a pod that is an object only. */
export const canary = { namespace: 'canary', pod: 'canary', address: '10.244.255.1' } as const;

const settleTimeoutInMilliseconds = 60_000;
const flags = [
  ...['--run-firewall=true', '--run-router=false', '--run-service-proxy=false', '--health-port=0'],
  // It goes by what it hears, and never in between: while it writes rules anew, those of named ports do not fit their sets.
  '--iptables-sync-period=24h',
  // Tells of every event, and when it begins and ends to write rules.
  '--v=2',
];

/**
 * Enforces the NetworkPolicies of the cluster on the packets that this network namespace forwards, until this process ends at the
 * latest. The namespace and the pod of the canary must exist, and the node with its address.
 */
export async function startKubeRouter(
  plane: ControlPlane,
  { folder }: Built,
  node: string,
): Promise<RunningKubeRouter> {
  const tools = await legacyTables(plane.directory);
  const child = spawnGuarded(
    join(folder, program.name),
    [...flags, `--kubeconfig=${plane.adminKubeconfig}`, `--hostname-override=${node}`],
    { env: { PATH: `${tools}:${process.env.PATH}`, HOME: plane.directory } },
  );
  child.unref();
  const log = followLog(child);

  let round = 0;
  /**
   * kube-router hears of namespaces, pods and policies by three watches, each in the order of the writes, and brings everything that it
   * has heard into the firewall at once. So a policy that only opens to a pod and a namespace with a label of this very round is there
   * after everything that was written before. After that it may go over the rules once more, for the last event; that is awaited, too.
   */
  async function settled(): Promise<void> {
    const { namespace, pod } = canary;
    const policies = `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`;
    if (round > 0) await request(plane, 'DELETE', `${policies}/round-${round}`);
    round++;
    const name = `round-${round}`;
    const label = { 'packets/round': String(round) };
    const merge = { contentType: 'application/merge-patch+json' };
    const selector = { matchLabels: label };
    await request(plane, 'PATCH', `/api/v1/namespaces/${namespace}`, { metadata: { labels: label } }, merge);
    await request(
      plane,
      'PATCH',
      `/api/v1/namespaces/${namespace}/pods/${pod}`,
      { metadata: { labels: label } },
      merge,
    );
    await request(plane, 'POST', policies, {
      metadata: { name },
      spec: { podSelector: selector, ingress: [{ from: [{ namespaceSelector: selector, podSelector: selector }] }] },
    });
    // The comment of a rule that exists only where both selectors have found what they select.
    const comment = `selected by policy name ${name} namespace ${namespace}"`;
    // While it works, sets that rules name come and go, and the rules cannot be listed.
    await until(async () => log.isIdle() && (await firewallRules()).includes(comment) && log.isIdle(), name);
  }

  async function until(happened: () => Promise<boolean>, what: string): Promise<void> {
    for (const deadline = Date.now() + settleTimeoutInMilliseconds; !(await happened()); await sleep(25)) {
      if (hasEnded(child)) throw new Error(`kube-router has ended\n${log.end()}`);
      if (Date.now() > deadline) throw new Error(`kube-router does not bring ${what} into the firewall\n${log.end()}`);
    }
  }

  return { settled, stop: () => killGuarded(child) };
}

interface Log {
  /** Whether kube-router has brought every event that it has heard of into the firewall. */
  isIdle(): boolean;
  /** Its last lines, without the rules that it prints after an error. */
  end(): string;
}

function followLog(child: ChildProcess): Log {
  let state: 'idle' | 'event' | 'working' | 'event while working' = 'event';
  const end: string[] = [];
  if (child.stderr === null) throw new Error('kube-router is started with a pipe');
  child.stdout?.resume();
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (!/^[IWEF]\d{4} /.test(line)) return;
    end.push(line);
    if (end.length > 30) end.shift();
    if (line.includes('] Received ')) state = state.endsWith('working') ? 'event while working' : 'event';
    else if (line.includes('] Starting sync of iptables ')) state = 'working';
    else if (line.includes('] sync iptables took ')) state = state === 'working' ? 'idle' : 'event';
  });
  return { isIdle: () => state === 'idle', end: () => end.join('\n') };
}

/**
 * A folder in which `iptables` is the one of the old kernel interface. That of nftables sends all rules as one message, which outside of
 * the machine's own user namespace may not be as long as the lab's rules are.
 */
async function legacyTables(directory: string): Promise<string> {
  const folder = join(directory, 'iptables');
  await mkdir(folder);
  for (const end of ['', '-save', '-restore']) {
    const { stdout } = await promisify(execFile)('/bin/sh', ['-c', `command -v iptables-legacy${end}`]);
    await symlink(stdout.trim(), join(folder, `iptables${end}`));
  }
  return folder;
}

async function firewallRules(): Promise<string> {
  const { stdout } = await promisify(execFile)('iptables-legacy-save', ['--table', 'filter'], { maxBuffer: 2 ** 26 });
  return stdout;
}

async function request(plane: ControlPlane, ...parameters: Parameters<ControlPlane['request']>): Promise<void> {
  const { status, body } = await plane.request(...parameters);
  if (status >= 300) throw new Error(`${parameters[0]} ${parameters[1]}: ${status} ${JSON.stringify(body)}`);
}

if (import.meta.main) {
  const found = await findKubeRouter();
  if ('missing' in found) {
    process.stderr.write(`${found.missing}\n`);
    process.exitCode = 1;
  }
}
