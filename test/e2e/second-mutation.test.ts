/** ADM-12: a second mutating webhook, called after Bulkhead's, does what it likes with the tenant label. */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import type { ControlPlane } from '../apiserver/control-plane.ts';
import { type GuardedCluster, guardedTest } from './guarded-cluster.ts';

const label = 'bulkhead.dev/tenant';
/** The object says in this annotation what becomes of it. */
const wish = 'second.example.com/does';
const labelPath = '/metadata/labels/bulkhead.dev~1tenant';
const patches: Readonly<Record<string, readonly object[]>> = {
  flip: [{ op: 'replace', path: labelPath, value: 'beta' }],
  remove: [{ op: 'remove', path: labelPath }],
  annotate: [{ op: 'add', path: '/metadata/annotations/second.example.com~1was', value: 'here' }],
};

interface Review {
  readonly request: {
    readonly uid: string;
    readonly object: { readonly metadata: { readonly annotations?: Readonly<Record<string, string>> } };
  };
}

interface Written {
  readonly status: number;
  readonly text: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `ROUND WEBHOOK mutated`, or `ROUND WEBHOOK left alone`, for each call of a mutating webhook, in order. */
  readonly calls: readonly string[];
}

await guardedTest('what a second mutation does to the tenant label is refused, or put right', async (t, cluster) => {
  const { plane } = cluster;
  await cluster.kubectl('alice', ['create', 'namespace', 'acme-web']);
  await register(t, plane);
  const pods = '/api/v1/namespaces/acme-web/pods';
  // The quota of the tenant asks for these.
  const resources = { requests: { cpu: '10m', memory: '16Mi' } };
  const pod = (name: string) => ({
    name,
    spec: { containers: [{ name: 'web', image: 'registry.example/web:1', resources }] },
  });
  // The account of its pods, and the default-deny for which they wait, come after the namespace.
  await until(async () => (await plane.request('GET', '/api/v1/namespaces/acme-web/serviceaccounts/default')).status);

  const flipped = await write(cluster, pods, 'flip', pod('flipped'));
  t.match(flipped, { status: 403, text: 'pod-tenant-label' }, 'a pod that was given to another tenant is refused');
  const calls = ['0 mutate.bulkhead.dev mutated', '0 second.example.com mutated', '1 mutate.bulkhead.dev left alone'];
  t.strictSame(flipped.calls, calls, 'Bulkhead is asked again, and does not fight over it');

  const stripped = await write(cluster, pods, 'remove', pod('stripped'));
  t.match(stripped, { status: 201, labels: { [label]: 'acme' } }, 'a label that was taken away is put back');
  t.ok(stripped.calls.includes('1 mutate.bulkhead.dev mutated'), `${stripped.calls}`);

  const annotated = await write(cluster, pods, 'annotate', pod('annotated'));
  t.match(annotated, { status: 201, labels: { [label]: 'acme' } }, 'who only adds something else is no trouble');
  t.strictSame(annotated.calls, calls, 'and the second mutation of Bulkhead is empty');

  const namespaces = '/api/v1/namespaces';
  const given = await write(cluster, namespaces, 'flip', { name: 'acme-given' });
  t.match(given, { status: 403, text: 'docs/checks/' }, 'a namespace that was given to another tenant is refused');
  t.strictSame(given.calls, calls);
  const freed = await write(cluster, namespaces, 'remove', { name: 'acme-freed' });
  t.match(freed, { status: 201, labels: { [label]: 'acme' } }, 'one that was freed of its tenant is not');
});

/** Creates an object as alice. */
async function write(
  { plane, kubeconfig }: GuardedCluster,
  path: string,
  does: string,
  { name, ...object }: { readonly name: string },
): Promise<Written> {
  const { status, body } = await plane.request(
    'POST',
    path,
    { metadata: { name, annotations: { [wish]: does } }, ...object },
    { kubeconfig: await kubeconfig('alice') },
  );
  const { metadata } = body as { readonly metadata: { readonly labels?: Record<string, string> } };
  const isWrite = (event: { readonly verb: string; readonly requestObject?: unknown }) =>
    event.verb === 'create' && JSON.stringify(event.requestObject ?? '').includes(`"name":"${name}"`);
  let annotations: Readonly<Record<string, string>> | undefined;
  await until(async () => {
    annotations = (await plane.auditEvents()).find(isWrite)?.annotations;
    return annotations === undefined ? 0 : 200;
  });
  const calls = Object.entries(annotations ?? {}).flatMap(([key, value]) => {
    const [, round] = /^mutation\.webhook\.admission\.k8s\.io\/round_(\d)_index_\d+$/.exec(key) ?? [];
    if (round === undefined) return [];
    const { webhook, mutated }: { webhook: string; mutated: boolean } = JSON.parse(value);
    return `${round} ${webhook} ${mutated ? 'mutated' : 'left alone'}`;
  });
  return { status, text: JSON.stringify(body), labels: metadata.labels ?? {}, calls: calls.sort() };
}

/** Its name is behind Bulkhead's in the alphabet, so that it is called after it. */
async function register(t: Test, plane: ControlPlane): Promise<void> {
  const file = (name: string) => readFile(`${plane.directory}/certificates/${name}`);
  const server = createServer(
    { cert: await file('tls.crt'), key: await file('tls.key') },
    async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const review: Review = JSON.parse(Buffer.concat(chunks).toString());
      const { uid, object } = review.request;
      const does = patches[object.metadata.annotations?.[wish] ?? ''];
      const patch = does && { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(does)).toString('base64') };
      response.setHeader('content-type', 'application/json');
      response.end(
        JSON.stringify({
          apiVersion: 'admission.k8s.io/v1',
          kind: 'AdmissionReview',
          response: { uid, allowed: true, ...patch },
        }),
      );
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const { status } = await plane.request(
    'POST',
    '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations',
    {
      metadata: { name: 'second' },
      webhooks: [
        {
          name: 'second.example.com',
          admissionReviewVersions: ['v1'],
          sideEffects: 'None',
          failurePolicy: 'Fail',
          clientConfig: { url: `https://localhost:${port}/`, caBundle: (await file('ca.crt')).toString('base64') },
          rules: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['pods', 'namespaces'], operations: ['CREATE'] }],
        },
      ],
    },
  );
  t.equal(status, 201);
  const probe = { metadata: { name: 'registered-yet', annotations: { [wish]: 'annotate' } } };
  await until(async () => {
    const { body } = await plane.request('POST', '/api/v1/namespaces?dryRun=All', probe);
    return JSON.stringify(body).includes('second.example.com/was') ? 200 : 0;
  });
}

/** Asks again until the answer is 200. */
async function until(ask: () => Promise<number>): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    if ((await ask()) === 200) return;
    await sleep(100);
  }
  throw new Error('it did not come to pass within ten seconds');
}
