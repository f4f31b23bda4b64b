import { once } from 'node:events';
import { createServer } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import { createCertificateAuthority } from './certificates.ts';
import type { ControlPlane } from './control-plane.ts';
import { privateNetworkTest } from './private-network.ts';

const authority = createCertificateAuthority('webhook authority');

await privateNetworkTest(import.meta.url, 'a webhook behind the address of a Service is called', async (t, plane) => {
  const webhook = await startWebhook(t, '10.0.0.77', 443);
  await install(t, plane, { clusterIP: '10.0.0.77', ports: [{ port: 443 }] });
  t.match(await untilAsked(plane), 'admission webhook "hook.example.com" denied the request: says 10.0.0.77:443\n');
  t.equal(webhook.hosts[0], 'hook.default.svc:443');
});

await privateNetworkTest(
  import.meta.url,
  'every replica behind a Service is called',
  async (t, plane) => {
    await startWebhook(t, '10.0.1.2', 9443);
    await startWebhook(t, '10.0.1.3', 9443);
    await install(t, plane, { ports: [{ port: 443, targetPort: 9443 }] });
    const slice = {
      metadata: { name: 'hook-by-hand', labels: { 'kubernetes.io/service-name': 'hook' } },
      addressType: 'IPv4',
      ports: [{ name: '', port: 9443, protocol: 'TCP' }],
      endpoints: [{ addresses: ['10.0.1.2'] }, { addresses: ['10.0.1.3'] }],
    };
    const path = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices';
    t.match(await plane.request('POST', path, slice), { status: 201 });
    const missing = new Set(['says 10.0.1.2:9443', 'says 10.0.1.3:9443']);
    while (missing.size > 0) missing.delete((await untilAsked(plane)).trim().split(': ').at(-1) ?? '');
    t.pass('both replicas have answered');
  },
  { apiServerFlags: ['--enable-aggregator-routing=true'] },
);

/** A webhook that denies everything and says where it listens; `hosts` are the Host headers that came. */
async function startWebhook(t: Test, address: string, port: number): Promise<{ readonly hosts: readonly string[] }> {
  const pair = authority.issueServer(['hook.default.svc']);
  const hosts: string[] = [];
  const server = createServer({ cert: pair.certificate, key: pair.key }, async (request, response) => {
    hosts.push(request.headers.host ?? '');
    const review = JSON.parse(Buffer.concat(await request.toArray()).toString());
    const answer = { uid: review.request.uid, allowed: false, status: { message: `says ${address}:${port}` } };
    // Without keep-alive the API server picks a replica for each review.
    response.writeHead(200, { 'content-type': 'application/json', connection: 'close' });
    response.end(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: answer }));
  });
  await once(server.listen(port, address), 'listening');
  t.teardown(() => server.close());
  return { hosts };
}

/** Registers the Service default/hook, of this specification, as a webhook for ConfigMaps. */
async function install(t: Test, plane: ControlPlane, specification: object): Promise<void> {
  const service = { metadata: { name: 'hook' }, spec: specification };
  t.match(await plane.request('POST', '/api/v1/namespaces/default/services', service), { status: 201 });
  const reference = { namespace: 'default', name: 'hook', path: '/validate' };
  const webhook = {
    name: 'hook.example.com',
    clientConfig: { service: reference, caBundle: Buffer.from(authority.certificate).toString('base64') },
    rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
    failurePolicy: 'Ignore',
  };
  const configuration = { metadata: { name: 'hook' }, webhooks: [webhook] };
  const path = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
  t.match(await plane.request('POST', path, configuration), { status: 201 });
}

/** What kubectl prints once the webhook is asked: the API server needs a moment to see its configuration. */
async function untilAsked(plane: ControlPlane): Promise<string> {
  for (;;) {
    const create = ['create', 'configmap', 'probe', '--dry-run=server'];
    const { code, stderr } = await plane.kubectl(plane.adminKubeconfig, create);
    if (code !== 0) return stderr;
    await sleep(100);
  }
}
