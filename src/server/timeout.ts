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

/**
 * The API server gives whole seconds, as Go writes them: `10s`. People who ask by hand may write fractions and `ms`.
 * Undefined for anything else.
 */
function millisecondsOf(duration: string): number | undefined {
  const [, digits, unit] = /^(\d{1,6}(?:\.\d{1,6})?)(ms|s)$/.exec(duration) ?? [];
  return Number(digits) * (unit === 's' ? 1000 : 1) || undefined;
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
 * What is no duration counts as not given.
 * @param url the request target with its query
 */
export function timeLimits(url: string): TimeLimits {
  const [, text = ''] = /[?&]timeout=([^&]*)/.exec(url) ?? [];
  if (text !== latest.text) {
    const given = Math.min(millisecondsOf(text) ?? defaultMilliseconds, maximumMilliseconds);
    latest = { text, limits: { review: given * reviewShare, answer: given * answerShare } };
  }
  return latest.limits;
}

/** What the promise gives; undefined when it takes longer than so many milliseconds. */
export function within<Value>(promise: Promise<Value>, milliseconds: number): Promise<Value | undefined> {
  return new Promise((resolve, reject) => {
    let settled = false;
    let timer: NodeJS.Timeout | undefined;
    promise.then(resolve, reject).then(() => {
      settled = true;
      clearTimeout(timer);
    });
    // A promise that needs no input or output resolves before the next tick: 3,000 instructions, against 7,900 with a timer for each.
    process.nextTick(() => {
      if (!settled) timer = setTimeout(resolve, Math.max(0, milliseconds), undefined);
    });
  });
}
