/** Follows collections of a control plane, for measurements: what is told, and when. */
import { systemClock } from '../../src/client/clock.ts';
import { createConnection } from '../../src/client/connection.ts';
import { kubeconfigAuthentication } from '../../src/client/kubeconfig.ts';
import { type Handler, type ListWatch, startListWatch } from '../../src/client/list-watch.ts';
import type { Log } from '../../src/client/log.ts';

const ignore = (): void => {};
export const silent: Log = { info: ignore, warn: ignore, error: ignore };

export interface Observer {
  /** Resolves when what exists was told. */
  follow(path: string, handler: Partial<Handler>): Promise<ListWatch>;
  stop(): Promise<void>;
}

export function observe(kubeconfig: string): Observer {
  const authentication = kubeconfigAuthentication({ kind: 'kubeconfig', path: kubeconfig });
  const connection = createConnection(authentication, systemClock);
  const watches: ListWatch[] = [];
  return {
    async follow(path, { changed = ignore, removed = ignore }) {
      const handler = { changed, removed };
      const watch = startListWatch({ connection, path, handler, clock: systemClock, log: silent });
      watches.push(watch);
      await watch.synced;
      return watch;
    },
    async stop() {
      await Promise.all(watches.map((watch) => watch.stop()));
      connection.close();
    },
  };
}

/** What a default-deny is, said once more: what is measured is not asked what it takes for one. */
const everythingClosed = JSON.stringify({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] });

/** The uid of the namespace that this NetworkPolicy closes; undefined when it does not. */
export function uidOfIsolatedNamespace(policy: object): string | undefined {
  const { metadata, spec } = policy as {
    readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
    readonly spec: unknown;
  };
  const closes = metadata.name === 'bulkhead-default-deny' && JSON.stringify(spec) === everythingClosed;
  return closes ? metadata.annotations?.['bulkhead.dev/namespace-uid'] : undefined;
}

/** Waits until it is true, without any promise of how soon. It asks ever less often: each question costs the API server some milliseconds. */
export async function eventually(what: string, isTrue: () => boolean | Promise<boolean>, seconds = 60): Promise<void> {
  const end = performance.now() + seconds * 1000;
  for (let pause = 10; !(await isTrue()); pause = Math.min(pause * 1.5, 200)) {
    if (performance.now() > end) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

/** The value below which so large a share of the values is; the values are sorted on the way. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
