/** The messages between the test and its parties. */

export const protocols = ['TCP', 'UDP'] as const;
export type Protocol = (typeof protocols)[number];

/** One attempt to reach an address. */
export interface Probe {
  readonly address: string;
  readonly protocol: Protocol;
  readonly port: number;
}

/**
 * The name of the party that answered, or undefined after a rejection. A party listens on every probed port, so only the firewall
 * rejects. Silence is neither: it fails the request.
 */
export type Answer = string | undefined;

/** From the test to a party, one line of JSON each. */
export interface Request {
  readonly probes: readonly Probe[];
}

/** From a party to the test, one line of JSON each. */
export type Reply =
  | { readonly state: 'started' | 'listening' }
  | { readonly answers: readonly (Answer | null)[] }
  | { readonly failure: string };
