/**
 * Certificates that replicas make themselves, on a real API server that calls two of them through their Service: the race at the
 * start, renewal and rotation under continuous reviews, and whatever is done to the Secret and to the registrations.
 */

import type { ChildProcess } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { cp, rename, rm } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import { certificatesIn } from '../../src/certificates/authorities.ts';
import type { ControlPlane } from '../apiserver/control-plane.ts';
import { killGuarded, spawnGuarded } from '../apiserver/guarded-process.ts';
import { privateNetworkTest } from '../apiserver/private-network.ts';
import { compileCache } from '../compile-cache.ts';
import { eventually } from '../soak/observer.ts';
import { webhookConfigurations } from './guarded-cluster.ts';
import { certificateOf, serverName } from './served-certificate.ts';

const addresses = ['10.0.1.2', '10.0.1.3'] as const;
const service = { namespace: 'bulkhead-system', name: 'bulkhead' };
const secretPath = '/api/v1/namespaces/bulkhead-system/secrets/bulkhead-certificates';
const registrationsPath = '/apis/admissionregistration.k8s.io/v1';
const mergePatch = { contentType: 'application/merge-patch+json' };
/** Errors that were counted before anybody knew of the registrations. */
let before = 0;
const second = 1000;

await privateNetworkTest(
  import.meta.url,
  'replicas keep their certificates',
  async (t, plane) => {
    await install(t, plane);
    const replicas = await Promise.all(addresses.map((address) => start(plane, address)));
    t.teardown(() => Promise.all(replicas.map(killGuarded)));
    await t.test('two that begin at the same time agree', async (t) => {
      const held = await secret(plane);
      for (const address of addresses)
        t.equal((await certificateOf(address)).fingerprint256, held.server.fingerprint256, address);
      t.strictSame(held.keys, ['ca.crt', 'ca.key', 'path', 'tls.crt', 'tls.key']);
    });
    await t.test('the registrations are completed', async (t) => {
      await completed(t, plane);
      const probe = { metadata: { name: 'probe', labels: { 'bulkhead.dev/tenant': 'nobody' } } };
      await eventually('the API server asks', async () => {
        const { body } = await plane.request('POST', '/api/v1/namespaces?dryRun=All', probe);
        return JSON.stringify(body).includes('validate.bulkhead.dev');
      });
      before = await errorCount(plane);
      t.strictSame((await plane.request('POST', '/api/v1/namespaces?dryRun=All', probe)).status, 403);
      t.strictSame(await callingErrors(plane, 0), 'none', 'and gets through');
    });
    await t.test('without the path there is nothing', async (t) => {
      for (const path of ['/validate', '/mutate', '/x/validate', `/${'0'.repeat(48)}/validate`, '/']) {
        const { status, text } = await post(addresses[0], path);
        t.equal(status, 404, path);
        t.notMatch(text, /admission|review|\/validate/i, 'and it says nothing');
      }
      const { path } = await secret(plane);
      t.equal((await post(addresses[0], `/${path}/validate`)).status, 400, 'with it, there is');
    });
    await t.test('what the API server makes of an apply to what is gone', (t) => goneStaysGone(t, plane));
    await t.test('rotation under continuous reviews fails none', (t) => rotation(t, plane));
    await t.test('what somebody makes of it is put back', (t) => healed(t, plane));
    await t.test('all stop in the middle, and one goes on', (t) => crashes(t, plane, replicas));
    t.strictSame(await callingErrors(plane, 0), 'none', 'no review failed in all that time');
    await t.test('etcd is restored from a backup', (t) => restored(t, plane));
  },
  { apiServerFlags: ['--enable-aggregator-routing=true'], controllers: false },
);

