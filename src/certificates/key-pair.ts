/** A certificate with its private key, and whether they can be served. */
import { createPrivateKey, X509Certificate } from 'node:crypto';

/** Both PEM. The certificate may be followed by the intermediate ones. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

/** A pair from files, and the authorities beside it. */
export interface VouchedPair {
  readonly pair: KeyPair;
  /** PEM; undefined: the files have none, and another client writes the caBundle. */
  readonly authorities: readonly string[] | undefined;
  /** The one of them that API servers find above the certificate. */
  readonly authority: string | undefined;
}

/** A certificate that cannot be used: what is wrong, where, and what to do. Its message is for the person at the terminal. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError';
}

/** How the two parts of a pair are called in an error: file names, or the keys of a Secret. */
export interface KeyPairOrigin {
  readonly certificate: string;
  readonly key: string;
}

/**
 * The parsed certificate of a pair that belongs together.
 * @throws CertificateError when one of the two cannot be read, or the key is not that of the certificate
 */
export function parseKeyPair(pair: KeyPair, origin: KeyPairOrigin): X509Certificate {
  const certificate = parse(
    origin.certificate,
    'a PEM certificate (-----BEGIN CERTIFICATE-----)',
    () => new X509Certificate(pair.certificate),
  );
  const key = parse(origin.key, 'a PEM private key without a passphrase (-----BEGIN PRIVATE KEY-----)', () =>
    createPrivateKey(pair.key),
  );
  if (!certificate.checkPrivateKey(key)) {
    throw new CertificateError(
      `${origin.key} is not the key of ${origin.certificate}: both must come from the same issue. Replace them together.`,
    );
  }
  return certificate;
}

function parse<Value>(origin: string, expected: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new CertificateError(`${origin} is not ${expected}: ${detail}`, { cause: error });
  }
}
