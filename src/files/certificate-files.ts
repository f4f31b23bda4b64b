/** A certificate and key that somebody else keeps in two files (a mounted Secret, cert-manager, a copy by hand), followed as they change. */
import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { anchorOf, certificatesIn } from '../certificates/authorities.ts';
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

/** A pair, and who vouches for it. */
export interface VouchedPair {
  readonly pair: KeyPair;
  /** What the third file names, PEM; undefined when it is not there, or empty. */
  readonly authorities: readonly string[] | undefined;
  /** The one of them that API servers find above the certificate. */
  readonly authority: string | undefined;
}

/**
 * @param authorityFile certificates, PEM
 * @throws CertificateError as above, and when none of the authorities has signed the certificate
 */
export async function loadVouchedPair(files: KeyPairOrigin, authorityFile: string, now: number): Promise<VouchedPair> {
  const [text, pair] = await Promise.all([readIfThere(authorityFile), loadCertificateFiles(files, now)]);
  if (text.trim() === '') return { pair, authorities: undefined, authority: undefined };
  const authorities = certificatesIn(text);
  const authority = anchorOf(pair, authorities);
  if (authority === undefined) {
    throw new CertificateError(
      `${files.certificate} was not signed by any certificate in ${authorityFile}: API servers would refuse it. Put in the authority that did.`,
    );
  }
  return { pair, authorities, authority };
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

/** The same for a pair with its authorities: a change of either is told. */
export function watchVouchedPair(options: {
  readonly files: KeyPairOrigin;
  readonly authorityFile: string;
  readonly current: VouchedPair;
  readonly changed: (vouched: VouchedPair) => void;
  readonly failed: (error: Error) => void;
  readonly pollMilliseconds?: number;
}): Poll {
  return poll({
    ...options,
    load: () => loadVouchedPair(options.files, options.authorityFile, Date.now()),
    same: isDeepStrictEqual,
  });
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw new CertificateError(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
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
