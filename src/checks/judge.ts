/**
 * Runs every check of the catalogue on a request. Pure and total: a check that throws is a finding, so that a defect
 * closes the door instead of opening it, and in this one place.
 */
import { isDeepStrictEqual } from 'node:util';
import { type PolicyVerdict, wordedVerdicts } from '../kinds/network-policy/fix-text.ts';
import {
  type AdmissionRequest,
  isWorkload,
  type NetworkPolicyRequest,
  type WorkloadRequest,
} from '../kubernetes/review.ts';
import { judgeBorder } from '../reach/border.ts';
import { readNetworkPolicy } from '../reach/dialects/network-policy.ts';
import { emptyReach } from '../reach/model.ts';
import type { Border } from '../reach/violation.ts';
import { catalogue } from './catalogue.ts';
import { type Check, type Facts, type Finding, nothing, type PolicyFacts } from './check.ts';
import { podToCome } from './pod-to-come.ts';

/** A finding with what follows from it. */
export interface Judged {
  readonly finding: Finding;
  /** The end of the sentence that begins with the object's name; from the check. */
  readonly headline: string;
  /**
   * Whether it refuses the request; of a workload: the pods that come of it. Findings about identity always do, those about intent
   * never. Findings about a tenant's own border do when the tenant's mode is `enforce`, unless the update leaves the whole spec as
   * it was: what has been admitted once can still be labelled, finalized and deleted (ADM-11, ADM-22).
   */
  readonly refuses: boolean;
}

/** What checks look at. A workload is judged by the pods that come of it. */
type JudgedRequest = Exclude<AdmissionRequest, WorkloadRequest>;

const nowhere: readonly PolicyVerdict[] = [];

/** The checks that look at a kind, in catalogue order. */
const checksOf: Readonly<Record<JudgedRequest['kind'], readonly Check[]>> = {
  Namespace: catalogue.filter(({ namespace }) => namespace),
  Pod: catalogue.filter(({ pod }) => pod),
  NetworkPolicy: catalogue.filter(({ networkPolicy }) => networkPolicy),
  ResourceQuota: catalogue.filter(({ resourceQuota }) => resourceQuota),
  Tenant: catalogue.filter(({ tenant }) => tenant),
};

/** @returns in catalogue order, so that two replicas print the same text */
export function judge(request: AdmissionRequest, facts: Facts): readonly Judged[] {
  if (isWorkload(request)) return judgeWorkload(request, facts);
  const judged: Judged[] = [];
  let policyFacts: PolicyFacts;
  try {
    policyFacts = request.kind === 'NetworkPolicy' ? aboutPolicy(request, facts) : unread(facts);
  } catch (error) {
    policyFacts = unread(facts);
    judged.push(brokenCheck('border', error, true));
  }
  let ratchet: boolean | undefined;
  for (const check of checksOf[request.kind]) {
    let findings: readonly Finding[];
    try {
      findings = run(check, request, policyFacts);
    } catch (error) {
      judged.push(brokenCheck(check.id, error, check.protects !== 'intent'));
      continue;
    }
    for (const finding of findings) {
      const enforced = check.protects === 'identity' || facts.owner === 'platform' || facts.owner.mode === 'enforce';
      if (enforced && check.protects === 'border') ratchet ??= leavesSpecAlone(request);
      const refuses = enforced && check.protects !== 'intent' && !(check.protects === 'border' && ratchet === true);
      judged.push({ finding, headline: check.headline, refuses });
    }
  }
  return judged;
}

function judgeWorkload(workload: WorkloadRequest, facts: Facts): readonly Judged[] {
  const toCome = podToCome(workload, facts);
  if (toCome === undefined) return [];
  return judge(toCome.request, toCome.facts).map((judged) => {
    const path = toCome.place(judged.finding.path);
    return { ...judged, finding: { ...judged.finding, path } };
  });
}

function run(check: Check, request: JudgedRequest, facts: PolicyFacts) {
  switch (request.kind) {
    case 'Namespace':
      return check.namespace?.(request, facts) ?? nothing;
    case 'Pod':
      return check.pod?.(request, facts) ?? nothing;
    case 'NetworkPolicy':
      return check.networkPolicy?.(request, facts) ?? nothing;
    case 'ResourceQuota':
      return check.resourceQuota?.(request, facts) ?? nothing;
    case 'Tenant':
      return check.tenant?.(request, facts) ?? nothing;
  }
}

/** A policy of a tenant is judged when it is written. The platform's own namespaces are its own business. */
function aboutPolicy(request: NetworkPolicyRequest, facts: Facts): PolicyFacts {
  const { owner, tenancy, now, holderOf } = facts;
  if (request.operation === 'DELETE' || owner === 'platform') return unread(facts);
  const reach = facts.reach ?? readNetworkPolicy(request.object);
  const border: Border = { namespace: request.namespace, tenant: owner, tenancy, now, holderOf };
  const verdicts = judgeBorder(reach, border);
  return { ...facts, reach, border: verdicts.length === 0 ? nowhere : wordedVerdicts(verdicts, border) };
}

function unread(facts: Facts): PolicyFacts {
  return { ...facts, reach: emptyReach, border: nowhere };
}

function leavesSpecAlone(request: JudgedRequest): boolean {
  return (
    request.kind === 'NetworkPolicy' &&
    request.oldObject !== undefined &&
    isDeepStrictEqual(request.object.spec, request.oldObject.spec)
  );
}

function brokenCheck(check: string, error: unknown, refuses: boolean): Judged {
  return {
    finding: {
      check,
      path: '',
      reason: `could not be decided: the check failed with ${error instanceof Error ? error.name : 'an error'}${refuses ? ', and what is not understood is not admitted' : ''}`,
      fix: 'this is a defect of Bulkhead; please report it with the object',
    },
    headline: 'could not be judged',
    refuses,
  };
}
