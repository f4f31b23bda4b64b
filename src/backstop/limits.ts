/** How much of the exemptions the API server takes, and evaluates for one pod. Measured by test/e2e/backstop-exemptions.test.ts. */
import type { Exemption } from '../tenancy/exemption.ts';
import { rules } from './backstop.ts';
import { exemptionsFor, homeOf } from './exempted.ts';

/** Bytes of one policy. etcd takes requests of 1.5 MiB (--max-request-bytes), and the API server adds metadata. */
const largestPolicy = 1_450_000;
/** Of the 1,000,000 units of cost that an expression may have for one request (CEL, k8s.io/apiserver). */
const mostCost = 800_000;
/** For which the cost is reckoned. */
const containers = 20;

/** Why the API server would not take these policies, or would refuse pods because of their cost; each with a fix. */
export function excessOf(documents: readonly object[], exemptions: readonly Exemption[]): readonly string[] {
  const sizes = documents.flatMap((document) => {
    const size = Buffer.byteLength(JSON.stringify(document));
    const { name } = (document as { readonly metadata: { readonly name: string } }).metadata;
    return size <= largestPolicy
      ? []
      : [
          `the policy ${name} has ${size} bytes, and the API server stores at most ${largestPolicy}; list fewer checks in the exemptions, and join those that differ in one of names, serviceAccounts and requesters alone`,
        ];
  });
  const costs = rules.flatMap((rule) => {
    const byHome = new Map<string, { count: number; cost: number }>();
    for (const one of exemptionsFor(rule, exemptions)) {
      const { count, cost } = byHome.get(homeOf(one)) ?? { count: 0, cost: 0 };
      byHome.set(homeOf(one), { count: count + 1, cost: cost + costOf(one) });
    }
    return [...byHome]
      .filter(([, { cost }]) => cost > mostCost)
      .map(
        ([home, { count }]) =>
          `${home} has ${count} exemptions of ${rule.check.id}, more than the API server evaluates for one pod; join those that differ in one of names, serviceAccounts and requesters alone, or divide the namespace`,
      );
  });
  return [...sizes, ...costs];
}

/** Of a pod whose containers are all refused, and for which the other fields match: comparisons with each text. */
function costOf({ match: { names, serviceAccounts, images = [], requesters = [] } }: Exemption): number {
  const others = (names?.size ?? 0) + (serviceAccounts?.size ?? 0) + requesters.length;
  return 40 + others + containers * (2 * images.length + 8);
}
