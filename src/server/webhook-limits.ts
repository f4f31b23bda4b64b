/** What bounds the admission endpoint in time and memory. Milliseconds and bytes. */

const mebibyte = 1024 * 1024;

export interface WebhookLimits {
  /**
   * Reviews at one time, from the last byte of the body to the answer. Two API servers, each with its default of 200 writes at a
   * time, stay within it.
   */
  readonly inFlight: number;
  /**
   * Of one body. etcd takes requests up to 1.5 MiB (--max-request-bytes), in which the object is protobuf. The API server writes it as
   * JSON, in which Go's encoding/json writes `<`, `>`, `&` and each control character as six bytes (\u003c): up to 9 MiB. An update
   * carries the object twice, and 1 MiB remains for the review around it.
   */
  readonly bodyBytes: number;
  /**
   * Of all bodies that are held at one time, with what they become when they are parsed; one body alone that needs more is too large.
   * Node gives the heap 256 MiB where the container may have 512 MiB (manifests/base), so this leaves it half for all else.
   *
   * Legal reviews stay within it: an update of a pod of 1.4 MiB of `<`, 17 MiB of JSON, counts as 22 MiB; one of a network
   * policy with 100,000 ports, which is as dense as an object of 1.5 MiB gets, as 81 MiB. A crowd of
   * bodies that fill it, with a quarter of the heap taken by others, was measured at 400 MiB (test/server/parsed-size.test.ts).
   */
  readonly heldBytes: number;
  /**
   * The time limit for one body, from its headers to its last byte. The API server sends a body at once. 19 MiB in 2 s take 80 Mbit/s;
   * on a slower network the API server retries.
   */
  readonly bodyMilliseconds: number;
  /**
   * The greatest number of incomplete bodies of one remote address; with one more, the oldest gives way. It equals the writes that an API
   * server makes at one time by default. It is generous because source NAT can give all API servers, and pods, one address.
   */
  readonly incompletePerAddress: number;
  /** How long the headers, and headers and body together, may take to arrive from their first byte on; a TLS handshake too. */
  readonly requestMilliseconds: number;
  /** How long a connection may be idle, before its first request (and then as long as a request may take) and after each. The API server keeps idle ones for 90 s: who closes first must be the client. */
  readonly idleMilliseconds: number;
  /**
   * How long a drain keeps serving. The API server keeps an idle connection for 90 s. In that time, the client has closed every
   * connection, or has used it once more. Then the answer has asked the client to close it.
   */
  readonly drainMilliseconds: number;
  /** How long `close` waits for answers in flight before it cuts connections. */
  readonly closeMilliseconds: number;
}

export const webhookLimits: WebhookLimits = {
  inFlight: 400,
  bodyBytes: 19 * mebibyte,
  heldBytes: 128 * mebibyte,
  bodyMilliseconds: 2000,
  incompletePerAddress: 200,
  requestMilliseconds: 10_000,
  idleMilliseconds: 120_000,
  drainMilliseconds: 95_000,
  closeMilliseconds: 10_000,
};
