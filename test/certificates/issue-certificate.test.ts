import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, isIP } from 'node:net';
import { connect, createServer } from 'node:tls';
import fc from 'fast-check';
import t from 'tap';
import {
  authorityLifetime,
  issueAuthority,
  issueServerCertificate,
  serverLifetime,
} from '../../src/certificates/issue-certificate.ts';

const now = Date.parse('2026-11-21T12:00:00Z');
const hour = 3_600_000;

t.test('an authority', async (t) => {
  const { certificate: pem, key } = issueAuthority(now);
  const certificate = new X509Certificate(pem);
  t.equal(certificate.ca, true, 'may sign certificates');
  t.equal(certificate.verify(certificate.publicKey), true, 'signs itself');
  t.equal(certificate.checkIssued(certificate), true, 'names itself as the issuer');
  t.equal(certificate.checkPrivateKey(createPrivateKey(key)), true, 'comes with its key');
  t.equal(certificate.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1', 'has a P-256 key');
  t.equal(certificate.validFromDate.getTime(), now - hour, 'was valid an hour ago, for clocks that are behind');
  t.equal(certificate.validToDate.getTime(), now + authorityLifetime, 'is valid for ten years');
  t.equal(authorityLifetime, 3650 * 24 * hour);
  t.not(
    new X509Certificate(issueAuthority(now).certificate).subject,
    certificate.subject,
    'has another name than the next one',
  );
});

t.test('a server certificate', async (t) => {
  const authority = issueAuthority(now);
  const issuer = new X509Certificate(authority.certificate);
  const pair = issueServerCertificate(
    authority,
    ['localhost', 'bulkhead.bulkhead-system.svc', '127.0.0.1', '::1', '2001:db8::192.0.2.1'],
    now,
  );
  const certificate = new X509Certificate(pair.certificate);
  t.equal(certificate.verify(issuer.publicKey), true, 'is signed by the authority');
  t.equal(certificate.checkIssued(issuer), true, 'names the authority');
  t.equal(certificate.ca, false, 'may not sign others');
  t.equal(certificate.checkPrivateKey(createPrivateKey(pair.key)), true, 'comes with its key');
  t.same(certificate.keyUsage, ['1.3.6.1.5.5.7.3.1'], 'is for servers alone');
  t.equal(certificate.validFromDate.getTime(), now - hour, 'was valid an hour ago');
  t.equal(certificate.validToDate.getTime(), now + serverLifetime, 'is valid for a year');
  t.equal(serverLifetime, 365 * 24 * hour);
  for (const name of ['localhost', 'bulkhead.bulkhead-system.svc'])
    t.equal(certificate.checkHost(name), name, `is for ${name}`);
  for (const address of ['127.0.0.1', '::1', '2001:db8::c000:201'])
    t.equal(certificate.checkIP(address), address, `is for ${address}`);
  t.equal(certificate.checkHost('bulkhead.elsewhere.svc'), undefined, 'is for nothing else');
  t.match(certificate.serialNumber, /^[4-7][0-9A-F]{31}$/, 'has a positive serial number of 16 bytes');

  const late = now + authorityLifetime - hour;
  const last = new X509Certificate(issueServerCertificate(authority, ['localhost'], late).certificate);
  t.equal(last.validToDate.getTime(), issuer.validToDate.getTime(), 'never outlives the authority');
});

t.test('an authority whose key is of another kind cannot issue', async (t) => {
  const authority = issueAuthority(now);
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  t.throws(() => issueServerCertificate({ ...authority, key }, ['localhost'], now), {
    name: 'CertificateError',
    message: /was not made by Bulkhead/,
  });
});

t.test('every certificate is well formed, whatever its length, names and moment', async (t) => {
  const names = fc.array(fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6()), { minLength: 1, maxLength: 30 });
  const moments = fc.date({ min: new Date('2020-01-01'), max: new Date('2060-01-01'), noInvalidDate: true });
  const wellFormed = fc.property(names, moments, (names, moment) => {
    const whole = Math.floor(moment.getTime() / 1000) * 1000;
    const authority = issueAuthority(whole);
    const certificate = new X509Certificate(issueServerCertificate(authority, names, whole).certificate);
    return (
      certificate.verify(new X509Certificate(authority.certificate).publicKey) &&
      certificate.validToDate.getTime() === whole + serverLifetime &&
      names.every((name) => (isIP(name) ? certificate.checkIP(name) : certificate.checkHost(name)) !== undefined)
    );
  });
  t.doesNotThrow(() => fc.assert(wellFormed, { numRuns: 60 }));
});

t.test('a TLS client that trusts the authority, and no other, accepts the certificate for its names', async (t) => {
  const authority = issueAuthority(Date.now());
  const { certificate: cert, key } = issueServerCertificate(authority, ['localhost', '127.0.0.1'], Date.now());
  const server = createServer({ cert, key }).listen(0, '127.0.0.1');
  server.on('tlsClientError', () => {});
  await once(server, 'listening');
  t.teardown(() => new Promise((resolve) => server.close(resolve)));
  const { port } = server.address() as AddressInfo;
  const handshake = async (ca: string, servername: string): Promise<string> => {
    const socket = connect({ port, host: '127.0.0.1', ca, servername });
    try {
      await once(socket, 'secureConnect');
      return 'trusted';
    } catch (error) {
      return error instanceof Error && 'code' in error ? String(error.code) : String(error);
    } finally {
      socket.destroy();
    }
  };
  t.equal(await handshake(authority.certificate, 'localhost'), 'trusted');
  t.equal(await handshake(authority.certificate, 'elsewhere'), 'ERR_TLS_CERT_ALTNAME_INVALID');
  t.equal(await handshake(issueAuthority(Date.now()).certificate, 'localhost'), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE');
});
