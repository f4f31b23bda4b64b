/**
 * What is called is answered and trusted while its path is replaced, an older Secret is put back, or certificates come another way:
 * looked at each second, for every replica that tells that it is ready.
 */
import { X509Certificate } from 'node:crypto';
import t, { type Test } from 'tap';
import { issueAuthority, issueServerCertificate } from '../../src/certificates/issue-certificate.ts';
import type { RotationState } from '../../src/certificates/rotation-state.ts';
import { decodeObject } from '../../src/client/decode.ts';
import type { CertificateTools, ReplicaCertificates } from '../../src/configuration/certificates.ts';
import { keepFileCertificates, type VouchedPair } from '../../src/configuration/file-certificates.ts';
import { keepSecretCertificates } from '../../src/configuration/secret-certificates.ts';
import { readSecret, rotateAnnotation } from '../../src/configuration/secret-store.ts';
import {
  now,
  ours,
  type Registered,
  type Replica,
  register,
  registered,
  type Stage,
  stage,
  systemNamespace,
} from './certificates.ts';

const name = 'bulkhead-certificates';
const names = ['bulkhead.bulkhead-system.svc'];
const limits = { propagationDelay: 3_000, overlap: 6_000, retention: 20_000, tick: 1_000 };
const fromSecret =
  (more: object = {}) =>
  (tools: CertificateTools) =>
    keepSecretCertificates(tools, {
      secret: { namespace: systemNamespace, name },
      names,
      limits: { ...limits, ...more },
    });
const fromFiles = (files: VouchedPair) => (tools: CertificateTools) =>
  keepFileCertificates(tools, files, { propagationDelay: 3_000, retention: 20_000, tick: 1_000 });

type Some = Replica<ReplicaCertificates>;

function vouched(): VouchedPair {
  const authority = issueAuthority(now);
  const pair = issueServerCertificate(authority, names, now);
  return { pair, authority: authority.certificate, authorities: [authority.certificate] };
}

function secretOf({ server }: Stage): RotationState {
  const object = decodeObject(server.get('secrets', name, systemNamespace));
  const { state } = object ? readSecret(object) : {};
  if (state === undefined) throw new Error('there is no whole Secret');
  return state;
}

function pathsCalled({ server }: Stage): string[] {
  return registered(server).flatMap(({ path }) => (path === undefined ? [] : [segmentIn(path)]));
}

/** What would fail if API servers that know these registrations called each of these replicas now. */
function wrong(registrations: readonly Registered[], replicas: readonly Some[]): string[] {
  const complete = registrations.filter(({ authorities }) => authorities.length > 0);
  return replicas
    .filter(({ certificates }) => certificates.ready() === undefined)
    .flatMap(({ certificates, served }) => {
      const certificate = new X509Certificate(served.at(-1)?.certificate ?? '');
      return complete.flatMap(({ authorities, path = '' }) => [
        ...(authorities.some((one) => certificate.verify(new X509Certificate(one).publicKey)) ? [] : ['not trusted']),
        ...(certificates.paths().includes(segmentIn(path)) ? [] : [`${path} is not answered`]),
      ]);
    });
}

/** `/SEGMENT/validate` -> the segment; empty for `/validate`. */
function segmentIn(path: string): string {
  return path.split('/').slice(1, -1).join('/');
}

/** Second by second, until it is so. */
async function watched(
  t: Test,
  at: Stage,
  replicas: readonly Some[],
  what: string,
  done: () => boolean,
): Promise<void> {
  // An API server may be a second behind.
  let before = registered(at.server);
  for (let second = 0; !done(); second++) {
    if (second > 90) throw new Error(`waited in vain until ${what}`);
    await at.pass(1_000);
    const now = registered(at.server);
    const found = wrong([...before, ...now], replicas);
    before = now;
    if (found.length > 0) t.strictSame(found, [], `${what}, second ${second}`);
  }
  t.pass(what);
}

const allReady = (replicas: readonly Some[]) => () =>
  replicas.every(({ certificates }) => certificates.ready() === undefined);
const inForce = (at: Stage, replicas: readonly Some[]) => () => allReady(replicas)() && pathsCalled(at).length === 2;

/** What a replica has made and registered, which runs no more. */
async function installed(t: Test): Promise<Stage> {
  const at = await stage(t);
  register(at.server, undefined, ours);
  const first = at.start(fromSecret());
  await watched(t, at, [first], 'it serves', inForce(at, [first]));
  await first.stop();
  return at;
}

