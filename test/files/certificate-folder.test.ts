import { X509Certificate } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { authorityLifetime, issueAuthority } from '../../src/certificates/issue-certificate.ts';
import { makeCertificates } from '../../src/files/certificate-folder.ts';

const now = Date.parse('2026-11-21T12:00:00Z');
const names = ['localhost', '127.0.0.1'];

t.test('the first start makes everything', async (t) => {
  const folder = join(t.testdir({}), 'not', 'there', 'yet');
  const made = await makeCertificates(folder, names, now);
  t.equal(made.issued, 'authority');
  t.same((await readdir(folder)).sort(), ['ca.crt', 'ca.key', 'tls.crt', 'tls.key'], 'four files and no draft of one');
  for (const file of await readdir(folder)) {
    t.equal((await stat(join(folder, file))).mode & 0o777, 0o600, `${file} is readable by its owner alone`);
  }
  t.equal(await readFile(join(folder, 'ca.crt'), 'utf8'), made.caBundle);
  t.equal(await readFile(join(folder, 'tls.crt'), 'utf8'), made.server.certificate);
  t.equal(await readFile(join(folder, 'tls.key'), 'utf8'), made.server.key);
  t.equal(
    new X509Certificate(made.server.certificate).verify(new X509Certificate(made.caBundle).publicKey),
    true,
    'the authority signed the certificate',
  );
});

t.test('the authority stays until it expires, the server certificate is issued again', async (t) => {
  type Change = (folder: string) => Promise<unknown>;
  const nothing: Change = async () => {};
  const cases: [when: string, change: Change, at: number, names: readonly string[], issued: string][] = [
    ['nothing has changed', nothing, now, names, 'server'],
    ['another name is asked for', nothing, now, [...names, 'bulkhead.svc'], 'server'],
    ['the key of the server is gone', (folder) => rm(join(folder, 'tls.key')), now, names, 'server'],
    ['the certificate of the server is gone', (folder) => rm(join(folder, 'tls.crt')), now, names, 'server'],
    [
      'a crash left the key of the next certificate',
      async (folder) => writeFile(join(folder, 'tls.key'), issueAuthority(now).key),
      now,
      names,
      'server',
    ],
    ['the authority has expired', nothing, now + authorityLifetime, names, 'authority'],
    [
      'the authority was deleted',
      (folder) => Promise.all([rm(join(folder, 'ca.crt')), rm(join(folder, 'ca.key'))]),
      now,
      names,
      'authority',
    ],
  ];
  const home = t.testdir({});
  for (const [when, change, at, asked, issued] of cases) {
    const folder = join(home, when);
    const before = await makeCertificates(folder, names, now);
    await change(folder);
    const after = await makeCertificates(folder, asked, at);
    t.equal(after.issued, issued, `${when}: ${issued} is new`);
    t.equal(
      after.caBundle === before.caBundle,
      issued !== 'authority',
      `${when}: the caBundle is ${issued === 'authority' ? 'void' : 'the same'}`,
    );
    const server = new X509Certificate(after.server.certificate);
    t.ok(server.verify(new X509Certificate(after.caBundle).publicKey), `${when}: the two belong together`);
    t.ok(server.validToDate.getTime() > at, `${when}: the new one is valid`);
    for (const name of asked) t.ok(server.checkHost(name) ?? server.checkIP(name), `${when}: it is good for ${name}`);
  }
});

t.test('an authority is never replaced on a suspicion', async (t) => {
  const cases: [what: string, change: (folder: string) => Promise<unknown>, message: RegExp][] = [
    [
      'the key is gone',
      (folder) => rm(join(folder, 'ca.key')),
      /ca\.crt is there, but .*ca\.key is not\. Put it back, or remove .*ca\.crt/,
    ],
    [
      'the certificate is gone',
      (folder) => rm(join(folder, 'ca.crt')),
      /ca\.key is there, but .*ca\.crt is not\. Put it back/,
    ],
    [
      'the key is another one',
      (folder) => writeFile(join(folder, 'ca.key'), issueAuthority(now).key),
      /ca\.key is not the key of .*ca\.crt/,
    ],
    [
      'the certificate is none',
      (folder) => writeFile(join(folder, 'ca.crt'), 'hello'),
      /ca\.crt is not a PEM certificate/,
    ],
    [
      'a file is a folder',
      (folder) => rm(join(folder, 'ca.key')).then(() => mkdir(join(folder, 'ca.key'))),
      /ca\.key cannot be read: EISDIR/,
    ],
  ];
  const home = t.testdir({});
  for (const [what, change, message] of cases) {
    const folder = join(home, what);
    await makeCertificates(folder, names, now);
    await change(folder);
    const before = await contents(folder);
    await t.rejects(makeCertificates(folder, names, now), { name: 'CertificateError', message }, what);
    t.same(await contents(folder), before, `${what}: no file was touched`);
  }
});

t.test('files that others could read are replaced by files that they cannot', async (t) => {
  const folder = t.testdir({});
  await makeCertificates(folder, names, now);
  await chmod(join(folder, 'tls.key'), 0o644);
  await makeCertificates(folder, ['elsewhere'], now);
  t.equal((await stat(join(folder, 'tls.key'))).mode & 0o777, 0o600);
});

async function contents(folder: string): Promise<string[]> {
  const files = (await readdir(folder)).sort();
  return Promise.all(
    files.map(async (file) => `${file} ${await readFile(join(folder, file), 'utf8').catch(() => 'unreadable')}`),
  );
}
