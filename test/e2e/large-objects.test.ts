/**
 * Objects as large as etcd takes them, full of characters that the API server writes as six bytes each. kubectl cannot send one: it
 * writes six bytes itself, and the API server takes 3 MiB of a client.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { guardedTest } from './guarded-cluster.ts';

/** Of the 1.5 MiB that etcd takes. */
const length = 1.4 * 1024 * 1024;
/** Annotations of one object may have 256 KiB together (apimachinery, TotalAnnotationSizeLimitB). */
const annotated = 255 * 1024;

const metadata = { name: 'large', namespace: 'acme-web', annotations: { notes: '<'.repeat(annotated) } };
const resources = { requests: { cpu: '10m', memory: '8Mi' } };
const args = ['<'.repeat(length - annotated)];
const pod = { metadata, spec: { containers: [{ name: 'main', image: 'example.org/web', args, resources }] } };
const path = '/api/v1/namespaces/acme-web/pods';

await guardedTest(
  'a pod of 1.4 MiB of characters that are escaped is created, labelled and updated',
  async (t, cluster) => {
    const { plane } = cluster;
    t.match(await cluster.kubectl('alice', ['create', 'namespace', 'acme-web']), { code: 0 });
    const options = { kubeconfig: await cluster.kubeconfig('alice'), contentType: 'application/merge-patch+json' };
    const patched = async (change: object) => {
      const { status, text, body } = await plane.request('PATCH', `${path}/large`, { metadata: change }, options);
      t.equal(status, 200, text.slice(0, 500));
      return body;
    };

    let created = await plane.request('POST', path, pod, { kubeconfig: options.kubeconfig });
    // Until the service account of the namespace, and the status of its quota, are there.
    for (let tries = 0; created.status === 403 && tries < 100; tries++) {
      await sleep(100);
      created = await plane.request('POST', path, pod, { kubeconfig: options.kubeconfig });
    }
    t.equal(created.status, 201, created.text.slice(0, 500));
    t.match(
      created.body,
      { metadata: { labels: { 'bulkhead.dev/tenant': 'acme' } } },
      'the label of the tenant is added',
    );
    t.match(await patched({ labels: { stage: 'test' } }), { metadata: { labels: { stage: 'test' } } });
    const notes = '&'.repeat(annotated);
    t.match(await patched({ annotations: { notes } }), { metadata: { annotations: { notes } } });
    const refused = await plane.request(
      'PATCH',
      `${path}/large`,
      { metadata: { labels: { 'bulkhead.dev/tenant': 'beta' } } },
      options,
    );
    t.match(refused, { status: 403, text: /pod-tenant-label/ }, 'and it is judged');
    t.match(await cluster.metrics(), /refused_total\{reason="too-large"\} 0/);
  },
);
