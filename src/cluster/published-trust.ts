/** Keeps the time since when all registrations have named an authority. */
import { certificatesIn } from '../certificates/authorities.ts';
import type { Published } from '../certificates/published.ts';
import type { Clock } from './clock.ts';
import { bundleTextOf, type Registration } from './registrations.ts';

export interface PublishedTrust {
  /** To be called after every change. */
  read(registrations: readonly Registration[]): void;
  /** Undefined before the first reading. */
  current(): Published | undefined;
}

export function createPublishedTrust(clock: Clock): PublishedTrust {
  const since = new Map<string, number>();
  /** A caBundle is parsed once. */
  const parsed = new Map<string, readonly string[]>();
  let current: Published | undefined;

  return {
    read(registrations) {
      const bundles = registrations.flatMap(({ webhooks }) => webhooks.map(bundleTextOf));
      for (const known of parsed.keys()) if (!bundles.includes(known)) parsed.delete(known);
      const named = bundles.map((bundle) => {
        const certificates = parsed.get(bundle) ?? certificatesIn(bundle);
        parsed.set(bundle, certificates);
        return certificates;
      });
      const [first = [], ...others] = named;
      const byAll = new Set(first.filter((one) => others.every((bundle) => bundle.includes(one))));
      for (const known of since.keys()) if (!byAll.has(known)) since.delete(known);
      for (const one of byAll) if (!since.has(one)) since.set(one, clock.now());
      current = {
        registered: named.some((bundle) => bundle.length > 0),
        authorities: [...new Set(named.flat())],
        trustedFor(authority) {
          const start = since.get(authority);
          return start === undefined ? undefined : clock.now() - start;
        },
      };
    },
    current: () => current,
  };
}
