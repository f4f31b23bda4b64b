/**
 * Whether the client of a connection is the API server.
 *
 * The TLS handshake accepts every client, and an HTTP answer refuses it. A refused TLS handshake would reach the user of the API
 * server as `remote error: tls: bad certificate`, and its administrator not at all.
 */
import type { X509Certificate } from 'node:crypto';
import { TLSSocket } from 'node:tls';
import type { ClientAuthority } from './client-authority.ts';

export type ClientRefusal = {
  readonly reason: 'no-certificate' | 'other-client';
  /** For the log: it holds what the client wrote into its certificate, cut to a bounded length. */
  readonly detail: string;
};

export interface ClientCheck {
  readonly authority: ClientAuthority;
  /** Connections that are open are looked at again: an authority that is gone is believed no longer. */
  setAuthority(authority: ClientAuthority): void;
  /** Undefined for a client that may ask. Decided once for each connection and authority; asked at every request. */
  refusal(socket: unknown): ClientRefusal | undefined;
}

interface Known {
  readonly authority: ClientAuthority;
  readonly refusal: ClientRefusal | undefined;
  /** Milliseconds since the epoch: a connection may outlive the certificate that opened it. */
  readonly validTo: number;
}

const longestDetail = 300;

/** @param names of which the certificate must have one, as common name or DNS name; empty: every certificate of the authority is accepted */
export function createClientCheck(first: ClientAuthority, names: readonly string[]): ClientCheck {
  let authority = first;
  const known = new WeakMap<object, Known>();

  function decide(socket: unknown): Known {
    if (!(socket instanceof TLSSocket)) return never('no-certificate', 'no TLS connection');
    // A session that is resumed counts as authorized in TLS 1.3 even when its first TLS handshake had no certificate at all.
    const certificate = socket.getPeerX509Certificate();
    if (certificate === undefined) return never('no-certificate', 'no certificate');
    const subject = certificate.subject?.replaceAll('\n', ', ') ?? '';
    const validTo = certificate.validToDate.getTime();
    if (!socket.authorized) return never('other-client', `${subject}: ${socket.authorizationError}`);
    if (!isSignedBy(authority, certificate)) return never('other-client', `${subject}: not of this authority`);
    if (names.length > 0 && !names.some((name) => isCalled(certificate, name)))
      return never('other-client', `${subject}: not a name that may ask`);
    if (validTo <= Date.now()) return never('other-client', `${subject}: CERT_HAS_EXPIRED`);
    return { authority, refusal: undefined, validTo };
  }

  function never(reason: ClientRefusal['reason'], detail: string): Known {
    return {
      authority,
      refusal: { reason, detail: detail.slice(0, longestDetail) },
      validTo: Number.POSITIVE_INFINITY,
    };
  }

  return {
    get authority() {
      return authority;
    },
    setAuthority(next) {
      authority = next;
    },
    refusal(socket) {
      if (typeof socket !== 'object' || socket === null) return decide(socket).refusal;
      let one = known.get(socket);
      if (one === undefined || one.authority !== authority || one.validTo <= Date.now()) {
        one = decide(socket);
        known.set(socket, one);
      }
      return one.refusal;
    },
  };
}

/**
 * The chain was verified when the connection was opened, by the authority of then; this asks whether it ends in the one of now.
 * What the client sent beside its certificate is linked by names alone, so signatures are looked at again.
 */
function isSignedBy({ certificates }: ClientAuthority, leaf: X509Certificate): boolean {
  let link = leaf;
  for (;;) {
    const issued = link;
    if (certificates.some((one) => issued.checkIssued(one) && issued.verify(one.publicKey))) return true;
    const issuer = link.issuerCertificate;
    // Who signed itself is its own issuer.
    if (issuer === undefined || issuer.fingerprint256 === link.fingerprint256) return false;
    if (!issuer.ca || !link.verify(issuer.publicKey)) return false;
    link = issuer;
  }
}

/** Letter by letter: no wildcard, no subdomain. */
function isCalled(certificate: X509Certificate, name: string): boolean {
  const commonNames: unknown = certificate.toLegacyObject().subject?.CN;
  if ([commonNames].flat().includes(name)) return true;
  return certificate.checkHost(name, { subject: 'never', wildcards: false }) === name;
}
