import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { inClusterAuthentication } from '../../src/client/authentication.ts';
import { fakeClock } from './fake-clock.ts';

t.test('a pod speaks as the account that the kubelet mounts', async (t) => {
  const directory = t.testdir({ token: 'one\n', 'ca.crt': 'authority' });
  const clock = fakeClock();
  const authentication = inClusterAuthentication(
    { kind: 'in-cluster', host: '10.96.0.1', port: '443', directory },
    clock,
  );
  const token = async () => (await authentication.credentials()).headers.authorization;

  t.same(await authentication.credentials(), {
    server: 'https://10.96.0.1:443',
    headers: { authorization: 'Bearer one' },
    tls: { ca: Buffer.from('authority') },
  });
  await writeFile(join(directory, 'token'), 'two');
  t.equal(await token(), 'Bearer one', 'it is not read for every request');
  clock.advance(60_000);
  t.equal(await token(), 'Bearer two', 'it is read every minute');
  await writeFile(join(directory, 'token'), 'three');
  authentication.refused();
  t.equal(await token(), 'Bearer three', 'and when the API server does not take it');
});

t.test('an IPv6 address is written as a host', async (t) => {
  const directory = t.testdir({ token: 'one', 'ca.crt': '' });
  const location = { kind: 'in-cluster', host: 'fd00::1', port: '443', directory } as const;
  t.equal((await inClusterAuthentication(location, fakeClock()).credentials()).server, 'https://[fd00::1]:443');
});

t.test('an account that is not mounted is an error', async (t) => {
  const location = { kind: 'in-cluster', host: 'h', port: '443', directory: t.testdir({}) } as const;
  await t.rejects(inClusterAuthentication(location, fakeClock()).credentials(), { code: 'ENOENT' });
});
