/** Follows a source that may change at any time, such as files that another program writes. */

/** Polling sees every kind of change, also the symlink swap of a mounted Secret, which fs.watch does not; ten seconds as others do. */
const pollMilliseconds = 10_000;

export interface Poll {
  /** Looks now; what the timer does. Looks never overlap: one that is under way is waited for. Never rejects. */
  look(): Promise<void>;
  /** No callback is called any more. */
  stop(): void;
}

/**
 * Calls `changed` with every new good value, and `failed` once for every new bad state (the value in use stays the old one).
 * An error thrown by `changed` goes to `failed` too.
 */
export function poll<Value>(options: {
  readonly load: () => Promise<Value>;
  /** What is in use. */
  readonly current: Value;
  readonly same: (one: Value, other: Value) => boolean;
  readonly changed: (value: Value) => void;
  readonly failed: (error: Error) => void;
  readonly pollMilliseconds?: number | undefined;
}): Poll {
  let current = options.current;
  let lastFailure: string | undefined;
  let stopped = false;
  let looking: Promise<void> | undefined;

  async function takeOver(): Promise<void> {
    try {
      const value = await options.load();
      if (stopped) return;
      if (!options.same(value, current)) {
        options.changed(value);
        current = value;
      }
      lastFailure = undefined;
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error));
      if (failure.message !== lastFailure && !stopped) options.failed(failure);
      lastFailure = failure.message;
    }
  }
  function look(): Promise<void> {
    looking ??= takeOver().finally(() => {
      looking = undefined;
    });
    return looking;
  }

  const timer = setInterval(look, options.pollMilliseconds ?? pollMilliseconds).unref();
  return {
    look,
    stop() {
      stopped = true;
      clearInterval(timer);
    },
  };
}
