/** An API server for commands that read a cluster once: it answers lists over HTTP on loopback, after a delay. */
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';

interface Listed {
  /** By the path of their collection, such as `/api/v1/pods`. Nothing else is served. */
  readonly objects: Readonly<Record<string, readonly object[]>>;
  /** Milliseconds before the answer. */
  readonly delay?: number;
  /** So many objects are in a page. */
  readonly page?: number;
  /** The status with which the second page of this path is answered. */
  readonly breaks?: { readonly path: string; readonly code: number };
  /** Gets the path of each request. */
  readonly onRequest?: (path: string) => void;
}

/** @returns the path of a kubeconfig */
export async function listedCluster(
  t: Test,
  { objects, delay = 0, page = 500, breaks, onRequest }: Listed,
): Promise<string> {
  const server = createServer(async ({ url = '' }, response) => {
    const { pathname, searchParams } = new URL(url, 'http://listed');
    onRequest?.(pathname);
    await sleep(delay);
    const items = Object.hasOwn(objects, pathname) ? objects[pathname] : undefined;
    const from = Number(searchParams.get('continue') ?? 0);
    const code = items === undefined ? 404 : from > 0 && breaks?.path === pathname ? breaks.code : 200;
    response.writeHead(code, { 'content-type': 'application/json' });
    if (code !== 200)
      response.end(JSON.stringify({ kind: 'Status', code, reason: 'Failed', message: 'the list failed' }));
    else {
      const next = from + page < (items?.length ?? 0) ? { continue: String(from + page) } : {};
      const listed = items?.slice(from, from + page).map(withMeta);
      response.end(JSON.stringify({ kind: 'List', metadata: { resourceVersion: '1', ...next }, items: listed }));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const file = join(t.testdir({}), 'kubeconfig');
  const { port } = server.address() as AddressInfo;
  await writeFile(
    file,
    JSON.stringify({
      ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'here' },
      clusters: [{ name: 'here', cluster: { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'me', user: { token: 'none' } }],
      contexts: [{ name: 'here', context: { cluster: 'here', user: 'me' } }],
    }),
  );
  return file;
}

// biome-ignore lint/suspicious/noExplicitAny: objects of the API, as they are on the wire
function withMeta(one: any): object {
  return {
    ...one,
    metadata: { uid: `uid-${one.metadata.namespace}-${one.metadata.name}`, resourceVersion: '1', ...one.metadata },
  };
}
