/**
 * Makes the certificate authority and the server certificate (X.509 v3, RFC 5280) that the API server checks the webhook by.
 * Written out in DER, because Node reads X.509 but does not write it, and @peculiar/x509 does not load without a polyfill that
 * changes the global `Reflect` of the whole process (and takes 90 ms and a dozen packages).
 */
import {
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';
import {
  bitString,
  booleanTrue,
  explicit,
  implicit,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  setOf,
  time,
  utf8String,
} from './der.ts';
import { CertificateError, type KeyPair } from './key-pair.ts';

const hour = 3_600_000;
const day = 24 * hour;

/** The clock of an API server may be behind ours; a certificate from the future would be refused. */
const backdated = hour;

/** Of an authority in a folder: replacing it means that a person changes the caBundle that is installed, so it lives long. */
export const authorityLifetime = 3650 * day;

/** A renewal at two thirds of it leaves four months to notice that renewals fail. */
export const serverLifetime = 365 * day;

const ecdsaWithSha256 = sequence(objectIdentifier('1.2.840.10045.4.3.2'));
const version3 = explicit(0, integer(Buffer.from([2])));

/**
 * A self-signed ECDSA P-256 authority that may sign server certificates and nothing below it.
 * @param now      milliseconds since 1970
 * @param lifetime milliseconds
 */
export function issueAuthority(now: number, lifetime: number = authorityLifetime): KeyPair {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const identifier = keyIdentifier(keys.publicKey);
  // The name has a part of the key, so that two authorities in one bundle have different names.
  const name = commonName(`bulkhead certificate authority ${identifier.toString('hex').slice(0, 8)}`);
  return toPem(keys.privateKey, keys.privateKey, [
    name,
    validity(now - backdated, now + lifetime),
    name,
    publicKeyInfo(keys.publicKey),
    extensions(
      extension('2.5.29.19', true, sequence(booleanTrue(), integer(Buffer.from([0])))), // basicConstraints: an authority, pathLen 0
      extension('2.5.29.15', true, bitString(Buffer.from([0b0000_0110]), 1)), // keyUsage: keyCertSign, cRLSign
      extension('2.5.29.14', false, octetString(identifier)), // subjectKeyIdentifier
    ),
  ]);
}

/**
 * A server certificate (ECDSA P-256) signed by the authority; never outlives it.
 * @param names DNS names and IP addresses, at least one, all as subjectAltName: the API server does not read the common name
 * @param lifetime milliseconds
 */
export function issueServerCertificate(
  authority: KeyPair,
  names: readonly string[],
  now: number,
  lifetime: number = serverLifetime,
): KeyPair {
  const issuer = new X509Certificate(authority.certificate);
  const signingKey = createPrivateKey(authority.key);
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const issued = toPem(keys.privateKey, signingKey, [
    nameOf(issuer),
    validity(now - backdated, Math.min(now + lifetime, issuer.validToDate.getTime())),
    commonName('bulkhead webhook'),
    publicKeyInfo(keys.publicKey),
    extensions(
      extension('2.5.29.19', true, sequence()), // basicConstraints: not an authority
      extension('2.5.29.15', true, bitString(Buffer.from([0b1000_0000]), 7)), // keyUsage: digitalSignature
      extension('2.5.29.37', false, sequence(objectIdentifier('1.3.6.1.5.5.7.3.1'))), // extKeyUsage: serverAuth
      extension('2.5.29.14', false, octetString(keyIdentifier(keys.publicKey))), // subjectKeyIdentifier
      extension('2.5.29.35', false, sequence(implicit(0, keyIdentifier(issuer.publicKey)))), // authorityKeyIdentifier
      extension('2.5.29.17', false, sequence(...names.map(alternativeName))), // subjectAltName
    ),
  ]);
  const certificate = new X509Certificate(issued.certificate);
  if (!certificate.checkIssued(issuer) || !certificate.verify(issuer.publicKey)) {
    throw new CertificateError(
      `the authority "${issuer.subject}" was not made by Bulkhead, so it cannot be used to issue: give certificate and key as files instead`,
    );
  }
  return issued;
}

/** Signs the fields after the serial number and the algorithm, and returns certificate and private key (PKCS #8) as PEM. */
function toPem(privateKey: KeyObject, signingKey: KeyObject, parts: readonly Buffer[]): KeyPair {
  // 127 random bits; the first byte is in 1..127, so that the number is positive and has no leading zero (RFC 5280 4.1.2.2).
  const serial = randomBytes(16);
  serial.writeUInt8((serial.readUInt8() & 0x3f) | 0x40);
  const toBeSigned = sequence(version3, integer(serial), ecdsaWithSha256, ...parts);
  const signature = sign('sha256', toBeSigned, signingKey);
  return {
    certificate: new X509Certificate(sequence(toBeSigned, ecdsaWithSha256, bitString(signature))).toString(),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function commonName(name: string): Buffer {
  return sequence(setOf(sequence(objectIdentifier('2.5.4.3'), utf8String(name))));
}

/** The subject of one of our own authorities, written again the same way. */
function nameOf(authority: X509Certificate): Buffer {
  return commonName(authority.subject.replace(/^CN=/, ''));
}

function validity(from: number, to: number): Buffer {
  return sequence(time(new Date(from)), time(new Date(to)));
}

function publicKeyInfo(publicKey: KeyObject): Buffer {
  return publicKey.export({ type: 'spki', format: 'der' });
}

/** RFC 7093 method 4: a hash of the whole public key information, cut to 160 bits. */
function keyIdentifier(publicKey: KeyObject): Buffer {
  return createHash('sha256').update(publicKeyInfo(publicKey)).digest().subarray(0, 20);
}

function extensions(...members: readonly Buffer[]): Buffer {
  return explicit(3, sequence(...members));
}

function extension(identifier: string, critical: boolean, value: Buffer): Buffer {
  return sequence(objectIdentifier(identifier), ...(critical ? [booleanTrue()] : []), octetString(value));
}

/** GeneralName: `[2] dNSName` or `[7] iPAddress`. */
function alternativeName(name: string): Buffer {
  if (isIPv4(name)) return implicit(7, Buffer.from(name.split('.').map(Number)));
  if (isIPv6(name)) return implicit(7, addressBytes(name));
  return implicit(2, Buffer.from(name, 'latin1'));
}

/** The 16 bytes of an IPv6 address. */
function addressBytes(address: string): Buffer {
  // URL writes every form of an address, also one with a dotted IPv4 tail, as groups of hexadecimal digits.
  const canonical = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [head = '', tail = ''] = canonical.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  const bytes = Buffer.alloc(16);
  for (const [index, group] of [...before, ...zeros, ...after].entries())
    bytes.writeUInt16BE(Number.parseInt(group, 16), index * 2);
  return bytes;
}
