/** Connections across the border of a network namespace: a socket in the file system is in no network. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

const host = '127.0.0.1';

export interface Relay {
  /** On loopback, of this side. */
  readonly port: number;
  close(): void;
}

/** Listens on a free port of loopback; each connection goes on to the socket of that path. */
export async function relayToSocket(path: string): Promise<Relay> {
  const server = createServer((from) => join(from, connect(path))).listen(0, host);
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

/** Listens on the socket of that path; each connection goes on to the port of loopback. */
export async function relayFromSocket(path: string, port: number): Promise<Server> {
  const server = createServer((from) => join(from, connect(port, host))).listen(path);
  await once(server, 'listening');
  return server;
}

function join(one: Socket, other: Socket): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.pipe(to);
    from.on('error', () => to.destroy());
    from.on('close', () => to.destroy());
  }
}
