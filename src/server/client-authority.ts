/** The authority whose client certificates are believed: who may ask for reviews at all, where the platform has set that up. */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { CertificateError } from '../certificates/key-pair.ts';

export interface ClientAuthority {
  /** PEM, one certificate or several: while an authority is replaced, the old one and the new one. */
  readonly bundle: string;
  readonly certificates: readonly X509Certificate[];
}

const begin = '-----BEGIN ';
const end = '-----END ';

/**
 * OpenSSL stops at the first block that it cannot read, and accepts those before it. So half a file would give half the authorities.
 * @throws CertificateError when the file cannot be read, holds anything but authorities, or none that is valid
 */
export async function loadClientAuthority(path: string, now: number): Promise<ClientAuthority> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new CertificateError(`${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
  const blocks = text.split(begin).slice(1);
  if (blocks.length === 0 || !blocks.every((block) => block.includes(end))) {
    throw new CertificateError(
      `${path} is not a list of PEM certificates (-----BEGIN CERTIFICATE-----): put the whole authority of the clients there.`,
    );
  }
  const certificates = blocks.map((block) => parse(path, begin + block));
  if (certificates.every(({ validToDate }) => validToDate.getTime() <= now)) {
    throw new CertificateError(`${path} holds no authority that is still valid: no client could be believed.`);
  }
  return { bundle: text, certificates };
}

function parse(path: string, block: string): X509Certificate {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(block);
  } catch (error) {
    throw new CertificateError(
      `${path} holds what is not a PEM certificate (-----BEGIN CERTIFICATE-----): ${messageOf(error)}`,
      { cause: error },
    );
  }
  if (!certificate.ca) {
    throw new CertificateError(
      `${path} holds "${certificate.subject.replaceAll('\n', ', ')}", which is not an authority: give the certificate that signed it.`,
    );
  }
  return certificate;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
