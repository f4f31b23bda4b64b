/**
 * A real API server with Bulkhead in front of it: the example tenants, the webhook configurations of manifests/base (called
 * by URL on loopback instead of a Service), and people who have every right that RBAC can give, so that only Bulkhead is
 * between them and the border.
 */

import { globSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import { parse, parseAllDocuments } from 'yaml';
import { type ReplicaOptions, type Running, startReplica } from '../../src/commands/replica.ts';
import { namedNamespaces, namespaceSelector } from '../../src/kinds/selected-namespaces.ts';
import { defaultTenantLabel } from '../../src/tenancy/default-settings.ts';
import { meshWebhook } from '../../src/tenancy/mesh-namespaces.ts';
import { clusterTest } from '../apiserver/cluster-test.ts';
import type { ControlPlane, Output, User } from '../apiserver/control-plane.ts';

export const people = {
  alice: { user: 'alice', groups: ['acme-developers'] },
  bob: { user: 'bob', groups: ['beta-developers'] },
  dora: { user: 'dora', groups: ['acme-developers', 'beta-developers'] },
  carol: { user: 'carol', groups: [] },
  platform: { user: 'paul', groups: ['platform-team'] },
} as const satisfies Record<string, User>;

export type PersonName = keyof typeof people;

export interface GuardedCluster {
  readonly plane: ControlPlane;
  /** Runs kubectl as one of the people. */
  kubectl(person: PersonName, command: readonly string[], stdin?: string): Promise<Output>;
  /** Path of a kubeconfig of that person, for raw requests. */
  kubeconfig(person: PersonName): Promise<string>;
  /** What `/metrics` shows. */
  metrics(): Promise<string>;
  /** What `/readyz?verbose` shows. */
  readyz(): Promise<string>;
  /** Ends Bulkhead, not the control plane. */
  stop(): Promise<void>;
}

export async function guardedTest(
  name: string,
  run: (t: Test, cluster: GuardedCluster) => Promise<void>,
): Promise<void> {
  await clusterTest(name, async (t, plane) => {
    const cluster = await guard(plane);
    t.teardown(() => cluster.stop());
    await run(t, cluster);
  });
}

/** In place of a folder: the tenants are the Tenant objects of the cluster. */
export const tenantObjects = Symbol('Tenant objects');

/**
 * Starts Bulkhead, registers it, and waits until the API server asks it.
 *
 * @param ownKubeconfig by which Bulkhead itself reaches the API server
 * @param others what else is to differ from the usual
 */
export async function guard(
  plane: ControlPlane,
  tenants: string | typeof tenantObjects = 'manifests/overlays/example/tenants',
  ownKubeconfig = plane.adminKubeconfig,
  others: Partial<ReplicaOptions> = {},
): Promise<GuardedCluster> {
  const running = await startBulkhead(plane, ownKubeconfig, {
    tenants: tenants === tenantObjects ? undefined : tenants,
    ...others,
  });
  const kubeconfigs = new Map<PersonName, Promise<string>>();
  const kubeconfig = (person: PersonName): Promise<string> => {
    const known = kubeconfigs.get(person) ?? plane.kubeconfigFor(people[person]);
    kubeconfigs.set(person, known);
    return known;
  };
  await everybodyMayDoEverything(plane);
  await register(plane, running.ports.webhook, `${plane.directory}/certificates/ca.crt`);
  return {
    plane,
    metrics: async () => (await fetch(`http://127.0.0.1:${running.ports.metrics}/metrics`)).text(),
    readyz: async () => (await fetch(`http://127.0.0.1:${running.ports.health}/readyz?verbose`)).text(),
    stop: () => running.stop(),
    kubeconfig,
    kubectl: async (person, command, stdin) =>
      plane.kubectl(await kubeconfig(person), command, stdin === undefined ? {} : { stdin }),
  };
}

/**
 * Bulkhead in this process, with the settings and tenants of the examples and certificates in a folder of the plane. Resolves when it
 * is ready; nobody asks it yet.
 *
 * @param kubeconfig by which it reaches the API server
 * @param others what is to differ from the usual
 */
export async function startBulkhead(
  plane: ControlPlane,
  kubeconfig: string,
  others: Partial<ReplicaOptions> = {},
): Promise<Running> {
  const probed = '/api/v1/namespaces/bulkhead-probe';
  if (others.managesWebhooks && (await plane.request('GET', probed)).status === 404)
    await created(plane, '/api/v1/namespaces', { metadata: { name: 'bulkhead-probe' } });
  const running = await startReplica({
    tenants: 'manifests/overlays/example/tenants',
    config: 'manifests/overlays/example/bulkhead.yaml',
    certificates: `${plane.directory}/certificates`,
    namespaces: { from: 'cluster', kubeconfig },
    readOnly: false,
    managesWebhooks: false,
    host: '127.0.0.1',
    ports: { webhook: 0, health: 0, metrics: 0 },
    logLevel: 'silent',
    environment: {},
    ...others,
  });
  await running.ready;
  return running;
}

/** A file with the settings of the examples, in which tenants agree on gates by themselves. */
export async function settingsWithGateRequests(plane: ControlPlane): Promise<string> {
  const settings = parse(await readFile('manifests/overlays/example/bulkhead.yaml', 'utf8'));
  settings.spec.gates = { from: 'tenants', ports: [{ port: 443 }, { port: 5432, endPort: 5439 }] };
  const file = `${plane.directory}/settings-with-gates.json`;
  await writeFile(file, JSON.stringify(settings));
  return file;
}

/** The resources of Bulkhead's own kinds, as people install them. */
export async function installTenantResource(plane: ControlPlane): Promise<void> {
  const kubectl = (...words: string[]) => plane.kubectl(plane.adminKubeconfig, words);
  const applied = await kubectl('apply', '-k', 'manifests/crds');
  if (applied.code !== 0) throw new Error(applied.stderr);
  for (;;) {
    const { code, stderr } = await kubectl(
      'wait',
      '--for=condition=Established',
      'crd/tenants.bulkhead.dev',
      '--timeout=20s',
    );
    if (code === 0) return;
    // A definition that is milliseconds old has null for conditions, which kubectl does not expect.
    if (!stderr.includes('accessor error')) throw new Error(stderr);
  }
}

/** Nothing but Bulkhead stands between anybody and the cluster. */
export async function everybodyMayDoEverything(plane: ControlPlane): Promise<void> {
  await created(plane, '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
    metadata: { name: 'everybody' },
    subjects: [{ kind: 'Group', name: 'system:authenticated', apiGroup: 'rbac.authorization.k8s.io' }],
    roleRef: { kind: 'ClusterRole', name: 'cluster-admin', apiGroup: 'rbac.authorization.k8s.io' },
  });
}

