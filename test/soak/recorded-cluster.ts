/**
 * A large cluster as its API server would list it: namespaces of many tenants, each with its baseline, and nothing that changes.
 * The lists are made from src/baseline with the fields that a real API server adds, so that their size is that of real ones.
 */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { baselineOf, type ManagedObject } from '../../src/baseline/baseline.ts';
import { tiedTo } from '../../src/baseline/default-deny.ts';
import type { Tenancy } from '../../src/tenancy/tenancy.ts';
import { createTenancy } from '../../src/tenancy/tenancy.ts';
import { settings, tenant } from '../baseline/samples.ts';

const created = '2026-01-01T00:00:00Z';
const tenants = 100;

/** Three services, so that with the closed door and the inside of the tenant a namespace has five policies. */
export function largeTenancy(): Tenancy {
  const service = { direction: 'egress', podSelector: { matchLabels: { app: 'x' } }, addresses: [] } as const;
  const services = ['dns', 'registry', 'metrics'].map((name) => ({
    ...service,
    name,
    namespace: `platform-${name}`,
    ports: [{ protocol: 'TCP', first: 443, last: 443 } as const],
  }));
  return createTenancy(
    settings(services),
    Array.from({ length: tenants }, (_, index) => tenant({ name: `tenant-${index}` })),
  );
}

interface Recording {
  readonly namespaces: readonly string[];
  readonly networkpolicies: readonly string[];
}

/** Each object as its JSON, in the order of a list. */
function record(namespaces: number): Recording {
  const tenancy = largeTenancy();
  const recording = { namespaces: [] as string[], networkpolicies: [] as string[] };
  for (let index = 0; index < namespaces; index++) {
    const owner = `tenant-${index % tenants}`;
    const name = `${owner}-namespace-${index}`;
    const uid = uidOf(index, 0);
    const labels = { 'kubernetes.io/metadata.name': name, 'bulkhead.dev/tenant': owner, team: `team-${index % 1000}` };
    const metadata = { name, uid, resourceVersion: String(1000 + index), creationTimestamp: created, labels };
    recording.namespaces.push(
      JSON.stringify({
        metadata: { ...metadata, managedFields: fieldsOf(metadata) },
        spec: { finalizers: ['kubernetes'] },
        status: { phase: 'Active' },
      }),
    );
    const tenant = tenancy.tenants.get(owner);
    if (tenant === undefined) throw new Error(`there is no ${owner}`);
    for (const [number, object] of baselineOf(name, tenant, tenancy.settings).entries()) {
      recording.networkpolicies.push(
        stored(tiedTo(object, uid), uidOf(index, number + 1), 100_000 + index * 10 + number),
      );
    }
  }
  return recording;
}

function stored({ metadata, spec }: ManagedObject, uid: string, version: number): string {
  const more = { uid, resourceVersion: String(version), generation: 1, creationTimestamp: created };
  return JSON.stringify({ metadata: { ...metadata, ...more, managedFields: fieldsOf({ metadata, spec }) }, spec });
}

function fieldsOf(object: object): unknown {
  const fieldsV1 = (value: unknown): unknown =>
    typeof value === 'object' && value !== null
      ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [`f:${key}`, fieldsV1(inner)]))
      : {};
  return [
    {
      manager: 'bulkhead',
      operation: 'Apply',
      apiVersion: 'v1',
      time: created,
      fieldsType: 'FieldsV1',
      fieldsV1: fieldsV1(object),
    },
  ];
}

function uidOf(index: number, number: number): string {
  return `${index.toString(16).padStart(8, '0')}-0000-4000-8000-${number.toString(16).padStart(12, '0')}`;
}

export interface RecordedCluster {
  readonly url: string;
  /** Requests that would have written. */
  writes(): number;
  stop(): Promise<void>;
}

export async function startRecordedCluster(namespaces: number): Promise<RecordedCluster> {
  const recording: Readonly<Record<string, readonly string[]>> = { ...record(namespaces) };
  let writes = 0;
  const http = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://recorded');
    const items = recording[url.pathname.split('/').at(-1) ?? ''] ?? [];
    if (request.method !== 'GET') {
      writes++;
      response.writeHead(405).end('{}');
    } else if (url.searchParams.has('watch')) {
      response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
    } else list(items, url.searchParams, response);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    writes: () => writes,
    async stop() {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

function list(items: readonly string[], query: URLSearchParams, response: ServerResponse): void {
  const first = Number(query.get('continue') ?? '0');
  const end = first + Number(query.get('limit') ?? items.length);
  const next = end < items.length ? `,"continue":"${end}"` : '';
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(
    `{"kind":"List","metadata":{"resourceVersion":"900000"${next}},"items":[${items.slice(first, end).join()}]}`,
  );
}

if (import.meta.main) {
  const cluster = await startRecordedCluster(Number(process.argv[2]));
  process.on('SIGTERM', () => process.exit(0));
  process.on('message', () => process.send?.({ writes: cluster.writes() }));
  process.send?.({ url: cluster.url });
}
