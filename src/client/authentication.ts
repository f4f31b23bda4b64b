/** How a request to the API server shows who sends it. */
import { readFile } from 'node:fs/promises';
import type { Agent } from 'node:http';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import type { Clock } from './clock.ts';

/** Asked for anew for every request, so that a rotated token or certificate is used at once. */
export interface Credentials {
  /** `https://HOST:PORT`, and perhaps a path under which the API lives (Rancher and other proxies). */
  readonly server: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Options of node:tls. The pool of connections is divided by them, so changed ones get connections of their own. */
  readonly tls: {
    readonly ca?: Buffer | string;
    readonly cert?: Buffer | string;
    readonly key?: Buffer | string;
    readonly servername?: string;
    readonly rejectUnauthorized?: boolean;
  };
  /** Set when the cluster is reached through a proxy. */
  readonly agent?: Agent;
}

export interface Authentication {
  credentials(): Promise<Credentials>;
  /** The API server answered 401: forget everything that was remembered. */
  refused(): void;
}

/** Where the API server is and as whom to speak to it. */
export type ClusterLocation =
  | { readonly kind: 'in-cluster'; readonly host: string; readonly port: string; readonly directory: string }
  | {
      readonly kind: 'kubeconfig';
      readonly path: string;
      /** Default: its current context. */
      readonly context?: string;
    };

/** As in client-go: a token is replaced long before it expires. */
const tokenPeriod = 60_000;

/**
 * A pod's own service account: the token and the authority that the kubelet mounts.
 * Two files are read here instead of loading @kubernetes/client-node, which costs 90 MB of resident memory.
 */
export function inClusterAuthentication(
  location: Extract<ClusterLocation, { kind: 'in-cluster' }>,
  clock: Clock,
): Authentication {
  const host = isIPv6(location.host) ? `[${location.host}]` : location.host;
  const server = `https://${host}:${location.port}`;
  let remembered: { readonly credentials: Credentials; readonly readAt: number } | undefined;
  return {
    async credentials() {
      if (remembered !== undefined && clock.now() - remembered.readAt < tokenPeriod) return remembered.credentials;
      const [token, ca] = await Promise.all([
        readFile(join(location.directory, 'token'), 'utf8'),
        readFile(join(location.directory, 'ca.crt')),
      ]);
      const credentials = { server, headers: { authorization: `Bearer ${token.trim()}` }, tls: { ca } };
      remembered = { credentials, readAt: clock.now() };
      return credentials;
    },
    refused() {
      remembered = undefined;
    },
  };
}
