/**
 * Idle connections: requests after every gap from 1 to 130 seconds, over connections that the client keeps as the API server's does.
 * Go closes a connection that was idle for 90 s, opens one when there is none, and may open one that it does not need until later.
 *
 *   none fails          10,000 requests over 1,000 connections straight to a replica; bursts through the API server besides
 *   nobody is hurried   a server that closes a connection before the client does will one day close one that is just being used, and
 *                       the API server sends no review twice: so no such close at all
 *
 * `node test/soak/idle.ts [--requests 10000] [--longest 130]`: so many requests, so many seconds; about twelve minutes.
 * `--bare 72` asks a bare node:https server that closes after so many seconds instead: that must miss. Ends with 1 when something was missed.
 */
import { once } from 'node:events';
import { createServer } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';
import { parseArgs } from 'node:util';
import { issueAuthority, issueServerCertificate } from '../../src/certificates/issue-certificate.ts';
import type { ControlPlane } from '../apiserver/control-plane.ts';
import { policyValidate } from '../bench/scenarios.ts';
import { guardService } from './guarded-service.ts';
import { serviceName } from './manifests.ts';
import { requestOf } from './pinned.ts';
import { type Reply, replyReader } from './reply-reader.ts';
import { missedCounts } from './rollout.ts';
import { soakInNetwork } from './soak-network.ts';
import { conclude, table } from './table.ts';
import { since, type WebhookCounts, webhookCounts } from './webhook-counts.ts';

export interface IdleOptions {
  readonly connections: number;
  readonly requests: number;
  /** Seconds: the shortest gap, the longest, and after how long the client closes. */
  readonly shortest: number;
  readonly longest: number;
  readonly clientIdle: number;
}

export interface Target {
  readonly host: string;
  readonly port: number;
  readonly caBundle: string;
}

export interface IdleResult {
  readonly requests: number;
  /** What became of those that were not answered with 200. */
  readonly failed: readonly string[];
  /** Seconds for which connections were idle that the server closed before the client did. */
  readonly hurried: readonly number[];
  /** Connections that the client closed. */
  readonly closed: number;
  /** The gaps before requests, in seconds. */
  readonly gaps: readonly number[];
}

export interface ThroughResult {
  readonly requests: number;
  readonly failed: readonly string[];
  readonly counts: WebhookCounts;
}

export const full: IdleOptions = { connections: 1000, requests: 10_000, shortest: 1, longest: 130, clientIdle: 90 };
/** Through the API server, in seconds: around its own 90 s, and what servers are told to keep connections for. */
const gapsThrough = [30, 60, 72, 75, 89, 90, 91, 120];
const burst = 40;
const goldenRatio = 0.618_033_988_75;

/** What should have been otherwise. */
export function missedIdle(result: IdleResult, options: IdleOptions): string[] {
  const { requests, failed, hurried, gaps } = result;
  const missed: string[] = [];
  if (requests < options.requests) missed.push(`${requests} requests, not ${options.requests}`);
  if (failed.length > 0) missed.push(`${failed.length} requests failed, the first: ${failed[0]}`);
  if (hurried.length > 0)
    missed.push(`the server closed ${hurried.length} connections first, one after ${hurried[0]?.toFixed(1)} s`);
  const sorted = gaps.toSorted((one, other) => one - other);
  const widest = sorted.reduce((most, gap, index) => Math.max(most, gap - (sorted[index - 1] ?? options.shortest)), 0);
  // Even over the whole range, within what a hundred gaps would leave.
  const reaches = (sorted.at(-1) ?? 0) + widest >= options.longest;
  if (!reaches || widest > (options.longest - options.shortest) / Math.min(100, options.requests / 2))
    missed.push(`the gaps leave out up to ${widest.toFixed(1)} s, and end with ${sorted.at(-1)?.toFixed(1)} s`);
  return missed;
}

export function missedThrough({ requests, failed, counts }: ThroughResult): string[] {
  const missed = missedCounts(requests, counts);
  return failed.length === 0 ? missed : [...missed, `${failed.length} creates failed, the first: ${failed[0]}`];
}

/** Each connection has its own gaps, which together are even over the range, and its own turn. */
export async function idle(target: Target, options: IdleOptions): Promise<IdleResult> {
  const { connections, requests, shortest, longest, clientIdle } = options;
  const request = Buffer.from(requestOf(policyValidate, ''), 'base64');
  const each = Math.ceil(requests / connections);
  const failed: string[] = [];
  const hurried: number[] = [];
  const gaps: number[] = [];
  let closed = 0;

  async function run(slot: number): Promise<void> {
    // Not all handshakes at once.
    await sleep(slot * (Math.min(5, longest) / connections) * 1000);
    // Every other client opens its connections before it needs them.
    const eager = slot % 2 === 0;
    let line: Line | undefined = await openLine(target);
    for (let index = 0; index < each; index++) {
      const gap = shortest + (longest - shortest) * ((slot / connections + index * goldenRatio) % 1);
      const from = performance.now();
      while (performance.now() - from < gap * 1000) {
        const left = gap * 1000 - (performance.now() - from);
        if (line === undefined) {
          await sleep(left);
          continue;
        }
        const opened = line;
        const idleFor = clientIdle * 1000 - (performance.now() - opened.idleSince);
        const gone = await Promise.race([
          opened.ended.then(() => true),
          sleep(Math.max(0, Math.min(left, idleFor)), false),
        ]);
        const idleSeconds = (performance.now() - opened.idleSince) / 1000;
        if (gone) hurried.push(idleSeconds);
        else if (idleSeconds < clientIdle) continue;
        else closed++;
        opened.socket.destroy();
        line = eager ? await openLine(target) : undefined;
      }
      gaps.push(gap);
      try {
        line ??= await openLine(target);
        const reply = await ask(line, request);
        if (reply.status !== 200) failed.push(`after ${gap.toFixed(1)} s: ${reply.status}`);
      } catch (error) {
        failed.push(`after ${gap.toFixed(1)} s: ${error instanceof Error ? error.message : error}`);
        line?.socket.destroy();
        line = undefined;
      }
    }
    line?.socket.destroy();
  }
  await Promise.all(Array.from({ length: connections }, (_, slot) => run(slot)));
  return { requests: gaps.length, failed, hurried, closed, gaps };
}

