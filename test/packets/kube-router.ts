/** kube-router for tests, built from its Go module. Only the part that enforces NetworkPolicies runs. */
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

export interface RunningKubeRouter {
  /** Resolves once the firewall enforces everything that the API server had stored before the call. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

/** A namespace of the platform, and a pod without a process. */
export const canary = { namespace: 'canary', pod: 'canary', address: '10.244.255.1' } as const;

const settleTimeoutInMilliseconds = 60_000;
const flags = [
  ...['--run-firewall=true', '--run-router=false', '--run-service-proxy=false', '--health-port=0'],
  // It rewrites its rules after an event only. While it rewrites them, rules of named ports can point to the wrong set.
  '--iptables-sync-period=24h',
  // Logs every event, and the begin and end of every rewrite.
  '--v=2',
];

/**
 * Enforces the NetworkPolicies of the cluster on the packets that this network namespace forwards. It ends with this process at the
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
   * kube-router watches namespaces, pods and policies, each in the order of the writes, and applies all that it knows at once. The
   * canary's policy opens traffic only to a pod and a namespace with the label of this round. So its rule appears after everything that
   * was written before. kube-router may then rewrite its rules once more, for the last event; the test waits for that, too.
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
    // The comment of a rule that exists only when both selectors match.
    const comment = `selected by policy name ${name} namespace ${namespace}"`;
    // During a rewrite, sets that rules refer to come and go, and the rules cannot be listed.
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
  /** Whether kube-router has applied every event that it has received. */
  isIdle(): boolean;
  /** The last lines, without the rules that kube-router prints after an error. */
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
 * A folder in which `iptables` is iptables-legacy. iptables-nft sends all rules in one message, and in a user namespace the kernel
 * refuses a message as long as the lab's rules.
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
