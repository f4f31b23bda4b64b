import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import t from 'tap';
import { serverLifetime } from '../../src/certificates/issue-certificate.ts';
import type { KeyPair } from '../../src/certificates/key-pair.ts';
import { loadCertificateFiles } from '../../src/files/certificate-files.ts';
import { poll } from '../../src/files/poll.ts';
import { newCertificate, until } from '../server/serving.ts';

const names = { certificate: 'tls.crt', key: 'tls.key' };
const filesIn = (folder: string) => ({ certificate: join(folder, names.certificate), key: join(folder, names.key) });

/** Each file is whole at every moment, as with everybody who replaces certificates with care. */
async function replace(path: string, content: string): Promise<void> {
  await writeFile(`${path}.new`, content);
  await rename(`${path}.new`, path);
}

async function write(folder: string, pair: KeyPair): Promise<void> {
  await replace(join(folder, names.key), pair.key);
  await replace(join(folder, names.certificate), pair.certificate);
}

const load = async (folder: string, now = Date.now()) =>
  (await loadCertificateFiles(filesIn(folder), undefined, now)).pair;

/** As `serve` follows them, and more often. */
function follow(
  folder: string,
  current: KeyPair,
  changed: (pair: KeyPair) => void,
  failed: (error: Error) => void,
): () => void {
  return poll({ load: () => load(folder), current, same: isDeepStrictEqual, changed, failed, pollMilliseconds: 5 })
    .stop;
}

t.test('a pair of files is read', async (t) => {
  const pair = newCertificate();
  const folder = t.testdir({});
  await write(folder, pair);
  t.same(await load(folder), pair);
  const expired = load(folder, Date.now() + serverLifetime);
  await t.rejects(
    expired,
    { name: 'CertificateError', message: /tls\.crt expired on .* Put a new one there\./ },
    'unless it has expired',
  );
  await rm(join(folder, names.key));
  await t.rejects(
    load(folder),
    { name: 'CertificateError', message: /tls\.key cannot be read: there is no such file/ },
    'or one is missing',
  );
});

t.test('a change is followed, and a bad one reported once (SRV-12)', async (t) => {
  const folder = t.testdir({});
  const first = newCertificate();
  await write(folder, first);
  const changes: KeyPair[] = [];
  const failures: string[] = [];
  const stop = follow(
    folder,
    first,
    (pair) => changes.push(pair),
    ({ message }) => failures.push(message),
  );
  t.teardown(stop);

  const second = newCertificate();
  await replace(join(folder, names.key), second.key);
  await until(() => failures.length > 0);
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.match(
    failures,
    [/tls\.key is not the key of .*tls\.crt: both must come from the same issue/],
    'a key that is not that of the certificate',
  );
  t.same(changes, [], 'does not replace the pair that is served');
  await replace(join(folder, names.certificate), second.certificate);
  await until(() => changes.length > 0);
  t.same(changes, [second], 'when both have changed, they do');

  await rm(join(folder, names.certificate));
  await until(() => failures.length > 1);
  t.match(failures[1], /tls\.crt cannot be read/, 'what is wrong the next time is reported again');
  await write(folder, second);
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.same(changes, [second], 'and the pair that is served already is no change');
  t.equal(failures.length, 2);
});

t.test('a mounted Secret changes by its symbolic link', async (t) => {
  const folder = t.testdir({});
  const [first, second] = [newCertificate(), newCertificate()];
  for (const [version, pair] of Object.entries({ '..one': first, '..two': second })) {
    await mkdir(join(folder, version));
    await write(join(folder, version), pair);
  }
  await symlink('..one', join(folder, '..data'));
  for (const name of Object.values(names)) await symlink(join('..data', name), join(folder, name));
  const changes: KeyPair[] = [];
  const failures: string[] = [];
  const stop = follow(
    folder,
    first,
    (pair) => changes.push(pair),
    ({ message }) => failures.push(message),
  );
  t.teardown(stop);
  await symlink('..two', join(folder, '..next'));
  await rename(join(folder, '..next'), join(folder, '..data'));
  await until(() => changes.length > 0);
  t.same(changes, [second], 'both files change at once');
});

t.test('a pair that the server does not take is reported, and offered again', async (t) => {
  const folder = t.testdir({});
  const second = newCertificate();
  await write(folder, second);
  const failures: string[] = [];
  let offered = 0;
  const stop = follow(
    folder,
    newCertificate(),
    () => {
      offered++;
      if (offered < 3) throw new Error('not now');
    },
    ({ message }) => failures.push(message),
  );
  await until(() => offered === 3);
  stop();
  t.same(failures, ['not now'], 'once');
});
