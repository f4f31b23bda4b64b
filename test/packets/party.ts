/**
 * One party of the packet lab: a process in a network namespace of its own. It answers with its name on its ports, by TCP and UDP,
 * and probes others on request. Arguments: its name, and its ports separated by commas. It waits for a first line before it listens;
 * by then its address is configured.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import type { Answer, Probe, Reply, Request } from './probe.ts';

/** Generous, because a machine under load delays both ends. A rejection comes at once. */
const silenceInMilliseconds = 3_000;
const attempts = 3;
/** More at once gain nothing. */
const atOnce = 32;

/**
 * Source ports are used in turn. The kernel could choose a port from a moment ago, and connection tracking lets packets through that
 * belong to a connection allowed then.
 */
const sourcePorts = { first: 20_000, last: 59_999 };
let sourcePort = sourcePorts.first;

function nextSourcePort(): number {
  sourcePort = sourcePort === sourcePorts.last ? sourcePorts.first : sourcePort + 1;
  return sourcePort;
}

const [name = '', ports = ''] = process.argv.slice(2);

async function listen(port: number): Promise<void> {
  const server = createServer((socket) => {
    // A client may leave early.
    socket.on('error', () => {}).end(name);
  });
  server.listen(port, '0.0.0.0');
  await once(server, 'listening');
  const socket = createSocket('udp4');
  socket.on('message', (_, from) => socket.send(name, from.port, from.address));
  // The firewall may reject the answer.
  socket.on('error', () => {});
  socket.bind(port, '0.0.0.0');
  await once(socket, 'listening');
}

/** @throws on silence, and on any error other than a rejection */
async function probe(wanted: Probe): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    const answer = await (wanted.protocol === 'TCP' ? overTcp(wanted) : overUdp(wanted));
    if (answer !== silence) return answer;
    if (attempt === attempts) throw new Error(`${JSON.stringify(wanted)} is neither answered nor rejected`);
  }
}

const silence = Symbol('no answer and no rejection');
type Attempt = Answer | typeof silence;

function overTcp({ address, port }: Probe): Promise<Attempt> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect({ host: address, port, localPort: nextSourcePort(), localAddress: '0.0.0.0' });
    const end = (answer: Attempt) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(silenceInMilliseconds, () => end(silence));
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    socket.on('end', () => end(text));
    socket.on('error', (error) => {
      socket.destroy();
      settle(error, resolve, reject);
    });
  });
}

function overUdp({ address, port }: Probe): Promise<Attempt> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    const timer = setTimeout(() => end(() => resolve(silence)), silenceInMilliseconds);
    const end = (how: () => void) => {
      clearTimeout(timer);
      socket.close();
      how();
    };
    socket.on('message', (message) => end(() => resolve(message.toString())));
    socket.on('error', (error) => end(() => settle(error, resolve, reject)));
    socket.bind(nextSourcePort(), () => {
      socket.connect(port, address, () => socket.send('probe', () => {}));
    });
  });
}

function settle(error: Error, resolve: (answer: Answer) => void, reject: (error: Error) => void): void {
  if ('code' in error && error.code === 'ECONNREFUSED') resolve(undefined);
  else reject(error);
}

async function probeAll(probes: readonly Probe[]): Promise<(Answer | null)[]> {
  const answers = new Array<Answer | null>(probes.length).fill(null);
  const waiting = probes.entries();
  const worker = async () => {
    for (const [index, one] of waiting) answers[index] = (await probe(one)) ?? null;
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return answers;
}

function say(reply: Reply): void {
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}

say({ state: 'started' });
let listening = false;
for await (const line of createInterface({ input: process.stdin })) {
  if (!listening) {
    await Promise.all(ports.split(',').map((port) => listen(Number(port))));
    listening = true;
    say({ state: 'listening' });
    continue;
  }
  const { probes } = JSON.parse(line) as Request;
  try {
    say({ answers: await probeAll(probes) });
  } catch (error) {
    say({ failure: String(error) });
  }
}
process.exit();
