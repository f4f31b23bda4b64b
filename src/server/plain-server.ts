/**
 * A few fixed pages over plain HTTP, on a port of their own: for probes and scrapers inside the cluster, which know nothing of our certificate.
 * Two more servers of fastify would add 11 ms of processor time to a start.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Page {
  /** Default: 200. */
  readonly status?: number;
  /** Default: plain text. */
  readonly type?: string;
  readonly body: string;
}

export interface PlainServer {
  /** Rejects when the address cannot be listened on. */
  listen(): Promise<AddressInfo>;
  /** Cuts what is open: probes and scrapers come again. */
  close(): Promise<void>;
}

export interface PlainServerOptions {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
}

/** @param pages by path, for GET and HEAD; one that rejects is answered with 500 */
export function createPlainServer(
  pages: ReadonlyMap<string, (query: URLSearchParams) => Page | Promise<Page>>,
  { host, port }: PlainServerOptions,
): PlainServer {
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000 }, async (request, response) => {
    const found = show(request.method ?? '', request.url ?? '');
    const page = await found.catch((): Page => ({ status: 500, body: 'This page could not be made.\n' }));
    const { status = 200, type = 'text/plain; charset=utf-8', body } = page;
    // A probe must never see a cached answer.
    const headers = { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body), 'Cache-Control': 'no-store' };
    response.writeHead(status, headers).end(request.method === 'HEAD' ? undefined : body);
  });

  async function show(method: string, url: string): Promise<Page> {
    const [path = '', ...query] = url.split('?');
    const page = pages.get(path);
    if (page === undefined)
      return { status: 404, body: `There is nothing here but ${[...pages.keys()].join(' and ')}.\n` };
    if (method !== 'GET' && method !== 'HEAD') return { status: 405, body: `${path} takes GET.\n` };
    return page(new URLSearchParams(query.join('?')));
  }

  return {
    async listen() {
      await once(server.listen({ host, port }), 'listening');
      const address = server.address();
      if (address === null || typeof address === 'string') throw new Error(`${host} is not an IP address or host name`);
      return address;
    },
    async close() {
      const closed = once(server.close(), 'close');
      server.closeAllConnections();
      await closed;
    },
  };
}
