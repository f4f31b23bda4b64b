/**
 * An API server for tests, plain HTTP on loopback: lists in pages, watches, server-side apply, update and delete of any
 * kind, and every way in which a real one or the network before it fails.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}

/** What happens to one request instead of an answer. */
export type Fault =
  | {
      readonly kind: 'status';
      readonly code: number;
      readonly reason?: string;
      readonly cause?: string;
      readonly retryAfter?: number;
    }
  /** The connection is reset. */
  | { readonly kind: 'reset' }
  /** No answer ever comes. */
  | { readonly kind: 'silence' }
  /** The answer is cut off in the middle. */
  | { readonly kind: 'truncate' }
  | { readonly kind: 'text'; readonly text: string }
  /** What is asked for is done, and the connection is reset in place of the answer. */
  | { readonly kind: 'done' };

/** A watch that is open. */
export interface OpenWatch {
  readonly resource: string;
  readonly query: URLSearchParams;
  /** Sends these bytes. */
  write(bytes: string | Buffer): void;
  /** Ends the answer in the regular way, as after timeoutSeconds. */
  end(): void;
  /** Resets the connection. */
  reset(): void;
  /** From now on nothing arrives any more, and nobody is told: a half-open connection. */
  mute(): void;
}

interface Change {
  readonly version: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly resource: string;
  readonly key: string;
  readonly object: FakeObject;
  readonly before: FakeObject | undefined;
}

export interface FakeApiServer {
  readonly url: string;
  readonly requests: SeenRequest[];
  readonly watches: OpenWatch[];
  /** The newest resourceVersion. */
  version(): number;
  /** Stores an object, as some other client would. */
  put(resource: string, object: FakeObject): FakeObject;
  remove(resource: string, name: string, namespace?: string): void;
  get(resource: string, name: string, namespace?: string): FakeObject | undefined;
  /** All objects of a kind, in the order of a list. */
  list(resource: string): FakeObject[];
  /** The next request that `matches` meets this fault. */
  failNext(fault: Fault, matches?: (request: SeenRequest) => boolean): void;
  /** Forgets the history up to now: whoever asks for it gets 410. */
  compact(): void;
  /**
   * Everything is as it was at that version again, and connections are reset: a restore of etcd.
   *
   * @param bumped what is written next has a higher version than this, and there is no history (`etcdutl snapshot restore --bump-revision`)
   */
  restore(version: number, bumped?: number): void;
  /** Tells every watch how far it is. */
  bookmark(): void;
  /** Changes what a client stores, as a mutating webhook does. */
  mutate: (object: FakeObject) => FakeObject;
  stop(): Promise<void>;
}

const itemPath = /^\/(?:api\/v1|apis\/[^/]+\/[^/]+)(?:\/namespaces\/([^/]+))?\/([a-z]+)(?:\/([^/]+))?$/;

