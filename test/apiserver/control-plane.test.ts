import { readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { clusterTest } from './cluster-test.ts';

await clusterTest('a control plane', async (t, plane) => {
  await t.test('obeys its administrator, over kubectl and over plain requests', async (t) => {
    const { kubectl, adminKubeconfig, request } = plane;
    t.strictSame(await kubectl(adminKubeconfig, ['create', 'namespace', 'by-kubectl']), {
      code: 0,
      stdout: 'namespace/by-kubectl created\n',
      stderr: '',
    });
    const manifest = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'by-request' } };
    t.match(await request('POST', '/api/v1/namespaces', manifest), { status: 201, body: manifest });
    t.match(await request('POST', '/api/v1/namespaces', manifest), { status: 409, body: { reason: 'AlreadyExists' } });
    const merge = { contentType: 'application/merge-patch+json' };
    const patch = { metadata: { labels: { colour: 'blue' } } };
    t.match(await request('PATCH', '/api/v1/namespaces/by-request', patch, merge), { status: 200, body: patch });
    t.match(await kubectl(adminKubeconfig, ['get', 'namespaces', '-o', 'name']), {
      stdout: /namespace\/by-kubectl\nnamespace\/by-request\n/,
    });
  });

  await t.test('gives kubectl what it shall read from stdin, and its exit code and errors back', async (t) => {
    const stdin = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'from-stdin' } });
    t.match(await plane.kubectl(plane.adminKubeconfig, ['apply', '-f', '-'], { stdin }), {
      code: 0,
      stdout: 'configmap/from-stdin created\n',
    });
    t.match(await plane.kubectl(plane.adminKubeconfig, ['get', 'configmap', 'absent']), {
      code: 1,
      stdout: '',
      stderr: 'Error from server (NotFound): configmaps "absent" not found\n',
    });
  });

  await t.test('keeps kubeconfigs and caches of kubectl in its own folder, readable by nobody else', async (t) => {
    t.equal(join(plane.adminKubeconfig, '..'), plane.directory);
    t.equal((await stat(plane.adminKubeconfig)).mode & 0o077, 0);
    t.ok((await stat(join(plane.directory, '.kube', 'cache'))).isDirectory());
    const kubeconfig = await readFile(plane.adminKubeconfig, 'utf8');
    t.notMatch(kubeconfig, /"(certificate-authority|client-certificate|client-key|tokenFile|exec)"/, 'names no file');
  });

  await t.test('sees the user and the groups of a client certificate', async (t) => {
    const kubeconfig = await plane.kubeconfigFor({ user: 'jane', groups: ['acme-developers', 'on-call'] });
    const userInfo = { username: 'jane', groups: ['acme-developers', 'on-call', 'system:authenticated'] };
    const asked = await plane.kubectl(kubeconfig, ['auth', 'whoami', '-o', 'json']);
    t.match(JSON.parse(asked.stdout), { kind: 'SelfSubjectReview', status: { userInfo } });
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
    const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
    t.match(await plane.request('POST', path, review, { kubeconfig }), { status: 201, body: { status: { userInfo } } });
    t.match(await plane.kubectl(kubeconfig, ['create', 'namespace', 'forbidden']), {
      code: 1,
      stderr: 'User "jane" cannot create resource "namespaces"',
    });
    await t.rejects(plane.request('GET', '/api', undefined, { kubeconfig: '/elsewhere' }), {
      message: '/elsewhere is not a kubeconfig of this control plane',
    });
  });

  await t.test('has controllers: a Deployment makes a Pod, a deleted namespace goes away', async (t) => {
    const containers = [{ name: 'web', image: 'example.com/web:1' }];
    const deployment = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: {
        selector: { matchLabels: { app: 'web' } },
        template: { metadata: { labels: { app: 'web' } }, spec: { containers } },
      },
    };
    const namespace = '/api/v1/namespaces/by-request';
    t.match(await plane.request('POST', '/apis/apps/v1/namespaces/by-request/deployments', deployment), {
      status: 201,
    });
    await until(async () => {
      const { stdout } = await plane.kubectl(plane.adminKubeconfig, ['-n', 'by-request', 'get', 'pods', '-o', 'name']);
      return /^pod\/web-\w+-\w+\n$/.test(stdout);
    });
    t.match(await plane.request('DELETE', namespace), { status: 200, body: { status: { phase: 'Terminating' } } });
    await until(async () => (await plane.request('GET', namespace)).status === 404);
  });

  await t.test('has metrics and an audit log with what was asked, by whom, and what was answered', async (t) => {
    t.match(await plane.metrics(), /^apiserver_request_total\{.*resource="namespaces".*\} \d+$/m);
    const events = await plane.auditEvents();
    const created = events.find(({ verb, objectRef }) => verb === 'create' && objectRef?.name === 'by-kubectl');
    t.match(created, {
      stage: 'ResponseComplete',
      level: 'RequestResponse',
      user: { username: 'admin', groups: ['system:masters', 'system:authenticated'] },
      objectRef: { resource: 'namespaces' },
      responseStatus: { code: 201 },
      requestObject: { kind: 'Namespace', metadata: { name: 'by-kubectl' } },
      responseObject: { kind: 'Namespace', status: { phase: 'Active' } },
    });
    const refused = events.find(
      ({ user, objectRef }) => user.username === 'jane' && objectRef?.resource === 'namespaces',
    );
    t.match(refused, { verb: 'create', responseStatus: { code: 403, reason: 'Forbidden' } });
  });

  await t.test(
    'keeps its data and its port while the API server is dead, even when another takes the port',
    async (t) => {
      await t.rejects(plane.startApiServer(), { message: 'kube-apiserver runs already' });
      await plane.killApiServer();
      await t.rejects(plane.request('GET', '/readyz'), { code: 'ECONNREFUSED' });
      const squatter = createServer().listen({ port: plane.port, host: '127.0.0.1' });
      const started = plane.startApiServer();
      await until(async () => {
        return (await readFile(join(plane.directory, 'kube-apiserver.log'), 'utf8')).includes('address already in use');
      });
      squatter.close();
      await started;
      t.match(await plane.kubectl(plane.adminKubeconfig, ['get', 'namespace', 'by-kubectl', '-o', 'name']), {
        stdout: 'namespace/by-kubectl\n',
      });
      t.match(await plane.request('GET', '/api/v1/namespaces/by-kubectl'), { status: 200 });
    },
  );
});

/** Waits for what controllers do in their own time; the test's timeout is the limit. */
async function until(happened: () => Promise<boolean>): Promise<void> {
  while (!(await happened())) await sleep(50);
}
