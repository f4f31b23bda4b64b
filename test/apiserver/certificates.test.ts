import { createPrivateKey, X509Certificate } from 'node:crypto';
import t from 'tap';
import { createCertificateAuthority, createSigningKey } from './certificates.ts';

const authority = createCertificateAuthority('test authority');
const root = new X509Certificate(authority.certificate);

t.test('an authority signs itself and is valid now and for a day', async (t) => {
  t.equal(root.subject, 'CN=test authority');
  t.ok(root.ca);
  t.ok(root.verify(root.publicKey));
  t.ok(root.validFromDate.getTime() < Date.now(), 'clocks that run a little late accept it');
  const hoursLeft = (root.validToDate.getTime() - Date.now()) / 3_600_000;
  t.ok(hoursLeft > 23 && hoursLeft <= 24, `${hoursLeft} hours left`);
});

const long = 'x'.repeat(300);

const subjects: readonly [sentence: string, user: string, groups: readonly string[], subject: string][] = [
  ['no group', 'jane', [], 'CN=jane'],
  ['several groups', 'jane', ['acme-developers', 'on-call'], 'CN=jane\nO=acme-developers\nO=on-call'],
  ['colons, as service accounts have', 'system:serviceaccount:a:b', [], 'CN=system:serviceaccount:a:b'],
  ['more than 127 bytes', long, [], `CN=${long}`],
];

for (const [sentence, user, groups, subject] of subjects) {
  t.test(`a client certificate holds user and groups: ${sentence}`, async (t) => {
    const pair = authority.issueClient(user, groups);
    const certificate = new X509Certificate(pair.certificate);
    t.equal(certificate.subject, subject);
    t.ok(certificate.checkIssued(root) && certificate.verify(root.publicKey), 'signed by the authority');
    t.ok(certificate.checkPrivateKey(createPrivateKey(pair.key)), 'the key is its own');
    t.notOk(certificate.ca);
    t.strictSame(certificate.keyUsage, ['1.3.6.1.5.5.7.3.2'], 'for clients');
  });
}

t.test('a server certificate holds exactly the names and addresses asked for', async (t) => {
  const certificate = new X509Certificate(
    authority.issueServer(['localhost', 'hook.default.svc', '127.0.0.1']).certificate,
  );
  t.equal(certificate.subjectAltName, 'DNS:localhost, DNS:hook.default.svc, IP Address:127.0.0.1');
  t.ok(certificate.verify(root.publicKey));
  t.strictSame(certificate.keyUsage, ['1.3.6.1.5.5.7.3.1'], 'for servers');
});

t.test('no two certificates share a serial number', async (t) => {
  const serials = Array.from(
    { length: 5 },
    () => new X509Certificate(authority.issueClient('a', []).certificate).serialNumber,
  );
  t.equal(new Set(serials).size, serials.length);
});

t.test('a signing key is of the kind that ES256 tokens need', async (t) => {
  t.match(createPrivateKey(createSigningKey()), {
    asymmetricKeyType: 'ec',
    asymmetricKeyDetails: { namedCurve: 'prime256v1' },
  });
});
