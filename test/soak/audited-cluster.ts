/**
 * A cluster with many pods as its API server would list it, page by page. No page is kept. In a process of its own: prints its URL to
 * its parent. Every pod would be rejected, so that an audit has something to remember of each.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const podsOfNamespace = 20;
const time = '2026-01-01T00:00:00Z';
const labelsOf = (index: number) => ({ app: `web-${index % 50}`, 'app.kubernetes.io/name': 'web', version: 'v1' });

const metadataOf = (name: string, index: number, more: object) => ({
  ...{ name, uid: `${index.toString(16).padStart(8, '0')}-0000-4000-8000-000000000000` },
  ...{ resourceVersion: String(1_000 + index), creationTimestamp: time, ...more },
});

function namespace(index: number): object {
  const name = `acme-${index}`;
  const labels = { 'kubernetes.io/metadata.name': name, 'bulkhead.dev/tenant': 'acme' };
  return { metadata: metadataOf(name, index, { labels }) };
}

/** About 7 KB, as the pods of a Deployment with a sidecar have. */
function pod(index: number): object {
  const names = ['main', 'sidecar'];
  const spec = {
    ...{ hostIPC: true, nodeName: `node-${index % 100}`, serviceAccountName: 'web', restartPolicy: 'Always' },
    containers: names.map((name) => ({
      ...{ name, image: `registry.example.com/team/${name}:1.4.2@sha256:${'0'.repeat(64)}` },
      env: Array.from({ length: 12 }, (_, number) => ({
        name: `VARIABLE_${number}`,
        value: `value-${number}-${index}`,
      })),
      resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } },
      livenessProbe: { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 10, timeoutSeconds: 1 },
      volumeMounts: [{ name: 'token', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount', readOnly: true }],
    })),
    volumes: [{ name: 'token', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } }],
  };
  const status = {
    ...{ phase: 'Running', podIP: '10.244.1.2', hostIP: '192.168.0.2', startTime: time },
    containerStatuses: names.map((name) => ({
      name,
      ready: true,
      restartCount: 0,
      state: { running: { startedAt: time } },
    })),
  };
  const managedFields = [
    { manager: 'kubelet', operation: 'Update', fieldsType: 'FieldsV1', fieldsV1: fieldsOf({ spec, status }) },
  ];
  const place = { namespace: `acme-${Math.floor(index / podsOfNamespace)}`, labels: labelsOf(index), managedFields };
  return { metadata: metadataOf(`web-${index}`, index, place), spec, status };
}

function fieldsOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null
    ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [`f:${key}`, fieldsOf(inner)]))
    : {};
}

const pods = Number(process.argv[2]);
const collections: Readonly<Record<string, readonly [number, (index: number) => object]>> = {
  '/api/v1/namespaces': [Math.ceil(pods / podsOfNamespace), namespace],
  '/api/v1/pods': [pods, pod],
};
let bytes = 0;
const server = createServer(({ url = '/' }, response) => {
  const { pathname, searchParams } = new URL(url, 'http://stored');
  const [count, object] = collections[pathname] ?? [0, namespace];
  const first = Number(searchParams.get('continue') ?? '0');
  const end = Math.min(count, first + Number(searchParams.get('limit') ?? count));
  const items = Array.from({ length: end - first }, (_, index) => JSON.stringify(object(first + index)));
  const metadata = { resourceVersion: '900000', ...(end < count && { continue: String(end) }) };
  const body = `{"kind":"List","metadata":${JSON.stringify(metadata)},"items":[${items.join()}]}`;
  bytes += body.length;
  response.writeHead(200, { 'content-type': 'application/json' }).end(body);
});
process.on('message', () => process.send?.({ bytes }));
server.listen(0, '127.0.0.1', () =>
  process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }),
);
