/**
 * The comparison for Bulkhead at the API server: as many replicas of a bare webhook, as processes of the same kind with the same
 * flags, behind a Service of their own. The webhook configurations are the same but for the Service they name.
 */
import { closeSync, openSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { issueServerCertificate } from '../../src/certificates/issue-certificate.ts';
import { hasEnded, killGuarded, spawnGuarded } from '../apiserver/guarded-process.ts';
import { type GuardedService, inForce, writeCertificates } from './guarded-service.ts';
import { imageFlags } from './image-flags.ts';
import { apply, completed, type Manifest, systemNamespace } from './manifests.ts';
import { eventually } from './observer.ts';
import { webhookCounts } from './webhook-counts.ts';

/** The webhooks that the API server calls in turn. */
export const arms = ['none', 'bare', 'bulkhead'] as const;
export type Arm = (typeof arms)[number];
export type Webhook = Exclude<Arm, 'none'>;

export interface BareService {
  readonly addresses: readonly string[];
  readonly wrong: readonly string[];
  stop(): Promise<void>;
}

const name = 'bare';
export const port = 9443;
/** Beyond those of the replicas of Bulkhead. */
const addresses = ['10.0.1.252', '10.0.1.253'];

/** Resolves when all of them listen. */
export async function startBareService({ plane, authority }: GuardedService): Promise<BareService> {
  await apply(plane, [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace: systemNamespace },
      spec: { ports: [{ name: 'webhook', port: 443, targetPort: port }] },
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name, namespace: systemNamespace, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      ports: [{ name: 'webhook', port, protocol: 'TCP' }],
      endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
    },
  ]);
  const folder = join(plane.directory, name);
  await mkdir(folder, { recursive: true });
  await writeCertificates(folder, issueServerCertificate(authority, [`${name}.${systemNamespace}.svc`], Date.now()));
  const log = openSync(join(folder, 'log'), 'a');
  const flags = await imageFlags();
  const children = addresses.map((address) =>
    spawnGuarded(
      process.execPath,
      [...flags, join(import.meta.dirname, 'bare-webhook.ts'), address, String(port), folder],
      { env: { PATH: process.env.PATH, HOME: folder, NODE_ENV: 'production' }, output: log },
    ),
  );
  closeSync(log);
  const wrong: string[] = [];
  let stopping = false;
  for (const child of children)
    child.once('exit', (code, signal) => stopping || wrong.push(`a bare server ended with ${code ?? signal}`));
  await eventually('the bare servers listen', async () => {
    if (children.some(hasEnded)) throw new Error('a bare server ended by itself');
    return (await Promise.all(addresses.map(listens))).every((one) => one);
  });
  return {
    addresses,
    wrong,
    async stop() {
      stopping = true;
      await Promise.all(children.map(killGuarded));
    },
  };
}

function listens(host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, rejectUnauthorized: false }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

/** Resolves when the API server calls these and no others. */
export async function callOnly(arm: Arm, { plane, manifests, authority }: GuardedService): Promise<void> {
  // Belongs to no tenant: Bulkhead refuses her a namespace.
  const kubeconfig = await plane.kubeconfigFor({ user: 'carol' });
  const probe = { metadata: { name: 'registered-yet' } };
  async function isAdmitted(called: boolean): Promise<boolean> {
    const before = webhookCounts(await plane.metrics()).requests;
    const { status } = await plane.request('POST', '/api/v1/namespaces?dryRun=All', probe, { kubeconfig });
    return status === 201 && webhookCounts(await plane.metrics()).requests > before === called;
  }

  if (arm === 'none') {
    for (const kind of ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'])
      await plane.request('DELETE', `/apis/admissionregistration.k8s.io/v1/${kind}`);
    return eventually('the API server calls no webhook', () => isAdmitted(false));
  }
  const configurations = completed(manifests.registrations, authority.certificate);
  if (arm === 'bulkhead') {
    await apply(plane, configurations);
    return inForce(plane);
  }
  await apply(plane, configurations.map(atBareService));
  return eventually('the API server calls the bare servers', () => isAdmitted(true));
}

function atBareService(configuration: Manifest): Manifest {
  const webhooks = (configuration.webhooks ?? []).map((webhook) => {
    const { service } = webhook.clientConfig;
    return { ...webhook, clientConfig: { ...webhook.clientConfig, service: { ...service, name } } };
  });
  return { ...configuration, webhooks };
}
