/**
 * The GETs of the request path, bounded and shared fairly: without that, one namespace that asks for much would take the time of all
 * others, as the API server answers so many at once and no more (NP-23).
 *
 * Each namespace that an admission request is in has a queue of its own, and the queues take turns. A question that waits already is
 * joined. One that was sent is not: its answer may be older than the question, and a name can have been given anew meanwhile.
 */
import { TooManyWait } from '../admission/facts.ts';
import type { Clock } from './clock.ts';
import type { Answer, Connection } from './connection.ts';
import { broken } from './failure.ts';

export interface FairRequests {
  /**
   * One GET and its whole answer. Rejects with {@link TooManyWait} when as many questions of this namespace as may do so already
   * wait.
   *
   * @param path  for example `/api/v1/namespaces/acme-web`
   * @param share the namespace in whose queue it waits
   * @param signal ends the wait of this asker; the request goes on while another one waits for its answer
   */
  get(path: string, share: string, signal: AbortSignal): Promise<Answer>;
  counters(): RequestCounters;
}

export interface RequestCounters {
  /** Now. */
  readonly inFlight: number;
  /** Questions that wait for their turn, now. */
  readonly waiting: number;
  /** Since the start: requests, askers that joined one, and askers that were refused because too many waited. */
  readonly asked: { readonly sent: number; readonly joined: number; readonly refused: number };
}

/**
 * An answer takes 1 to 3 ms, so eight at once are thousands in a second for one namespace. One policy selects at most 50 names
 * (`mostLookedUp`), and two of them fit into the queue of their namespace, with room for its pods.
 */
const standardLimits = { inFlight: 32, inFlightOfOneNamespace: 8, waitingOfOneNamespace: 128 };

/** Milliseconds. A webhook call lasts 5 s, and its live requests get half of what is left, so no asker waits longer than that. */
export const answerWithin = 3_000;

interface Question {
  readonly path: string;
  /** The namespaces in whose queues it waits. */
  readonly shares: Set<string>;
  readonly waiters: Set<(answer: Answer) => void>;
  /** Aborts when no asker waits for the answer any more. */
  readonly abandoned: AbortController;
}

export function createFairRequests(
  connection: Pick<Connection, 'request'>,
  clock: Clock,
  limits = standardLimits,
): FairRequests {
  /** In the order of their turns; none is empty. */
  const queues = new Map<string, Set<Question>>();
  const waiting = new Map<string, Question>();
  const inFlight = { all: 0, byShare: new Map<string, number>() };
  const asked = { sent: 0, joined: 0, refused: 0 };

  function leaveQueues(question: Question): void {
    // One that was sent may have a successor.
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
      // To the end: the others come first. An iterator of a Map meets an entry that is set anew once more.
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
      // Also where it is joined: it is sent at the turn of the first of its namespaces.
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
