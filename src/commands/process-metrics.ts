/** Which version a replica is, and whether it takes requests, for Prometheus. */
import { Gauge, type Registry } from 'prom-client';
import { version } from './build.ts';

/** @param unready why requests should not be sent here: what readiness says, asked when it is scraped */
export function registerProcessMetrics(registry: Registry, unready: () => readonly string[]): void {
  const registers = [registry];
  new Gauge({
    name: 'bulkhead_build_info',
    help: 'Always 1: the version of Bulkhead that runs.',
    labelNames: ['version'],
    registers,
  }).set({ version }, 1);
  new Gauge({
    name: 'bulkhead_ready',
    help: 'Whether the replica takes requests, as /readyz says.',
    registers,
    collect() {
      this.set(unready().length === 0 ? 1 : 0);
    },
  });
}
