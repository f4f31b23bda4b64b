/** `/livez`, `/readyz` and `/metrics`, for the kubelet and Prometheus. */
import type { Registry } from 'prom-client';
import { createPlainServer, type Page, type PlainServer, type PlainServerOptions } from './plain-server.ts';

/**
 * Alive is whatever can answer: what is only not ready must not be restarted.
 * @param unready why requests should not be sent here, one sentence each; empty when they should. Asked at each probe
 */
export function createHealthServer(unready: () => readonly string[], options: PlainServerOptions): PlainServer {
  const alive = (): Page => ({ body: 'ok\n' });
  const ready = (): Page => {
    const reasons = unready();
    return reasons.length === 0 ? alive() : { status: 503, body: `${reasons.join('\n')}\n` };
  };
  const pages = { '/livez': alive, '/readyz': ready };
  return createPlainServer(new Map(Object.entries(pages)), options);
}

export function createMetricsServer(registry: Registry, options: PlainServerOptions): PlainServer {
  const metrics = async (): Promise<Page> => ({ type: registry.contentType, body: await registry.metrics() });
  return createPlainServer(new Map([['/metrics', metrics]]), options);
}
