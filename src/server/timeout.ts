/** `?timeout=` of a webhook call: how long the API server will wait for the answer. */

/** The API server's own default and maximum of `timeoutSeconds` (admissionregistration.k8s.io/v1). */
const defaultMilliseconds = 10_000;
const maximumMilliseconds = 30_000;

/**
 * Shares of that time. By the first the review answers by itself; the second is for a review that does not, and leaves the rest
 * for the way back: an answer that arrives too late is none.
 */
const reviewShare = 0.9;
const answerShare = 0.95;

const millisecondsOf: ReadonlyMap<string, number> = new Map([
  ['ns', 1e-6],
  ['us', 1e-3],
  ['µs', 1e-3], // U+00B5
  ['μs', 1e-3], // U+03BC
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
]);

/** A Go duration as time.ParseDuration reads it, above zero: `10s`, `2.5s`, `1m30s`. In milliseconds; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  // Longer than any duration that Go writes; keeps the work bounded for a forged one.
  if (text.length > 32) return undefined;
  let total = 0;
  let rest = text.startsWith('+') ? text.slice(1) : text;
  do {
    const [term, digits, unit] = /^(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/.exec(rest) ?? [];
    if (term === undefined || digits === undefined || unit === undefined) return undefined;
    total += Number(digits) * (millisecondsOf.get(unit) ?? 0);
    rest = rest.slice(term.length);
  } while (rest !== '');
  return total > 0 ? total : undefined;
}

export interface TimeLimits {
  readonly review: number;
  readonly answer: number;
}

/** The last one read: the API server writes the same in all its calls of one webhook. */
let latest: { readonly text: string; readonly limits: TimeLimits } = {
  text: '',
  limits: { review: defaultMilliseconds * reviewShare, answer: defaultMilliseconds * answerShare },
};

/**
 * By when the review is due, and by when something must be answered, in milliseconds from the arrival of the request.
 * What is no Go duration counts as not given.
 * @param url the request target with its query
 */
export function timeLimits(url: string): TimeLimits {
  const [, text = ''] = /[?&]timeout=([^&]*)/.exec(url) ?? [];
  if (text !== latest.text) {
    const given = Math.min(parseDuration(text) ?? defaultMilliseconds, maximumMilliseconds);
    latest = { text, limits: { review: given * reviewShare, answer: given * answerShare } };
  }
  return latest.limits;
}

/** What the promise gives; undefined when it takes longer than so many milliseconds. */
export function within<Value>(promise: Promise<Value>, milliseconds: number): Promise<Value | undefined> {
  return new Promise((resolve, reject) => {
    let settled = false;
    let timer: NodeJS.Timeout | undefined;
    const settle = (): void => {
      settled = true;
      clearTimeout(timer);
    };
    promise.then(
      (value) => {
        settle();
        resolve(value);
      },
      (error) => {
        settle();
        reject(error);
      },
    );
    // What needs nothing from outside is settled before the next tick, and a timer costs more than all else here.
    process.nextTick(() => {
      if (!settled) timer = setTimeout(resolve, Math.max(0, milliseconds), undefined);
    });
  });
}
