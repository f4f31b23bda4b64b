/**
 * Stands between a client and the API server, speaks plain HTTP on loopback, and does what networks and servers do: it resets
 * connections, lets them go silent without a word, cuts answers off in the middle of a line, and says 429 and 410.
 */
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { ControlPlane } from '../apiserver/control-plane.ts';

/** To one open watch, or to the next request. */
export const faults = ['reset', 'silence', 'half a line', 'busy', 'gone', 'gone in the watch'] as const;
export type Fault = (typeof faults)[number];

export interface FaultProxy {
  readonly url: string;
  /** Does this to one of the open watches, or to the next request; `which` chooses, at least 0 and less than 1. */
  inflict(fault: Fault, which: number): void;
  /** How often each fault met something. */
  readonly inflicted: Readonly<Record<Fault, number>>;
  /** How often the API server itself said that history is gone. */
  gone(): number;
  stop(): Promise<void>;
}

interface OpenWatch {
  readonly response: ServerResponse;
  muted: boolean;
  /** The next line is cut in half. */
  halve: boolean;
}

export async function startFaultProxy(plane: ControlPlane): Promise<FaultProxy> {
  const { users } = JSON.parse(await readFile(plane.adminKubeconfig, 'utf8'));
  const [{ user }] = users;
  const decode = (data: string): Buffer => Buffer.from(data, 'base64');
  const identity = {
    ca: plane.caCertificate,
    cert: decode(user['client-certificate-data']),
    key: decode(user['client-key-data']),
  };
  const watches = new Set<OpenWatch>();
  const inflicted = Object.fromEntries(faults.map((fault) => [fault, 0])) as Record<Fault, number>;
  let gone = 0;
  let next: 'busy' | 'gone' | undefined;

  function forward(incoming: IncomingMessage, response: ServerResponse): void {
    const type = incoming.headers['content-type'];
    const outgoing = httpsRequest(
      {
        ...{ host: '127.0.0.1', port: plane.port, method: incoming.method, path: incoming.url, ...identity },
        headers: { accept: 'application/json', ...(type !== undefined && { 'content-type': type }) },
      },
      (answer) => {
        const status = answer.statusCode ?? 502;
        if (status === 410) gone++;
        response.writeHead(status, { 'content-type': answer.headers['content-type'] ?? 'application/json' });
        response.flushHeaders();
        const watch: OpenWatch = { response, muted: false, halve: false };
        if (incoming.url?.includes('watch=1')) watches.add(watch);
        answer.on('data', (chunk: Buffer) => {
          if (watch.muted || response.writableEnded) return;
          if (/"type":"ERROR".*"code":410\b/.test(chunk.toString('latin1'))) gone++;
          if (!watch.halve) response.write(chunk);
          else {
            inflicted['half a line']++;
            watches.delete(watch);
            response.end(chunk.subarray(0, Math.max(1, chunk.length - 20)));
            outgoing.destroy();
          }
        });
        answer.on('end', () => {
          watches.delete(watch);
          if (!watch.muted) response.end();
        });
        answer.on('error', () => response.socket?.destroy());
        response.on('close', () => watches.delete(watch));
      },
    );
    outgoing.on('error', () => response.socket?.destroy());
    response.on('close', () => outgoing.destroy());
    incoming.pipe(outgoing);
  }

  const http = createServer((incoming, response) => {
    // A watch meets the faults of watches alone.
    const fault = incoming.url?.includes('watch=1') ? undefined : next;
    if (fault !== undefined) next = undefined;
    if (fault === undefined) return forward(incoming, response);
    inflicted[fault]++;
    const status = fault === 'busy' ? 429 : 410;
    response.writeHead(status, { 'content-type': 'application/json', ...(fault === 'busy' && { 'retry-after': '1' }) });
    response.end(
      JSON.stringify({ kind: 'Status', code: status, reason: fault === 'busy' ? 'TooManyRequests' : 'Expired' }),
    );
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));

  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    inflicted,
    gone: () => gone,
    inflict(fault, which) {
      if (fault === 'busy' || fault === 'gone') next = fault;
      const healthy = [...watches].filter(({ muted }) => !muted);
      const watch = healthy[Math.floor(which * healthy.length)];
      // A refusal of the next request is only met when there is one.
      if (watch === undefined) return;
      if (fault === 'half a line') watch.halve = true;
      else if (fault === 'silence') {
        inflicted[fault]++;
        watch.muted = true;
      } else {
        watches.delete(watch);
        if (fault === 'gone in the watch') {
          inflicted[fault]++;
          const object = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' };
          watch.response.end(`${JSON.stringify({ type: 'ERROR', object })}\n`);
        } else {
          if (fault === 'reset') inflicted[fault]++;
          watch.response.socket?.resetAndDestroy();
        }
      }
    },
    async stop() {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}
