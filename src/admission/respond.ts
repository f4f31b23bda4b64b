/** The AdmissionReview that answers a request. Source: admission.k8s.io/v1 AdmissionResponse. */
import type { AdmissionRequest } from '../kubernetes/review.ts';
import type { Owner } from '../tenancy/tenancy.ts';
import type { Answer, Asked, Decision } from './decision.ts';

interface Denial {
  readonly code: 400 | 403 | 500 | 503;
  readonly message: string;
}

/** What there is to say about one request. */
export interface Outcome {
  readonly denial?: Denial;
  /** JSON Patch text; only in the mutating phase. */
  readonly patch?: string;
  readonly warnings?: readonly string[];
  /** Ids of the checks that found something. */
  readonly checks?: readonly string[];
  /** What exemptions took the effect of, one for each finding. */
  readonly exempted?: readonly { readonly check: string; readonly exemption: string }[];
  /** Undefined when it was not found out. */
  readonly owner?: Owner;
  /** See Decision. */
  readonly reason?: string;
  /** For the audit log: which contradictions between layers were found, or why none was looked for; empty: none. */
  readonly layers?: string | undefined;
}

const nothing: readonly string[] = [];
const reasons = { 400: 'BadRequest', 403: 'Forbidden', 500: 'InternalError', 503: 'ServiceUnavailable' } as const;

/** Seconds after which a refusal that can be tried again is worth trying again. The API server sends them on as Retry-After. */
export const retrySeconds = 1;

export function respond(asked: Asked, request: AdmissionRequest, outcome: Outcome): Answer {
  const { owner, checks = [], exempted = [] } = outcome;
  const tenant = owner === undefined || owner === 'platform' ? owner : owner.name;
  const ownMode = owner === undefined || owner === 'platform' ? 'enforce' : owner.mode;
  const mode = asked.observes ? 'observe' : ownMode;
  const decision: Decision = {
    phase: asked.phase,
    uid: request.uid,
    kind: request.kind,
    operation: request.operation,
    subresource: request.subresource,
    namespace: request.namespace,
    name: request.name,
    username: request.user.username,
    dryRun: request.dryRun,
    tenant,
    mode,
    allowed: outcome.denial === undefined || !denies(asked),
    code: outcome.denial?.code ?? 200,
    checks,
    exemptions: exempted.length === 0 ? nothing : [...new Set(exempted.map(({ exemption }) => exemption))],
    exempted: exempted.length === 0 ? nothing : [...new Set(exempted.map(({ check }) => check))],
    patched: outcome.patch !== undefined,
    reason: outcome.reason,
  };
  const audited = {
    ...(checks.length === 0 ? { tenant } : { tenant, checks: checks.join(','), mode }),
    ...(exempted.length > 0 && { exemptions: decision.exemptions.join(',') }),
    ...(outcome.layers && { layers: outcome.layers }),
  };
  return { status: 200, body: review(asked, request.uid, outcome, audited), decision };
}

/** The answer where there is no request to speak of: a body that is not understood (400), or a defect (500). */
export function refuseUnread(asked: Asked, uid: string, code: 400 | 500, message: string): Answer {
  const decision: Decision = {
    phase: asked.phase,
    uid,
    kind: '',
    operation: '',
    subresource: '',
    namespace: '',
    name: '',
    username: '',
    dryRun: false,
    tenant: undefined,
    mode: asked.observes ? 'observe' : 'enforce',
    allowed: !denies(asked) && uid !== '',
    code,
    checks: [],
    exemptions: [],
    exempted: [],
    patched: false,
    reason: message,
  };
  // Without a uid there is no review to answer, and the status of HTTP is all that is left to say no with.
  if (uid === '') {
    const body = JSON.stringify({ kind: 'Status', apiVersion: 'v1', ...statusOf({ code, message }) });
    return { status: code, body, decision };
  }
  return { status: 200, body: review(asked, uid, { denial: { code, message } }, {}), decision };
}

function denies({ phase, observes }: Asked): boolean {
  return phase !== 'warn' && !observes;
}

const reviewOpening = '{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":';

/** What is undefined is left out of JSON. */
function review(asked: Asked, uid: string, outcome: Outcome, auditAnnotations: object): string {
  const { patch, warnings } = outcome;
  const denial = denies(asked) ? outcome.denial : undefined;
  const response = {
    uid,
    allowed: denial === undefined,
    status: denial && statusOf(denial),
    patchType: patch === undefined ? undefined : 'JSONPatch',
    patch: patch === undefined ? undefined : Buffer.from(patch).toString('base64'),
    warnings: warnings?.length === 0 ? undefined : warnings,
    auditAnnotations,
  };
  return `${reviewOpening}${JSON.stringify(response)}}`;
}

/** meta/v1 Status. With `retryAfterSeconds` clients of the API server wait and try again by themselves. */
function statusOf({ code, message }: Denial) {
  const status = { status: 'Failure', code, reason: reasons[code], message };
  return code === 503 ? { ...status, details: { retryAfterSeconds: retrySeconds } } : status;
}
