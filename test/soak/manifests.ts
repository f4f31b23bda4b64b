/** What manifests/base says, for measurements that stand in for a kubelet and for people who install it. */
import { parseAllDocuments } from 'yaml';
import { namespaceSelector } from '../../src/kinds/selected-namespaces.ts';
import { defaultTenantLabel } from '../../src/tenancy/default-settings.ts';
import type { ControlPlane } from '../apiserver/control-plane.ts';

export const systemNamespace = 'bulkhead-system';
/** What the API server calls the webhook: the certificate must be for this name. */
export const serviceName = `bulkhead.${systemNamespace}.svc`;

interface Webhook {
  readonly name: string;
  readonly timeoutSeconds: number;
  readonly failurePolicy: string;
  readonly namespaceSelector?: object;
  readonly clientConfig: { readonly service: object; caBundle?: string };
}

export interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly webhooks?: readonly Webhook[];
  readonly spec?: unknown;
}

export interface Probe {
  readonly periodSeconds: number;
  readonly failureThreshold: number;
}

export interface Manifests {
  /** All but the Deployment and what belongs to it, in the order of kustomize. Without the registrations. */
  readonly objects: readonly Manifest[];
  readonly registrations: readonly Manifest[];
  readonly probe: Probe;
  readonly graceSeconds: number;
  /** The longest that a call of a webhook may take which fails closed. */
  readonly timeoutSeconds: number;
}

export async function readManifests(plane: ControlPlane): Promise<Manifests> {
  const { code, stdout, stderr } = await plane.kubectl(plane.adminKubeconfig, ['kustomize', 'manifests/base']);
  if (code !== 0) throw new Error(stderr);
  const all = parseAllDocuments(stdout).map((document) => document.toJS() as Manifest);
  const deployment = all.find(({ kind }) => kind === 'Deployment');
  if (deployment === undefined) throw new Error('manifests/base has no Deployment');
  const { template } = deployment.spec as {
    readonly template: {
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly containers: readonly [{ readonly readinessProbe: Probe }];
      };
    };
  };
  const registrations = all.filter(({ webhooks }) => webhooks !== undefined);
  const closed = registrations.flatMap(({ webhooks = [] }) => webhooks.filter(failsClosed));
  return {
    objects: all.filter(
      (one) => !['Deployment', 'PodDisruptionBudget'].includes(one.kind) && one.webhooks === undefined,
    ),
    registrations,
    probe: template.spec.containers[0].readinessProbe,
    graceSeconds: template.spec.terminationGracePeriodSeconds,
    timeoutSeconds: Math.max(...closed.map(({ timeoutSeconds }) => timeoutSeconds)),
  };
}

/** What only warns must never be in the way. */
function failsClosed({ name }: Webhook): boolean {
  return !name.startsWith('warn.');
}

/** @throws when the API server refuses one of them */
export async function apply(plane: ControlPlane, objects: readonly unknown[]): Promise<void> {
  for (const object of objects) {
    const command = ['apply', '--server-side', '--force-conflicts', '-f', '-'];
    const { code, stderr } = await plane.kubectl(plane.adminKubeconfig, command, { stdin: JSON.stringify(object) });
    if (code !== 0) throw new Error(stderr);
  }
}

/** The registrations as people apply them where replicas complete them: whom to trust, and by which path, is left to those. */
export function incomplete(registrations: readonly Manifest[], failurePolicy: 'Fail' | 'Ignore'): Manifest[] {
  return registrations.map((registration) => ({
    ...registration,
    webhooks: (registration.webhooks ?? []).map((webhook) => {
      const { path: _path, ...service } = { path: '', ...webhook.clientConfig.service };
      return { ...webhook, clientConfig: { service }, ...(failurePolicy === 'Fail' && failing(webhook)) };
    }),
  }));
}

/** The registrations with this trust and their paths, failing closed: as `serve --webhook-configurations` leaves them. */
export function completed(registrations: readonly Manifest[], caBundle: string): Manifest[] {
  const encoded = Buffer.from(caBundle).toString('base64');
  return registrations.map((registration) => ({
    ...registration,
    webhooks: (registration.webhooks ?? []).map((webhook) => ({
      ...webhook,
      clientConfig: {
        service: { ...webhook.clientConfig.service, path: `/${webhook.name.split('.')[0]}` },
        caBundle: encoded,
      },
      ...failing(webhook),
    })),
  }));
}

/** With the tenant label in the selector, as replicas write it before. */
function failing(webhook: Webhook): object {
  if (!failsClosed(webhook)) return {};
  const selector = webhook.namespaceSelector && namespaceSelector(defaultTenantLabel);
  return { failurePolicy: 'Fail', ...(selector && { namespaceSelector: selector }) };
}
