/** What bounds the admission endpoint in time and memory. Milliseconds and bytes. */

const mebibyte = 1024 * 1024;

export interface WebhookLimits {
  /** Reviews at one time. Two API servers, each with its default of 200 writes at a time, stay within it. */
  readonly inFlight: number;
  /** Of one body. The API server takes requests up to 3 MiB; an update carries the object twice, and the review around it. */
  readonly bodyBytes: number;
  /** Of all bodies that are held at one time. */
  readonly heldBytes: number;
  /** How long the headers, and headers and body together, may take to arrive from their first byte on; a TLS handshake too. */
  readonly requestMilliseconds: number;
  /** How long a connection may be idle, before its first request (and then as long as a request may take) and after each. The API server keeps idle ones for 90 s: who closes first must be the client. */
  readonly idleMilliseconds: number;
  /**
   * How long a drain serves on. After the 90 s for which the API server keeps an idle connection, every connection has either
   * been used once more (and was told to close by its answer) or been given up by the client.
   */
  readonly drainMilliseconds: number;
  /** How long `close` waits for answers in flight before it cuts connections. */
  readonly closeMilliseconds: number;
}

export const webhookLimits: WebhookLimits = {
  inFlight: 400,
  bodyBytes: 7 * mebibyte,
  heldBytes: 64 * mebibyte,
  requestMilliseconds: 10_000,
  idleMilliseconds: 120_000,
  drainMilliseconds: 95_000,
  closeMilliseconds: 10_000,
};
