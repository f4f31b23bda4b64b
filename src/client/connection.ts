/** Requests to the API server: raw JSON over pooled keep-alive connections. A failure of the network or the server is a value. */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Authentication, Credentials } from './authentication.ts';
import type { Clock } from './clock.ts';
import { broken, type Failure, refusal } from './failure.ts';

export type Answer =
  | {
      readonly ok: true;
      readonly body: unknown;
      /** The Date header: what the clock of the API server shows, in milliseconds since the epoch, to the second. */
      readonly date?: number;
    }
  | Failure;

/** An answer that is read as it arrives, such as a watch. The chunks throw when it is cut off. */
export type OpenAnswer = { readonly ok: true; readonly chunks: AsyncIterable<Buffer> } | Failure;

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** In whose name a request is made; the credentials must have the right to impersonate. */
export interface Impersonation {
  readonly user: string;
  readonly groups: readonly string[];
}

export interface Options {
  readonly body?: unknown;
  readonly as?: Impersonation;
  /** Default `application/json`; a patch names its kind, for example `application/apply-patch+yaml`. */
  readonly contentType?: string;
  readonly signal: AbortSignal;
}

export interface Connection {
  /** One request and its whole answer. @param path with the query */
  request(method: Method, path: string, options: Options): Promise<Answer>;
  /** One GET whose answer goes on for minutes. It ends with the signal. */
  open(path: string, signal: AbortSignal): Promise<OpenAnswer>;
  close(): void;
}

/** The API server itself ends a request after 60 s; half of it leaves room for a second try. */
const answerLimit = 30_000;

/** Go closes a connection that was idle for 90 s; one that is closed here first is never written to in that instant. */
const idleLimit = 60_000;

export function createConnection(authentication: Authentication, clock: Clock): Connection {
  const http = new HttpAgent({ keepAlive: true, timeout: idleLimit });
  const https = new HttpsAgent({ keepAlive: true, timeout: idleLimit });

  function sendOnce(credentials: Credentials, method: Method, path: string, options: Options): Promise<Sent> {
    const { protocol, hostname, port, pathname } = new URL(credentials.server);
    const payload = options.body === undefined ? undefined : Buffer.from(JSON.stringify(options.body));
    const secure = protocol === 'https:';
    const parameters = {
      host: hostname.startsWith('[') ? hostname.slice(1, -1) : hostname,
      port: port || (secure ? 443 : 80),
      path: (pathname.endsWith('/') ? pathname.slice(0, -1) : pathname) + path,
      method,
      agent: credentials.agent ?? (secure ? https : http),
      signal: options.signal,
      headers: {
        ...credentials.headers,
        accept: 'application/json',
        'user-agent': 'bulkhead',
        ...(options.as && { 'impersonate-user': options.as.user }),
        ...(options.as && options.as.groups.length > 0 && { 'impersonate-group': [...options.as.groups] }),
        ...(payload && {
          'content-type': options.contentType ?? 'application/json',
          'content-length': payload.length,
        }),
      },
      ...credentials.tls,
    };
    return new Promise((resolve) => {
      const request = (secure ? httpsRequest : httpRequest)(parameters);
      request.once('response', (response) => resolve({ response }));
      request.on('error', (error) => resolve({ error, stale: request.reusedSocket && isReset(error) }));
      request.end(payload);
    });
  }

  /** Once more after 401, with new credentials, and when a kept connection was closed: every request of Bulkhead may be sent twice. */
  async function send(method: Method, path: string, options: Options): Promise<Sent> {
    for (let attempt = 1; ; attempt++) {
      const sent = await sendOnce(await authentication.credentials(), method, path, options);
      const again = attempt === 1 && !options.signal.aborted;
      if ('error' in sent) {
        if (sent.stale && again) continue;
        return sent;
      }
      if (sent.response.statusCode === 401) {
        authentication.refused();
        if (again) {
          await readAll(sent.response);
          continue;
        }
      }
      return sent;
    }
  }

  async function exchange<Result>(
    method: Method,
    path: string,
    options: Options,
    read: (response: IncomingMessage) => Promise<Result> | Result,
  ): Promise<Result | Failure> {
    const late = new AbortController();
    const cancel = clock.after(answerLimit, () => late.abort(new Error(`no answer within ${answerLimit / 1000} s`)));
    try {
      const signal = AbortSignal.any([options.signal, late.signal]);
      const sent = await send(method, path, { ...options, signal });
      if ('error' in sent) return broken(sent.error);
      const { response } = sent;
      const status = response.statusCode ?? 0;
      if (status < 200 || status > 299) return refusal(response, await readAll(response));
      return await read(response);
    } catch (error) {
      return broken(error);
    } finally {
      cancel();
    }
  }

  return {
    request: (method, path, options) =>
      exchange(method, path, options, async (response): Promise<Answer> => {
        const body: unknown = JSON.parse(await readAll(response));
        const date = Date.parse(response.headers.date ?? '');
        return Number.isNaN(date) ? { ok: true, body } : { ok: true, body, date };
      }),
    open: (path, signal) =>
      exchange('GET', path, { signal }, (response): OpenAnswer => ({ ok: true, chunks: response })),
    close() {
      http.destroy();
      https.destroy();
    },
  };
}

type Sent =
  | { readonly response: IncomingMessage }
  /** `stale`: it came over a connection that was kept and that the server had closed. */
  | { readonly error: Error; readonly stale: boolean };

/** @throws when the answer is cut off */
async function readAll(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function isReset(error: Error): boolean {
  return 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
}
