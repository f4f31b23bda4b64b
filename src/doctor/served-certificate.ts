/** The certificate that a webhook shows. Nothing is sent but the beginning of a TLS connection. */
import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { connect } from 'node:tls';

/** Milliseconds. */
const timeBudget = 5_000;

/** `why`: it cannot be had, or cannot be verified; empty: it is verified. */
export interface Served {
  readonly certificate: X509Certificate | undefined;
  readonly why: string;
}

/** @param address `https://HOST:PORT`, or `service NAMESPACE/NAME:PORT` */
export function servedCertificate(address: string, authorities: readonly string[]): Promise<Served> {
  const place = placeOf(address);
  if (place === undefined) return Promise.resolve({ certificate: undefined, why: 'it is no address' });
  return new Promise((resolve) => {
    const socket = connect({ ...place, ca: [...authorities], rejectUnauthorized: false });
    const end = (certificate: X509Certificate | undefined, why: string): void => {
      socket.destroy();
      resolve({ certificate, why });
    };
    socket.setTimeout(timeBudget, () => end(undefined, `no answer within ${timeBudget / 1000} s`));
    socket.once('error', (error) => end(undefined, error.message));
    socket.once('secureConnect', () => {
      const { authorized, authorizationError } = socket;
      const certificate = socket.getPeerX509Certificate();
      end(certificate, authorized ? '' : String(authorizationError));
    });
  });
}

interface Place {
  readonly host: string;
  readonly port: number;
  /** Left out for an address, which TLS has no room for. */
  readonly servername?: string;
}

function placeOf(address: string): Place | undefined {
  const [, namespace, name, port] = /^service ([^/]+)\/([^:]+):(\d+)$/.exec(address) ?? [];
  if (namespace !== undefined && name !== undefined) {
    const host = `${name}.${namespace}.svc`;
    return { host, servername: host, port: Number(port) };
  }
  const url = URL.parse(address);
  if (url === null) return undefined;
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return { host, port: Number(url.port) || 443, ...(isIP(host) === 0 && { servername: host }) };
}
