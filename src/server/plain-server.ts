/** A few fixed pages over plain HTTP, on a port of their own: for probes and scrapers inside the cluster, which know nothing of our certificate. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Page {
  readonly status: number;
  readonly type: string;
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

export const text = 'text/plain; charset=utf-8';

/** @param pages by path, for GET and HEAD; one that rejects is answered with 500 */
export function createPlainServer(
  pages: ReadonlyMap<string, () => Page | Promise<Page>>,
  { host, port }: PlainServerOptions,
): PlainServer {
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000 }, (request, response) => {
    show(request.method ?? '', request.url ?? '')
      .catch((): Page => ({ status: 500, type: text, body: 'This page could not be made.\n' }))
      .then(({ status, type, body }) => {
        // A probe must never see an answer that somebody kept.
        response.writeHead(status, {
          'Content-Type': type,
          'Content-Length': Buffer.byteLength(body),
          'Cache-Control': 'no-store',
        });
        response.end(request.method === 'HEAD' ? undefined : body);
      });
  });

  async function show(method: string, url: string): Promise<Page> {
    const [path = ''] = url.split('?');
    const page = pages.get(path);
    if (page === undefined)
      return { status: 404, type: text, body: `There is nothing here but ${[...pages.keys()].join(' and ')}.\n` };
    if (method !== 'GET' && method !== 'HEAD') return { status: 405, type: text, body: `${path} takes GET.\n` };
    return page();
  }

  return {
    listen() {
      return new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen({ host, port }, () => {
          server.off('error', reject);
          const address = server.address();
          if (address === null || typeof address === 'string')
            reject(new Error(`${host} is not an IP address or host name`));
          else resolve(address);
        });
      });
    },
    close() {
      return new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}
