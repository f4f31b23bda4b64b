/** One review: from its headers to its answer, its log line and the metrics; or what is answered in its place. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import type { Answer, Phase, Review } from '../admission/decision.ts';
import type { ClientCheck } from './client-check.ts';
import { failureBody } from './failure-answer.ts';
import { lateAnswer } from './late-answer.ts';
import type { Logger } from './log.ts';
import type { Metrics } from './metrics.ts';
import { createBodyReader } from './read-body.ts';
import { createRefusalLog } from './refusal-line.ts';
import { type Refusal, refusals as refusalTexts } from './refusals.ts';
import { logReview } from './review-line.ts';
import { timeLimits, within } from './timeout.ts';
import type { WebhookLimits } from './webhook-limits.ts';

export interface ReviewHandlerOptions {
  readonly review: Review;
  /** Whether a review that is late is admitted; as in AdmissionOptions. */
  readonly observes: () => boolean;
  /** Undefined: clients are not authenticated. */
  readonly clients?: ClientCheck | undefined;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly limits: WebhookLimits;
  /** Whether clients are asked to close their connections. */
  readonly draining: () => boolean;
}

export interface ReviewHandler {
  /** Never rejects. */
  handle(phase: Phase, request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Answers with a failure that is the client's. */
  fail(response: ServerResponse, code: number, message: string): void;
  /** Answers with a failure that is our own. */
  failed(response: ServerResponse, error: unknown): void;
  /** No request comes any more. */
  end(): void;
}

const json = 'application/json';
const retryAfter = '1';

/** Empty when the connection is already closed; its body is then aborted. */
function addressOf({ socket }: IncomingMessage): string {
  return socket.remoteAddress ?? '';
}

export function createReviewHandler(options: ReviewHandlerOptions): ReviewHandler {
  const { review, clients, log, metrics, limits, draining } = options;
  const bodies = createBodyReader(limits);
  const refusals = createRefusalLog(log);
  let inFlight = 0;

  async function handle(phase: Phase, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const arrived = performance.now();
    const unauthenticated = clients?.refusal(request.socket);
    if (unauthenticated !== undefined) {
      // Who it is was found out when the connection began: only a new one can show another certificate, or meet another authority.
      response.setHeader('Connection', 'close');
      return refuse(response, unauthenticated.reason, unauthenticated.detail);
    }
    // With `clients`, the certificate of this client was verified above.
    const body = await bodies.read(request, arrived, clients === undefined ? addressOf(request) : undefined);
    if (!body.ok) {
      // A slow connection is likely to stay slow. A displaced body may be an API server's, which continues on its connection.
      if (body.reason === 'slow-body') response.setHeader('Connection', 'close');
      return refuse(response, body.reason);
    }
    if (inFlight >= limits.inFlight) {
      bodies.release(body);
      return refuse(response, 'overloaded');
    }
    metrics.inFlight(++inFlight);
    try {
      const due = timeLimits(request.url ?? '');
      const reviewed = review(phase, body.bytes, arrived + due.review);
      const answer = await within(reviewed, arrived + due.answer - performance.now());
      if (answer !== undefined) return respond(response, answer, arrived);
      const late = lateAnswer({ phase, observes: options.observes() }, body.bytes);
      if (late === undefined) return refuse(response, 'late');
      metrics.refused('late');
      respond(response, late, arrived);
    } finally {
      metrics.inFlight(--inFlight);
      bodies.release(body);
    }
  }

  function respond(response: ServerResponse, { status, body, decision }: Answer, arrived: number): void {
    send(response, status, body);
    const seconds = (performance.now() - arrived) / 1000;
    metrics.reviewed(decision, seconds);
    logReview(log, decision, seconds);
  }

  function refuse(response: ServerResponse, reason: Refusal, detail?: string): void {
    metrics.refused(reason);
    const answer = refusalTexts[reason];
    // The client has disconnected before the end of its body, so there is no answer.
    if (answer === undefined) return;
    refusals.count(reason, detail);
    const { code, message } = answer;
    if (code === 503) response.setHeader('Retry-After', retryAfter);
    fail(response, code, message);
  }

  /** A defect of our own. It is for the log; the caller learns that there is one. */
  function failed(response: ServerResponse, error: unknown): void {
    metrics.refused('failed');
    log.error({ error: error instanceof Error ? error.stack : String(error) }, 'a request failed');
    const { code, message } = refusalTexts.failed;
    if (!response.headersSent) fail(response, code, message);
  }

  function fail(response: ServerResponse, code: number, message: string): void {
    send(response, code, failureBody(code, message));
  }

  function send(response: ServerResponse, code: number, body: string): void {
    if (draining()) response.setHeader('Connection', 'close');
    response.writeHead(code, { 'Content-Type': json, 'Content-Length': Buffer.byteLength(body) }).end(body);
  }

  return {
    handle: (phase, request, response) => handle(phase, request, response).catch((error) => failed(response, error)),
    fail,
    failed,
    end: () => refusals.end(),
  };
}
