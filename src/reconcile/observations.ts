/**
 * What would be denied, told where people look: an Event in the namespace, and one line and one Event for each new pair of requester
 * and reserved key. The pairs are the accounts that the settings have to list before `enforce`: managedFields hold only a name that
 * the client chose.
 */
import { createHash } from 'node:crypto';
import type { Observed } from '../admission/admission.ts';
import type { NamespaceKey } from '../admission/facts.ts';
import type { Log } from '../client/log.ts';
import type { NamespaceEvents } from './namespace-events.ts';

/** Pairs that are remembered. Whoever makes up more of them is told of in the log once. */
const mostPairs = 1_000;

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
  let full = false;

  function pair(requester: string, kind: string, key: string): void {
    const text = `${requester} writes the reserved key ${key} on a ${kind}`;
    if (pairs.has(text)) return;
    if (pairs.size >= mostPairs) {
      if (!full) log.warn({ pairs: pairs.size }, 'more pairs of requester and reserved key are not logged');
      full = true;
      return;
    }
    const own = namespaceOf(ownNamespace);
    // An Event that is left out, because there were too many, is written when the pair comes again.
    if (own !== undefined && !events.record(own, 'ReservedKeyWritten', text, hashed(text))) return;
    pairs.add(text);
    log.warn({ requester, kind, key }, 'a requester writes a reserved key');
  }

  return ({ request, findings }) => {
    const { kind, namespace, name, user } = request;
    const home = namespaceOf(namespace) ?? namespaceOf(ownNamespace);
    const [first] = findings;
    if (home !== undefined && first !== undefined) {
      const where = namespace === '' || kind === 'Namespace' ? name : `${namespace}/${name}`;
      const more = findings.length === 1 ? '' : `, and ${findings.length - 1} more findings`;
      const found = `${first.check}: ${first.path} ${first.reason}; fix: ${first.fix}${more}`;
      events.record(home, 'WouldBeRefused', `${kind} ${where} of ${user.username} would be refused: ${found}`);
    }
    for (const { key } of findings) if (key !== undefined) pair(user.username, kind, key);
  };
}

/** Text of a user is no part of a name. */
function hashed(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
