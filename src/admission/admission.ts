/** Review in, review out: decode, gather, judge, respond. A function of the request and of caches; it writes nothing (ADM-13). */
import type { Gathered } from '../checks/check.ts';
import { judge } from '../checks/judge.ts';
import { type AdmissionRequest, isWorkload } from '../kubernetes/review.ts';
import { narrowedPeers } from '../mutations/narrowed-peers.ts';
import { tenantLabel } from '../mutations/tenant-label.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import type { Answer, Phase, Review } from './decision.ts';
import { decode } from './decode.ts';
import type { BaselineSource, NamespaceSource } from './facts.ts';
import { gather } from './gather.ts';
import { FactsUnavailable } from './live-facts.ts';
import { denialText, narrowingTexts, plainDenial, warningTexts } from './message.ts';
import { patchText } from './patch.ts';
import { refuseUnread, respond, retrySeconds } from './respond.ts';

export interface AdmissionOptions {
  /** Undefined: the tenants are not known, and every request is to be tried again. */
  readonly tenancy: () => Tenancy | undefined;
  readonly namespaces: NamespaceSource;
  /** Undefined where nothing puts baselines in place: pods are not held there. */
  readonly baselines?: BaselineSource | undefined;
  /** Told of defects (never of refusals), for the log. */
  readonly onDefect: (error: unknown) => void;
}

export function createAdmission({ tenancy, namespaces, baselines, onDefect }: AdmissionOptions): Review {
  return async (phase, body, deadline) => {
    let request: AdmissionRequest | undefined;
    try {
      const decoded = decode(body);
      if (!decoded.ok) return refuseUnread(phase, decoded.uid, 400, decoded.reason);
      request = decoded.request;
      const known = tenancy();
      if (known === undefined) throw new FactsUnavailable('the tenants are not known');
      // Live requests get half of what is left, so that there is always time to answer.
      const patience = (deadline - performance.now()) / 2;
      const sources = { namespaces, tenancy: known, now: Date.now(), patience };
      return phase === 'mutate'
        ? mutate(await gather(request, { ...sources, mutating: true }))
        : validate(phase, await gather(request, { ...sources, baselines }));
    } catch (error) {
      if (request !== undefined && error instanceof FactsUnavailable) return tryAgain(phase, request, error);
      onDefect(error);
      const reason = 'Bulkhead failed on this request, and what is not understood is not admitted';
      return refuseUnread(phase, request?.uid ?? '', 500, reason);
    }
  };
}

/**
 * Judges nothing: validate alone refuses findings, because it sees the object after all mutations. Missing facts are a retryable 503
 * here too. Otherwise validate, which may have the facts a moment later or on another replica, would refuse the object with 403: it
 * cannot know why the label is missing (SRV-18).
 */
function mutate({ request, facts }: Gathered): Answer {
  const narrowed = narrowedPeers(request, facts);
  const labelled = tenantLabel(request, facts);
  const patch = patchText(request.object, labelled === undefined ? narrowed : [labelled, ...narrowed]);
  const warnings = narrowingTexts(narrowed);
  return respond('mutate', request, { owner: facts.owner, warnings, ...(patch !== undefined && { patch }) });
}

function validate(phase: Phase, gathered: Gathered): Answer {
  const { request, facts } = gathered;
  const { owner } = facts;
  const judged = judge(gathered);
  if (judged.length === 0) return respond(phase, request, { owner });
  const checks = [...new Set(judged.map(({ check }) => check))];
  const refusing = judged.filter(({ refuses }) => refuses);
  const told = owner === 'platform' || owner.mode !== 'audit' ? judged.filter(({ refuses }) => !refuses) : [];
  // The pods are refused when they come; whoever writes the workload is to know before.
  if (isWorkload(request))
    return respond(phase, request, { owner, checks, warnings: warningTexts([...refusing, ...told]) });
  const [gravest, ...others] = refusing;
  return respond(phase, request, {
    owner,
    checks,
    warnings: warningTexts(told),
    ...(gravest && { denial: { code: 403, message: denialText(request, facts, [gravest, ...others]) } }),
  });
}

function tryAgain(phase: Phase, request: AdmissionRequest, error: FactsUnavailable): Answer {
  const told = plainDenial(request, `cannot be judged now: ${error.message}`, `try again in ${retrySeconds} second`);
  return respond(phase, request, { denial: { code: 503, message: told }, reason: explained(error) });
}

/** With what lies behind it, which is for the log and not for whoever asked. */
function explained({ message, cause }: FactsUnavailable): string {
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}
