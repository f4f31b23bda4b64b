/**
 * Reads request bodies into memory, within a time limit for each and a memory budget for all.
 *
 * Slow senders displace only each other (SRV-17): when there is no room for one more body, the oldest incomplete one gives way to it. An
 * honest body is complete a moment after its headers, so it is seldom the oldest, even when it comes from the same address.
 */
import type { IncomingMessage } from 'node:http';
import { performance } from 'node:perf_hooks';
import { mostPerByte, parsedSize } from './parsed-size.ts';

export type BodyFailure = 'too-large' | 'no-room' | 'displaced' | 'slow-body' | 'aborted';

export interface CompleteBody {
  readonly ok: true;
  readonly bytes: Buffer;
  /** What it takes of the memory for bodies: its bytes, and what they become when they are parsed. */
  readonly holds: number;
}

export type Body = CompleteBody | { readonly ok: false; readonly reason: BodyFailure };

export interface BodyLimits {
  /** Of one body, in bytes. */
  readonly bodyBytes: number;
  /** Of all bodies that are in memory at one time, in bytes, and of what they become when they are parsed. One alone is too large beyond. */
  readonly heldBytes: number;
  /** The time limit for one body, from its headers to its last byte. */
  readonly bodyMilliseconds: number;
  /** The greatest number of incomplete bodies of one remote address at one time. */
  readonly incompletePerAddress: number;
}

export interface BodyReader {
  /**
   * Resolves when the body is complete or cannot be. What it takes counts as held until `release` is called with it; after a failure
   * nothing is held, and what else arrives is thrown away.
   *
   * @param arrived when its headers arrived, on the clock of `performance.now()`
   * @param address the remote address. Undefined for a client with a verified certificate: its body never gives way to others
   */
  read(request: IncomingMessage, arrived: number, address: string | undefined): Promise<Body>;
  release(body: CompleteBody): void;
}

/**
 * What a piece of a body takes besides its bytes: the Buffer, its ArrayBuffer and its memory. 300,000 pieces of one byte, which is
 * what a sender of chunks can make of 1.8 MB, were measured to take 696 bytes each.
 */
const pieceBytes = 768;

/** While no more than this share of the memory is held, each body is taken to need the most that it can, and is not looked at. */
const easyShare = 1 / 4;

interface Incomplete {
  readonly address: string | undefined;
  /** When its time is over, on the clock of `performance.now()`. */
  readonly due: number;
  /** In bytes. */
  holds(): number;
  fail(reason: BodyFailure): void;
}

export function createBodyReader(limits: BodyLimits): BodyReader {
  let held = 0;
  /** The oldest first. Those without an address never give way. */
  const incomplete = new Set<Incomplete>();
  /** One timer for all bodies: most are complete too soon for a timer of their own to be worth its cost. */
  let timed = false;

  function begin(one: Incomplete): void {
    incomplete.add(one);
    if (!timed) endSlowAfter(limits.bodyMilliseconds);
    if (one.address === undefined) return;
    const same = [...incomplete].filter(({ address }) => address === one.address);
    if (same.length > limits.incompletePerAddress) same[0]?.fail('displaced');
  }

  function endSlowAfter(milliseconds: number): void {
    timed = true;
    // Timers run before sockets are read. After a pause of the event loop, what has arrived meanwhile is read first.
    setTimeout(() => setImmediate(endSlow), milliseconds).unref();
  }

  function endSlow(): void {
    timed = false;
    const now = performance.now();
    for (const one of incomplete) {
      if (one.due > now) break;
      one.fail('slow-body');
    }
    const [next] = incomplete;
    if (next !== undefined) endSlowAfter(next.due - now);
  }

  /**
   * Displaces incomplete bodies that hold something, the oldest first, where that makes room enough for the current one. Complete bodies
   * and those of verified clients are never displaced.
   */
  function makeRoom(current: Incomplete): void {
    let missing = held - limits.heldBytes;
    if (missing <= 0) return;
    const giving: Incomplete[] = [];
    for (const one of incomplete) {
      if (one === current || missing <= 0) break;
      if (one.address === undefined || one.holds() === 0) continue;
      giving.push(one);
      missing -= one.holds();
    }
    if (missing > 0) current.fail('no-room');
    else for (const one of giving) one.fail('displaced');
  }

  /** With what it becomes when it is parsed. */
  function sizeOf(bytes: Buffer): number {
    const most = bytes.length * mostPerByte;
    return held + most <= limits.heldBytes * easyShare ? most : bytes.length + parsedSize(bytes);
  }

  function read(request: IncomingMessage, arrived: number, address: string | undefined): Promise<Body> {
    const { promise, resolve } = Promise.withResolvers<Body>();
    const chunks: Buffer[] = [];
    let length = 0;
    /** Of `held`, what is this body's. */
    let holds = 0;
    let finished = false;
    const one: Incomplete = {
      address,
      due: arrived + limits.bodyMilliseconds,
      holds: () => holds,
      fail: (reason) => finish({ ok: false, reason }),
    };

    function finish(body: Body): void {
      if (finished) return;
      finished = true;
      incomplete.delete(one);
      chunks.length = 0;
      if (!body.ok) hold(0);
      resolve(body);
    }
    function hold(bytes: number): void {
      held += bytes - holds;
      holds = bytes;
    }
    function onData(chunk: Buffer): void {
      if (finished) return;
      length += chunk.length;
      hold(holds + chunk.length + pieceBytes);
      chunks.push(chunk);
      if (length > limits.bodyBytes) one.fail('too-large');
      else makeRoom(one);
    }
    function onEnd(): void {
      if (finished) return;
      const [only] = chunks;
      const bytes = chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, length);
      hold(sizeOf(bytes));
      if (holds > limits.heldBytes) one.fail('too-large');
      else makeRoom(one);
      finish({ ok: true, bytes, holds });
    }
    // A declared length is refused before anything of it is read; without one (chunked) the count decides.
    if (Number(request.headers['content-length'] ?? 0) > limits.bodyBytes) {
      one.fail('too-large');
      return promise;
    }
    request.on('data', onData);
    request.on('end', onEnd);
    // Comes also when the client goes away in the middle; then there is no `end`.
    request.on('close', () => one.fail('aborted'));
    begin(one);
    return promise;
  }

  return {
    read,
    release({ holds }) {
      held -= holds;
    },
  };
}