async function install(t: Test, plane: ControlPlane): Promise<void> {
  await created(t, plane, '/api/v1/namespaces', { metadata: { name: service.namespace } });
  const ports = [{ name: 'webhook', port: 443, targetPort: 9443 }];
  await created(t, plane, `/api/v1/namespaces/${service.namespace}/services`, {
    metadata: { name: service.name },
    spec: { ports },
  });
  await created(t, plane, `/apis/discovery.k8s.io/v1/namespaces/${service.namespace}/endpointslices`, {
    metadata: { name: 'bulkhead', labels: { 'kubernetes.io/service-name': service.name } },
    addressType: 'IPv4',
    ports: [{ name: 'webhook', port: 9443, protocol: 'TCP' }],
    endpoints: addresses.map((address) => ({ addresses: [address] })),
  });
}

async function created(t: Test, plane: ControlPlane, path: string, body: unknown): Promise<void> {
  t.match(await plane.request('POST', path, body), { status: 201 });
}

/** The configurations of manifests/base as people apply them; fail-closed, so that whatever fails is an error. */
async function applyRegistrations(plane: ControlPlane): Promise<void> {
  for (const configuration of await webhookConfigurations()) {
    for (const webhook of configuration.webhooks) Object.assign(webhook, { failurePolicy: 'Fail' });
    const stdin = JSON.stringify(configuration);
    const { code, stderr } = await plane.kubectl(plane.adminKubeconfig, ['apply', '-f', '-'], { stdin });
    if (code !== 0) throw new Error(stderr);
  }
}

