/** A webhook server on a free loopback port, with certificates of its own and a review that the test chooses. */
import { X509Certificate } from 'node:crypto';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import type { Answer, Decision, Review } from '../../src/admission/decision.ts';
import { issueAuthority, issueServerCertificate } from '../../src/certificates/issue-certificate.ts';
import type { KeyPair } from '../../src/certificates/key-pair.ts';
import type { ClientCheck } from '../../src/server/client-check.ts';
import { createLog } from '../../src/server/log.ts';
import { createMetrics, type Metrics } from '../../src/server/metrics.ts';
import type { WebhookLimits } from '../../src/server/webhook-limits.ts';
import { createWebhookServer, type WebhookServer } from '../../src/server/webhook-server.ts';

const authority = issueAuthority(Date.now());
export const caBundle = authority.certificate;

export function newCertificate(): KeyPair {
  return issueServerCertificate(authority, ['localhost', '127.0.0.1'], Date.now());
}

export function serialNumber(certificate: string): string {
  return new X509Certificate(certificate).serialNumber;
}

export const admitted: Decision = {
  phase: 'validate',
  uid: 'uid-1',
  kind: 'Pod',
  operation: 'CREATE',
  subresource: '',
  namespace: 'acme-web',
  name: 'web',
  username: 'alice',
  dryRun: false,
  tenant: 'acme',
  mode: 'enforce',
  allowed: true,
  code: 200,
  checks: [],
  exemptions: [],
  exempted: [],
  patched: false,
  reason: undefined,
};

/** Says which phase it was asked for and how many bytes it was given. */
export const echo: Review = async (phase, body) => answerOf({ phase }, JSON.stringify({ phase, bytes: body.length }));

export function answerOf(decision: Partial<Decision>, body = '{}'): Answer {
  return { status: 200, body, decision: { ...admitted, ...decision } };
}

export interface Serving {
  readonly server: WebhookServer;
  readonly port: number;
  readonly certificate: KeyPair;
  readonly metrics: Metrics;
  /** The lines of the log so far, parsed. */
  lines(): Record<string, unknown>[];
}

interface Teardown {
  teardown(handler: () => Promise<void>): void;
}

/** @param t closes the server when this test ends */
export async function serve(
  t: Teardown,
  review: Review,
  limits: Partial<WebhookLimits> = {},
  wantedPort = 0,
  clients?: ClientCheck,
  paths: readonly string[] = [''],
  observes = () => false,
): Promise<Serving> {
  const certificate = newCertificate();
  const written: string[] = [];
  const metrics = createMetrics();
  const { log } = createLog('info', { write: (line: string) => written.push(line) });
  const server = createWebhookServer({
    review,
    observes,
    certificate,
    clients,
    paths: () => paths,
    host: '127.0.0.1',
    port: wantedPort,
    log,
    metrics,
    limits: { closeMilliseconds: 100, ...limits },
  });
  const { port } = await server.listen();
  t.teardown(() => server.close());
  return { server, port, certificate, metrics, lines: () => written.map((line) => JSON.parse(line)) };
}

export async function open(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', ca: caBundle, ALPNProtocols: ['http/1.1'], ...options });
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('error', reject);
  });
  return socket;
}

/** All that the server sends until it closes or resets the connection, as text. */
export function everything(socket: TLSSocket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    // What arrived before a reset has arrived.
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
  });
}

/** Sends the bytes and gives all that comes back until the server closes the connection. */
export async function exchange(port: number, bytes: string | Uint8Array): Promise<string> {
  const socket = await open(port);
  const received = everything(socket);
  socket.write(bytes);
  return received;
}

export interface Reply {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** The answers in a text, one after the other. Every answer of the server declares its length. */
export function repliesIn(text: string): Reply[] {
  const replies: Reply[] = [];
  let rest = text;
  while (rest !== '') {
    const end = rest.indexOf('\r\n\r\n');
    const [first = '', ...lines] = rest.slice(0, Math.max(0, end)).split('\r\n');
    const [, status] = /^HTTP\/1\.1 (\d{3}) /.exec(first) ?? [];
    if (end === -1 || status === undefined)
      throw new Error(`not an HTTP answer: ${JSON.stringify(rest.slice(0, 200))}`);
    const headers = new Map(
      lines.map((line): [string, string] => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
    );
    const start = end + 4;
    const length = Number(headers.get('content-length') ?? 0);
    replies.push({ status: Number(status), headers, body: rest.slice(start, start + length) });
    rest = rest.slice(start + length);
  }
  return replies;
}

/** One request as bytes; the connection closes after it unless the headers say otherwise. */
export function request(method: string, target: string, body = '', headers: Record<string, string> = {}): string {
  const all = { Host: 'localhost', 'Content-Length': String(Buffer.byteLength(body)), Connection: 'close', ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
}

/** Waits for what the server is about to do; the test runner's own timeout ends it. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}