export async function startFakeApiServer(): Promise<FakeApiServer> {
  const state = new Map<string, { readonly resource: string; readonly object: FakeObject }>();
  const history: Change[] = [];
  const requests: SeenRequest[] = [];
  const faults: { readonly fault: Fault; readonly matches: (request: SeenRequest) => boolean }[] = [];
  const watches: (OpenWatch & { tell(change: Change): void; open(): boolean })[] = [];
  let version = 100;
  let uids = 0;
  let compacted = 0;

  const keyOf = (resource: string, name: string, namespace = ''): string => `${resource}/${namespace}/${name}`;

  function record(type: Change['type'], resource: string, key: string, object: FakeObject, before?: FakeObject): void {
    const change = { version, type, resource, key, object, before };
    history.push(change);
    for (const watch of watches) watch.tell(change);
  }

  function put(resource: string, given: FakeObject): FakeObject {
    const key = keyOf(resource, given.metadata.name, given.metadata.namespace);
    const before = state.get(key)?.object;
    const uid = before?.metadata.uid ?? given.metadata.uid ?? `uid-${++uids}`;
    const same = before && JSON.stringify({ ...before, metadata: { ...before.metadata, resourceVersion: '' } });
    if (same === JSON.stringify({ ...given, metadata: { ...given.metadata, uid, resourceVersion: '' } }))
      return before ?? given;
    const object = { ...given, metadata: { ...given.metadata, uid, resourceVersion: String(++version) } };
    state.set(key, { resource, object });
    record(before === undefined ? 'ADDED' : 'MODIFIED', resource, key, object, before);
    return object;
  }

  function remove(resource: string, name: string, namespace?: string): void {
    const key = keyOf(resource, name, namespace);
    const before = state.get(key);
    if (before === undefined) return;
    state.delete(key);
    version++;
    const object = { ...before.object, metadata: { ...before.object.metadata, resourceVersion: String(version) } };
    record('DELETED', resource, key, object, before.object);
  }

  /** What was stored at that moment, in the order of the keys. */
  function stateAt(moment: number, resource: string): FakeObject[] {
    const then = new Map<string, FakeObject>();
    for (const change of history) {
      if (change.version > moment || change.resource !== resource) continue;
      if (change.type === 'DELETED') then.delete(change.key);
      else then.set(change.key, change.object);
    }
    return [...then].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, object]) => object);
  }

  function answerList(resource: string, query: URLSearchParams, response: ServerResponse): void {
    const token = query.get('continue');
    const [at, skip] = token === null ? [query.get('resourceVersion') ?? String(version), '0'] : token.split(':');
    if (Number(at) < compacted) {
      sendStatus(response, 410, 'Expired');
      return;
    }
    const all = stateAt(Number(at), resource).filter((object) => selected(object, query));
    const first = Number(skip);
    const end = first + Number(query.get('limit') ?? all.length);
    const next = end < all.length ? { continue: `${at}:${end}` } : {};
    send(response, 200, { kind: 'List', metadata: { resourceVersion: at, ...next }, items: all.slice(first, end) });
  }

  function openWatch(resource: string, query: URLSearchParams, response: ServerResponse): void {
    const from = Number(query.get('resourceVersion'));
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
    // As the real one does: the answer begins, and the first event says it.
    if (from < compacted) {
      response.end(
        `${JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' } })}\n`,
      );
      return;
    }
    let muted = false;
    const watch = {
      resource,
      query,
      write: (bytes: string | Buffer) => {
        if (!muted) response.write(bytes);
      },
      end: () => void response.end(),
      reset: () => void response.socket?.resetAndDestroy(),
      mute: () => {
        muted = true;
      },
      open: () => !response.destroyed && !response.writableEnded,
      tell(change: Change) {
        // As the real one does: of a moment that has not come yet, it says nothing before it has come.
        if (change.resource !== resource || change.version <= from) return;
        const was = change.before !== undefined && selected(change.before, query);
        const is = change.type !== 'DELETED' && selected(change.object, query);
        // For a watch with a selector, an object that does not match any more is gone.
        if (was || is)
          watch.write(
            `${JSON.stringify({ type: is ? (was ? 'MODIFIED' : 'ADDED') : 'DELETED', object: change.object })}\n`,
          );
      },
    };
    for (const change of history) watch.tell(change);
    watches.push(watch);
    response.on('close', () => watches.splice(watches.indexOf(watch), 1));
  }

  function change(
    request: SeenRequest,
    resource: string,
    namespace: string | undefined,
    name: string,
    response: ServerResponse,
  ) {
    const stored = state.get(keyOf(resource, name, namespace))?.object;
    if (request.method === 'GET') return stored ? send(response, 200, stored) : sendStatus(response, 404, 'NotFound');
    const home = namespace === undefined ? undefined : state.get(keyOf('namespaces', namespace))?.object;
    if (namespace !== undefined && home === undefined) return sendStatus(response, 404, 'NotFound');
    if (request.method === 'DELETE') {
      if (!stored) return sendStatus(response, 404, 'NotFound');
      const { preconditions } = request.body as { preconditions?: { uid?: string } };
      if (preconditions?.uid !== undefined && preconditions.uid !== stored.metadata.uid)
        return sendStatus(response, 409, 'Conflict');
      remove(resource, name, namespace);
      return send(response, 200, { kind: 'Status', status: 'Success' });
    }
    if (stored === undefined && home?.metadata.deletionTimestamp !== undefined) {
      return sendStatus(response, 403, 'Forbidden', { cause: 'NamespaceTerminating' });
    }
    const body = server.mutate(request.body as FakeObject);
    const { uid = stored?.metadata.uid, resourceVersion = stored?.metadata.resourceVersion } = body.metadata;
    if (uid !== stored?.metadata.uid || resourceVersion !== stored?.metadata.resourceVersion)
      return sendStatus(response, 409, 'Conflict');
    if (request.method === 'PUT') {
      if (!stored || body.metadata.resourceVersion !== stored.metadata.resourceVersion)
        return sendStatus(response, 409, 'Conflict');
      return send(response, 200, put(resource, body));
    }
    // Server-side apply: what the body does not name stays as it is.
    const metadata = { ...stored?.metadata, ...body.metadata };
    const spec = { ...(stored?.spec as object | undefined), ...(body.spec as object | undefined) };
    const webhooks = body.webhooks === undefined ? {} : { webhooks: merged(stored?.webhooks, body.webhooks) };
    send(response, stored ? 200 : 201, put(resource, { ...stored, ...body, ...webhooks, metadata, spec }));
  }

  function create({ body }: SeenRequest, resource: string, namespace: string | undefined, response: ServerResponse) {
    const object = body as FakeObject;
    const known = state.has(keyOf(resource, object.metadata.name, namespace));
    if (known) return sendStatus(response, 409, 'AlreadyExists');
    send(response, 201, put(resource, object));
  }

  function fail(fault: Fault, response: ServerResponse): void {
    if (fault.kind === 'status') sendStatus(response, fault.code, fault.reason ?? '', fault);
    else if (fault.kind === 'reset') response.socket?.resetAndDestroy();
    else if (fault.kind === 'text') response.end(fault.text);
    else if (fault.kind === 'truncate') {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1000 });
      response.write('{"kind":"List","items":[', () => response.socket?.destroy());
    }
  }

  const http = createServer(async (incoming, response) => {
    const url = new URL(incoming.url ?? '/', 'http://fake');
    let text = '';
    for await (const chunk of incoming.setEncoding('utf8')) text += chunk;
    const request: SeenRequest = {
      method: incoming.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: incoming.headers,
      body: text === '' ? undefined : JSON.parse(text),
    };
    requests.push(request);
    const index = faults.findIndex(({ matches }) => matches(request));
    const [met] = index === -1 ? [] : faults.splice(index, 1);
    if (met?.fault.kind === 'done')
      response.writeHead = () => {
        response.socket?.resetAndDestroy();
        return response;
      };
    else if (met !== undefined) return fail(met.fault, response);
    const [, namespace, resource = '', name] = itemPath.exec(url.pathname) ?? [];
    if (resource === '') sendStatus(response, 404, 'NotFound');
    else if (name !== undefined) change(request, resource, namespace, name, response);
    else if (request.method === 'POST') create(request, resource, namespace, response);
    else if (url.searchParams.has('watch')) openWatch(resource, url.searchParams, response);
    else answerList(resource, url.searchParams, response);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));

  const server: FakeApiServer = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    requests,
    watches,
    version: () => version,
    put,
    remove,
    get: (resource, name, namespace) => state.get(keyOf(resource, name, namespace))?.object,
    list: (resource) => stateAt(version, resource),
    failNext: (fault, matches = () => true) => void faults.push({ fault, matches }),
    compact: () => {
      compacted = ++version;
    },
    restore(moment, bumped = moment) {
      version = bumped;
      if (bumped > moment) compacted = bumped;
      while ((history.at(-1)?.version ?? 0) > moment) history.pop();
      state.clear();
      for (const { type, resource, key, object } of history) {
        if (type === 'DELETED') state.delete(key);
        else state.set(key, { resource, object });
      }
      for (const watch of [...watches]) watch.reset();
    },
    bookmark() {
      version++;
      for (const watch of watches) {
        watch.write(`{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"${version}"}}}\n`);
      }
    },
    mutate: (object) => object,
    async stop() {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
  return server;
}

