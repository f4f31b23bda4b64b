/** Replicas that share their certificates in a Secret: races, crashes around every write, and an API server that fails. */
import { X509Certificate } from 'node:crypto';
import t from 'tap';
import { issueAuthority } from '../../src/certificates/issue-certificate.ts';
import { phaseOf, type RotationState } from '../../src/certificates/rotation-state.ts';
import { decodeObject } from '../../src/client/decode.ts';
import type { CertificateTools } from '../../src/configuration/certificates.ts';
import { keepSecretCertificates } from '../../src/configuration/secret-certificates.ts';
import { readSecret, rotateAnnotation } from '../../src/configuration/secret-store.ts';
import type { FakeApiServer, Fault, SeenRequest } from '../client/fake-api-server.ts';
import { until } from '../client/fake-clock.ts';
import { register, registered, type Stage, stage, systemNamespace } from './certificates.ts';

const name = 'bulkhead-certificates';
const keep = (tools: CertificateTools) =>
  keepSecretCertificates(tools, {
    secret: { namespace: systemNamespace, name },
    names: ['bulkhead.bulkhead-system.svc'],
    limits: { propagationDelay: 3_000, overlap: 5_000, retention: 5_000, tick: 1_000 },
  });

function state(server: FakeApiServer): RotationState | undefined {
  const object = decodeObject(server.get('secrets', name, systemNamespace));
  return object && readSecret(object).state;
}

function ask(server: FakeApiServer): void {
  const object = server.get('secrets', name, systemNamespace);
  if (object === undefined) throw new Error('there is no Secret');
  server.put('secrets', { ...object, metadata: { ...object.metadata, annotations: { [rotateAnnotation]: 'now' } } });
}

const isWrite = (request: SeenRequest) => request.path.includes('/secrets') && request.method !== 'GET';

async function passUntil({ pass }: Stage, what: string, condition: () => boolean): Promise<void> {
  for (let seconds = 0; !condition(); seconds++) {
    if (seconds > 120) throw new Error(`waited in vain until ${what}`);
    await pass(1_000);
  }
}

t.test('three that begin at once on nothing agree, and tell API servers of it', async (t) => {
  const at = await stage(t);
  register(at.server);
  const replicas = [1, 2, 3].map(() => at.start(keep));
  await passUntil(at, 'all serve', () => replicas.every(({ served }) => served.length > 0));
  const made = state(at.server);
  await passUntil(at, 'it is registered', () =>
    registered(at.server).every(({ authorities }) => authorities.length > 0),
  );
  for (const { served, certificates } of replicas) {
    t.equal(served.at(-1)?.certificate, made?.server.certificate);
    t.equal(certificates.ready(), undefined, 'ready');
    t.strictSame(certificates.paths(), [made?.path]);
  }
  t.strictSame(
    registered(at.server),
    ['mutate', 'validate'].map((phase) => ({
      authorities: [made?.authority.certificate],
      path: `/${made?.path}/${phase}`,
      failurePolicy: 'Ignore',
    })),
  );
  const creations = at.server.requests.filter(({ method, path }) => method === 'POST' && path.endsWith('/secrets'));
  t.ok(creations.length >= 1, `${creations.length} tried`);
});

t.test('a rotation that is asked for goes through its phases, and API servers trust before it is served', async (t) => {
  const at = await stage(t);
  register(at.server);
  const replicas = [1, 2].map(() => at.start(keep));
  await passUntil(at, 'all serve', () => replicas.every(({ served }) => served.length > 0));
  const old = state(at.server);
  ask(at.server);
  const phases = new Set<string>();
  await passUntil(at, 'it is over', () => {
    const current = state(at.server);
    if (current === undefined) throw new Error('the Secret is gone');
    phases.add(phaseOf(current));
    for (const { served } of replicas) {
      const issuer = [old, current].find(
        (one) => one && new X509Certificate(served.at(-1)?.certificate ?? '').verify(key(one.authority.certificate)),
      );
      for (const { authorities } of registered(at.server))
        if (authorities.length > 0) t.ok(authorities.includes(issuer?.authority.certificate ?? ''), 'trusted');
    }
    return phases.has('overlap') && phaseOf(current) === 'steady';
  });
  t.strictSame([...phases].sort(), ['overlap', 'publishing', 'steady']);
  t.not(state(at.server)?.authority.certificate, old?.authority.certificate);
  for (const { served } of replicas) t.equal(served.at(-1)?.certificate, state(at.server)?.server.certificate);
  await passUntil(at, 'only the new one is trusted', () =>
    registered(at.server).every(({ authorities }) => authorities.join() === state(at.server)?.authority.certificate),
  );
  const annotations = at.server.get('secrets', name, systemNamespace)?.metadata.annotations;
  t.strictSame(annotations, {}, 'the request is done with');
});

