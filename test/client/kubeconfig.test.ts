import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { kubeconfigAuthentication } from '../../src/client/kubeconfig.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');

interface Sample {
  readonly user?: Readonly<Record<string, unknown>>;
  readonly cluster?: Readonly<Record<string, unknown>>;
  readonly name?: string;
}

function kubeconfig({ user = {}, cluster = {}, name = 'test' }: Sample): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server: `https://${name}.example:6443`, ...cluster } }],
    users: [{ name, user }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  });
}

function authenticate(t: Test, sample: Sample, current?: string) {
  const text = kubeconfig(sample);
  const path = join(
    t.testdir({
      config: current === undefined ? text : text.replace('"current-context":"test"', `"current-context":"${current}"`),
    }),
    'config',
  );
  return { authentication: kubeconfigAuthentication({ kind: 'kubeconfig', path }), path };
}

t.test('what a user of a kubeconfig sends', async (t) => {
  const exec = {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: process.execPath,
    args: [
      '-e',
      'console.log(JSON.stringify({apiVersion:"client.authentication.k8s.io/v1",kind:"ExecCredential",status:{token:"from-a-plugin"}}))',
    ],
    interactiveMode: 'Never',
  };
  const table: readonly [string, Sample, object][] = [
    ['nothing', {}, { server: 'https://test.example:6443', headers: {} }],
    ['a token', { user: { token: 'secret' } }, { headers: { authorization: 'Bearer secret' } }],
    [
      'name and password',
      { user: { username: 'a', password: 'b' } },
      { headers: { authorization: `Basic ${base64('a:b')}` } },
    ],
    [
      'a client certificate',
      { user: { 'client-certificate-data': base64('certificate'), 'client-key-data': base64('key') } },
      { tls: { cert: Buffer.from('certificate'), key: Buffer.from('key') } },
    ],
    ['a plugin', { user: { exec } }, { headers: { authorization: 'Bearer from-a-plugin' } }],
    [
      'an authority',
      { cluster: { 'certificate-authority-data': base64('authority') } },
      { tls: { ca: Buffer.from('authority') } },
    ],
    ['no check at all', { cluster: { 'insecure-skip-tls-verify': true } }, { tls: { rejectUnauthorized: false } }],
    ['another server name', { cluster: { 'tls-server-name': 'other' } }, { tls: { servername: 'other' } }],
  ];
  for (const [name, sample, expected] of table) {
    await t.test(name, async (t) => {
      const credentials = await authenticate(t, sample).authentication.credentials();
      t.match(credentials, expected);
      t.equal(credentials.agent, undefined, 'over the pool of this room');
    });
  }
});

t.test('a proxy brings its own connections', async (t) => {
  const { authentication } = authenticate(t, { cluster: { 'proxy-url': 'http://127.0.0.1:3128' } });
  t.type((await authentication.credentials()).agent, 'object');
});

t.test('a file that cannot be used says why, and what to do', async (t) => {
  await t.rejects(authenticate(t, {}, 'other').authentication.credentials(), {
    message: /has no usable context other; set current-context to one of: test$/,
  });
  const nowhere = kubeconfigAuthentication({ kind: 'kubeconfig', path: '/nowhere/config' });
  await t.rejects(nowhere.credentials(), { message: /^the kubeconfig \/nowhere\/config cannot be used: ENOENT/ });
});

t.test('after a refusal the file is read anew', async (t) => {
  const { authentication, path } = authenticate(t, { user: { token: 'one' } });
  const token = async () => (await authentication.credentials()).headers.authorization;
  t.equal(await token(), 'Bearer one');
  await writeFile(path, kubeconfig({ user: { token: 'two' } }));
  t.equal(await token(), 'Bearer one');
  authentication.refused();
  t.equal(await token(), 'Bearer two');
});
