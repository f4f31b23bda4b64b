/** Client certificates: who may ask, where the platform has named an authority for it (SRV-01, SRV-03). */
import { createPrivateKey } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import t, { type Test } from 'tap';
import type { Review } from '../../src/admission/decision.ts';
import { poll } from '../../src/files/poll.ts';
import { type ClientAuthority, loadClientAuthority } from '../../src/server/client-authority.ts';
import { createClientCheck } from '../../src/server/client-check.ts';
import { createCertificateAuthority, type KeyPair } from '../apiserver/certificates.ts';
import { answerOf, newCertificate, open, repliesIn, request, serve, until } from './serving.ts';

const platform = createCertificateAuthority('platform');
const foreign = createCertificateAuthority('platform');
const apiServer = platform.issueClient('kube-apiserver', []);

const shown = ({ certificate, key }: KeyPair): ConnectionOptions => ({ cert: certificate, key });

async function authorityOf(t: Test, ...certificates: string[]): Promise<ClientAuthority> {
  const folder = t.testdir({ 'ca.crt': certificates.join('') });
  return loadClientAuthority(join(folder, 'ca.crt'), Date.now());
}

/** Serves with a check, and counts how often a review was asked for. */
async function guarded(t: Test, names: readonly string[], authority: ClientAuthority) {
  let reviews = 0;
  const review: Review = async () => {
    reviews++;
    return answerOf({});
  };
  const serving = await serve(t, review, {}, 0, createClientCheck(authority, names));
  return { ...serving, reviews: () => reviews };
}

/** One more review on a connection that is open: its status and body. */
async function ask(socket: TLSSocket): Promise<{ status: number; body: string }> {
  socket.write(request('POST', '/validate', '{}', { Connection: 'keep-alive' }));
  let text = '';
  do text += await new Promise<string>((resolve) => socket.once('data', (chunk: Buffer) => resolve(chunk.toString())));
  while (!/\r\n\r\n./s.test(text));
  const [{ status, body } = { status: 0, body: '' }] = repliesIn(text);
  return { status, body };
}

async function askedBy(port: number, options: ConnectionOptions): Promise<{ status: number; body: string }> {
  const socket = await open(port, options);
  const answer = await ask(socket);
  socket.destroy();
  return answer;
}

t.test('only a certificate of the authority, with a name that is listed, is answered', async (t) => {
  const { port, reviews, metrics, lines } = await guarded(
    t,
    ['kube-apiserver', 'api.example.com'],
    await authorityOf(t, platform.certificate),
  );
  t.match(await askedBy(port, shown(apiServer)), { status: 200 }, 'the API server, by its common name');
  t.equal(reviews(), 1);

  const none = {
    status: 401,
    body: /"reason":"Unauthorized","message":"Bulkhead requires a client cert/,
  };
  const other = { status: 403, body: /"reason":"Forbidden","message":"Bulkhead does not answer to the client cert/ };
  t.match(await askedBy(port, {}), none, 'without a certificate: told to bring one');
  const strangers: readonly [what: string, pair: KeyPair][] = [
    ['the name of an authority that is called the same', foreign.issueClient('kube-apiserver', [])],
    ['a name that is not listed', platform.issueClient('alice', [])],
    ['a name that begins the same', platform.issueClient('kube-apiserver-2', [])],
    ['a name in other letters', platform.issueClient('Kube-APIserver', [])],
    ['a group of that name', platform.issueClient('alice', ['kube-apiserver'])],
    ['no name', platform.issueClient('', [])],
    ['a certificate for servers, with a name that is listed', platform.issueServer(['api.example.com'])],
    ['the certificate of the webhook itself', newCertificate()],
  ];
  for (const [what, pair] of strangers) t.match(await askedBy(port, shown(pair)), other, what);
  t.match(await askedBy(port, { ...shown(apiServer), maxVersion: 'TLSv1.2' }), { status: 200 }, 'TLS 1.2 is the same');
  t.match(await askedBy(port, { maxVersion: 'TLSv1.2' }), none, 'with and without');
  t.equal(reviews(), 2, 'nobody else has reached a review');

  const text = await metrics.registry.metrics();
  t.match(text, 'bulkhead_requests_refused_total{reason="no-certificate"} 2', 'they are counted');
  t.match(text, `bulkhead_requests_refused_total{reason="other-client"} ${strangers.length}`);
  const [line] = lines().filter(({ refused }) => refused !== undefined);
  t.match(line, { level: 40, refused: { 'no-certificate': 1 }, last: 'no certificate' }, 'and told, once a second');
});

t.test('who is refused has to begin a new connection, with which the next certificate can be shown', async (t) => {
  const { port } = await guarded(t, [], await authorityOf(t, platform.certificate));
  const refused = await open(port, shown(foreign.issueClient('anybody', [])));
  const ended = new Promise<string>((resolve) => refused.once('close', () => resolve('closed by the server')));
  t.match(await ask(refused), { status: 403 });
  t.equal(await ended, 'closed by the server');
});

t.test('without names every client of the authority may ask', async (t) => {
  const { port } = await guarded(t, [], await authorityOf(t, platform.certificate));
  t.match(await askedBy(port, shown(platform.issueClient('anybody', []))), { status: 200 });
  t.match(await askedBy(port, shown(foreign.issueClient('anybody', []))), { status: 403 });
  t.match(await askedBy(port, {}), { status: 401 });
});

t.test('a key that is not that of the certificate opens no connection', async (t) => {
  const { port, reviews } = await guarded(t, [], await authorityOf(t, platform.certificate));
  const stolen = { certificate: apiServer.certificate, key: foreign.issueClient('kube-apiserver', []).key };
  t.ok(createPrivateKey(stolen.key));
  await t.rejects(askedBy(port, shown(stolen)));
  t.equal(reviews(), 0);
});

t.test('no session is resumed, so that no connection comes without its certificate', async (t) => {
  const { port } = await guarded(t, [], await authorityOf(t, platform.certificate));
  for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
    for (const [options, status] of [
      [{}, 401],
      [shown(apiServer), 200],
    ] as const) {
      const first = await open(port, { ...options, maxVersion });
      const sessions: Buffer[] = [];
      first.on('session', (session: Buffer) => sessions.push(session));
      t.equal((await ask(first)).status, status);
      const session = sessions[0] ?? first.getSession();
      first.destroy();
      const next = await open(port, { maxVersion, session });
      t.equal(next.isSessionReused(), false, `${maxVersion}: a session is not taken up again`);
      t.equal((await ask(next)).status, 401, 'and who brings only a session is a stranger');
      next.destroy();
    }
  }
});

