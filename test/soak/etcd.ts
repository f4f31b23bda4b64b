/** Asks etcd itself, over the socket in the control plane's folder: what the API server has written, whatever it says. */
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import type { ControlPlane } from '../apiserver/control-plane.ts';

/** Has etcd forget everything up to this revision. False: it does not answer, or has forgotten it already. */
export async function compact(plane: ControlPlane, revision: number): Promise<boolean> {
  return (await ask(plane, '/v3/kv/compaction', { revision })) !== undefined;
}

export interface Revision {
  /** Grows by one with every write. */
  readonly revision: number;
  /** How many writes the API server has made for its own leases, which it renews every ten seconds. */
  readonly renewals: number;
}

/** Both of one moment. */
export async function revisionIn(plane: ControlPlane): Promise<Revision> {
  const ranges = ['/registry/leases/', '/registry/peerserverleases/'].map((prefix) => ({
    request_range: { key: base64(prefix), range_end: base64(prefix.replace(/.$/, '0')), keys_only: true },
  }));
  const answer = (await ask(plane, '/v3/kv/txn', { success: ranges })) as {
    readonly header: { readonly revision: string };
    readonly responses: readonly {
      readonly response_range: { readonly kvs?: readonly { readonly version: string }[] };
    }[];
  };
  // The version of a key is the number of its writes.
  const versions = answer.responses.flatMap(({ response_range: { kvs } }) =>
    (kvs ?? []).map(({ version }) => Number(version)),
  );
  return { revision: Number(answer.header.revision), renewals: versions.reduce((sum, version) => sum + version, 0) };
}

/** Keys that were written after this revision and are still there. */
export async function keysSince(plane: ControlPlane, revision: number): Promise<readonly string[]> {
  const range = { key: base64('/'), range_end: base64('0'), keys_only: true, min_mod_revision: revision + 1 };
  const answer = (await ask(plane, '/v3/kv/range', range)) as { readonly kvs?: readonly { readonly key: string }[] };
  return (answer.kvs ?? []).map(({ key }) => Buffer.from(key, 'base64').toString());
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** The decoded answer; undefined when it is not a good one. */
function ask(plane: ControlPlane, path: string, body: object): Promise<unknown> {
  return new Promise((resolve) => {
    const request = httpRequest({ socketPath: join(plane.directory, 'etcd:1'), method: 'POST', path }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve(response.statusCode === 200 ? JSON.parse(text) : undefined));
    });
    request.on('error', () => resolve(undefined));
    request.end(JSON.stringify(body));
  });
}
