/** What test/e2e/in-use.test.ts must have seen refused at its end: every case that is to be refused, and every attack. */
import type { Test } from 'tap';
import { attacks } from '../attacks/catalogue.ts';
import { byTheServer, dropped } from './in-use-later.ts';
import { failing, type Ledger } from './in-use-ledger.ts';
import { inNamespaceOfThePlatform } from './replayed-cases.ts';

/** Must be held against, but not by a refusal of what is sent: where it is shown instead. */
const shownElsewhere: Readonly<Record<string, string>> = {
  'TEN-14': 'nothing is to be refused: an object of another group is left alone (attacks.test.ts)',
  'NP-17': 'nothing is to be refused: stored policies are judged again and reported (stored-policies.test.ts)',
  'NP-22': 'the API server refuses such a value before anybody is asked (in-use-later.ts has its answer)',
  'NP-23': 'a crowd of requests, of which each is admitted in time (policy-crowd.test.ts)',
  'POD-16': 'a race between a pod and the policy that isolates its namespace (pod-hold.test.ts)',
  'SRV-01': 'whom Bulkhead answers, past the API server (client-certificates.test.ts)',
  'SRV-09': 'nothing is to be refused: patches harm nothing (patch-safety.test.ts)',
  'SRV-17': 'slow senders, past the API server (test/soak/short/crowd.ts)',
  'SRV-18': 'what must not be refused for good (silent-watch.test.ts)',
  'GAT-07': 'a warning, which says the same of every tenant (gate-requests.test.ts)',
};

/** What a check refuses in a case, and whatever else must be blocked while the API server takes part. */
function refusable(): readonly string[] {
  const blocked = Object.entries(attacks).filter(([, { must, alone }]) => must && alone === undefined);
  const ids = new Set([...failing.flatMap(({ attack }) => attack), ...blocked.map(([id]) => id)]);
  return [...ids].sort();
}

export function isComplete(t: Test, ledger: Ledger): void {
  t.strictSame(
    failing.filter((one) => !ledger.cases.has(one.id) && !inNamespaceOfThePlatform(one)).map(({ id }) => id),
    Object.keys({ ...byTheServer, ...dropped }).sort(),
    'every case is refused, but for what the API server refuses or changes itself',
  );
  t.strictSame(
    refusable().filter((id) => !ledger.attacks.has(id)),
    Object.keys(shownElsewhere).sort(),
    'every attack is refused, but for what is no refusal',
  );
}
