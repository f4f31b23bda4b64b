/** Reads request bodies into memory, within a budget that all requests share. */
import type { IncomingMessage } from 'node:http';

export type BodyFailure = 'too-large' | 'no-room' | 'aborted';
export type Body = { readonly ok: true; readonly bytes: Buffer } | { readonly ok: false; readonly reason: BodyFailure };

export interface BodyLimits {
  /** Of one body, in bytes. */
  readonly bodyBytes: number;
  /** Of all bodies that are in memory at one time, in bytes. */
  readonly heldBytes: number;
}

export interface BodyReader {
  /**
   * Resolves when the body is complete or cannot be. What was read counts as held until `release` is called with it; after a failure
   * nothing is held, and what else arrives is thrown away.
   */
  read(request: IncomingMessage): Promise<Body>;
  release(bytes: Buffer): void;
}

export function createBodyReader(limits: BodyLimits): BodyReader {
  let held = 0;

  function collect(request: IncomingMessage, resolve: (body: Body) => void): void {
    const chunks: Buffer[] = [];
    let length = 0;
    let finished = false;

    function finish(body: Body): void {
      if (finished) return;
      finished = true;
      if (!body.ok) held -= length;
      resolve(body);
    }
    function onData(chunk: Buffer): void {
      if (finished) return;
      length += chunk.length;
      held += chunk.length;
      chunks.push(chunk);
      if (length > limits.bodyBytes) finish({ ok: false, reason: 'too-large' });
      else if (held > limits.heldBytes) finish({ ok: false, reason: 'no-room' });
    }
    function onEnd(): void {
      const [only] = chunks;
      finish({ ok: true, bytes: chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, length) });
    }
    function onClose(): void {
      finish({ ok: false, reason: 'aborted' });
    }

    request.on('data', onData);
    request.on('end', onEnd);
    // Comes also when the client goes away in the middle; then there is no `end`.
    request.on('close', onClose);
  }

  return {
    read(request) {
      return new Promise((resolve) => {
        // A declared length is refused before anything of it is read; without one (chunked) the count decides.
        if (Number(request.headers['content-length'] ?? 0) > limits.bodyBytes)
          resolve({ ok: false, reason: 'too-large' });
        else collect(request, resolve);
      });
    },
    release(bytes) {
      held -= bytes.length;
    },
  };
}
