/** What the two measured servers have in common: a certificate, and a word with the process that measures them. */
import { issueAuthority, issueServerCertificate } from '../../src/certificates/issue-certificate.ts';
import type { KeyPair } from '../../src/certificates/key-pair.ts';

/** What a server says when it listens. */
export interface Listening {
  readonly port: number;
  readonly caBundle: string;
}

/** Processor time since the start, in microseconds; what a server says when it is asked anything. */
export interface ProcessorTime {
  readonly microseconds: number;
}

export const host = '127.0.0.1';

/** @param listen on `host`; resolves with the port */
export async function serveForMeasurement(listen: (certificate: KeyPair) => Promise<number>): Promise<void> {
  const authority = issueAuthority(Date.now());
  const port = await listen(issueServerCertificate(authority, [host], Date.now()));
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    say({ microseconds: user + system });
  });
  // The end of the process that measures is the end of this one.
  process.on('disconnect', () => process.exit());
  say({ port, caBundle: authority.certificate });
}

function say(message: Listening | ProcessorTime): void {
  process.send?.(message);
}