const key = (certificate: string) => new X509Certificate(certificate).publicKey;

t.test('one that is ended around any write leaves what another goes on from', async (t) => {
  const crashes: readonly Fault[] = [{ kind: 'reset' }, { kind: 'done' }];
  for (const fault of crashes) {
    for (let write = 0; write < 4; write++) {
      const at = await stage(t);
      register(at.server);
      let writes = 0;
      let crashed = false;
      let replica = at.start(keep);
      at.server.failNext(fault, (request) => {
        if (!isWrite(request) || writes++ < write) return false;
        crashed = true;
        return true;
      });
      if (write > 0) {
        await passUntil(at, 'it serves', () => replica.served.length > 0);
        ask(at.server);
      }
      await passUntil(at, 'it meets its end', () => crashed);
      await replica.stop();
      replica = at.start(keep);
      await passUntil(at, 'another one has brought it to its end', () => {
        const current = state(at.server);
        return (
          current !== undefined &&
          phaseOf(current) === 'steady' &&
          registered(at.server).every(({ authorities }) => authorities.join() === current.authority.certificate) &&
          replica.certificates.ready() === undefined &&
          replica.served.at(-1)?.certificate === current.server.certificate
        );
      });
      t.pass(`${fault.kind} at write ${write}`);
      await replica.stop();
    }
  }
});

t.test('what is deleted or damaged is written anew from memory', async (t) => {
  const at = await stage(t);
  register(at.server);
  const replica = at.start(keep);
  await passUntil(at, 'it serves', () => replica.served.length > 0);
  const before = state(at.server);
  at.server.remove('secrets', name, systemNamespace);
  await until('it is back', () => state(at.server) !== undefined);
  t.strictSame(state(at.server), before);
  const whole = at.server.get('secrets', name, systemNamespace);
  for (const broken of ['ca.crt', 'ca.key', 'tls.crt', 'tls.key', 'path']) {
    const object = at.server.get('secrets', name, systemNamespace);
    const data = { ...(object?.data as object), [broken]: Buffer.from('nonsense!').toString('base64') };
    at.server.put('secrets', { ...whole, metadata: whole?.metadata ?? { name }, data });
    await until(`${broken} is mended`, () => state(at.server)?.authority.key === before?.authority.key);
    t.strictSame(state(at.server), before, broken);
  }
  t.equal(replica.served.length, 1, 'and what was served was served all the time');
});

t.test(
  'with nobody to remember it, what API servers trust stays trusted, and nobody is sent there before they learn',
  async (t) => {
    const at = await stage(t);
    const lost = issueAuthority(Date.parse('2026-11-20T12:00:00Z')).certificate;
    register(at.server, lost);
    const replica = at.start(keep);
    await until('it serves', () => replica.served.length > 0);
    await until('both are trusted', () => registered(at.server).every(({ authorities }) => authorities.length === 2));
    t.ok(registered(at.server).every(({ authorities }) => authorities.includes(lost)));
    t.match(replica.certificates.ready(), /do not have the authority/, 'not ready yet');
    await passUntil(at, 'it is ready', () => replica.certificates.ready() === undefined);
    await passUntil(at, 'the lost one is dropped', () =>
      registered(at.server).every(({ authorities }) => authorities.join() === state(at.server)?.authority.certificate),
    );
  },
);

