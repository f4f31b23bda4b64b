/** `/livez`, `/readyz` and `/metrics`, for the kubelet and Prometheus. */
import type { Registry } from 'prom-client';
import { createPlainServer, type Page, type PlainServer, type PlainServerOptions } from './plain-server.ts';

/** Sentences, asked for at each probe. */
export interface Health {
  /** Why requests should not be sent here; empty when they should. */
  unready(): readonly string[];
  /** Problems for the administrator while requests are answered. Every client in the cluster may read them. */
  notes(): readonly string[];
}

/**
 * Alive is whatever can answer: what is only not ready must not be restarted. `/readyz?verbose` has a line for each reason and note, as
 * that of the API server has one for each of its checks.
 */
export function createHealthServer({ unready, notes }: Health, options: PlainServerOptions): PlainServer {
  const alive = (): Page => ({ body: 'ok\n' });
  const ready = (query: URLSearchParams): Page => {
    const reasons = unready();
    const isReady = reasons.length === 0;
    if (!query.has('verbose')) return isReady ? alive() : { status: 503, body: `${reasons.join('\n')}\n` };
    const lines = [
      ...(isReady ? ['[+]ready ok'] : reasons.map((reason) => `[-]ready failed: ${reason}`)),
      ...notes().map((note) => `[!]${note}`),
      `readyz check ${isReady ? 'passed' : 'failed'}`,
    ];
    return { status: isReady ? 200 : 503, body: `${lines.join('\n')}\n` };
  };
  const pages = { '/livez': alive, '/readyz': ready };
  return createPlainServer(new Map(Object.entries(pages)), options);
}

export function createMetricsServer(registry: Registry, options: PlainServerOptions): PlainServer {
  const metrics = async (): Promise<Page> => ({ type: registry.contentType, body: await registry.metrics() });
  return createPlainServer(new Map([['/metrics', metrics]]), options);
}
