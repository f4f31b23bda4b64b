/** Who may ask for reviews, where only some clients may: those with a certificate of an authority that is kept in a file. */
import { poll } from '../files/poll.ts';
import { loadClientAuthority } from '../server/client-authority.ts';
import { type ClientCheck, createClientCheck } from '../server/client-check.ts';
import type { Logger } from '../server/log.ts';
import type { WebhookServer } from '../server/webhook-server.ts';

export interface ClientOptions {
  /** A PEM file. */
  readonly authority: string;
  /** Common or DNS names that their certificates may have; none: any. */
  readonly names: readonly string[];
}

/** @throws CertificateError */
export async function clientsOf(options: ClientOptions | undefined): Promise<ClientCheck | undefined> {
  if (options === undefined) return undefined;
  return createClientCheck(await loadClientAuthority(options.authority, Date.now()), options.names);
}

/** @returns what ends it */
export function followClients(
  file: string,
  { authority }: ClientCheck,
  server: WebhookServer,
  log: Logger,
): () => void {
  const following = poll({
    load: () => loadClientAuthority(file, Date.now()),
    current: authority,
    same: (one, other) => one.bundle === other.bundle,
    changed: (changed) => {
      server.setClientAuthority(changed);
      log.info({ file, authorities: changed.certificates.length }, 'a new client authority is in force');
    },
    failed: (error) => log.error(`${error.message} The client authority from before stays in force.`),
  });
  return following.stop;
}
