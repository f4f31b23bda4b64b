/** `/livez`, `/readyz` and `/metrics`, for the kubelet and Prometheus. */
import type { Registry } from 'prom-client';
import { createPlainServer, type PlainServer, type PlainServerOptions, text } from './plain-server.ts';

/**
 * Alive is whatever can answer: what is only not ready must not be restarted.
 * @param unready why requests should not be sent here, one sentence each; empty when they should. Asked at each probe
 */
export function createHealthServer(unready: () => readonly string[], options: PlainServerOptions): PlainServer {
  return createPlainServer(
    new Map([
      ['/livez', () => ({ status: 200, type: text, body: 'ok\n' })],
      [
        '/readyz',
        () => {
          const reasons = unready();
          return reasons.length === 0
            ? { status: 200, type: text, body: 'ok\n' }
            : { status: 503, type: text, body: `${reasons.join('\n')}\n` };
        },
      ],
    ]),
    options,
  );
}

export function createMetricsServer(registry: Registry, options: PlainServerOptions): PlainServer {
  return createPlainServer(
    new Map([['/metrics', async () => ({ status: 200, type: registry.contentType, body: await registry.metrics() })]]),
    options,
  );
}