async function created(plane: ControlPlane, path: string, body: unknown): Promise<void> {
  const { status, body: answer } = await plane.request('POST', path, body);
  // Bulkhead may be started again on the same cluster.
  if (status !== 201 && status !== 409) throw new Error(`${path}: ${status} ${JSON.stringify(answer)}`);
}

/** Applies the registrations that people install, called by URL. */
export async function applyConfigurations(
  plane: ControlPlane,
  port: number,
  caFile: string,
  change: (configuration: WebhookConfiguration) => void = () => {},
): Promise<void> {
  const caBundle = (await readFile(caFile)).toString('base64');
  const items = await webhookConfigurations();
  for (const configuration of items) {
    for (const webhook of configuration.webhooks) {
      const path = `/${webhook.name.split('.')[0]}`;
      webhook.clientConfig = { url: `https://localhost:${port}${path}`, caBundle };
    }
    change(configuration);
  }
  const stdin = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  const { code, stderr } = await plane.kubectl(plane.adminKubeconfig, ['apply', '-f', '-'], { stdin });
  if (code !== 0) throw new Error(stderr);
}

/** Closed at once, as `serve --webhook-configurations` would close them (test/e2e/registration.test.ts). */
async function register(plane: ControlPlane, port: number, caFile: string): Promise<void> {
  await applyConfigurations(plane, port, caFile, ({ webhooks }) => {
    for (const webhook of webhooks) {
      if (webhook.name.startsWith('warn.')) {
        // Nobody warns where the answer comes later than two seconds, which other tests can hold it up for.
        webhook.timeoutSeconds = 10;
        continue;
      }
      webhook.failurePolicy = 'Fail';
      if (webhook.name === meshWebhook) webhook.namespaceSelector = namedNamespaces(['ingress-nginx', 'istio-system']);
      else if (webhook.namespaceSelector) webhook.namespaceSelector = namespaceSelector(defaultTenantLabel);
    }
  });
  // Registrations take a moment until the API server goes by them: it does when it refuses what must be refused.
  const stranger = await plane.kubeconfigFor(people.carol);
  for (let attempt = 0; attempt < 100; attempt++) {
    const probe = { metadata: { name: 'registered-yet' } };
    const { status } = await plane.request('POST', '/api/v1/namespaces?dryRun=All', probe, { kubeconfig: stranger });
    if (status === 403) return;
    await sleep(100);
  }
  throw new Error('the API server did not ask the webhook within ten seconds');
}

export interface WebhookConfiguration {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly webhooks: {
    readonly name: string;
    clientConfig: { service?: { path?: string }; url?: string; caBundle?: string };
    failurePolicy: string;
    timeoutSeconds: number;
    namespaceSelector?: object;
    readonly rules: { resources: string[] }[];
  }[];
}

export async function webhookConfigurations(): Promise<WebhookConfiguration[]> {
  const found: WebhookConfiguration[] = [];
  for (const file of globSync('manifests/base/*.yaml')) {
    for (const document of parseAllDocuments(await readFile(file, 'utf8'))) {
      const object = document.toJS() as WebhookConfiguration | null;
      if (object?.kind.endsWith('WebhookConfiguration')) found.push(object);
    }
  }
  return found;
}
