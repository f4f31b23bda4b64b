/**
 * The GETs of the request path, bounded and shared fairly between namespaces. The API server answers only so many at once, so without
 * this one namespace with many GETs would delay all others (NP-23).
 *
 * Each namespace with admission requests has its own queue, and the queues are served round-robin. A GET that is still queued is joined
 * by equal ones. A GET that was sent is not joined: its answer may be older than the question, and a name may have a new owner since.
 */
import { TooManyWait } from '../admission/facts.ts';
import type { Clock } from './clock.ts';
import type { Answer, Connection } from './connection.ts';
import { broken } from './failure.ts';

export interface FairRequests {
  /**
   * @param share  the namespace in whose queue it waits
   * @param signal ends the wait of this caller; the request goes on while other callers wait for its answer
   * @throws {TooManyWait} when the queue of `share` is full
   */
  get(path: string, share: string, signal: AbortSignal): Promise<Answer>;
  counters(): RequestCounters;
}

export interface RequestCounters {
  /** Now. */
  readonly inFlight: number;
  readonly waiting: number;
  /** Since the start: sent, joined to a queued one, and refused because the queue was full. */
  readonly asked: { readonly sent: number; readonly joined: number; readonly refused: number };
}

/**
 * An answer takes 1 to 3 ms, so eight at once allow thousands in a second for one namespace. One policy selects at most 50 names
 * (`mostLookedUp`). Two policies fit into the queue of their namespace, with room for its pods.
 */
const standardLimits = { inFlight: 32, inFlightOfOneNamespace: 8, waitingOfOneNamespace: 128 };

/** Milliseconds. A webhook call lasts 5 s, and its live requests get half of the remaining time, so no caller waits longer than this. */
export const answerWithin = 3_000;

interface Question {
  readonly path: string;
  /** The namespaces in whose queues it waits. */
  readonly shares: Set<string>;
  readonly waiters: Set<(answer: Answer) => void>;
  readonly abandoned: AbortController;
}

/** @param limits of GETs in flight, in all and for each namespace, and of queued GETs for each namespace */
export function createFairRequests(
  connection: Pick<Connection, 'request'>,
  clock: Clock,
  limits = standardLimits,
): FairRequests {
  /** By namespace, the next one to serve first; none is empty. */
  const queues = new Map<string, Set<Question>>();
  const waiting = new Map<string, Question>();
  const inFlight = { all: 0, byShare: new Map<string, number>() };
  const asked = { sent: 0, joined: 0, refused: 0 };

  function leaveQueues(question: Question): void {
    // After it was sent, another question may wait under its path.
    if (waiting.get(question.path) === question) waiting.delete(question.path);
    for (const share of question.shares) {
      const queue = queues.get(share);
      queue?.delete(question);
      if (queue?.size === 0) queues.delete(share);
    }
  }

  function sendNext(): void {
    for (const [share, queue] of queues) {
      if (inFlight.all >= limits.inFlight) return;
      const [question] = queue;
      if (question === undefined || (inFlight.byShare.get(share) ?? 0) >= limits.inFlightOfOneNamespace) continue;
      // Moves it to the end, so that the others come first. The iterator of a Map visits an entry that is set again.
      queues.delete(share);
      queues.set(share, queue);
      leaveQueues(question);
      void send(question, share);
    }
  }

  async function send({ path, waiters, abandoned }: Question, share: string): Promise<void> {
    asked.sent++;
    count(share, 1);
    const late = new Error(`no answer within ${answerWithin / 1000} s`);
    const cancel = clock.after(answerWithin, () => abandoned.abort(late));
    const answer = await connection.request('GET', path, { signal: abandoned.signal });
    cancel();
    count(share, -1);
    for (const tell of waiters) tell(answer);
    sendNext();
  }

  function count(share: string, change: 1 | -1): void {
    inFlight.all += change;
    const ofShare = (inFlight.byShare.get(share) ?? 0) + change;
    if (ofShare === 0) inFlight.byShare.delete(share);
    else inFlight.byShare.set(share, ofShare);
  }

  return {
    get(path, share, signal) {
      if (signal.aborted) return Promise.resolve(broken(signal.reason));
      const known = waiting.get(path);
      const queue = queues.get(share) ?? new Set();
      const hasRoom = queue.size < limits.waitingOfOneNamespace;
      if (known === undefined && !hasRoom) {
        asked.refused++;
        return Promise.reject(new TooManyWait());
      }
      if (known !== undefined) asked.joined++;
      const question = known ?? {
        path,
        shares: new Set(),
        waiters: new Set(),
        abandoned: new AbortController(),
      };
      waiting.set(path, question);
      // A joined question is in the queue of each of its namespaces, and is sent with the first of them.
      if (hasRoom) {
        question.shares.add(share);
        queues.set(share, queue.add(question));
      }
      return new Promise((resolve) => {
        const tell = (answer: Answer) => {
          signal.removeEventListener('abort', leave);
          question.waiters.delete(tell);
          resolve(answer);
        };
        const leave = () => {
          tell(broken(signal.reason));
          if (question.waiters.size > 0) return;
          leaveQueues(question);
          question.abandoned.abort(signal.reason);
        };
        question.waiters.add(tell);
        signal.addEventListener('abort', leave, { once: true });
        sendNext();
      });
    },
    counters: () => ({ inFlight: inFlight.all, waiting: waiting.size, asked: { ...asked } }),
  };
}
