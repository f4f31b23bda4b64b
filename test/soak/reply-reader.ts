/** The least of HTTP/1.1 that tells one answer with a `Content-Length` from the next. */

export interface Reply {
  readonly status: number;
  /** Whether it says when to come again. */
  readonly retryAfter: boolean;
  /** Whether the server asks to have the connection closed. */
  readonly close: boolean;
}

const endOfHead = Buffer.from('\r\n\r\n');

/** @returns takes what arrives, in whatever pieces; `replied` is called at the end of each answer */
export function replyReader(replied: (reply: Reply) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (;;) {
      const head = rest.indexOf(endOfHead);
      if (head === -1) return;
      const text = rest.toString('latin1', 0, head);
      const [, length] = /\r\ncontent-length: *(\d+)/i.exec(text) ?? [];
      if (length === undefined) throw new Error(`an answer without a length: ${text}`);
      const end = head + endOfHead.length + Number(length);
      if (rest.length < end) return;
      rest = rest.subarray(end);
      const status = Number(text.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length));
      replied({ status, retryAfter: /\r\nretry-after: *\d/i.test(text), close: /\r\nconnection: *close/i.test(text) });
    }
  };
}