for (const [how, bumped, further] of [
  ['', 0, 0],
  [', and history has come as far', 0, 1_000],
  [', and versions are bumped', 1_000_000, 0],
] as const) {
  t.test(
    `etcd is restored from a backup${how}: what API servers call by is answered, and trusted, again`,
    async (t) => {
      const at = await stage(t);
      register(at.server);
      const replicas = [1, 2].map(() => at.start(keep));
      const inOrder = () =>
        registered(at.server).every(
          ({ authorities, path }) =>
            authorities.join() === state(at.server)?.authority.certificate &&
            path?.startsWith(`/${state(at.server)?.path}/`),
        );
      await passUntil(at, 'all serve', () => replicas.every(({ served }) => served.length > 0) && inOrder());
      const backup = { version: at.server.version(), state: state(at.server) };
      ask(at.server);
      const old = backup.state?.path ?? '';
      const forgotten = () =>
        replicas.every(({ certificates }) => certificates.paths().join() === state(at.server)?.path);
      await passUntil(at, 'nothing of it is left', () => state(at.server)?.path !== old && forgotten() && inOrder());
      t.not(state(at.server)?.authority.certificate, backup.state?.authority.certificate);

      at.server.restore(backup.version, backup.version + bumped);
      for (let count = 0; count < further; count++) at.server.put('pods', { metadata: { name: `${count}` } });
      t.equal(state(at.server)?.path, old);
      await passUntil(at, 'the path that is called is answered', () =>
        replicas.every(({ certificates }) => certificates.paths().includes(old)),
      );
      await passUntil(at, 'what is served is trusted', () =>
        replicas.every(({ served, certificates }) => {
          const issuer = registered(at.server)[0]?.authorities.find((authority) =>
            new X509Certificate(served.at(-1)?.certificate ?? '').verify(key(authority)),
          );
          return issuer !== undefined && certificates.ready() === undefined;
        }),
      );
      await passUntil(at, 'it is in order again', () => state(at.server) !== undefined && inOrder() && forgotten());
    },
  );
}

t.test('what somebody writes into a registration is put back, and what is deleted stays away', async (t) => {
  const at = await stage(t);
  register(at.server);
  const replica = at.start(keep);
  const right = () =>
    registered(at.server).every(
      ({ authorities, path }) =>
        authorities.join() === state(at.server)?.authority.certificate &&
        path?.startsWith(`/${state(at.server)?.path}/`),
    );
  await passUntil(at, 'it is registered', () => replica.served.length > 0 && right());
  register(at.server, issueAuthority(Date.now()).certificate);
  await passUntil(at, 'it is put back', right);
  at.server.remove('validatingwebhookconfigurations', 'bulkhead');
  await at.pass(5_000);
  t.equal(at.server.get('validatingwebhookconfigurations', 'bulkhead'), undefined);
  t.equal(replica.certificates.counters().inBundles, true, 'those that are there count');
  t.ok(replica.certificates.counters().caBundles.written >= 3);
});

t.test('an API server that fails is tried again, and the path is in no log', async (t) => {
  const at = await stage(t);
  register(at.server);
  at.server.failNext({ kind: 'status', code: 500 }, ({ path }) => path.endsWith(name));
  at.server.failNext({ kind: 'reset' }, isWrite);
  at.server.failNext({ kind: 'status', code: 403, reason: 'Forbidden' }, ({ method }) => method === 'PATCH');
  const replica = at.start(keep);
  await passUntil(at, 'it serves all the same', () => replica.served.length > 0);
  await passUntil(at, 'and is registered', () => registered(at.server).every(({ path }) => path !== undefined));
  // A connection that was reset is no failure yet: the request is sent once more.
  const { rotation, caBundles } = replica.certificates.counters();
  t.match({ rotation, caBundles }, { rotation: { failed: 1, phase: 'steady' }, caBundles: { failed: 1 } });
  t.notMatch(replica.logged.join('\n'), state(at.server)?.path ?? '?');
});
