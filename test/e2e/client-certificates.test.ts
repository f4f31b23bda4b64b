/**
 * The API server shows Bulkhead a client certificate, and nobody else is answered (SRV-01, SRV-03). Who is believed can forge
 * reviews all the same, and these change nothing either.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type RequestOptions, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import tap, { type Test } from 'tap';
import { createCertificateAuthority, type KeyPair } from '../apiserver/certificates.ts';
import { clusterTest } from '../apiserver/cluster-test.ts';
import type { ControlPlane } from '../apiserver/control-plane.ts';
import { freePort } from '../apiserver/free-port.ts';
import { cast } from '../fixtures/cast.ts';
import { reviewOf } from '../fixtures/review.ts';
import { type GuardedCluster, guard } from './guarded-cluster.ts';

const clients = createCertificateAuthority('who may ask Bulkhead');
const foreign = createCertificateAuthority('who may ask Bulkhead');
/** Signs for the API server of Calico, which asks for what it serves itself (projectcalico.org/v3). */
const ofCalico = createCertificateAuthority('calico-apiserver-signer');
const apiServer = clients.issueClient('kube-apiserver', []);
const port = await freePort();
const folder = await mkdtemp(join(tmpdir(), 'bulkhead-clients-'));
tap.teardown(() => rm(folder, { recursive: true, force: true }));

/** What the page of the base says: the user of this kubeconfig is called as the webhook is. */
async function writeIdentity({ certificate, key }: KeyPair): Promise<void> {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const user = { 'client-certificate-data': base64(certificate), 'client-key-data': base64(key) };
  const users = [{ name: `localhost:${port}`, user }];
  await writeFile(join(folder, 'kubeconfig.yaml'), JSON.stringify({ apiVersion: 'v1', kind: 'Config', users }));
}

const kubeConfigFile = join(folder, 'kubeconfig.yaml');
const configuration = {
  apiVersion: 'apiserver.config.k8s.io/v1',
  kind: 'WebhookAdmissionConfiguration',
  kubeConfigFile,
};
await writeFile(
  join(folder, 'admission.yaml'),
  JSON.stringify({
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'AdmissionConfiguration',
    plugins: ['ValidatingAdmissionWebhook', 'MutatingAdmissionWebhook'].map((name) => ({ name, configuration })),
  }),
);
await writeFile(join(folder, 'clients.crt'), `${clients.certificate}${ofCalico.certificate}`);
await writeIdentity(apiServer);

const platform = { username: 'admin', groups: ['system:masters'] };
const label = (tenant: string) => ({ 'bulkhead.dev/tenant': tenant });
const namespace = (name: string, tenant: string) => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels: label(tenant) },
});
const policy = (namespace: string, name: string) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name, namespace },
  spec: { podSelector: {}, ingress: [{}] },
});
const pod = (namespace: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace },
  spec: { containers: [{ name: 'main', image: 'example.org/web' }] },
});

/** What somebody would forge who wants Bulkhead to act. */
const forged = [
  { operation: 'CREATE', object: namespace('kube-system', 'acme') },
  { operation: 'UPDATE', object: namespace('kube-system', 'acme'), oldObject: namespace('kube-system', 'acme') },
  { operation: 'DELETE', oldObject: namespace('acme-web', 'acme') },
  { operation: 'CREATE', object: namespace('acme-forged', 'acme') },
  { operation: 'UPDATE', object: namespace('acme-web', 'beta'), oldObject: namespace('acme-web', 'acme') },
  { operation: 'DELETE', oldObject: policy('acme-web', 'bulkhead-default-deny') },
  { operation: 'CREATE', object: policy('kube-system', 'bulkhead-default-deny') },
  { operation: 'CREATE', object: pod('kube-system') },
  { operation: 'CREATE', object: pod('acme-web') },
  { operation: 'CREATE', object: pod('acme-forged') },
] as const;

const reviews = forged.map((sent) => JSON.stringify(reviewOf({ user: platform, ...sent })));

await clusterTest(
  'only the API server is answered',
  async (t, plane) => {
    const own = await plane.kubeconfigFor({ user: 'bulkhead', groups: ['system:masters'] });
    const cluster = await guard(plane, undefined, own, {
      clients: { authority: join(folder, 'clients.crt'), names: ['kube-apiserver', 'calico-apiserver'] },
      ports: { webhook: port, health: 0, metrics: 0 },
    });
    t.teardown(() => cluster.stop());
    const web = await cluster.kubectl('alice', ['create', 'namespace', 'acme-web']);
    t.equal(web.code, 0, 'the reviews of the API server are answered', { stderr: web.stderr });
    const denied = await cluster.kubectl('bob', ['create', 'namespace', 'acme-more']);
    t.match(denied.stderr, 'admission webhook "validate.bulkhead.dev" denied the request:');
    const closed = '/apis/networking.k8s.io/v1/namespaces/acme-web/networkpolicies/bulkhead-default-deny';
    while ((await plane.request('GET', closed)).status !== 200) await sleep(50);

    await t.test('so is the API server of Calico, with a certificate of the second CA', calicoIsAnswered);
    await t.test('others are not, and learn nothing', (t) => strangers(t, cluster));
    await t.test('a forged review of who is believed writes nothing', (t) => forgeries(t, cluster));
    await t.test('an API server with another name is told so', async (t) => {
      await plane.killApiServer();
      await writeIdentity(clients.issueClient('somebody', []));
      await plane.startApiServer();
      const { code, stderr } = await cluster.kubectl('alice', ['create', 'namespace', 'acme-later']);
      t.equal(code, 1);
      t.match(stderr, 'failed calling webhook', 'its users are told');
      t.match(stderr, 'Bulkhead does not answer to the client certificate that it was shown', 'and why');
    });
  },
  { controllers: false, apiServerFlags: [`--admission-control-config-file=${join(folder, 'admission.yaml')}`] },
);

