import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIPv4 } from 'node:net';

/** A certificate and its private key, both PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

export interface CertificateAuthority {
  /** The authority's own certificate, PEM: what goes into a `caBundle` (there in base64). */
  readonly certificate: string;
  /** A server certificate for these DNS names and IPv4 addresses. */
  issueServer(names: readonly string[]): KeyPair;
  /** A client certificate as Kubernetes reads it: the common name is the user, each organization a group. */
  issueClient(user: string, groups: readonly string[]): KeyPair;
}

// Object identifiers, by the names that RFC 5280 and RFC 5758 give them.
const ecdsaWithSha256 = '1.2.840.10045.4.3.2';
const commonName = '2.5.4.3';
const organization = '2.5.4.10';
const basicConstraints = '2.5.29.19';
const keyUsage = '2.5.29.15';
const extendedKeyUsage = '2.5.29.37';
const subjectAlternativeName = '2.5.29.17';
const serverAuthentication = '1.3.6.1.5.5.7.3.1';
const clientAuthentication = '1.3.6.1.5.5.7.3.2';

const hourInMilliseconds = 3_600_000;

/**
 * Makes a certificate authority (ECDSA P-256) that lives in memory and whose certificates are valid for a day.
 * Written out in DER because Node can read X.509 but not write it, and a test harness should not need a dependency.
 */
export function createCertificateAuthority(name: string): CertificateAuthority {
  const authority = generateKeys();
  const issuer = distinguishedName([[commonName, name]]);

  function issue(subject: Buffer, publicKey: KeyObject, extensions: readonly Buffer[]): string {
    const algorithm = sequence(objectIdentifier(ecdsaWithSha256));
    const now = Date.now();
    const toBeSigned = sequence(
      tagged(0xa0, tagged(0x02, Buffer.from([2]))), // version 3
      tagged(0x02, Buffer.concat([Buffer.from([1]), randomBytes(15)])), // serial number, positive
      algorithm,
      issuer,
      sequence(utcTime(now - hourInMilliseconds), utcTime(now + 24 * hourInMilliseconds)), // clocks may differ
      subject,
      publicKey.export({ type: 'spki', format: 'der' }),
      tagged(0xa3, sequence(...extensions)),
    );
    return pem(sequence(toBeSigned, algorithm, bitString(sign('sha256', toBeSigned, authority.privateKey), 0)));
  }

  function issuePair(subject: Buffer, extensions: readonly Buffer[]): KeyPair {
    const { publicKey, privateKey } = generateKeys();
    const digitalSignature = extension(keyUsage, bitString(Buffer.from([0b1000_0000]), 7));
    return { certificate: issue(subject, publicKey, [digitalSignature, ...extensions]), key: keyPem(privateKey) };
  }

  return {
    certificate: issue(issuer, authority.publicKey, [
      extension(basicConstraints, sequence(tagged(0x01, Buffer.from([0xff])))), // cA: TRUE
      extension(keyUsage, bitString(Buffer.from([0b0000_0110]), 1)), // keyCertSign, cRLSign
    ]),
    issueServer: (names) =>
      issuePair(distinguishedName([[commonName, 'server']]), [
        extension(extendedKeyUsage, sequence(objectIdentifier(serverAuthentication))),
        extension(subjectAlternativeName, sequence(...names.map(generalName))),
      ]),
    issueClient: (user, groups) => {
      const organizations = groups.map((group): [string, string] => [organization, group]);
      return issuePair(distinguishedName([[commonName, user], ...organizations]), [
        extension(extendedKeyUsage, sequence(objectIdentifier(clientAuthentication))),
      ]);
    },
  };
}

/** The private key with which the API server signs service account tokens: PEM in the form it can read both halves of. */
export function createSigningKey(): string {
  return generateKeys().privateKey.export({ type: 'sec1', format: 'pem' }).toString();
}

function generateKeys(): { publicKey: KeyObject; privateKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function keyPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function pem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

/** One DER element: tag, length in the shortest form, content. */
function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function sequence(...elements: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(elements));
}

function bitString(content: Buffer, unusedBits: number): Buffer {
  return tagged(0x03, Buffer.concat([Buffer.from([unusedBits]), content]));
}

/** The first two numbers share a byte; every other is written in groups of seven bits, the highest first. */
function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = rest.flatMap((number) => {
    const groups = [number & 0x7f];
    for (let left = number >> 7; left > 0; left >>= 7) groups.unshift((left & 0x7f) | 0x80);
    return groups;
  });
  return tagged(0x06, Buffer.from([first * 40 + second, ...bytes]));
}

function distinguishedName(attributes: readonly [identifier: string, value: string][]): Buffer {
  return sequence(
    ...attributes.map(([identifier, value]) =>
      tagged(0x31, sequence(objectIdentifier(identifier), tagged(0x0c, Buffer.from(value)))),
    ),
  );
}

/** YYMMDDhhmmssZ, from the ISO form 2026-11-20T20:55:00.000Z. */
function utcTime(milliseconds: number): Buffer {
  const digits = new Date(milliseconds).toISOString().replaceAll(/[-:T]/g, '').slice(2, 14);
  return tagged(0x17, Buffer.from(`${digits}Z`));
}

function extension(identifier: string, value: Buffer): Buffer {
  return sequence(objectIdentifier(identifier), tagged(0x04, value));
}

function generalName(name: string): Buffer {
  return isIPv4(name) ? tagged(0x87, Buffer.from(name.split('.').map(Number))) : tagged(0x82, Buffer.from(name));
}
