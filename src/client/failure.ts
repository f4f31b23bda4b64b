import type { IncomingMessage } from 'node:http';
import { valueAt } from '../kubernetes/json.ts';
import { fieldsAt, parseJson } from './decode.ts';

/** Why a request to the API server came to nothing. */
export interface Failure {
  readonly ok: false;
  /** `broken`: no answer, or none that can be used: the connection, TLS, the credentials, the time, or what it says. */
  readonly kind: 'refused' | 'broken';
  /** The HTTP status; 0 without an answer. */
  readonly status: number;
  /** Of meta/v1 Status, such as `Expired` or `Forbidden`; empty when there is none. */
  readonly reason: string;
  /** Status.details.causes[*].reason, such as `NamespaceTerminating`. */
  readonly causes: readonly string[];
  readonly message: string;
  /** Milliseconds: the Retry-After header, or 0. */
  readonly retryAfter: number;
}

/** A longer Retry-After is taken for a mistake of a proxy. */
const longestRetryAfter = 60_000;

/** A message may be a whole page of a proxy. */
const longestMessage = 500;

export function broken(error: unknown): Failure {
  return { ok: false, kind: 'broken', status: 0, reason: '', causes: [], message: explain(error), retryAfter: 0 };
}

/** @param text the whole answer: a Status, or a page of a proxy */
export function refusal(response: IncomingMessage, text: string): Failure {
  const status = response.statusCode ?? 0;
  const seconds = Number(response.headers['retry-after']);
  const retryAfter = seconds > 0 ? Math.min(seconds * 1000, longestRetryAfter) : 0;
  return { ...statusFailure(parseJson(text), status), retryAfter };
}

/** A Status object that arrived by other ways than as an HTTP error: the ERROR event of a watch. */
export function statusFailure(body: unknown, fallbackStatus: number): Failure {
  const { code, reason, message } = fieldsAt(body);
  const causes = valueAt(body, 'details', 'causes');
  return {
    ok: false,
    kind: 'refused',
    status: typeof code === 'number' ? code : fallbackStatus,
    reason: text(reason),
    causes: Array.isArray(causes) ? causes.map((cause) => text(valueAt(cause, 'reason'))) : [],
    message: typeof message === 'string' ? message.slice(0, longestMessage) : `HTTP status ${fallbackStatus}`,
    retryAfter: 0,
  };
}

/** One line for the log, or an Event. The API server quotes URLs of webhooks; their secret path is left out. */
export function describe(failure: Failure): string {
  const said = failure.kind === 'broken' ? failure.message : `${failure.status} ${failure.message}`;
  return said.replaceAll(/\/[0-9a-f]{32,64}\/(?=mutate|validate|warn)/g, '/***/');
}

/** The version that was asked for is too old (HTTP 410), or later than the newest, as after a restore of etcd: only a new list helps. */
export function needsNewList(failure: Failure): boolean {
  const { status, reason, causes } = failure;
  return status === 410 || reason === 'Expired' || reason === 'Gone' || causes.includes('ResourceVersionTooLarge');
}

/** An abort is explained by its reason; an error of several addresses by the first of them. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'AbortError' && error.cause instanceof Error) return explain(error.cause);
  if (error instanceof AggregateError && error.errors.length > 0) return explain(error.errors[0]);
  return error.message;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
