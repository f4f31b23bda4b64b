/**
 * The border of a tenant: which peers of a policy are not proven to stay inside it. Pure, total, and linear in the size of
 * the policy; its cost does not depend on how many tenants, namespaces or policies there are. Soft isolation is judged as hard.
 */
import { formatPath } from '../kubernetes/field-path.ts';
import { judgeAddresses } from './ip-block-peer.ts';
import type { AllowRule, DiagnosticScope, Reach, Subject } from './model.ts';
import { judgeSelector } from './selector-peer.ts';
import { judgeSubject } from './subject.ts';
import type { Border, Violation } from './violation.ts';
import { anotherTenant } from './witness.ts';

/** What is to be said about one peer that is not plainly contained. */
export interface PeerVerdict extends DiagnosticScope, Violation {
  /** The field that says it: `spec.ingress[0].from[1].namespaceSelector`. */
  readonly path: string;
}

/**
 * One verdict for each peer, and for each subject, that is not contained in the tenant, in the order of the fields; contained ones get
 * none. What a deny rule takes away is not asked.
 */
export function judgeBorder(reach: Reach, border: Border): readonly PeerVerdict[] {
  const { rules, diagnostics } = reach;
  const verdicts: PeerVerdict[] = [];
  let judged: Subject | undefined;
  let told = 0;
  for (let index = 0; index <= rules.length; index++) {
    for (let one = diagnostics[told]; one !== undefined && one.rulesBefore <= index; one = diagnostics[++told]) {
      const { rulesBefore: _, path, ...verdict } = one;
      verdicts.push({ ...verdict, path: formatPath(path) });
    }
    const rule = rules[index];
    if (rule === undefined || rule.action === 'deny') continue;
    const { subject, direction, peer } = rule;
    if (subject !== judged && subject.namespaces !== undefined) {
      judged = subject;
      const about = judgeSubject(subject, border);
      if (about !== undefined) {
        verdicts.push({ direction, kind: 'selector', path: formatPath(subject.path), ...about });
      }
    }
    const violation = judgeRule(rule, border);
    if (violation === undefined) continue;
    verdicts.push({ direction, kind: peer.kind, path: formatPath(rule.path), ...violation });
  }
  return verdicts;
}

/** Undefined: the peer is contained in the tenant, or agreed. Of the subject it says nothing. */
export function judgeRule(rule: AllowRule, border: Border): Violation | undefined {
  const { peer } = rule;
  switch (peer.kind) {
    case 'any':
      return judgeAnybody(rule, border);
    case 'selector':
      return judgeSelector(peer, rule, border);
    case 'ipBlock':
      return judgeAddresses(peer, rule, border);
  }
}

function judgeAnybody({ direction }: AllowRule, border: Border): Violation {
  const { tenantLabel } = border.tenancy.settings;
  return {
    verdict: 'escapes',
    reason: 'lists no peers, so it allows every pod and every external address',
    witness: `a pod in a namespace with the label ${tenantLabel}=${anotherTenant(border, new Set())}`,
    fix: { id: 'list-peers', direction },
  };
}
