/**
 * Runs every check of the catalogue on a request. Pure and total: a check that throws is a finding, so that a defect
 * closes the door instead of opening it, and in this one place.
 */
import { isDeepStrictEqual } from 'node:util';
import type { AdmissionRequest, NetworkPolicyRequest } from '../kubernetes/review.ts';
import { judgeBorder, type PeerVerdict } from '../reach/border.ts';
import { catalogue } from './catalogue.ts';
import { type Check, type Facts, type Finding, nothing } from './check.ts';

/** A finding with what follows from it. */
export interface Judged {
  readonly finding: Finding;
  /** The end of the sentence that begins with the object's name; from the check. */
  readonly headline: string;
  /**
   * Whether it refuses the request. Findings about identity always do. Findings about a tenant's own border do when the
   * tenant's mode is `enforce`, unless the update leaves the whole spec as it was: what has been admitted once can still
   * be labelled, finalized and deleted (ADM-11, ADM-22).
   */
  readonly refuses: boolean;
}

export interface Judgement {
  /** In catalogue order, so that two replicas print the same text. */
  readonly judged: readonly Judged[];
  /** Peers that can never match anything: admitted, and worth a word. */
  readonly deadPeers: readonly PeerVerdict[];
}

const clean: Judgement = { judged: [], deadPeers: [] };

export function judge(request: AdmissionRequest, facts: Facts): Judgement {
  let border: readonly PeerVerdict[] = [];
  let broken: Judged | undefined;
  try {
    if (request.kind === 'NetworkPolicy') border = borderOf(request, facts);
  } catch (error) {
    broken = brokenCheck('border', error);
  }
  const policyFacts = { ...facts, border };
  const judged: Judged[] = broken === undefined ? [] : [broken];
  let ratchet: boolean | undefined;
  for (const check of catalogue) {
    let findings: readonly Finding[];
    try {
      findings = run(check, request, policyFacts);
    } catch (error) {
      judged.push(brokenCheck(check.id, error));
      continue;
    }
    for (const finding of findings) {
      const enforced = check.protects === 'identity' || facts.owner === 'platform' || facts.owner.mode === 'enforce';
      if (enforced && check.protects === 'border') ratchet ??= leavesSpecAlone(request);
      const refuses = enforced && !(check.protects === 'border' && ratchet === true);
      judged.push({ finding, headline: check.headline, refuses });
    }
  }
  const deadPeers = border.filter(({ verdict }) => verdict === 'nothing');
  return judged.length === 0 && deadPeers.length === 0 ? clean : { judged, deadPeers };
}

function run(check: Check, request: AdmissionRequest, facts: Facts & { border: readonly PeerVerdict[] }) {
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
function borderOf(request: NetworkPolicyRequest, facts: Facts): readonly PeerVerdict[] {
  if (request.operation === 'DELETE' || facts.owner === 'platform') return [];
  return judgeBorder(request.object, {
    namespace: request.namespace,
    tenant: facts.owner,
    tenancy: facts.tenancy,
    now: facts.now,
  });
}

function leavesSpecAlone(request: AdmissionRequest): boolean {
  return (
    request.kind === 'NetworkPolicy' &&
    request.oldObject !== undefined &&
    isDeepStrictEqual(request.object.spec, request.oldObject.spec)
  );
}

function brokenCheck(check: string, error: unknown): Judged {
  return {
    finding: {
      check,
      path: '',
      reason: `could not be decided: the check failed with ${error instanceof Error ? error.name : 'an error'}, and what is not understood is not admitted`,
      fix: 'this is a defect of Bulkhead; please report it with the object',
    },
    headline: 'could not be judged',
    refuses: true,
  };
}
