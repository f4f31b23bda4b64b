/** How the live requests of reviews are joined, bounded and shared between namespaces (NP-23). */
import t from 'tap';
import { TooManyWait } from '../../src/admission/facts.ts';
import type { Answer, Connection } from '../../src/client/connection.ts';
import { broken } from '../../src/client/failure.ts';
import { answerWithin, createFairRequests } from '../../src/client/fair-requests.ts';
import { fakeClock } from './fake-clock.ts';

const never = new AbortController().signal;
const limits = { inFlight: 4, inFlightOfOneNamespace: 2, waitingOfOneNamespace: 3 };

/** An API server that answers when the test says so. */
function requestsToAnswer() {
  const sent: string[] = [];
  const open = new Map<string, ((answer: Answer) => void)[]>();
  const connection: Pick<Connection, 'request'> = {
    request(_, path, { signal }) {
      sent.push(path);
      return new Promise((resolve) => {
        open.set(path, [...(open.get(path) ?? []), resolve]);
        signal.addEventListener('abort', () => {
          open.set(
            path,
            (open.get(path) ?? []).filter((one) => one !== resolve),
          );
          resolve(broken(signal.reason));
        });
      });
    },
  };
  /** The first that waits for this path gets its answer. */
  const answer = async (path: string, body: unknown = path): Promise<void> => {
    const [first, ...others] = open.get(path) ?? [];
    if (first === undefined) throw new Error(`${path} was not asked for`);
    open.set(path, others);
    first({ ok: true, body });
    await new Promise(setImmediate);
  };
  const clock = fakeClock();
  return { sent, answer, clock, requests: createFairRequests(connection, clock, limits) };
}

t.test('a question that waits already is joined', async (t) => {
  const { sent, answer, requests } = requestsToAnswer();
  const all = ['/a', '/b', '/c', '/c', '/c'].map((path) => requests.get(path, 'web', never));
  t.strictSame(sent, ['/a', '/b'], 'two at once for one namespace');
  t.match(requests.counters(), { inFlight: 2, waiting: 1, asked: { sent: 2, joined: 2, refused: 0 } });
  await answer('/a');
  await answer('/c');
  await answer('/b');
  t.strictSame(sent, ['/a', '/b', '/c'], 'one request for three askers');
  t.strictSame(
    (await Promise.all(all)).map((one) => one.ok && one.body),
    ['/a', '/b', '/c', '/c', '/c'],
    'each has its answer',
  );
  t.strictSame(requests.counters(), { inFlight: 0, waiting: 0, asked: { sent: 3, joined: 2, refused: 0 } });
});

t.test('an answer is never older than its question', async (t) => {
  const { sent, answer, requests } = requestsToAnswer();
  const before = requests.get('/a', 'web', never);
  const after = requests.get('/a', 'web', never);
  t.strictSame(sent, ['/a', '/a'], 'what was sent already is asked anew');
  await answer('/a', 'old');
  await answer('/a', 'new');
  t.match([await before, await after], [{ body: 'old' }, { body: 'new' }]);
});

t.test('one namespace cannot starve the others', async (t) => {
  const { sent, answer, requests } = requestsToAnswer();
  const crowd = ['/1', '/2', '/3', '/4', '/5'].map((path) => requests.get(path, 'crowd', never));
  const web = requests.get('/web', 'web', never);
  t.strictSame(sent, ['/1', '/2', '/web'], 'another namespace does not wait for it');
  const data = ['/data', '/data-2'].map((path) => requests.get(path, 'data', never));
  t.strictSame(sent.slice(3), ['/data'], 'four at once for all');
  const lab = requests.get('/lab', 'lab', never);
  await answer('/1');
  await answer('/2');
  t.strictSame(sent.slice(4), ['/3', '/data-2'], 'the namespaces take turns');
  await answer('/web');
  await answer('/3');
  t.strictSame(sent.slice(6), ['/lab', '/4'], 'a new one comes before the next of those that had theirs');
  for (const path of ['/data', '/data-2', '/lab', '/4', '/5']) await answer(path);
  t.ok(
    (await Promise.all([...crowd, web, ...data, lab])).every(({ ok }) => ok),
    'all get their answers',
  );
});

