/**
 * Which namespaces are isolated, as the watch of their policies reports, and the pods that wait for it.
 *
 * How old that knowledge may be: a default-deny policy that goes is told by the watch within milliseconds, and put back. A watch
 * whose connection is dead without a word is told from one on which nothing happens by nothing but time, so memory counts for
 * `trustedFor` (list-watch.ts) after the watch was heard, or after the API server itself said the same; then it is asked. In that
 * time a policy that somebody has deleted would count as seen: only the platform can delete one (check managed-policy), and a
 * deleted namespace does not hand its policies on, for they name its uid, and whose uid is asked for is as new (gather.ts).
 */
import { type BaselineSource, type NamespaceKey, TooManyWait } from '../admission/facts.ts';
import { defaultDenyName } from '../baseline/baseline.ts';
import { namespaceIsolatedBy } from '../baseline/default-deny.ts';
import type { Clock } from '../client/clock.ts';
import { isRecord } from '../client/decode.ts';
import { describe } from '../client/failure.ts';
import type { FairRequests } from '../client/fair-requests.ts';
import { type ListWatch, trustedFor } from '../client/list-watch.ts';

/**
 * How many requests may wait. Held pods are a part of the reviews that the server takes at one time (400), and of the memory for
 * their bodies; the rest must stay free for everybody else. One namespace may take a part of that: the controllers that make
 * many pods at once send them again.
 */
const waitLimits = { all: 64, ofOneNamespace: 16 };

export interface HoldCounters {
  /** Pods that wait, now. */
  readonly waiting: number;
  /** Pods that had to wait, since the start, by what became of them. */
  readonly held: { readonly closed: number; readonly ended: number; readonly refused: number };
}

export interface IsolatedNamespaces extends BaselineSource {
  /** @param uid of the namespace that is isolated; undefined: the namespace of that name is not isolated */
  set(name: string, uid: string | undefined): void;
  counters(): HoldCounters;
}

/** Where the default-deny policy of a namespace is. */
export function defaultDenyPath(namespace: string): string {
  return `/apis/networking.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/networkpolicies/${defaultDenyName}`;
}

/** The default-deny policy of a namespace, as the watch reported it. */
interface DefaultDeny {
  /** Of the namespace. */
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
 * @param wanted    told of a namespace that somebody waits for
 */
export function createIsolatedNamespaces(
  requests: Pick<FairRequests, 'get'>,
  isCurrent: ListWatch['isCurrent'],
  wanted: (namespace: string) => void,
  clock: Clock,
): IsolatedNamespaces {
  const policies = new Map<string, DefaultDeny>();
  const waiters = new Map<string, Set<Waiter>>();
  const held = { closed: 0, ended: 0, refused: 0 };
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
    whenIsolated(namespace, signal) {
      if (isIsolated(namespace)) return Promise.resolve(true);
      const { name, uid } = namespace;
      // What was told already, too long ago, is not told again: whoever asks must ask live.
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
            held[isolated ? 'closed' : 'ended']++;
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
      // What the watch tells meanwhile has put another policy in its place.
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
