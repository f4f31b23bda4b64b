/** Where the certificate of the webhook comes from: a folder of files, or a Secret that the replicas share. */
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { CertificateError, type KeyPair, type VouchedPair } from '../certificates/key-pair.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { CertificateLimits, ReplicaCertificates } from '../configuration/certificates.ts';
import type { CertificateSource } from '../configuration/own-configurations.ts';
import { loadCertificateFiles } from '../files/certificate-files.ts';
import { authorityFiles, makeCertificates, serverFiles } from '../files/certificate-folder.ts';
import { poll } from '../files/poll.ts';
import { readPemIfThere } from '../files/read-pem.ts';
import type { Logger } from '../server/log.ts';

export type CertificateOptions =
  /** A folder with `tls.crt` and `tls.key`, which are followed as they change; made, with an authority, where there are none. */
  | string
  /** Made and renewed by the replicas themselves; only where Bulkhead writes CA bundles. */
  | {
      readonly secret: { readonly namespace: string; readonly name: string };
      /** By which API servers call the webhook. */
      readonly service: { readonly namespace: string; readonly name: string };
      readonly limits?: Partial<CertificateLimits> | undefined;
    };

/** What a server needs to know of its certificate. */
type ServedPair = Pick<ReplicaCertificates, 'first' | 'paths' | 'follow'>;

export interface Certificates {
  /** For a cluster where Bulkhead writes CA bundles. */
  readonly source: CertificateSource;
  /** @param cluster the one that was given the source, if any was */
  served(cluster: Cluster | undefined): ServedPair;
}

/** Names under which a server on this machine is called. */
const localNames = ['localhost', '127.0.0.1', '::1'];

/**
 * @param managesWebhooks whether Bulkhead writes CA bundles: then `ca.crt` counts, too
 * @throws CertificateError
 */
export async function openCertificates(
  options: CertificateOptions,
  managesWebhooks: boolean,
  log: Logger,
): Promise<Certificates> {
  if (typeof options === 'string') return openFolder(options, managesWebhooks, log);
  const { secret, service, limits } = options;
  return {
    source: { from: 'secret', secret, names: [`${service.name}.${service.namespace}.svc`], limits },
    served(cluster) {
      const managed = cluster?.certificates;
      if (managed === undefined) throw new CertificateError('certificates in a Secret need --webhook-configurations');
      return managed;
    },
  };
}

/** Serves an existing certificate of the folder, from any source. Without one, it makes one. */
async function openFolder(folder: string, managesWebhooks: boolean, log: Logger): Promise<Certificates> {
  const files = { certificate: join(folder, serverFiles.certificate), key: join(folder, serverFiles.key) };
  const authorityFile = managesWebhooks ? join(folder, authorityFiles.certificate) : undefined;
  if ((await readPemIfThere(files.certificate)) === undefined) {
    const { issued } = await makeCertificates(folder, localNames, Date.now());
    log.info({ folder, issued }, 'certificates made; ca.crt belongs in the caBundle of the webhook configurations');
  }
  const load = () => loadCertificateFiles(files, authorityFile, Date.now());
  const first = await load();
  const watch = (changed: (vouched: VouchedPair) => void) =>
    poll({ load, current: first, same: isDeepStrictEqual, changed, failed: (error) => log.error(error.message) });
  return {
    source: { from: 'files', first },
    served(cluster) {
      const managed = cluster?.certificates;
      if (cluster === undefined || managed === undefined) {
        const follow = (changed: (pair: KeyPair) => void) => watch(({ pair }) => changed(pair)).stop;
        return { first: Promise.resolve(first.pair), paths: () => [''], follow };
      }
      const follow = (changed: (pair: KeyPair) => void) => {
        const end = managed.follow(changed);
        const given = watch(cluster.certificateFilesChanged);
        return () => {
          given.stop();
          end();
        };
      };
      return { ...managed, follow };
    },
  };
}
