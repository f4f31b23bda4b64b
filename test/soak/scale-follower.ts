/** One Bulkhead that follows a cluster, in a process of its own, so that its memory is its own. Reports to its parent. */
import { connectCluster } from '../../src/cluster/connect-cluster.ts';
import { silent } from './observer.ts';
import { largeTenancy } from './recorded-cluster.ts';

export interface FollowerReport {
  /** Milliseconds from the start of following until everything is known. */
  readonly readyMilliseconds: number;
  /** Bytes. */
  readonly residentAtReady: number;
  readonly residentAtRest: number;
  readonly heapAtRest: number;
  readonly objects: number;
  readonly applied: number;
}

const [kubeconfig, restMilliseconds] = process.argv.slice(2);
const tenancy = largeTenancy();
const startedAt = performance.now();
const cluster = await connectCluster({
  kubeconfig,
  environment: {},
  log: silent,
  tenancy: () => tenancy,
  reconcile: true,
});
await cluster.synced;
const readyMilliseconds = performance.now() - startedAt;
const residentAtReady = process.memoryUsage.rss();
await new Promise((resolve) => setTimeout(resolve, Number(restMilliseconds)));
const { rss, heapUsed } = process.memoryUsage();
const { watches, baselines } = cluster.counters();
const report: FollowerReport = {
  readyMilliseconds,
  residentAtReady,
  residentAtRest: rss,
  heapAtRest: heapUsed,
  objects: watches.reduce((sum, { objects }) => sum + objects, 0),
  applied: (baselines?.baseline.applied ?? 0) + (baselines?.baseline.waiting ?? 0),
};
process.send?.(report);
await cluster.stop();
process.disconnect?.();
