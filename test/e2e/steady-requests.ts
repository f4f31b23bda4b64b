/** Requests of a tenant that are sent again and again while Bulkhead is changed, and must always get the same answer. */
import type { ControlPlane } from '../apiserver/control-plane.ts';

export interface SteadyRequest {
  readonly says: string;
  readonly path: string;
  readonly object: object;
  /** Whether it must be admitted; otherwise Bulkhead must deny it. */
  readonly admitted: boolean;
}

export interface Answers {
  /** How many answers were as they must be. */
  readonly right: number;
  /** Answers that ask to try again, which clients do. */
  readonly retryable: readonly string[];
  /** All other answers. */
  readonly wrong: readonly string[];
}

export interface Steady {
  /** Ends it. @returns by `says` */
  stop(): Promise<ReadonlyMap<string, Answers>>;
}

const pauseInMilliseconds = 100;
const denied = 'admission webhook "validate.bulkhead.dev" denied the request';

/** Sends each of them ten times a second, as a dry run: what is answered to a dry run is answered otherwise, too. */
export function keepSending(plane: ControlPlane, kubeconfig: string, requests: readonly SteadyRequest[]): Steady {
  let goesOn = true;
  const loops = requests.map(async ({ says, path, object, admitted }) => {
    const answers = { right: 0, retryable: [] as string[], wrong: [] as string[] };
    while (goesOn) {
      const { status, text } = await plane.request('POST', `${path}?dryRun=All`, object, { kubeconfig });
      const asExpected = admitted
        ? status === 201
        : status === 403 && text.includes(JSON.stringify(denied).slice(1, -1));
      if (asExpected) answers.right++;
      // Only a request that is to be admitted is tried again: a refused one must stay refused.
      else (admitted && status === 503 ? answers.retryable : answers.wrong).push(`${status} ${text}`);
      await new Promise((resolve) => setTimeout(resolve, pauseInMilliseconds));
    }
    return [says, answers] as const;
  });
  return {
    async stop() {
      goesOn = false;
      return new Map(await Promise.all(loops));
    },
  };
}
