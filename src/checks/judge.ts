/**
 * Runs every check of the catalogue on a request. Pure and total: a check that throws is a finding, so that a defect
 * rejects a request instead of admitting it, and in this one place.
 */
import { exemptableChecks } from '../exemptions/exemption-schema.ts';
import type { PolicyVerdict } from '../kinds/kind.ts';
import { neighbourKindOf } from '../kinds/neighbour-kind.ts';
import { isJudged, policyKindOf } from '../kinds/policy-kind.ts';
import type { PolicyRequest, WorkloadRequest } from '../kubernetes/review.ts';
import { judgeBorder } from '../reach/border.ts';
import { emptyReach } from '../reach/model.ts';
import type { Border } from '../reach/violation.ts';
import { catalogue } from './catalogue.ts';
import { type ChangedContainers, changedContainers } from './changed-containers.ts';
import {
  type Check,
  type Finding,
  type Gathered,
  type GatheredPolicyFacts,
  isExemptable,
  isInEveryMode,
  nothing,
  type PodFacts,
  type PolicyFacts,
} from './check.ts';
import { exemptionFor } from './exemption.ts';
import type { Ways } from './grants.ts';
import { podToCome } from './pod-to-come.ts';

/** A finding with its check, and what follows from it. */
export interface Judged extends Finding {
  /** The id of the check; docs/checks/ID.md explains it. */
  readonly check: string;
  /** Of the finding or its check. */
  readonly headline: string;
  /**
   * Whether it refuses the request; of a workload: the pods that come of it. Findings about identity and nodes do in every mode, those
   * about intent never. Findings about a tenant's own border do when the tenant's mode is `enforce`, unless the update leaves the whole spec as
   * it was: what has been admitted once can still be labelled, finalized and deleted (ADM-11, ADM-22).
   */
  readonly refuses: boolean;
  /** The same as if the tenant's mode were `enforce`. */
  readonly refusesInEnforce: boolean;
  /** The name of the exemption by which it does not refuse, whatever the mode is. */
  readonly exemption?: string;
  /** What the platform can do about it. Left out: nothing, because it is about an identity or an intent. */
  readonly ways?: Ways;
}

/** What checks look at. A workload is judged by the pods that come of it, a policy with the verdicts of the border. */
type Asked =
  | Exclude<Gathered, { readonly family: 'policy' | 'workload' }>
  | { readonly family: 'policy'; readonly request: PolicyRequest; readonly facts: PolicyFacts };

const nowhere: readonly PolicyVerdict[] = [];

/** The checks that look at a family of kinds, in catalogue order. */
const checksOf: Readonly<Record<Asked['family'], readonly Check[]>> = {
  namespace: catalogue.filter(({ namespace }) => namespace),
  pod: catalogue.filter(({ pod }) => pod),
  policy: catalogue.filter(({ policy }) => policy),
  quota: catalogue.filter(({ quota }) => quota),
  tenant: catalogue.filter(({ tenant }) => tenant),
  exemption: catalogue.filter(({ exemption }) => exemption),
  gate: catalogue.filter(({ gate }) => gate),
  neighbour: catalogue.filter(({ neighbour }) => neighbour),
  unread: catalogue.filter(({ unread }) => unread),
};

/** @returns in catalogue order, so that two replicas print the same text */
export function judge(gathered: Gathered): readonly Judged[] {
  switch (gathered.family) {
    case 'workload':
      return judgeWorkload(gathered.request, gathered.facts);
    case 'policy':
      return judgePolicy(gathered.request, gathered.facts);
    case 'neighbour': {
      const { module } = neighbourKindOf(gathered.request);
      return gathered.facts.tenancy.settings[module].judged ? runChecks(gathered, []) : [];
    }
    default:
      return runChecks(gathered, []);
  }
}

function judgePolicy(request: PolicyRequest, facts: GatheredPolicyFacts): readonly Judged[] {
  const judged: Judged[] = [];
  let known: PolicyFacts;
  try {
    known = aboutPolicy(request, facts);
  } catch (error) {
    known = unread(facts);
    judged.push(brokenCheck('border', error, true));
  }
  return runChecks({ family: 'policy', request, facts: known }, judged);
}

function judgeWorkload(workload: WorkloadRequest, facts: PodFacts): readonly Judged[] {
  const toCome = podToCome(workload, facts);
  if (toCome === undefined) return [];
  const judged = judge({ family: 'pod', request: toCome.request, facts: toCome.facts });
  return judged.map((one) => ({ ...one, path: toCome.place(one.path) }));
}

