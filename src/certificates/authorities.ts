/**
 * Certificates of authorities as text. Each is one PEM block as Node writes it, so that two are the same certificate when they
 * are the same text.
 */
import { X509Certificate } from 'node:crypto';
import type { KeyPair } from './key-pair.ts';

const begin = '-----BEGIN CERTIFICATE-----';
const end = '-----END CERTIFICATE-----';

/** A valid caBundle never has more certificates, and parsing many costs time. */
const mostCertificates = 100;

/** Every certificate in the text, once each, in its order. What is no certificate is left out. */
export function certificatesIn(text: string): string[] {
  const found = new Set<string>();
  for (const block of text.split(begin, mostCertificates + 1).slice(1)) {
    const length = block.indexOf(end);
    const certificate = length < 0 ? undefined : parse(`${begin}${block.slice(0, length)}${end}`);
    if (certificate !== undefined) found.add(certificate.toString());
  }
  return [...found];
}

/** Whether its time has come, and is not over. */
export function isValidAt(certificate: string, now: number): boolean {
  const { validFromDate, validToDate } = new X509Certificate(certificate);
  return validFromDate.getTime() <= now && now < validToDate.getTime();
}

/**
 * Which of the authorities vouches for a pair, over the intermediate certificates that come with it: what the API server will
 * find. Undefined: none of them.
 */
export function anchorOf(pair: KeyPair, authorities: readonly string[]): string | undefined {
  const [leaf, ...intermediates] = certificatesIn(pair.certificate).map((one) => new X509Certificate(one));
  let last = leaf;
  for (let step = 0; last !== undefined && step < mostCertificates; step++) {
    const signed = last;
    const anchor = authorities.find((one) => isSignedBy(signed, new X509Certificate(one)));
    if (anchor !== undefined) return anchor;
    last = intermediates.find((one) => one !== signed && isSignedBy(signed, one));
  }
  return undefined;
}

function isSignedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

function parse(text: string): X509Certificate | undefined {
  try {
    return new X509Certificate(text);
  } catch {
    return undefined;
  }
}
