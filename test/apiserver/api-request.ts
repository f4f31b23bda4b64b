import { type Agent, request as httpsRequest } from 'node:https';

/** An answer of the API server; `body` is the decoded JSON, or the text where the answer is not JSON. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: unknown;
  /** The answer as it came: what decoding would round or reorder is still there. */
  readonly text: string;
}

export interface ApiRequest {
  readonly method: string;
  /** With the query, for example `/api/v1/namespaces?dryRun=All`. */
  readonly path: string;
  /** Sent as JSON; `undefined` sends no body. */
  readonly body?: unknown;
  /** Of the body. Default `application/json`. */
  readonly contentType?: string | undefined;
  /** How long the connection may be silent. */
  readonly timeoutInMilliseconds: number;
}

/**
 * One request to the API server on 127.0.0.1, in the name of the agent's client certificate. A kept connection that the API server
 * has closed meanwhile is no answer: the request is sent again, on another one.
 *
 * @throws when there is no answer
 */
export function sendApiRequest(agent: Agent, port: number, request: ApiRequest): Promise<Answer> {
  const { method, path, body, contentType = 'application/json' } = request;
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest(
      {
        ...{ agent, host: '127.0.0.1', port, method, path, timeout: request.timeoutInMilliseconds },
        headers: { accept: 'application/json', ...(body !== undefined && { 'content-type': contentType }) },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('error', reject);
        response.on('end', () => {
          const isJson = response.headers['content-type']?.startsWith('application/json') ?? false;
          const decoded: unknown = isJson ? JSON.parse(text) : text;
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: decoded, text });
        });
      },
    );
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer to ${method} ${path}`)));
    outgoing.on('error', (error) => {
      const stale = outgoing.reusedSocket && 'code' in error && error.code === 'ECONNRESET';
      if (stale) resolve(sendApiRequest(agent, port, request));
      else reject(error);
    });
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
