/**
 * Certificates from files, for example of cert-manager, which reach one replica sooner than another. Replicas share nothing but the
 * webhook configurations, so each adds its own authorities to those of the others there, and removes the ones that none of its files
 * has named for a day.
 */
import type { VouchedPair } from '../certificates/key-pair.ts';
import { pathToName } from '../certificates/paths.ts';
import type { Wanted } from './ca-bundle.ts';
import {
  type CertificateLimits,
  type CertificateTools,
  certificateLimits,
  createCertificateParts,
  type ReplicaCertificates,
} from './certificates.ts';
import type { WebhookConfiguration } from './webhook-configuration.ts';

export type { VouchedPair };

export interface FileCertificates extends ReplicaCertificates {
  /** The files have changed. */
  offer(changed: VouchedPair): void;
}

export function keepFileCertificates(
  tools: CertificateTools,
  first: VouchedPair,
  partial?: Partial<CertificateLimits>,
): FileCertificates {
  const { clock } = tools;
  const limits = { ...certificateLimits, ...partial };
  let files = first;
  /** The segments that are answered: none, and those that API servers may know from replicas that created certificates themselves. */
  let paths: readonly string[] = [''];
  let cancel = (): void => {};

  function expected(configuration: WebhookConfiguration): Wanted {
    // Replicas that create certificates themselves may still run, and only they answer at another path.
    const path = pathToName({ path: '', previousPaths: paths }, configuration.segment, paths.slice(1), false);
    return { authorities: files.authorities, path };
  }

  const { bundles, served } = createCertificateParts(tools, limits, {
    expected,
    confirmed: async (configuration) => expected(configuration),
    changed() {
      // They stay: an API server may not have learned of the newest one yet.
      paths = [...new Set([...paths, ...(bundles.observed()?.paths ?? [])])];
    },
  });

  function offer(next: VouchedPair): void {
    files = next;
    served.offer(next);
    bundles.changed();
  }

  function tick(): void {
    served.review();
    bundles.changed();
    cancel = clock.after(limits.tick, tick);
  }

  offer(first);
  tick();
  return {
    first: served.first,
    follow: served.follow,
    offer,
    paths: () => paths,
    ready: () => (served.reached() ? undefined : 'the CA bundles do not have the authority of the certificate yet'),
    counters: () => ({ rotation: undefined, caBundles: bundles.counters(), inBundles: served.inBundles() }),
    watches: new Map(),
    async stop() {
      cancel();
      await bundles.stop();
    },
  };
}