/** A replica: a process, which a crash ends in the middle of whatever it does. */
async function start(plane: ControlPlane, host: string): Promise<ChildProcess> {
  const child = spawnGuarded(
    process.execPath,
    [
      resolve('src/main.ts'),
      'serve',
      '--webhook-configurations',
      '--certificate-secret=bulkhead-system/bulkhead-certificates',
      '--rotation=tick=0.2,settle=3,overlap=2,server=15',
      '--tenants=manifests/overlays/example/tenants',
      '--config=manifests/overlays/example/bulkhead.yaml',
      `--kubeconfig=${plane.adminKubeconfig}`,
      `--host=${host}`,
    ],
    { env: { PATH: process.env.PATH, HOME: plane.directory, ...compileCache } },
  );
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (log += chunk.toString()));
  const ready = () =>
    fetch(`http://${host}:8081/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  await eventually('a replica is ready', ready).catch((error) => {
    throw new Error(log, { cause: error });
  });
  return child;
}

interface Held {
  readonly keys: readonly string[];
  readonly authority: X509Certificate;
  readonly server: X509Certificate;
  readonly path: string;
  readonly uid: string;
}

async function secret(plane: ControlPlane): Promise<Held> {
  const { status, body } = await plane.request('GET', secretPath);
  if (status !== 200) throw new Error(`${status}`);
  const { data, metadata } = body as { data: Record<string, string>; metadata: { uid: string } };
  const text = (key: string) => Buffer.from(data[key] ?? '', 'base64').toString();
  return {
    keys: Object.keys(data).sort(),
    authority: new X509Certificate(text('ca.crt')),
    server: new X509Certificate(text('tls.crt')),
    path: text('path'),
    uid: metadata.uid,
  };
}

interface Registered {
  readonly what: string;
  readonly authorities: readonly string[];
  readonly path: string | undefined;
}

async function registered(plane: ControlPlane): Promise<Registered[]> {
  const found: Registered[] = [];
  for (const kind of ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations']) {
    const { body } = await plane.request('GET', `${registrationsPath}/${kind}`);
    const { items } = body as {
      items: {
        metadata: { name: string };
        webhooks: { name: string; clientConfig: { caBundle?: string; service: { path?: string } } }[];
      }[];
    };
    for (const { metadata, webhooks } of items)
      for (const { name, clientConfig } of webhooks)
        found.push({
          what: `${metadata.name} ${name}`,
          authorities: certificatesIn(Buffer.from(clientConfig.caBundle ?? '', 'base64').toString()),
          path: clientConfig.service.path,
        });
  }
  return found;
}

/** Every registration names the authority of the Secret alone, and its path. */
async function inOrder(plane: ControlPlane): Promise<boolean> {
  const { authority, path } = await secret(plane);
  return (await registered(plane)).every(
    ({ what, authorities, path: called }) =>
      authorities.join() === authority.toString() && called === `/${path}/${what.split(' ')[1]?.split('.')[0]}`,
  );
}

async function completed(t: Test, plane: ControlPlane): Promise<void> {
  await applyRegistrations(plane);
  await eventually('the registrations are complete', () => inOrder(plane));
  t.strictSame((await registered(plane)).map(({ what }) => what).sort(), [
    'bulkhead mutate.bulkhead.dev',
    'bulkhead mutate.filtered.bulkhead.dev',
    'bulkhead validate.bulkhead.dev',
    'bulkhead validate.filtered.bulkhead.dev',
    'bulkhead validate.mesh.bulkhead.dev',
    'bulkhead validate.network.bulkhead.dev',
    'bulkhead validate.routes.bulkhead.dev',
    'bulkhead validate.services.bulkhead.dev',
    'bulkhead warn.rights.bulkhead.dev',
    'bulkhead-namespaces mutate.bulkhead.dev',
    'bulkhead-namespaces validate.bulkhead.dev',
    'bulkhead-namespaces validate.network.bulkhead.dev',
    'bulkhead-workloads warn.bulkhead.dev',
  ]);
}

async function errorCount(plane: ControlPlane): Promise<number> {
  const lines = (await plane.metrics())
    .split('\n')
    .filter(
      (line) =>
        /^apiserver_admission_webhook_(rejection|fail_open)_count\{/.test(line) &&
        (line.includes('fail_open') || line.includes('error_type="calling_webhook_error"')),
    );
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

async function callingErrors(plane: ControlPlane, allowed: number): Promise<string> {
  const count = (await errorCount(plane)) - before;
  return count <= allowed ? 'none' : `${count} reviews failed`;
}

async function post(host: string, path: string): Promise<{ readonly status: number; readonly text: string }> {
  const options = { host, port: 9443, path, method: 'POST', servername: serverName, rejectUnauthorized: false };
  const request = httpsRequest(options).end('{}');
  const [response] = await once(request, 'response');
  const text = Buffer.concat(await response.toArray()).toString();
  return { status: response.statusCode, text };
}

async function goneStaysGone(t: Test, plane: ControlPlane): Promise<void> {
  const path = `${registrationsPath}/validatingwebhookconfigurations/bulkhead-workloads`;
  const applying = { contentType: 'application/apply-patch+yaml' };
  const query = '?fieldManager=somebody&force=true';
  const { body } = await plane.request('GET', path);
  const { metadata } = body as { metadata: { uid: string; resourceVersion: string } };
  const { uid, resourceVersion } = metadata;
  const applied = (webhook: string, more: object) => ({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: 'bulkhead-workloads', ...more },
    webhooks: [{ name: webhook, clientConfig: { service: { path: '/x' } } }],
  });
  const missing = await plane.request('PATCH', path + query, applied('other.bulkhead.dev', {}), applying);
  t.equal(missing.status, 422, 'an entry that is not there is not made: it would lack what it must have');
  const stale = applied('warn.bulkhead.dev', { resourceVersion: String(Number(resourceVersion) - 1) });
  t.equal((await plane.request('PATCH', path + query, stale, applying)).status, 409, 'an older version is a conflict');
  await plane.request('DELETE', path);
  const gone = await plane.request(
    'PATCH',
    path + query,
    applied('warn.bulkhead.dev', { uid, resourceVersion }),
    applying,
  );
  t.ok([404, 409].includes(gone.status), `an object that is gone is not made: ${gone.status}`);
  await applyRegistrations(plane);
  await eventually('it is complete again', () => inOrder(plane));
}

async function rotation(t: Test, plane: ControlPlane): Promise<void> {
  let reviews = 0;
  const failures: string[] = [];
  const ending = new AbortController();
  const load = Array.from({ length: 4 }, async (_, index) => {
    while (!ending.signal.aborted) {
      const begun = performance.now();
      const { status, body } = await plane.request('POST', '/api/v1/namespaces?dryRun=All', {
        metadata: { name: `load-${index}` },
      });
      reviews++;
      if (status !== 201) failures.push(JSON.stringify(body));
      // A hundred a second, of all four: more would take a whole processor.
      await sleep(Math.max(0, begun + 40 - performance.now()));
    }
  });
  const authorities = new Set<string>();
  const servers = new Set<string>();
  for (let round = 0; round < 3; round++) {
    const old = await secret(plane);
    await plane.request(
      'PATCH',
      secretPath,
      { metadata: { annotations: { 'bulkhead.dev/rotate': 'now' } } },
      mergePatch,
    );
    await eventually('the successor is published', async () => (await secret(plane)).keys.includes('next-ca.crt'));
    await eventually('the authority is another one', async () => {
      const held = await secret(plane);
      servers.add(held.server.fingerprint256);
      return held.authority.fingerprint256 !== old.authority.fingerprint256;
    });
    authorities.add((await secret(plane)).authority.fingerprint256);
    t.ok((await secret(plane)).keys.includes('previous-ca.crt'), 'the one before is still trusted');
    await eventually('it is trusted no more', async () => !(await secret(plane)).keys.includes('previous-ca.crt'));
    await eventually('alone', () => inOrder(plane));
    for (const address of addresses)
      t.ok((await certificateOf(address)).verify((await secret(plane)).authority.publicKey), `${address} has changed`);
  }
  const renewed = (await secret(plane)).server.fingerprint256;
  await eventually(
    'the certificate is renewed',
    async () => (await secret(plane)).server.fingerprint256 !== renewed,
    30,
  );
  await sleep(second);
  ending.abort();
  await Promise.all(load);
  t.equal(authorities.size, 3, 'three rotations');
  t.strictSame(failures, [], `${reviews} reviews`);
  t.ok(reviews > 500, `${reviews} reviews`);
  t.equal(await callingErrors(plane, 0), 'none', 'the API server counts no error');
  t.comment(`${reviews} reviews, 3 rotations`);
}

async function healed(t: Test, plane: ControlPlane): Promise<void> {
  const { authority, path, uid } = await secret(plane);
  const same = async () => {
    const held = await secret(plane).catch(() => undefined);
    return held?.authority.fingerprint256 === authority.fingerprint256 && held.path === path;
  };
  await plane.request('DELETE', secretPath);
  await eventually('a Secret that was deleted is back', same);
  t.not((await secret(plane)).uid, uid, 'it is another object');
  for (const [key, value] of [
    ['ca.key', ''],
    ['tls.crt', 'nonsense'],
    ['tls.key', 'nonsense'],
    ['path', '..'],
    ['ca.crt', null],
  ] as const) {
    const data = { [key]: value === null ? null : Buffer.from(value).toString('base64') };
    t.match(await plane.request('PATCH', secretPath, { data }, mergePatch), { status: 200 });
    await eventually(`${key} is mended`, async () => (await same()) && (await inOrder(plane)));
  }
  const configuration = `${registrationsPath}/validatingwebhookconfigurations/bulkhead`;
  for (const [what, value] of [
    ['/webhooks/0/clientConfig/caBundle', undefined],
    ['/webhooks/0/clientConfig/service/path', '/elsewhere'],
    ['/webhooks/0/clientConfig/service/path', '/validate'],
    ['/webhooks/1/clientConfig/caBundle', undefined],
    ['/webhooks/1/clientConfig/service/path', '/elsewhere'],
  ] as const) {
    const patch = value === undefined ? [{ op: 'remove', path: what }] : [{ op: 'replace', path: what, value }];
    const contentType = 'application/json-patch+json';
    t.match(await plane.request('PATCH', configuration, patch, { contentType }), { status: 200 });
    await eventually(`${what} is put back`, () => inOrder(plane));
  }
  const selector = { matchLabels: { 'kubernetes.azure.com/managedby': 'aks' } };
  const patch = [{ op: 'add', path: '/webhooks/0/objectSelector', value: selector }];
  await plane.request('PATCH', configuration, patch, { contentType: 'application/json-patch+json' });
  await sleep(second);
  const { body } = await plane.request('GET', configuration);
  t.match(body, { webhooks: [{ objectSelector: selector }] }, 'what is not of these fields is left alone');
  before = await errorCount(plane);
}

/** Both replicas are ended in each phase, and others go on from what is in the Secret. */
async function crashes(t: Test, plane: ControlPlane, replicas: ChildProcess[]): Promise<void> {
  for (const [phase, key] of [
    ['publishing', 'next-ca.crt'],
    ['overlap', 'previous-ca.crt'],
  ] as const) {
    const old = await secret(plane);
    await plane.request(
      'PATCH',
      secretPath,
      { metadata: { annotations: { 'bulkhead.dev/rotate': 'now' } } },
      mergePatch,
    );
    await eventually(phase, async () => (await secret(plane)).keys.includes(key));
    await Promise.all(replicas.splice(0).map(killGuarded));
    t.ok((await secret(plane)).keys.includes(key), `all ended while ${phase}`);
    replicas.push(...(await Promise.all(addresses.map((address) => start(plane, address)))));
    await eventually('it goes on to the end', async () => {
      const held = await secret(plane);
      const done = !held.keys.includes('next-ca.crt') && !held.keys.includes('previous-ca.crt');
      return done && held.authority.fingerprint256 !== old.authority.fingerprint256;
    });
    await eventually('the registrations follow', () => inOrder(plane));
    for (const address of addresses)
      t.ok((await certificateOf(address)).verify((await secret(plane)).authority.publicKey), `${address} serves it`);
    const { status } = await plane.request('POST', '/api/v1/namespaces?dryRun=All', { metadata: { name: 'after' } });
    t.equal(status, 201, 'and the API server gets through');
  }
}

/** Secret and registrations are old ones, which none of the replicas that run knows any more. Nobody starts them anew. */
async function restored(t: Test, plane: ControlPlane): Promise<void> {
  const old = await secret(plane);
  await plane.restartEtcd((data) => cp(data, `${data}.backup`, { recursive: true }));
  const annotations = { 'bulkhead.dev/rotate': 'now' };
  await plane.request('PATCH', secretPath, { metadata: { annotations } }, mergePatch);
  await eventually('nothing of it is left', async () => {
    const answers = await Promise.all(addresses.map((address) => post(address, `/${old.path}/validate`)));
    const held = await secret(plane);
    const isOther = held.authority.fingerprint256 !== old.authority.fingerprint256;
    return isOther && !held.keys.includes('previous-ca.crt') && answers.every(({ status }) => status === 404);
  });
  await eventually('the registrations follow', () => inOrder(plane));

  await plane.restartEtcd(async (data) => {
    await rm(data, { recursive: true });
    await rename(`${data}.backup`, data);
  });
  t.equal((await secret(plane)).path, old.path, 'it is as it was');
  const start = performance.now();
  await eventually('the API server gets through', async () => {
    const { status } = await plane.request('POST', '/api/v1/namespaces?dryRun=All', { metadata: { name: 'restored' } });
    return status === 201;
  });
  t.comment(`it gets through ${Math.round(performance.now() - start)} ms after it was ready`);
  for (const address of addresses)
    await eventually(`${address} serves what is in the Secret`, async () =>
      (await certificateOf(address)).verify((await secret(plane)).authority.publicKey),
    );
  const { authority, path } = await secret(plane);
  for (const { what, authorities, path: called } of await registered(plane)) {
    t.ok(authorities.includes(authority.toString()), `${what} trusts it`);
    t.ok(called?.startsWith(`/${path}/`), `${what} names its path`);
  }
}
