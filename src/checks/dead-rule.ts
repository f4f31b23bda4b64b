import { effectsOfPolicy, effectsOfUnread } from './ambient-effect.ts';
import type { Check, Finding } from './check.ts';
import { isAboutItsPods } from './policy-without-pods.ts';

/**
 * A warning about rules and peers of a NetworkPolicy that can never match, or that only some network plugins apply.
 * Reads    spec.ingress and spec.egress of a policy of a tenant, with policyTypes
 * Warns    of peers with contradictory requirements, with a namespace name that cannot exist, or with an `except` that leaves no
 *          address; of rules in a direction that policyTypes leaves out
 *          Of Istio, where the settings say that pods are in ambient mode: of AuthorizationPolicies, RequestAuthentications and Sidecars that
 *          have no effect there, or another one (ambient-effect.ts)
 * Why      a peer that matches nothing is harmless, but its author waits for traffic that never comes (NP-11). The API ignores rules of
 *          a direction that policyTypes leaves out, and four plugins enforce them, so their peers are judged like all others (NP-21)
 */
export const deadRule: Check = {
  id: 'dead-rule',
  headline: 'has rules or peers without effect in the API',
  protects: 'intent',
  policy(request, facts) {
    const { border } = facts;
    const inAmbient = effectsOfPolicy(request, facts);
    if (border.length === 0) return inAmbient;
    const dead: readonly Finding[] = border
      .filter((verdict) => verdict.verdict === 'nothing' && !isAboutItsPods(verdict))
      .map(({ path, reason, fix }) => ({ path, reason, fix }));
    return inAmbient.length === 0 ? dead : [...dead, ...inAmbient];
  },
  unread: effectsOfUnread,
};
