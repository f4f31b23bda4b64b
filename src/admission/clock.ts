/** Time, passed in so that tests own it. The only file of this room that reads a clock. */
export interface Clock {
  /** Milliseconds since the epoch: what expires does so by this time. */
  readonly wall: () => number;
  /** Milliseconds that only ever grow; the origin means nothing. Deadlines are on this clock. */
  readonly elapsed: () => number;
}

export const systemClock: Clock = { wall: () => Date.now(), elapsed: () => performance.now() };
