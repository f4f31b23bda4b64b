/**
 * The answer to a review that was not decided in time.
 *
 * An HTTP status of 503 would be a failed call: the API server would ask again, for which no time is left, and the user would read
 * of an internal error. A denial with code 503 is read by the user as it is, and clients try again by themselves.
 */
import type { Answer, Asked } from '../admission/decision.ts';
import { decode } from '../admission/decode.ts';
import { plainDenial } from '../admission/message.ts';
import { respond, retrySeconds } from '../admission/respond.ts';

/** What is larger is not read a second time: there would be no room for it (read-body.ts counts it once). */
const mostBytes = 1024 * 1024;

/** Reads the body a second time, so that only what is late pays for it. Undefined when it is large or not a request that is understood. */
export function lateAnswer(asked: Asked, body: Buffer): Answer | undefined {
  if (body.length > mostBytes) return undefined;
  const decoded = decode(body);
  if (!decoded.ok) return undefined;
  const reason = 'was not decided in time';
  const message = plainDenial(decoded.request, reason, `try again in ${retrySeconds} second`);
  return respond(asked, decoded.request, { denial: { code: 503, message }, reason });
}