/** Lists of entries with a name, as server-side apply merges them: entry by entry, and their fields one by one. */
function merged(before: unknown, applied: unknown): unknown {
  if (!isFields(before) || !isFields(applied)) return applied;
  if (!Array.isArray(before) || !Array.isArray(applied))
    return {
      ...before,
      ...Object.fromEntries(Object.entries(applied).map(([key, value]) => [key, merged(before[key], value)])),
    };
  return before.map((entry) => merged(entry, applied.find(({ name }) => name === entry.name) ?? entry));
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** Only `key=value`, which is all that is asked for. */
function selected(object: FakeObject, query: URLSearchParams): boolean {
  const name = query.get('fieldSelector')?.replace('metadata.name=', '');
  if (name !== undefined && object.metadata.name !== name) return false;
  const [key = '', value] = (query.get('labelSelector') ?? '').split('=');
  return key === '' || object.metadata.labels?.[key] === value;
}

function send(response: ServerResponse, code: number, body: unknown): void {
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function sendStatus(
  response: ServerResponse,
  code: number,
  reason: string,
  { cause, retryAfter }: { cause?: string; retryAfter?: number } = {},
): void {
  if (retryAfter !== undefined) response.setHeader('retry-after', String(retryAfter));
  const details = cause === undefined ? {} : { details: { causes: [{ reason: cause }] } };
  send(response, code, { kind: 'Status', code, reason, message: `${reason} says the fake`, ...details });
}
