/**
 * Clients that send a review one byte a second and never end (SRV-17), as a process of its own, so that they cost what is measured
 * beside them no time. One that is answered or cut off comes back a second later. Argument: JSON of `Senders`.
 */
import { connect } from 'node:tls';

export interface Senders {
  readonly addresses: readonly string[];
  readonly port: number;
  /** To each address. */
  readonly count: number;
}

/** The report, sent once every sender has begun, and on request. */
export interface SendersReport {
  /** Requests that were begun. */
  readonly begun: number;
  /** How many answers had which status. */
  readonly answers: Readonly<Record<string, number>>;
}

const { addresses, port, count }: Senders = JSON.parse(process.argv[2] ?? '');
const head = 'POST /validate?timeout=10s HTTP/1.1\r\nHost: bulkhead\r\nContent-Length: 1000000\r\n\r\n{';
const second = 1000;
const answers: Record<string, number> = {};
let begun = 0;

function report(): void {
  process.send?.({ begun, answers } satisfies SendersReport);
}

function send(host: string): void {
  let drip: NodeJS.Timeout | undefined;
  const socket = connect({ host, port, rejectUnauthorized: false }, () => {
    socket.write(head);
    drip = setInterval(() => socket.writable && socket.write(' '), second);
    begun++;
    if (begun === addresses.length * count) report();
  });
  socket.once('data', (chunk: Buffer) => {
    const [, status = 'unreadable'] = /^HTTP\/1\.1 (\d+)/.exec(chunk.toString('latin1')) ?? [];
    answers[status] = (answers[status] ?? 0) + 1;
    socket.destroy();
  });
  socket.on('error', () => {});
  socket.once('close', () => {
    clearInterval(drip);
    setTimeout(send, second, host);
  });
}

for (const address of addresses) for (let index = 0; index < count; index++) send(address);
process.on('message', report);
process.on('disconnect', () => process.exit());