t.test('a path that was found is replaced, and answered until nobody calls it', async (t) => {
  const at = await installed(t);
  const { path } = secretOf(at);
  const replicas = [1, 2].map(() => at.start(fromSecret()));
  await watched(t, at, replicas, 'there is another one', () => secretOf(at).path !== path);
  t.strictSame(secretOf(at).previousPaths, [path]);
  await at.pass(2_000);
  t.ok(
    pathsCalled(at).every((one) => one === path),
    'every replica knows it before it is called',
  );
  const { path: next } = secretOf(at);
  await watched(t, at, replicas, 'it is called', () => pathsCalled(at).every((one) => one === next));
  t.ok(
    replicas.every(({ certificates }) => certificates.paths().includes(path)),
    'an API server may not have heard yet',
  );
  await watched(t, at, replicas, 'the one before is no more', () =>
    replicas.every(({ certificates }) => !certificates.paths().includes(path)),
  );
  await at.pass(20_000);
  t.equal(secretOf(at).path, next, 'one that a replica has made lives for its time');
  t.notMatch(replicas.flatMap(({ logged }) => logged).join(), new RegExp(`${path}|${next}`), 'neither is in a log');
});

t.test('a path lives for a day', async (t) => {
  const at = await stage(t);
  register(at.server, undefined, ours);
  const replica = at.start(fromSecret({ pathLifetime: 20_000 }));
  await watched(t, at, [replica], 'it serves', inForce(at, [replica]));
  const { path } = secretOf(at);
  await at.pass(15_000);
  t.equal(secretOf(at).path, path);
  await watched(t, at, [replica], 'there is another one', () => secretOf(at).path !== path);
});

t.test('without a path and without memory, the one that is called is answered', async (t) => {
  const at = await installed(t);
  const { path } = secretOf(at);
  const secret = at.server.get('secrets', name, systemNamespace);
  const data = { ...(secret?.data as object), path: '' };
  at.server.put('secrets', { ...secret, metadata: secret?.metadata ?? { name }, data });
  const second = at.start(fromSecret());
  await watched(t, at, [second], 'it serves again', allReady([second]));
  t.not(secretOf(at).path, path);
  t.strictSame(pathsCalled(at), [path, path]);
  await watched(t, at, [second], 'the new one is called', () => pathsCalled(at).every((one) => one !== path));
});

t.test('an older Secret is put back', async (t) => {
  const at = await stage(t);
  register(at.server, undefined, ours);
  const replicas = [1, 2].map(() => at.start(fromSecret()));
  await watched(t, at, replicas, 'they serve', inForce(at, replicas));
  const backup = at.server.get('secrets', name, systemNamespace);
  const { authority } = secretOf(at);
  const asked = { ...backup?.metadata, name, annotations: { [rotateAnnotation]: 'now' } };
  at.server.put('secrets', { ...backup, metadata: asked });
  const alone = () =>
    registered(at.server).every(({ authorities }) => authorities.join() === secretOf(at).authority.certificate) &&
    pathsCalled(at).every((one) => one === secretOf(at).path);
  await watched(t, at, replicas, 'another authority is in its place', () => {
    return (
      secretOf(at).authority.certificate !== authority.certificate && alone() && secretOf(at).previousPaths.length === 0
    );
  });
  at.server.put('secrets', { ...backup, metadata: { name, namespace: systemNamespace } });
  const third = at.start(fromSecret());
  const all = [...replicas, third];
  await watched(t, at, all, 'what it holds is served', () =>
    all.every(({ served }) => served.at(-1)?.certificate === secretOf(at).server.certificate),
  );
  t.equal(secretOf(at).authority.certificate, authority.certificate);
  await watched(t, at, all, 'and it alone is trusted and called', () => allReady(all)() && alone());
  await watched(t, at, all, 'nothing else is answered', () =>
    all.every(({ certificates }) => certificates.paths().join() === secretOf(at).path),
  );
});

t.test('certificates come another way, and back', async (t) => {
  const at = await stage(t);
  register(at.server, undefined, ours);
  const files = vouched();
  const before = [1, 2].map(() => at.start(fromFiles(files)));
  await watched(t, at, before, 'files are served', inForce(at, before));
  const secret = [1, 2].map(() => at.start(fromSecret()));
  await watched(t, at, [...before, ...secret], 'a Secret is served beside them', allReady(secret));
  for (const one of before) await one.stop();
  await watched(t, at, secret, 'a path that nobody guesses is called', () => !pathsCalled(at).includes(''));
  await watched(t, at, secret, 'nothing else is trusted and answered', () => {
    const { authority, path } = secretOf(at);
    return (
      registered(at.server).every(({ authorities }) => authorities.join() === authority.certificate) &&
      secret.every(({ certificates }) => certificates.paths().join() === path)
    );
  });
  await at.pass(25_000);
  const after = [1, 2].map(() => at.start(fromFiles(files)));
  await watched(t, at, [...secret, ...after], 'files are served beside the Secret', allReady(after));
  for (const one of secret) await one.stop();
  await watched(t, at, after, 'and alone, under the path that is called', allReady(after));
  await at.pass(25_000);
  t.strictSame(wrong(registered(at.server), after), []);
});
