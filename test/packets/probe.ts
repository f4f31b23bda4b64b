/** What parties ask of each other, and what comes of it. */

export const protocols = ['TCP', 'UDP'] as const;
export type Protocol = (typeof protocols)[number];

/** One attempt to reach an address. */
export interface Probe {
  readonly address: string;
  readonly protocol: Protocol;
  readonly port: number;
}

/**
 * The name of the party that answered; or undefined where the packet was rejected. A party listens on every port that is probed, so
 * only the firewall rejects. Silence is neither: it fails the whole request.
 */
export type Answer = string | undefined;

/** From the test to a party, one line of JSON each. */
export interface Request {
  readonly probes: readonly Probe[];
}

/** From a party to the test, one line of JSON each: that it runs or listens (no answers), or what the probes came to. */
export type Reply =
  | { readonly state: 'started' | 'listening' }
  | { readonly answers: readonly (Answer | null)[] }
  | { readonly failure: string };
