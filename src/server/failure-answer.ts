/** What is answered when there is no review to answer with: one plain sentence, and nothing of the inside. */
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';

/** What meta/v1 StatusReason calls otherwise than HTTP. */
const reasons: Readonly<Record<number, string>> = {
  408: 'Timeout',
  413: 'RequestEntityTooLarge',
  500: 'InternalError',
};

/** A metav1.Status, because the API server quotes the message of one to the user. JSON. */
export function failureBody(code: number, message: string): string {
  return JSON.stringify({
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    code,
    reason: reasons[code] ?? (STATUS_CODES[code] ?? '').replaceAll(' ', ''),
    message,
  });
}

/** The same as a whole HTTP/1.1 answer that ends the connection, for a socket whose request could not be read. */
export function failureResponse(code: number, message: string, headers = ''): string {
  const body = failureBody(code, message);
  return `HTTP/1.1 ${code} ${STATUS_CODES[code]}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${headers}Connection: close\r\n\r\n${body}`;
}

/**
 * Whether a connection took too long only because no request has been sent on it yet. Go's client opens one, and sends its request on
 * another that has become free meanwhile. It keeps the new one, idle like those that were used, and must be the side that closes it.
 * Node counts from the TLS handshake, and once; from the first byte of a request on it counts again.
 */
export function isUnused({ code }: { readonly code: string }, socket: Socket): boolean {
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' && socket.bytesRead === 0;
}

/** What cannot be read as HTTP is still answered in HTTP. Where there is no TLS connection yet, nothing can be answered. */
export function answerUnreadable(error: Error & { readonly code: string }, socket: Socket): void {
  const response = responseTo(error.code);
  if (response === undefined || !socket.writable) socket.destroy();
  else socket.end(response, () => socket.destroy());
}

function responseTo(code: string): string | undefined {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return failureResponse(408, 'The request did not arrive in time.');
  if (code === 'HPE_HEADER_OVERFLOW') return failureResponse(431, 'The headers are larger than 16 KiB.');
  return code.startsWith('HPE_') ? failureResponse(400, 'This is not an HTTP/1.1 request.') : undefined;
}
