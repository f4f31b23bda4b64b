/**
 * The admission endpoint: `POST /mutate`, `POST /validate` and `POST /warn` over HTTPS, HTTP/1.1 only (the API server speaks nothing else to webhooks).
 *
 *   headers -> a client that may ask? -> body, within its limits -> room for one more? -> review -> answer, log line, metrics
 *
 * Whatever arrives is answered, in bounded time and memory. As soon as a uid is known that is HTTP 200 with a review. Before, an
 * HTTP 503 also says `Retry-After`: the API server then tries again within its own deadline, where a connection that breaks
 * would fail the user's request at once.
 */
import { constants } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { SecureContextOptions } from 'node:tls';
import { type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { phases } from '../admission/decision.ts';
import { type KeyPair, parseKeyPair } from '../certificates/key-pair.ts';
import type { ClientAuthority } from './client-authority.ts';
import { answerUnreadable, failureResponse, isUnused } from './failure-answer.ts';
import { createReviewHandler, type ReviewHandlerOptions } from './review-handler.ts';
import { type WebhookLimits, webhookLimits } from './webhook-limits.ts';
import { pathReader } from './webhook-path.ts';

const noPath = [''];

export interface WebhookServerOptions extends Omit<ReviewHandlerOptions, 'limits' | 'draining'> {
  readonly certificate: KeyPair;
  /**
   * The segments that may come before `/validate` in the path, any of them; the empty one for `/validate` itself. Without that,
   * nothing else has an answer that says something: only an API server knows one. A list never changes. Default: the empty one alone.
   */
  readonly paths?: () => readonly string[];
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  readonly limits?: Partial<WebhookLimits>;
}

export interface WebhookServer {
  /** Rejects when the address cannot be listened on. */
  listen(): Promise<AddressInfo>;
  /**
   * New connections get this certificate; those that are open live on.
   * @throws CertificateError when certificate and key do not belong together: the ones served stay
   */
  setCertificate(pair: KeyPair): void;
  /** New connections are asked for a certificate of this authority; those that are open are judged by it again. Only with `clients`. */
  setClientAuthority(authority: ClientAuthority): void;
  /** Whether `drain` or `close` was called: readiness must say no. */
  readonly draining: boolean;
  /** Serves on for `drainMilliseconds`, asking each client to close its connection, then closes. */
  drain(): Promise<void>;
  /** Takes no more connections, and resolves when the requests in flight are answered. Ends a drain early. */
  close(): Promise<void>;
}

const origin = { certificate: 'the certificate', key: 'the key' };

/** Announced by its headers; it may still be on its way. */
function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** @throws CertificateError when certificate and key do not belong together */
export function createWebhookServer(options: WebhookServerOptions): WebhookServer {
  const { metrics, clients } = options;
  const limits = { ...webhookLimits, ...options.limits };
  const ending = new AbortController();
  let draining = false;
  let closed: Promise<void> | undefined;
  const { handle, fail, failed, end } = createReviewHandler({ ...options, limits, draining: () => draining });

  let certificate = options.certificate;
  metrics.serving(parseKeyPair(certificate, origin).validToDate.getTime());
  const paths = options.paths ?? (() => noPath);
  const withoutPath = pathReader(paths);
  const app = fastify({
    https: {
      ...secureContext(certificate, clients?.authority),
      requestCert: clients !== undefined,
      rejectUnauthorized: false,
      handshakeTimeout: limits.requestMilliseconds,
      headersTimeout: limits.requestMilliseconds,
      // How often these timeouts are looked at; the default of 30 s would let a slow body live four times as long.
      connectionsCheckingInterval: Math.min(1000, limits.requestMilliseconds),
    },
    requestTimeout: limits.requestMilliseconds,
    keepAliveTimeout: limits.idleMilliseconds,
    maxRequestsPerSocket: 0,
    rewriteUrl: ({ url = '' }) => withoutPath(url),
    // Its only parameter is read by timeLimits.
    routerOptions: { querystringParser: () => ({}) },
    // Either would fail requests on connections that the API server still uses while we close.
    return503OnClosing: false,
    forceCloseConnections: false,
    clientErrorHandler: (error, socket) => {
      if (isUnused(error, socket)) socket.setTimeout(limits.idleMilliseconds);
      else answerUnreadable(error, socket);
    },
    frameworkErrors: (_error, _request, reply) => {
      reply.hijack();
      fail(reply.raw, 400, 'The path is not a valid URL path.');
    },
  });
  // No body is read before its request is known to be a review: fastify would keep up to 1 MiB of each, outside all limits.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  const server: Server = app.server;
  const connections = new Set<Socket>();
  server.on('secureConnection', (socket: Socket) => {
    if (closed) socket.destroy();
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  server.on('connect', (_request, socket: Socket) => {
    socket.end(failureResponse(405, 'Bulkhead is no proxy: POST to /mutate, /validate or /warn.', 'Allow: POST\r\n'));
  });

  server.on('checkExpectation', (_request, response: ServerResponse) => {
    fail(response, 417, 'Of what Expect can ask for, only 100-continue is known.');
  });

  for (const phase of phases) {
    // A review leaves fastify's way before its body is read: it takes bytes, whatever those are called. To answer through a handler and
    // reply.send would take 88,000 instructions more for a Pod: 881,000 against 793,000, counted side by side.
    const onRequest = (request: FastifyRequest, reply: FastifyReply): void => {
      reply.hijack();
      void handle(phase, request.raw, reply.raw);
    };
    app.post(`/${phase}`, { onRequest }, () => undefined);
  }
  app.setNotFoundHandler((request, reply) => {
    reply.hijack();
    if (hasBody(request.raw)) reply.raw.setHeader('Connection', 'close');
    const [path] = request.url.split('?');
    if (!paths().includes('') || !phases.some((phase) => path === `/${phase}`)) return missing(reply.raw);
    reply.raw.setHeader('Allow', 'POST');
    fail(reply.raw, 405, `${path} takes POST with an AdmissionReview.`);
  });
  app.setErrorHandler((error, request, reply) => {
    reply.hijack();
    if (hasBody(request.raw)) reply.raw.setHeader('Connection', 'close');
    const code = typeof error === 'object' && error !== null && 'statusCode' in error ? Number(error.statusCode) : 500;
    if (code >= 400 && code < 500) fail(reply.raw, code, 'The request is not one that Bulkhead can read.');
    else failed(reply.raw, error);
  });

  /** Of one who does not know the path nothing is to be learned. */
  function missing(response: ServerResponse): void {
    const where = paths().includes('') ? ' Admission reviews go to /mutate, /validate and /warn.' : '';
    fail(response, 404, `There is nothing here.${where}`);
  }

  function close(): Promise<void> {
    draining = true;
    ending.abort();
    closed ??= closeNow();
    return closed;
  }

  async function closeNow(): Promise<void> {
    const cut = setTimeout(() => server.closeAllConnections(), limits.closeMilliseconds);
    const ended = app.close();
    // To Node only a connection that has had a request is idle. The API server also keeps spare ones that have had none.
    for (const socket of connections) if (socket.bytesRead === 0) socket.destroy();
    await ended;
    clearTimeout(cut);
    end();
  }

  return {
    async listen() {
      await app.listen({ host: options.host, port: options.port });
      const address = server.address();
      if (address === null || typeof address === 'string')
        throw new Error(`${options.host} is not an IP address or host name`);
      return address;
    },
    setCertificate(pair) {
      const { validToDate } = parseKeyPair(pair, origin);
      server.setSecureContext(secureContext(pair, clients?.authority));
      certificate = pair;
      metrics.serving(validToDate.getTime());
    },
    setClientAuthority(authority) {
      server.setSecureContext(secureContext(certificate, authority));
      clients?.setAuthority(authority);
    },
    get draining() {
      return draining;
    },
    async drain() {
      draining = true;
      await delay(limits.drainMilliseconds, undefined, { signal: ending.signal }).catch(() => {});
      await close();
    },
    close,
  };
}

/**
 * The whole of it each time: what is left out of a new context falls back to Node's defaults, and for `ca` these are all the public
 * authorities. Sessions are not resumed: the API server never does, and a resumed one would bring no certificate.
 */
function secureContext(pair: KeyPair, authority: ClientAuthority | undefined): SecureContextOptions {
  return {
    key: pair.key,
    cert: pair.certificate,
    ca: authority?.bundle ?? [],
    minVersion: 'TLSv1.2',
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}
