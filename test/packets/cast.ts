/**
 * The members of the packet lab. The tenants and the settings are those of manifests/examples. Each tenant has namespaces that Bulkhead
 * guards, and an open one: a policy from before Bulkhead allows all its traffic. A connection between an open namespace and a guarded
 * one of another tenant depends on the guarded side alone. Pods of the platform and addresses outside block nothing either.
 */
import type { Labels } from '../reach/evaluator.ts';

export type TenantName = 'acme' | 'beta' | 'gamma';

export interface Pod {
  readonly kind: 'pod';
  /** NAMESPACE/POD. */
  readonly name: string;
  readonly namespace: CastNamespace;
  readonly address: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Named ports of the container. */
  readonly namedPorts: Readonly<Record<string, number>>;
}

export interface Outside {
  readonly kind: 'outside';
  readonly name: string;
  readonly address: string;
  /** Whether it begins connections. */
  readonly calls: boolean;
}

export type Member = Pod | Outside;

export interface CastNamespace {
  readonly name: string;
  /** Undefined: the namespace is the platform's. */
  readonly tenant?: TenantName;
  /** Whether Bulkhead keeps its baseline, and no policy from before Bulkhead opens it. */
  readonly guarded: boolean;
  readonly labels: Readonly<Record<string, string>>;
}

/** Every party listens on these: the ports of the examples, and the ports of random policies. */
export const ports = [1, 2, 3, 4, 53, 443, 5432, 6379, 8080] as const;

export const namespaces: readonly CastNamespace[] = [
  { name: 'acme-web', tenant: 'acme', guarded: true, labels: {} },
  { name: 'acme-db', tenant: 'acme', guarded: true, labels: { env: 'x' } },
  { name: 'acme-open', tenant: 'acme', guarded: false, labels: {} },
  { name: 'beta-data', tenant: 'beta', guarded: true, labels: {} },
  { name: 'beta-db', tenant: 'beta', guarded: true, labels: { env: 'y' } },
  { name: 'beta-open', tenant: 'beta', guarded: false, labels: { env: 'x' } },
  { name: 'gamma-lab', tenant: 'gamma', guarded: true, labels: {} },
  { name: 'gamma-open', tenant: 'gamma', guarded: false, labels: { env: 'x' } },
  { name: 'kube-system', guarded: false, labels: {} },
  { name: 'ingress-nginx', guarded: false, labels: {} },
  { name: 'monitoring', guarded: false, labels: { env: 'x' } },
];

function pod(
  name: string,
  address: string,
  labels: Readonly<Record<string, string>>,
  namedPorts: Readonly<Record<string, number>> = {},
): Pod {
  const namespace = namespaces.find((one) => name.startsWith(`${one.name}/`));
  if (namespace === undefined) throw new Error(`${name} is in no namespace of the cast`);
  return { kind: 'pod', name, namespace, address, labels, namedPorts };
}

export const pods: readonly Pod[] = [
  pod('acme-web/web', '10.244.0.11', { app: 'web' }, { http: 8080 }),
  pod('acme-web/x', '10.244.0.12', { app: 'x', role: 'y' }, { http: 3 }),
  pod('acme-web/y', '10.244.0.13', { app: 'y', role: 'x' }, { dns: 53 }),
  pod('acme-db/x', '10.244.0.14', { app: 'x' }, { http: 5432 }),
  pod('acme-open/open', '10.244.0.15', { app: 'x', role: 'x' }, { http: 2 }),
  pod('beta-data/database', '10.244.0.21', { app: 'x' }, { http: 8080 }),
  pod('beta-db/y', '10.244.0.22', { app: 'y', role: 'x' }, { http: 5432 }),
  pod('beta-open/open', '10.244.0.23', { app: 'x', role: 'x' }, { http: 6379 }),
  pod('gamma-lab/lab', '10.244.0.31', { app: 'x' }, { http: 8080 }),
  pod('gamma-open/open', '10.244.0.32', { app: 'y', role: 'y' }, { http: 1 }),
  pod('kube-system/dns', '10.244.0.2', { 'k8s-app': 'kube-dns', app: 'x' }, { dns: 53 }),
  pod('ingress-nginx/ingress', '10.244.0.3', { 'app.kubernetes.io/name': 'ingress-nginx', app: 'x' }, { http: 8080 }),
  pod('monitoring/prometheus', '10.244.0.4', { app: 'x', role: 'x' }, { http: 3 }),
];

export const outsiders: readonly Outside[] = [
  { kind: 'outside', name: 'partner', address: '203.0.113.7', calls: true },
  { kind: 'outside', name: 'partner in the excepted range', address: '203.0.113.70', calls: true },
  { kind: 'outside', name: 'internet', address: '198.51.100.9', calls: true },
  { kind: 'outside', name: 'private network', address: '10.0.0.5', calls: true },
  // A metadata service only answers.
  { kind: 'outside', name: 'metadata', address: '169.254.169.254', calls: false },
];

export const members: readonly Member[] = [...pods, ...outsiders];

/** The labels as the API server and Bulkhead complete them. */
export function namespaceLabels({ name, tenant, labels }: CastNamespace): Labels {
  const owner = tenant === undefined ? {} : { 'bulkhead.dev/tenant': tenant };
  return new Map(Object.entries({ ...labels, ...owner, 'kubernetes.io/metadata.name': name }));
}