/** @param judged what is known already, to which the findings of the checks are added */
function runChecks(asked: Asked, judged: Judged[]): readonly Judged[] {
  const { owner } = asked.facts;
  let specUnchanged: boolean | undefined;
  const changed = asked.family === 'pod' ? changedContainers(asked.request) : undefined;
  for (const check of checksOf[asked.family]) {
    let findings: readonly Finding[];
    let exemption: string | undefined;
    try {
      findings = run(check, asked, changed);
      if (findings.length === 0) continue;
      exemption = exemptionOf(check, findings, asked);
    } catch (error) {
      judged.push(brokenCheck(check.id, error, check.protects !== 'intent'));
      continue;
    }
    for (const finding of findings) {
      const { protects = check.protects } = finding;
      const exemptable = isExemptable(protects);
      const enforced = isInEveryMode(protects) || owner === 'platform' || owner.mode === 'enforce';
      if (exemptable) specUnchanged ??= isSpecUnchanged(asked.request);
      const by = exemptable ? exemption : undefined;
      const refusesInEnforce =
        protects !== 'intent' &&
        by === undefined &&
        !(exemptable && specUnchanged === true && finding.ofChange !== true);
      const follows = { refuses: enforced && refusesInEnforce, refusesInEnforce };
      const headline = finding.headline ?? check.headline;
      judged.push({
        ...{ ...finding, check: check.id, headline, ...follows },
        ...(by !== undefined && { exemption: by }),
        ...(exemptable && { ways: waysOf(check, finding, asked) }),
      });
    }
  }
  return judged;
}

/** Only what protects a border or a node can be exempted: it must cover all that the check finds of that kind. */
function exemptionOf(check: Check, findings: readonly Finding[], { request, facts }: Asked): string | undefined {
  if (!canExempt(request)) return undefined;
  const exemptable = findings.filter(({ protects = check.protects }) => isExemptable(protects));
  return exemptable.length === 0 ? undefined : exemptionFor(check.id, exemptable, request, facts)?.name;
}

type Exemptable = Parameters<typeof exemptionFor>[2];

function canExempt(request: Asked['request']): request is Exemptable {
  const { family } = request;
  return family === 'pod' || family === 'policy' || family === 'neighbour' || family === 'unread';
}

/** Of a finding about a border or a node. */
function waysOf({ id, grants = [] }: Check, { ungrantable }: Finding, { request, facts }: Asked): Ways {
  const exemption = exemptableIds.has(id) && canExempt(request) && facts.owner !== 'platform';
  return { grants: ungrantable ? [] : grants, exemption };
}

const exemptableIds: ReadonlySet<string> = new Set(exemptableChecks);

function run(check: Check, asked: Asked, changed: ChangedContainers | undefined): readonly Finding[] {
  switch (asked.family) {
    case 'namespace':
      return check.namespace?.(asked.request, asked.facts) ?? nothing;
    case 'pod':
      if (changed !== undefined && check.sharedByContainers === true)
        return changed.about(check.pod?.(changed.asCreated, asked.facts) ?? nothing);
      return check.pod?.(asked.request, asked.facts) ?? nothing;
    case 'policy':
      return check.policy?.(asked.request, asked.facts) ?? nothing;
    case 'quota':
      return check.quota?.(asked.request, asked.facts) ?? nothing;
    case 'tenant':
      return check.tenant?.(asked.request, asked.facts) ?? nothing;
    case 'exemption':
      return check.exemption?.(asked.request, asked.facts) ?? nothing;
    case 'gate':
      return check.gate?.(asked.request, asked.facts) ?? nothing;
    case 'neighbour':
      return check.neighbour?.(asked.request, asked.facts) ?? nothing;
    case 'unread':
      return check.unread?.(asked.request, asked.facts) ?? nothing;
  }
}

/** A policy of a tenant is judged when it is written. The platform's own namespaces are its own business. */
function aboutPolicy(request: PolicyRequest, facts: GatheredPolicyFacts): PolicyFacts {
  const { owner, tenancy, now, ownerByName, isKept } = facts;
  if (request.operation === 'DELETE' || owner === 'platform') return unread(facts);
  if (!isJudged(request, tenancy.settings)) return unread(facts);
  const kind = policyKindOf(request);
  const reach = facts.reach ?? kind.read(request.object);
  const border: Border = { namespace: request.namespace, tenant: owner, tenancy, now, ownerByName, isKept };
  const verdicts = judgeBorder(reach, border);
  return { ...facts, reach, border: verdicts.length === 0 ? nowhere : kind.worded(verdicts, border) };
}

function unread(facts: GatheredPolicyFacts): PolicyFacts {
  return { ...facts, reach: emptyReach, border: nowhere };
}

function isSpecUnchanged(request: Asked['request']): boolean {
  if (request.oldObject === undefined) return false;
  switch (request.family) {
    case 'policy':
      return policyKindOf(request).unchanged(request.object, request.oldObject);
    case 'neighbour':
      return neighbourKindOf(request).unchanged(request.object, request.oldObject);
    default:
      return false;
  }
}

function brokenCheck(check: string, error: unknown, refuses: boolean): Judged {
  return {
    check,
    path: '',
    reason: `could not be decided: the check failed with ${error instanceof Error ? error.name : 'an error'}${refuses ? ', and what is not understood is not admitted' : ''}`,
    fix: 'this is a defect of Bulkhead; please report it with the object',
    headline: 'could not be judged',
    refuses,
    refusesInEnforce: refuses,
  };
}
