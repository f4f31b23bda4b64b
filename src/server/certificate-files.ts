/** A certificate and key that somebody else keeps in two files (a mounted Secret, cert-manager, a copy by hand), followed as they change. */
import { readFile } from 'node:fs/promises';
import { CertificateError, type KeyPair, type KeyPairOrigin, parseKeyPair } from '../certificates/key-pair.ts';
import { type Poll, poll } from './poll.ts';

/** @throws CertificateError when the files cannot be read, do not belong together, or the certificate is not valid now */
export async function loadCertificateFiles(files: KeyPairOrigin, now: number): Promise<KeyPair> {
  const [certificate, key] = await Promise.all([read(files.certificate), read(files.key)]);
  const pair = { certificate, key };
  const parsed = parseKeyPair(pair, files);
  if (parsed.validToDate.getTime() <= now) {
    throw new CertificateError(
      `${files.certificate} expired on ${parsed.validTo}: the API server would refuse it. Put a new one there.`,
    );
  }
  return pair;
}

/**
 * Calls `changed` with every new good pair, and `failed` once for every new bad state of the files (the pair served stays the old one).
 * An error thrown by `changed` goes to `failed` too.
 * @param current the pair being served
 */
export function watchCertificateFiles(options: {
  readonly files: KeyPairOrigin;
  readonly current: KeyPair;
  readonly changed: (pair: KeyPair) => void;
  readonly failed: (error: Error) => void;
  readonly pollMilliseconds?: number;
}): Poll {
  return poll({
    ...options,
    load: () => loadCertificateFiles(options.files, Date.now()),
    same: (one, other) => one.certificate === other.certificate && one.key === other.key,
  });
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new CertificateError(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}
