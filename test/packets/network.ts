/**
 * A router and the parties around it. The network namespace of this process is the router. Each party is a process in a network
 * namespace of its own, joined to the router by a veth pair. The router forwards every packet between two parties through its firewall.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { killGuarded, spawnGuarded } from '../apiserver/guarded-process.ts';
import type { Answer, Probe, Reply, Request } from './probe.ts';

/** On the router's end of every pair. Link-local, so that it is no address of any party. */
const gateway = '169.254.1.1';

const routerSettings = {
  'net/ipv4/ip_forward': 1,
  'net/ipv4/conf/all/rp_filter': 0,
  'net/ipv4/conf/default/rp_filter': 0,
  // A rejection is always sent, never rate-limited: it distinguishes a closed connection from a slow one.
  'net/ipv4/icmp_ratemask': 0,
} as const;

/** These exist once a firewall rule asks for the state of a connection. */
const trackingSettings = {
  // Shorter than the time after which a party uses a source port again.
  'net/netfilter/nf_conntrack_udp_timeout': 5,
  'net/netfilter/nf_conntrack_udp_timeout_stream': 5,
} as const;

/** Of Node: a party keeps next to nothing, and there are many. */
const smallHeap = ['--max-semi-space-size=1', '--max-old-space-size=32'];

export interface Party {
  readonly name: string;
  readonly address: string;
  /** Answers come in the order of the probes. Call it again only after it has answered. */
  probe(probes: readonly Probe[]): Promise<readonly Answer[]>;
}

export interface Network {
  /** The address of the router itself, as the node of a cluster has one. */
  readonly routerAddress: string;
  /** @param ports on which each member answers with its name, by TCP and UDP */
  join(
    members: readonly { readonly name: string; readonly address: string }[],
    ports: readonly number[],
  ): Promise<readonly Party[]>;
  stop(): Promise<void>;
}

/** @throws where the network namespace may not be configured */
export async function createNetwork(routerAddress: string): Promise<Network> {
  await writeSettings(routerSettings);
  await configure(undefined, [
    // In a private network for tests this range is the machine itself; here it has parties.
    'route del local 10.0.0.0/23 dev lo',
    `addr add ${routerAddress}/32 dev lo`,
  ]);
  const children: ChildProcess[] = [];
  return {
    routerAddress,
    async join(members, ports) {
      const joined = members.map((member, index) => ({ member, link: `party${children.length + index}` }));
      return await Promise.all(
        joined.map(async ({ member, link }) => {
          const program = join(import.meta.dirname, 'party.ts');
          const command = ['--net', process.execPath, ...smallHeap, program, member.name, ports.join(',')];
          const child = spawnGuarded('unshare', command, { input: 'pipe', env: { PATH: process.env.PATH } });
          child.unref();
          children.push(child);
          return await connect(child, link, member);
        }),
      );
    },
    async stop() {
      await Promise.all(children.map(killGuarded));
    },
  };
}

async function connect(
  child: ChildProcess,
  link: string,
  { name, address }: { readonly name: string; readonly address: string },
): Promise<Party> {
  const replies = createReplies(child, name);
  await replies.next();
  await configure(undefined, [
    `link add ${link} type veth peer name eth0 netns ${child.pid}`,
    `addr add ${gateway}/32 dev ${link}`,
    `link set ${link} up`,
    `route add ${address}/32 dev ${link}`,
  ]);
  await configure(child.pid, [
    'link set lo up',
    `addr add ${address}/32 dev eth0`,
    'link set eth0 up',
    `route add ${gateway} dev eth0`,
    `route add default via ${gateway} dev eth0`,
  ]);
  child.stdin?.write('\n');
  await replies.next();
  return {
    name,
    address,
    async probe(probes) {
      const request: Request = { probes };
      child.stdin?.write(`${JSON.stringify(request)}\n`);
      const reply = await replies.next();
      if (!('answers' in reply)) throw new Error(`${name}: ${'failure' in reply ? reply.failure : reply.state}`);
      return reply.answers.map((answer) => answer ?? undefined);
    },
  };
}

/** Shortens what connection tracking remembers. Call it once the firewall has rules. */
export async function shortenConnectionTracking(): Promise<void> {
  await writeSettings(trackingSettings);
}

async function writeSettings(settings: Readonly<Record<string, number>>): Promise<void> {
  for (const [path, value] of Object.entries(settings)) await writeFile(`/proc/sys/${path}`, String(value));
}

function createReplies(child: ChildProcess, name: string): { next(): Promise<Reply> } {
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  child.stdin?.on('error', () => {});
  if (child.stdout === null) throw new Error('a party is started with a pipe');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async next() {
      const { value, done } = await lines.next();
      if (done) throw new Error(`${name} has ended\n${errors}`);
      return JSON.parse(value) as Reply;
    },
  };
}

/** Runs commands of `ip` in the network namespace of a process, or in this one. */
async function configure(pid: number | undefined, commands: readonly string[]): Promise<void> {
  const program = pid === undefined ? ['ip'] : ['nsenter', `--net=/proc/${pid}/ns/net`, 'ip'];
  const [first = '', ...rest] = program;
  const child = spawn(first, [...rest, '-batch', '-'], { stdio: ['pipe', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  child.stdin.end(`${commands.join('\n')}\n`);
  const [code]: (number | null)[] = await once(child, 'close');
  if (code !== 0) throw new Error(`ip: ${errors}`);
}
