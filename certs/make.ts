/** `npm run certs`: makes the development certificates in this folder. README.md tells what they are for. */

import { CertificateError } from '../src/certificates/key-pair.ts';
import { makeCertificates } from '../src/files/certificate-folder.ts';

const usual = ['localhost', '127.0.0.1', '::1', 'bulkhead.bulkhead-system.svc'];
const names = process.argv.length > 2 ? process.argv.slice(2) : usual;
const said = {
  authority: 'made an authority (ca.crt, ca.key) and a server certificate (tls.crt, tls.key)',
  server: 'made a new server certificate (tls.crt, tls.key) with the authority that was there',
};

try {
  const { issued } = await makeCertificates(import.meta.dirname, names, Date.now());
  process.stdout.write(`certs/: ${said[issued]}, for ${names.join(', ')}\n`);
} catch (error) {
  if (!(error instanceof CertificateError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
