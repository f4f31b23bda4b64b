/** What one review came to, for the answer, the log line and the metrics. */
import type { Mode } from '../tenancy/tenant.ts';

/** The endpoints. `warn` is for workloads: it says what `validate` will say to their pods, and never refuses, whatever happens. */
export const phases = ['mutate', 'validate', 'warn'] as const;

/** The endpoint that was asked. */
export type Phase = (typeof phases)[number];

/** How a review is answered. */
export interface Asked {
  readonly phase: Phase;
  /** Denials are only logged (Settings spec.enforcement: observe). */
  readonly observes: boolean;
}

export interface Decision {
  readonly phase: Phase;
  /** Empty strings where the body could not be decoded. */
  readonly uid: string;
  readonly kind: string;
  readonly operation: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly username: string;
  readonly dryRun: boolean;
  /** The owner's name, `platform`, or undefined when it was not found out. */
  readonly tenant: string | undefined;
  /** Of the tenant; `observe` where the settings say that nothing is denied. */
  readonly mode: Mode | 'observe';
  readonly allowed: boolean;
  /** The HTTP-like code of a denial (403, 400, 503, 500), also of one that phase `warn` or mode `observe` did not give; 200 otherwise. */
  readonly code: number;
  /** Ids of the checks that found something, each once, in catalogue order; also when the mode admits it. */
  readonly checks: readonly string[];
  /** Names of the exemptions that were used, each once. */
  readonly exemptions: readonly string[];
  /** Ids of the checks whose findings they exempted, each once. */
  readonly exempted: readonly string[];
  /** Whether a JSON Patch was returned. */
  readonly patched: boolean;
  /** For the log: why, where no check says it (not understood, facts that could not be had, a defect). Otherwise undefined. */
  readonly reason: string | undefined;
}

/** The HTTP answer to one review, and what it came to. */
export interface Answer {
  /** 200 whenever a uid is known; otherwise the code of the decision. */
  readonly status: 200 | 400 | 500;
  /** JSON: an AdmissionReview, or a metav1.Status where no uid is known. */
  readonly body: string;
  readonly decision: Decision;
}

/**
 * One admission endpoint: bytes in, answer out. Never rejects.
 * @param deadline by when the answer must be sent, on the clock that only grows (clock.ts)
 */
export type Review = (phase: Phase, body: Buffer, deadline: number) => Promise<Answer>;