/** Its users are those of the other API server, so it is judged who writes, as there. */
async function calicoIsAnswered(t: Test): Promise<void> {
  const pair = ofCalico.issueClient('calico-apiserver', []);
  const wide = (apiVersion: string, source: object) => ({
    ...{ apiVersion, kind: 'NetworkPolicy', metadata: { name: 'wide', namespace: 'acme-web' } },
    spec: { selector: 'all()', types: ['Ingress'], ingress: [{ action: 'Allow', source }] },
  });
  for (const [apiVersion, user] of [
    ['projectcalico.org/v3', cast['acme developer']],
    ['crd.projectcalico.org/v1', cast['API server of Calico']],
  ] as const) {
    for (const [source, answer] of [
      [{ selector: 'app == "web"' }, { allowed: true }],
      [{ namespaceSelector: 'all()' }, { allowed: false, status: { message: /cross-tenant-ingress/ } }],
    ] as const) {
      const object = wide(apiVersion, source);
      const metadata = { ...object.metadata, labels: label('acme') };
      const review = reviewOf({ user, operation: 'CREATE', object: { ...object, metadata } });
      const { status, body } = await post('/validate?timeout=2s', JSON.stringify(review), pair);
      t.equal(status, 200, apiVersion);
      t.match(JSON.parse(body).response, answer, `${apiVersion} ${JSON.stringify(source)}`);
    }
  }
}

async function strangers(t: Test, cluster: GuardedCluster): Promise<void> {
  const before = reviewsIn(await cluster.metrics());
  const known: readonly [what: string, pair: KeyPair | undefined, status: number][] = [
    ['without a certificate', undefined, 401],
    ['with one of an authority that is called the same', foreign.issueClient('kube-apiserver', []), 403],
    ['with another name', clients.issueClient('alice', ['kube-apiserver']), 403],
    [
      'with the name of the second API server, of no CA of the bundle',
      foreign.issueClient('calico-apiserver', []),
      403,
    ],
    ['with another name of the second CA', ofCalico.issueClient('calico-node', ['calico-apiserver']), 403],
  ];
  for (const [what, pair, status] of known) {
    const bodies = new Set<string>();
    for (const phase of ['mutate', 'validate', 'warn']) {
      for (const review of reviews) {
        const answer = await post(`/${phase}?timeout=2s`, review, pair);
        if (answer.status !== status) t.fail(`${what}: ${answer.status} ${answer.body}`);
        bodies.add(answer.body);
      }
    }
    t.equal(bodies.size, 1, `${what}: whatever is asked, the answer is the same`);
  }
  t.strictSame(reviewsIn(await cluster.metrics()), before, 'no review was judged');
}

async function forgeries(t: Test, cluster: GuardedCluster): Promise<void> {
  const before = await stateOf(cluster);
  t.not(before.writes.length, 0, 'it has written a baseline');
  t.not(before.known.length, 0, 'and says what it knows');
  for (const phase of ['mutate', 'validate', 'warn']) {
    for (const review of reviews) {
      const { status, body } = await post(`/${phase}?timeout=1s`, review, apiServer);
      if (status !== 200) t.fail(`${phase} ${status} ${body}`, { review });
    }
  }
  // As long as the reconciler needs for what it means to do, several times over.
  await sleep(2000);
  t.strictSame(await stateOf(cluster), before, 'and neither the cluster nor what is known of it has changed');
}

/** All that Bulkhead has written so far, all objects that it might write, and what it knows. */
async function stateOf({ plane, metrics }: GuardedCluster) {
  const writes = (await plane.auditEvents()).filter(
    ({ user, verb }) => user.username === 'bulkhead' && !['get', 'list', 'watch'].includes(verb),
  );
  const paths = ['/api/v1/namespaces', '/api/v1/pods', '/api/v1/resourcequotas', '/api/v1/events'];
  const versions: string[] = [];
  for (const path of [...paths, '/apis/networking.k8s.io/v1/networkpolicies'])
    versions.push(...(await list(plane, path)));
  const known = (await metrics()).split('\n').filter((line) => /^bulkhead_(watch_objects|baseline_(w|o))/.test(line));
  return { writes: writes.map(({ verb, requestURI }) => `${verb} ${requestURI}`), versions, known };
}

async function list(plane: ControlPlane, path: string): Promise<string[]> {
  interface Found {
    readonly items: readonly { readonly metadata: { readonly uid: string; readonly resourceVersion: string } }[];
  }
  const { items } = (await plane.request('GET', path)).body as Found;
  return items.map(({ metadata }) => `${path} ${metadata.uid} ${metadata.resourceVersion}`);
}

function reviewsIn(metrics: string): string[] {
  return metrics.split('\n').filter((line) => line.startsWith('bulkhead_reviews_total'));
}

function post(path: string, body: string, pair: KeyPair | undefined): Promise<{ status: number; body: string }> {
  const identity = pair === undefined ? {} : { cert: pair.certificate, key: pair.key };
  // Whom it is talking to is of no concern to somebody who forges.
  const options: RequestOptions = { host: '127.0.0.1', port, path, method: 'POST', agent: false, ...identity };
  return new Promise((resolve, reject) => {
    request({ ...options, rejectUnauthorized: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
    })
      .on('error', reject)
      .end(body);
  });
}
