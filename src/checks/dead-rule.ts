import { type Check, nothing } from './check.ts';
import { isAboutItsPods } from './policy-without-pods.ts';

/**
 * A warning about rules and peers of a NetworkPolicy that can never match, or that only some network plugins apply.
 * Reads    spec.ingress and spec.egress of a policy of a tenant, with policyTypes
 * Warns    of peers with contradictory requirements, with a namespace name that cannot exist, or with an `except` that leaves no
 *          address; of rules in a direction that policyTypes leaves out
 * Why      a peer that matches nothing is harmless, but its author waits for traffic that never comes (NP-11). The API ignores rules of
 *          a direction that policyTypes leaves out, and four plugins enforce them, so their peers are judged like all others (NP-21)
 */
export const deadRule: Check = {
  id: 'dead-rule',
  headline: 'has rules or peers without effect in the API',
  protects: 'intent',
  policy(_, { border }) {
    if (border.length === 0) return nothing;
    return border
      .filter((verdict) => verdict.verdict === 'nothing' && !isAboutItsPods(verdict))
      .map(({ path, reason, fix }) => ({ path, reason, fix }));
  },
};