interface Line {
  readonly socket: TLSSocket;
  readonly ended: Promise<void>;
  /** By `performance.now()`. */
  idleSince: number;
  replied: (reply: Reply) => void;
}

async function openLine({ host, port, caBundle }: Target): Promise<Line> {
  const socket = connect({ host, port, ca: caBundle, servername: serviceName, ALPNProtocols: ['http/1.1'] });
  await once(socket, 'secureConnect');
  socket.on('error', () => {});
  const ended = new Promise<void>((resolve) => {
    for (const event of ['end', 'close']) socket.once(event, () => resolve());
  });
  const line: Line = { socket, ended, idleSince: performance.now(), replied: () => {} };
  const read = replyReader((reply) => line.replied(reply));
  socket.on('data', read);
  return line;
}

async function ask(line: Line, request: Buffer): Promise<Reply> {
  const replied = new Promise<Reply>((resolve) => {
    line.replied = resolve;
  });
  line.socket.write(request);
  const lost = line.ended.then(() => Promise.reject(new Error('the connection ended without an answer')));
  const reply = await Promise.race([replied, lost]);
  line.idleSince = performance.now();
  lost.catch(() => {});
  return reply;
}

/** Bursts of creates with such gaps: the connections are those of the API server itself. */
export async function idleThrough(
  plane: ControlPlane,
  kubeconfig: string,
  gaps: readonly number[],
): Promise<ThroughResult> {
  const before = webhookCounts(await plane.metrics());
  const failed: string[] = [];
  let requests = 0;
  const policy = { metadata: { name: 'idle' }, spec: { podSelector: {} } };
  const path = '/apis/networking.k8s.io/v1/namespaces/acme-0/networkpolicies?dryRun=All';
  for (const gap of [0, ...gaps]) {
    await sleep(gap * 1000);
    const answers = Array.from({ length: burst }, () => plane.request('POST', path, policy, { kubeconfig }));
    for (const { status, text } of await Promise.all(answers)) {
      requests++;
      if (status !== 201) failed.push(`after ${gap} s: ${status} ${text}`);
    }
  }
  return { requests, failed, counts: since(before, webhookCounts(await plane.metrics())) };
}

/** @param keepAlive milliseconds */
export async function startBareServer(keepAlive: number): Promise<Target & { stop(): void }> {
  const authority = issueAuthority(Date.now());
  const pair = issueServerCertificate(authority, [serviceName], Date.now());
  const options = { cert: pair.certificate, key: pair.key, keepAliveTimeout: keepAlive };
  const server = createServer(options, (request, response) => {
    request.resume().on('end', () => response.writeHead(200, { 'Content-Length': 2 }).end('{}'));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server listens on no port');
  const stop = (): void => void server.close().closeAllConnections();
  return { host: '127.0.0.1', port: address.port, caBundle: authority.certificate, stop };
}

export function describeIdle({ requests, failed, hurried, closed, gaps }: IdleResult, through?: ThroughResult): string {
  return table([
    ['requests straight to the server', requests],
    ['  gaps', `${Math.min(...gaps).toFixed(1)} to ${Math.max(...gaps).toFixed(1)} s`],
    ['  failed', failed.length],
    ['  connections closed by the client', closed],
    ['  connections closed by the server first', hurried.length],
    ...(through === undefined
      ? []
      : [
          ['creates through the API server', through.requests],
          ['  failed', through.failed.length],
          ['  calls of the webhook', through.counts.requests],
          ['  calling_webhook_error', through.counts.callErrors],
          ['  fail_open_count', through.counts.failOpen],
        ]),
  ]);
}

async function idleReplica(plane: ControlPlane, options: IdleOptions): Promise<void> {
  const service = await guardService(plane, { replicas: 1 });
  try {
    const metadata = { name: 'acme-web', labels: { 'bulkhead.dev/tenant': 'acme' } };
    await plane.request('POST', '/api/v1/namespaces', { metadata });
    const [replica] = service.replicas.ready();
    const target = { host: replica?.address ?? '', port: 9443, caBundle: service.authority.certificate };
    const gaps = gapsThrough.filter((gap) => gap <= options.longest);
    const [result, through] = await Promise.all([idle(target, options), idleThrough(plane, service.kubeconfig, gaps)]);
    conclude(describeIdle(result, through), [
      ...missedIdle(result, options),
      ...missedThrough(through),
      ...service.replicas.wrong,
    ]);
  } finally {
    await service.stop();
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      requests: { type: 'string', default: String(full.requests) },
      longest: { type: 'string', default: String(full.longest) },
      bare: { type: 'string' },
    },
  });
  const requests = Number(values.requests);
  const options = { ...full, requests, longest: Number(values.longest), connections: Math.ceil(requests / 10) };
  if (values.bare === undefined) await soakInNetwork(import.meta.url, (plane) => idleReplica(plane, options));
  else {
    const bare = await startBareServer(Number(values.bare) * 1000);
    const result = await idle(bare, options);
    bare.stop();
    conclude(describeIdle(result), missedIdle(result, options));
  }
}
