/**
 * A load that does not wait: reviews are due at fixed moments, whatever became of those before, and latency counts from the moment
 * that a review was due. A process of its own, so that it can be given a processor of its own: it never sleeps, as a timer would be
 * late by as much as there is to be measured.
 *
 * Plain sockets under TLS and a request that is written as it is, because a whole HTTP client costs more than the server
 * that is measured. One request at a time on a connection, as Go's client does.
 */
import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { type Reply, replyReader } from './reply-reader.ts';

export interface Load {
  readonly port: number;
  readonly host: string;
  readonly caBundle: string;
  /** The whole HTTP request, in base64. */
  readonly request: string;
  readonly connections: number;
  /** One after the other, without a pause. */
  readonly stages: readonly Stage[];
  /** A review that finds every connection taken waits for one, or is none: as where the API server itself takes no more requests. */
  readonly whenTaken: 'wait' | 'drop';
}

export interface Stage {
  readonly perSecond: number;
  readonly seconds: number;
}

/** Moments and times in milliseconds; moments count from the start. */
export interface LoadReport {
  /** Written to a connection. */
  readonly sent: number;
  /** Answers with 200: when they were due, and how long they took from then on. */
  readonly good: readonly (readonly [due: number, took: number])[];
  readonly refused: readonly Refused[];
  /** Connections that ended although the answer before did not say so; and with a review in flight. */
  readonly broken: number;
  /** When those were due that found no free connection; and how many still waited for one at the end. */
  readonly dropped: readonly number[];
  readonly unsent: number;
  /** How much later than it was due a review was written although a connection was free: the client's own delay. */
  readonly behind: readonly number[];
}

export interface Refused {
  readonly due: number;
  readonly status: number;
  readonly retryAfter: boolean;
}

/** How long the last answers are waited for. */
const patience = 10_000;

/** How much longer what is due before the end may be sent. */
const lastMoment = 100;

interface Line {
  readonly socket: TLSSocket;
  /** Of the review in flight; undefined when it is free. */
  due: number | undefined;
  /** The server has said that it closes it. */
  closing: boolean;
  broken: boolean;
}

export async function runLoad(load: Load): Promise<LoadReport> {
  const request = Buffer.from(load.request, 'base64');
  const good: [number, number][] = [];
  const refused: Refused[] = [];
  const behind: number[] = [];
  const dropped: number[] = [];
  const free: Line[] = [];
  let broken = 0;
  let inFlight = 0;
  let over = false;

  async function open(): Promise<void> {
    const socket = connect({ host: load.host, port: load.port, ca: load.caBundle, ALPNProtocols: ['http/1.1'] });
    const line: Line = { socket, due: undefined, closing: false, broken: false };
    socket.on('error', () => {});
    socket.on('close', () => lost(line));
    await once(socket, 'secureConnect');
    socket.setNoDelay(true);
    const read = replyReader((reply) => answered(line, reply));
    socket.on('data', read);
    free.push(line);
  }

  function lost(line: Line): void {
    line.broken = true;
    if (over) return;
    if (!line.closing) broken++;
    if (line.due !== undefined) inFlight--;
    line.due = undefined;
    open().catch(() => {});
  }

  function answered(line: Line, { status, retryAfter, close }: Reply): void {
    const { due } = line;
    if (due === undefined) return;
    inFlight--;
    line.due = undefined;
    line.closing = close;
    if (status === 200) good.push([due - start, performance.now() - due]);
    else refused.push({ due: due - start, status, retryAfter });
    if (!close) free.push(line);
  }

  // A few handshakes at a time: they are no part of what is measured.
  for (let left = load.connections; left > 0; left -= 20)
    await Promise.all(Array.from({ length: Math.min(left, 20) }, open));

  const start = performance.now() + 50;
  const moments = dueMoments(load.stages, start);
  const end = start + load.stages.reduce((sum, { seconds }) => sum + seconds * 1000, 0);
  let due = moments.next();
  let sent = 0;
  let unsent = 0;
  let waited = false;

  function sendWhatIsDue(): void {
    const now = performance.now();
    while (!due.done && due.value <= now && now < end + lastMoment) {
      const line = free.pop();
      if (line?.broken) continue;
      if (line === undefined && load.whenTaken === 'wait') {
        waited = true;
        return;
      }
      if (line === undefined) dropped.push(due.value - start);
      else {
        if (!waited) behind.push(performance.now() - due.value);
        line.due = due.value;
        inFlight++;
        sent++;
        line.socket.write(request);
      }
      due = moments.next();
    }
    // What was held up by others is sent: from here on it is the client's own fault again.
    waited = false;
  }

  await new Promise<void>((resolve) => {
    const turn = (): void => {
      sendWhatIsDue();
      const now = performance.now();
      const answeredAll = inFlight === 0 && (due.done || now > end + lastMoment);
      if (now >= end && (answeredAll || now > end + patience)) resolve();
      else setImmediate(turn);
    };
    turn();
  });
  over = true;
  for (; !due.done && due.value < end && unsent < mostCounted; due = moments.next()) unsent++;
  for (const { socket } of free) socket.destroy();
  return { sent, good, refused, broken: broken + inFlight, dropped, unsent, behind };
}

/** A load that takes whatever the server gives leaves as many behind as it likes. */
const mostCounted = 1_000_000;

function* dueMoments(stages: readonly Stage[], start: number): Generator<number, undefined> {
  let begin = start;
  for (const { perSecond, seconds } of stages) {
    const total = Math.round(perSecond * seconds);
    for (let index = 0; index < total; index++) yield begin + (index * 1000) / perSecond;
    begin += seconds * 1000;
  }
}

if (import.meta.main) {
  process.on('message', (load: Load) => {
    void runLoad(load).then((report) => process.send?.(report));
  });
  process.on('disconnect', () => process.exit());
}
