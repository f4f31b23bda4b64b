/**
 * Which namespaces are isolated, as the watch of their policies reports, and the pods that wait for it.
 *
 * Memory counts for `trustedFor` (freshness.ts) after the watch was heard, or after the API server itself said the same. A policy that is
 * deleted in that time still counts. Only the platform can delete one (check managed-policy), and a new namespace of the same name has
 * another uid, which the policy does not name.
 */
import { type BaselineSource, type NamespaceKey, TooManyWait } from '../admission/facts.ts';
import { defaultDenyName } from '../baseline/baseline.ts';
import { namespaceIsolatedBy } from '../baseline/default-deny.ts';
import type { Clock } from '../client/clock.ts';
import { isRecord } from '../client/decode.ts';
import { describe } from '../client/failure.ts';
import type { FairRequests } from '../client/fair-requests.ts';
import { trustedFor } from '../client/freshness.ts';
import type { ListWatch } from '../client/list-watch.ts';

/** Held pods are a part of the reviews that the server takes at one time (400); the rest must stay free. Controllers send pods again. */
const waitLimits = { all: 64, ofOneNamespace: 16 };

export interface HoldCounters {
  readonly waiting: number;
  /** Pods that had to wait, since the start, by the result. */
  readonly held: { readonly isolated: number; readonly ended: number; readonly refused: number };
}

export interface IsolatedNamespaces extends BaselineSource {
  /** @param uid of the namespace that is isolated; undefined: the namespace of that name is not isolated */
  set(name: string, uid: string | undefined): void;
  /** As the watch last reported it, however long ago that was. */
  hasDefaultDeny(namespace: NamespaceKey): boolean;
  counters(): HoldCounters;
}

export function defaultDenyPath(namespace: string): string {
  return `/apis/networking.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/networkpolicies/${defaultDenyName}`;
}

/** The default-deny policy of a namespace, as the watch reported it. */
interface DefaultDeny {
  readonly uid: string;
  /** When the API server was asked, and said so too. */
  confirmedAt: number;
}

interface Waiter {
  readonly uid: string;
  readonly end: (isolated: boolean) => void;
}

/**
 * @param isCurrent whether the watch of the policies was heard just now
 * @param wanted    called with a namespace for which a pod waits
 */
export function createIsolatedNamespaces(
  requests: Pick<FairRequests, 'get'>,
  isCurrent: ListWatch['isCurrent'],
  wanted: (namespace: string) => void,
  clock: Clock,
): IsolatedNamespaces {
  const policies = new Map<string, DefaultDeny>();
  const waiters = new Map<string, Set<Waiter>>();
  const held = { isolated: 0, ended: 0, refused: 0 };
  let waiting = 0;

  function policyOf({ name, uid }: NamespaceKey): DefaultDeny | undefined {
    const policy = policies.get(name);
    return policy?.uid === uid ? policy : undefined;
  }

  function isIsolated(namespace: NamespaceKey): boolean {
    const policy = policyOf(namespace);
    return policy !== undefined && (isCurrent() || clock.now() - policy.confirmedAt <= trustedFor);
  }

  return {
    isIsolated,
    hasDefaultDeny: (namespace) => policyOf(namespace) !== undefined,
    whenIsolated(namespace, signal) {
      if (isIsolated(namespace)) return Promise.resolve(true);
      const { name, uid } = namespace;
      // The watch does not report again what is in memory; a live request must follow.
      if (signal.aborted || policyOf(namespace) !== undefined) return Promise.resolve(false);
      const others = waiters.get(name) ?? new Set();
      if (waiting >= waitLimits.all || others.size >= waitLimits.ofOneNamespace) {
        held.refused++;
        return Promise.reject(new TooManyWait());
      }
      wanted(name);
      return new Promise((resolve) => {
        const abort = () => waiter.end(false);
        const waiter: Waiter = {
          uid,
          end(isolated) {
            signal.removeEventListener('abort', abort);
            others.delete(waiter);
            if (others.size === 0) waiters.delete(name);
            waiting--;
            held[isolated ? 'isolated' : 'ended']++;
            resolve(isolated);
          },
        };
        signal.addEventListener('abort', abort, { once: true });
        waiters.set(name, others.add(waiter));
        waiting++;
      });
    },
    async fetchIsolated(namespace, signal) {
      const { name, uid } = namespace;
      const asked = clock.now();
      const policy = policyOf(namespace);
      const answer = await requests.get(defaultDenyPath(name), name, signal);
      if (!answer.ok) {
        if (answer.status === 404) return false;
        throw new Error(`the default-deny policy of ${name} cannot be read: ${describe(answer)}`);
      }
      const isolated = isRecord(answer.body) && namespaceIsolatedBy(answer.body) === uid;
      // A report of the watch in between has put another policy in its place.
      if (isolated && policy !== undefined) policy.confirmedAt = asked;
      return isolated;
    },
    set(name, uid) {
      if (uid === undefined) policies.delete(name);
      else policies.set(name, { uid, confirmedAt: Number.NEGATIVE_INFINITY });
      for (const waiter of waiters.get(name) ?? []) if (waiter.uid === uid) waiter.end(true);
    },
    counters: () => ({ waiting, held: { ...held } }),
  };
}
