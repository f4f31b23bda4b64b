/** Keeps the time since when all webhook configurations have named an authority, and a path. */
import type { Observed } from '../certificates/observed.ts';
import type { Clock } from '../client/clock.ts';
import type { WebhookConfiguration } from './webhook-configuration.ts';

export function createObserved(clock: Clock) {
  const bundled = createAgreement(clock);
  const called = createAgreement(clock);
  let current: Observed | undefined;

  return {
    /** To be called after every change. */
    read(configurations: readonly WebhookConfiguration[]): void {
      const webhooks = configurations.flatMap(({ own }) => own);
      const named = webhooks.map(({ authorities }) => authorities);
      const paths = webhooks.map(({ segment }) => (segment === undefined ? [] : [segment]));
      bundled.read(named);
      called.read(paths);
      current = {
        hasBundle: named.some((bundle) => bundle.length > 0),
        authorities: [...new Set(named.flat())],
        inBundlesFor: bundled.heldFor,
        paths: [...new Set(paths.flat())].sort(),
        pathNamedFor: called.heldFor,
      };
    },
    /** Undefined before the first reading. */
    current: () => current,
  };
}

/** Since when something has been in each of several lists. */
function createAgreement(clock: Clock) {
  const since = new Map<string, number>();
  return {
    read([first = [], ...others]: readonly (readonly string[])[]): void {
      const inAll = new Set(first.filter((one) => others.every((list) => list.includes(one))));
      for (const known of since.keys()) if (!inAll.has(known)) since.delete(known);
      for (const one of inAll) if (!since.has(one)) since.set(one, clock.now());
    },
    /** Milliseconds; undefined: one of them does not have it. */
    heldFor(one: string): number | undefined {
      const start = since.get(one);
      return start === undefined ? undefined : clock.now() - start;
    },
  };
}
