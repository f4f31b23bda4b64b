/**
 * Reports requests that would be denied: an Event in the namespace, and one log line and one Event for each new pair of requester and
 * reserved key. The pairs are the accounts that the settings must list before `enforce`: managedFields hold only a name that
 * the client chose.
 */
import type { Observed } from '../admission/admission.ts';
import type { NamespaceKey } from '../admission/facts.ts';
import { printable, subject } from '../admission/message.ts';
import type { Log } from '../client/log.ts';
import { isBeginning } from '../keys/reserved-keys.ts';
import { serviceAccountOf } from '../kubernetes/user.ts';
import { hashed, type NamespaceEvents } from './namespace-events.ts';

/** Pairs that are remembered. The key is the entry that reserves it, so a requester has as many as there are entries. */
const mostPairs = 10_000;
/** Pairs of the requesters of one namespace: service accounts cost a tenant nothing. */
const mostPairsOfNamespace = 200;

/**
 * Members read the Events of their namespaces. The accounts of the platform and of other tenants are not theirs to know: those are in the
 * log, the audit log and the Events of pairs, which stand in Bulkhead's own namespace.
 */
const otherAccount = 'an account outside the tenant';

export interface ObservationsOptions {
  readonly log: Log;
  readonly events: Pick<NamespaceEvents, 'record'>;
  /** Undefined when there is no namespace of that name. */
  readonly namespaceOf: (name: string) => NamespaceKey | undefined;
  /** Where Events are written about objects that are in no namespace yet, and about pairs. */
  readonly ownNamespace: string;
}

/** @returns what takes a request that would be denied */
export function createObservations(options: ObservationsOptions): (observed: Observed) => void {
  const { log, events, namespaceOf, ownNamespace } = options;
  const pairs = new Set<string>();
  /** How many of them are about one namespace. */
  const counts = new Map<string, number>();
  let full = false;

  function pair(namespace: string, requester: string, kind: string, key: string): void {
    const text = printable(`${requester} writes the reserved key ${key} on a ${kind}`);
    if (pairs.has(text)) return;
    const count = counts.get(namespace) ?? 0;
    if (count >= mostPairsOfNamespace || pairs.size >= mostPairs) {
      if (!full) log.warn({ namespace }, 'more pairs of requester and reserved key are not logged');
      full = true;
      return;
    }
    const own = namespaceOf(ownNamespace);
    // An Event that is left out, because there were too many, is written when the pair comes again.
    if (own !== undefined && !events.record(own, 'ReservedKeyWritten', text, hashed(text))) return;
    pairs.add(text);
    counts.set(namespace, count + 1);
    log.warn({ requester, kind, key }, 'a requester writes a reserved key');
  }

  return ({ request, findings, owner, member }) => {
    const { kind, namespace, user } = request;
    const there = namespaceOf(namespace);
    const home = there ?? namespaceOf(ownNamespace);
    const [first] = findings;
    if (home !== undefined) {
      const more = findings.length === 1 ? '' : `, and ${findings.length - 1} more findings`;
      const found = `${first.check}: ${first.path} ${first.reason}; fix: ${first.fix}${more}`;
      const named =
        member || user.username === '' || there === undefined || serviceAccountOf(user)?.namespace === namespace;
      const mode =
        first.refuses || owner === 'platform' ? '' : ` in mode enforce (${owner.name} is in mode ${owner.mode})`;
      const what = `${subject(request)} of ${named ? user.username : otherAccount} would be refused${mode}: ${found}`;
      const text = printable(named ? what : what.replaceAll(user.username, otherAccount));
      // What only another mode refuses takes no room from what `enforcement: enforce` refuses.
      events.record(home, 'WouldBeRefused', text, first.refuses ? undefined : 'in-mode-enforce');
    }
    for (const { reserved } of findings)
      if (reserved !== undefined)
        pair(namespace, user.username, kind, isBeginning(reserved) ? `${reserved}*` : reserved);
  };
}