t.test('a namespace that asks too much is refused, and no other', async (t) => {
  const { sent, requests } = requestsToAnswer();
  for (const path of ['/1', '/2', '/3', '/4', '/5']) void requests.get(path, 'crowd', never);
  await t.rejects(requests.get('/6', 'crowd', never), TooManyWait);
  void requests.get('/5', 'crowd', never);
  void requests.get('/web', 'web', never);
  t.strictSame(sent, ['/1', '/2', '/web']);
  t.match(requests.counters().asked, { sent: 3, joined: 1, refused: 1 }, 'what only joins takes no room');
});

t.test('a question that two namespaces have is sent at the turn of the first of them', async (t) => {
  const { sent, answer, requests } = requestsToAnswer();
  const crowd = ['/1', '/2', '/3', '/shared'].map((path) => requests.get(path, 'crowd', never));
  const web = requests.get('/shared', 'web', never);
  t.strictSame(sent, ['/1', '/2', '/shared']);
  await answer('/shared');
  t.match(await Promise.all([crowd[3], web]), [{ body: '/shared' }, { body: '/shared' }]);
  await answer('/1');
  t.strictSame(sent.slice(3), ['/3'], 'and once');
});

t.test('who leaves does not end the request of the others', async (t) => {
  const { sent, answer, requests } = requestsToAnswer();
  for (const path of ['/1', '/2']) void requests.get(path, 'web', never);
  const impatient = new AbortController();
  const [left, stays] = [requests.get('/3', 'web', impatient.signal), requests.get('/3', 'web', never)];
  impatient.abort(new Error('no time left'));
  t.match(await left, { ok: false, message: 'no time left' });
  await answer('/1');
  await answer('/3');
  t.match(await stays, { body: '/3' });
  t.strictSame(sent, ['/1', '/2', '/3']);
});

t.test('a question without askers takes no room', async (t) => {
  const { sent, requests } = requestsToAnswer();
  const ended = new AbortController();
  const all = ['/1', '/2', '/3', '/4'].map((path) => requests.get(path, 'web', ended.signal));
  ended.abort(new Error('no time left'));
  for (const answer of await Promise.all(all)) t.match(answer, { ok: false, message: 'no time left' });
  await new Promise(setImmediate);
  t.match(requests.counters(), { inFlight: 0, waiting: 0 }, 'also what was sent');
  t.strictSame(sent, ['/1', '/2']);
  t.match(await requests.get('/5', 'web', ended.signal), { ok: false, message: 'no time left' });
  t.strictSame(sent, ['/1', '/2'], 'who comes too late does not ask');
});

t.test('a request whose asker left does not take its successor with it', async (t) => {
  const { sent, answer, requests } = requestsToAnswer();
  const impatient = new AbortController();
  void requests.get('/a', 'web', impatient.signal);
  void requests.get('/b', 'web', never);
  const next = requests.get('/a', 'web', never);
  impatient.abort(new Error('no time left'));
  await new Promise(setImmediate);
  t.strictSame(sent, ['/a', '/b', '/a'], 'its place is free');
  await answer('/b');
  t.strictSame(requests.counters().waiting, 0);
  await answer('/a');
  t.match(await next, { body: '/a' });
});

t.test('a request that is not answered ends by itself', async (t) => {
  const { clock, requests } = requestsToAnswer();
  const stuck = requests.get('/a', 'web', never);
  clock.advance(answerWithin);
  t.match(await stuck, { ok: false, message: 'no answer within 3 s' });
  t.match(requests.counters(), { inFlight: 0 }, 'and its place is free');
});
