/** Keeps the time since when all registrations have named an authority, and a path. */
import { certificatesIn } from '../certificates/authorities.ts';
import type { Published } from '../certificates/published.ts';
import type { Clock } from '../client/clock.ts';
import { bundleTextOf, pathNamedBy, type Registration } from './registrations.ts';

export interface PublishedTrust {
  /** To be called after every change. */
  read(registrations: readonly Registration[]): void;
  /** Undefined before the first reading. */
  current(): Published | undefined;
}

export function createPublishedTrust(clock: Clock): PublishedTrust {
  const trusted = createAgreement(clock);
  const called = createAgreement(clock);
  /** A caBundle is parsed once. */
  const parsed = new Map<string, readonly string[]>();
  let current: Published | undefined;

  return {
    read(registrations) {
      const webhooks = registrations.flatMap((registration) => registration.webhooks);
      const bundles = webhooks.map(bundleTextOf);
      for (const known of parsed.keys()) if (!bundles.includes(known)) parsed.delete(known);
      const named = bundles.map((bundle) => {
        const certificates = parsed.get(bundle) ?? certificatesIn(bundle);
        parsed.set(bundle, certificates);
        return certificates;
      });
      const paths = webhooks.map((webhook) => [pathNamedBy(webhook)].filter((path) => path !== undefined));
      trusted.read(named);
      called.read(paths);
      current = {
        registered: named.some((bundle) => bundle.length > 0),
        authorities: [...new Set(named.flat())],
        trustedFor: trusted.heldFor,
        paths: [...new Set(paths.flat())].sort(),
        pathNamedFor: called.heldFor,
      };
    },
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
