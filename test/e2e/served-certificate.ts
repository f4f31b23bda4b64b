import type { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:tls';

/** By which the API server calls Bulkhead. */
export const serverName = 'bulkhead.bulkhead-system.svc';

/** What a replica serves to whoever connects. */
export async function certificateOf(host: string): Promise<X509Certificate> {
  const socket = connect({ host, port: 9443, servername: serverName, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const certificate = socket.getPeerX509Certificate();
  socket.destroy();
  if (certificate === undefined) throw new Error('there is none');
  return certificate;
}
