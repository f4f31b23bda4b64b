/** A certificate and key in two files that another program maintains (a mounted Secret, cert-manager, a copy by hand). */
import { anchorOf, certificatesIn } from '../certificates/authorities.ts';
import { CertificateError, type KeyPairOrigin, parseKeyPair, type VouchedPair } from '../certificates/key-pair.ts';
import { readPem, readPemIfThere } from './read-pem.ts';

/**
 * @param authorityFile certificates, PEM; undefined: who vouches for the pair does not matter
 * @throws CertificateError when the files cannot be read, the pair does not belong together or is not valid now, or none of the
 * authorities has signed the certificate
 */
export async function loadCertificateFiles(
  files: KeyPairOrigin,
  authorityFile: string | undefined,
  now: number,
): Promise<VouchedPair> {
  const [text = '', certificate, key] = await Promise.all([
    authorityFile === undefined ? undefined : readPemIfThere(authorityFile),
    readPem(files.certificate),
    readPem(files.key),
  ]);
  const pair = { certificate, key };
  const parsed = parseKeyPair(pair, files);
  if (parsed.validToDate.getTime() <= now) {
    throw new CertificateError(
      `${files.certificate} expired on ${parsed.validTo}: the API server would refuse it. Put a new one there.`,
    );
  }
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
