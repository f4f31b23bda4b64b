import { type Check, nothing } from './check.ts';
import { isAboutItsPods } from './policy-without-pods.ts';

/**
 * Whoever writes a rule or a peer of a NetworkPolicy that can never match anything is told.
 * Reads    spec.ingress and spec.egress of a policy of a tenant, with policyTypes
 * Warns    of peers whose requirements contradict each other, that name a namespace which cannot be, or whose addresses are all
 *          excepted; of rules in a direction that policyTypes leaves out
 * Why      nothing is opened by such text, so it is harmless, but somebody waits for traffic that never comes (NP-11)
 */
export const deadRule: Check = {
  id: 'dead-rule',
  headline: 'has text that opens nothing',
  protects: 'intent',
  networkPolicy(_, { border }) {
    if (border.length === 0) return nothing;
    return border
      .filter((verdict) => verdict.verdict === 'nothing' && !isAboutItsPods(verdict))
      .map(({ path, reason, fix }) => ({ check: 'dead-rule', path, reason, fix }));
  },
};