t.test('an authority that is replaced is believed at once, also on connections that are open', async (t) => {
  const { server, port } = await guarded(t, ['kube-apiserver'], await authorityOf(t, platform.certificate));
  const successor = createCertificateAuthority('platform, from next year on');
  const next = successor.issueClient('kube-apiserver', []);
  const old = await open(port, shown(apiServer));
  const early = await open(port, shown(next));
  t.match(await ask(early), { status: 403 }, 'before, the new one is unknown');

  server.setClientAuthority(await authorityOf(t, platform.certificate, successor.certificate));
  t.match(await ask(old), { status: 200 }, 'both: the old connection lives on');
  t.match(await askedBy(port, shown(apiServer)), { status: 200 }, 'an old certificate opens new ones');
  t.match(await askedBy(port, shown(next)), { status: 200 }, 'and so does a new one');

  server.setCertificate(newCertificate());
  t.match(await askedBy(port, shown(next)), { status: 200 }, 'a new certificate of the webhook changes nothing');
  t.match(await askedBy(port, {}), { status: 401 });
  t.match(await askedBy(port, shown(foreign.issueClient('kube-apiserver', []))), { status: 403 });

  server.setClientAuthority(await authorityOf(t, successor.certificate));
  t.match(await ask(old), { status: 403 }, 'the new one alone: the old connection is a stranger’s');
  t.match(await askedBy(port, shown(apiServer)), { status: 403 });
  t.match(await askedBy(port, shown(next)), { status: 200 });
  for (const socket of [old, early]) socket.destroy();
});

t.test('the file of the authority is followed, and a bad one never replaces a good one', async (t) => {
  const path = join(t.testdir({ 'ca.crt': platform.certificate }), 'ca.crt');
  const current = await loadClientAuthority(path, Date.now());
  const seen: string[] = [];
  const failures: string[] = [];
  const { stop } = poll({
    load: () => loadClientAuthority(path, Date.now()),
    current,
    same: (one, other) => one.bundle === other.bundle,
    changed: ({ bundle }) => seen.push(bundle),
    failed: ({ message }) => failures.push(message),
    pollMilliseconds: 5,
  });
  t.teardown(stop);
  const bad: readonly [content: string, says: RegExp][] = [
    ['', /ca\.crt is not a list of PEM certificates/],
    [apiServer.key, /ca\.crt holds what is not a PEM certificate/],
    [apiServer.certificate, /ca\.crt holds "CN=kube-apiserver", which is not an authority/],
    [platform.certificate + platform.certificate.slice(0, 200), /ca\.crt is not a list of PEM certificates/],
    [platform.certificate.replace(/\n.{20}/, '\nAAAAAAAAAAAAAAAAAAAA'), /ca\.crt holds what is not a PEM certificate/],
  ];
  for (const [index, [content, says]] of bad.entries()) {
    await writeFile(`${path}.new`, content);
    await rename(`${path}.new`, path);
    await until(() => failures.length > index);
    t.match(failures[index], says);
  }
  await rm(path);
  await until(() => failures.length > bad.length);
  t.match(failures.at(-1), /ca\.crt cannot be read: ENOENT/);
  t.strictSame(seen, [], 'the good one stays');
  await writeFile(`${path}.new`, foreign.certificate);
  await rename(`${path}.new`, path);
  await until(() => seen.length > 0);
  t.strictSame(seen, [foreign.certificate], 'the next good one is taken');
  const inTwoDays = Date.now() + 48 * 3_600_000;
  await t.rejects(loadClientAuthority(path, inTwoDays), { message: /holds no authority that is still valid/ });
});

t.test('a connection does not outlive the certificate that opened it', async (t) => {
  const check = createClientCheck(await authorityOf(t, platform.certificate), []);
  const { port } = await serve(t, async () => answerOf({}), {}, 0, check);
  const socket = await open(port, shown(apiServer));
  t.match(await ask(socket), { status: 200 });
  const { now } = Date;
  t.teardown(() => {
    Date.now = now;
  });
  Date.now = () => now() + 48 * 3_600_000;
  t.match(await ask(socket), { status: 403 });
  socket.destroy();
});
