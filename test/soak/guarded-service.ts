/** A control plane with Bulkhead behind its Service, as manifests/base installs it: two replicas, and a tenant with namespaces. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { issueAuthority, issueServerCertificate } from '../../src/certificates/issue-certificate.ts';
import type { KeyPair } from '../../src/certificates/key-pair.ts';
import { readTenancy } from '../../src/files/read-tenancy.ts';
import type { Tenancy } from '../../src/tenancy/tenancy.ts';
import type { ControlPlane } from '../apiserver/control-plane.ts';
import { neighbour, tenant } from './crowd-tenant.ts';
import { apply, completed, incomplete, type Manifests, type Probe, readManifests, serviceName } from './manifests.ts';
import { eventually } from './observer.ts';
import { type Replicas, startReplicas } from './replicas.ts';

export interface GuardedService {
  readonly plane: ControlPlane;
  readonly manifests: Manifests;
  /** Has signed what the replicas serve; of no use where they make certificates themselves. */
  readonly authority: KeyPair;
  readonly replicas: Replicas;
  /** Of a member of the tenant, who may do everything that RBAC can allow. */
  readonly kubeconfig: string;
  readonly namespaces: readonly string[];
  readonly tenancy: Tenancy;
  stop(): Promise<void>;
}

export interface GuardedServiceOptions {
  /** Default: that of the manifests. */
  readonly probe?: Probe;
  /** Default 2. */
  readonly replicas?: number;
  /** Namespaces of the tenant. Default 10. */
  readonly namespaces?: number;
  /** Arguments with which the replicas make their certificates and complete the registrations. Default: they are given files. */
  readonly certificateArguments?: readonly string[] | ((folder: string) => Promise<readonly string[]>);
  /** Flags of Node for the replicas, beside those of the image. */
  readonly nodeFlags?: readonly string[];
}

const config = 'manifests/base/bulkhead.yaml';

/** Into a folder that `--certificates` names; what was there before is no longer. */
export async function writeCertificates(folder: string, { certificate, key }: KeyPair): Promise<void> {
  await mkdir(folder, { recursive: true });
  // The key first: a certificate that does not belong to it is not taken, and both are looked at again.
  await writeFile(join(folder, 'tls.key'), key, { mode: 0o600 });
  await writeFile(join(folder, 'tls.crt'), certificate);
}

/** Registered, failing closed, when it resolves. The control plane outlives it. */
export async function guardService(plane: ControlPlane, options: GuardedServiceOptions = {}): Promise<GuardedService> {
  const manifests = await readManifests(plane);
  await apply(plane, manifests.objects);
  await everybodyMayDoEverything(plane);
  const tenants = join(plane.directory, 'crowd');
  await mkdir(tenants);
  await writeFile(join(tenants, 'acme.yaml'), tenant);
  await writeFile(join(tenants, 'beta.yaml'), neighbour);
  const namespaces = await createNamespaces(plane, options.namespaces ?? 10);

  const tenancy = await readTenancy({ tenants, config });
  if (!tenancy.ok) throw new Error('the tenant of the crowd cannot be read');

  const authority = issueAuthority(Date.now());
  const replicas = await startReplicas({
    plane,
    probe: options.probe ?? manifests.probe,
    graceSeconds: manifests.graceSeconds,
    nodeFlags: options.nodeFlags,
    async argumentsOf(folder) {
      const common = [`--tenants=${tenants}`, `--config=${config}`];
      const { certificateArguments: own } = options;
      if (own !== undefined) return [...common, ...(typeof own === 'function' ? await own(folder) : own)];
      const certificates = join(folder, 'certificates');
      await writeCertificates(certificates, issueServerCertificate(authority, [serviceName], Date.now()));
      return [...common, `--certificates=${certificates}`];
    },
  });
  try {
    const selfMade = options.certificateArguments !== undefined;
    if (selfMade) await apply(plane, incomplete(manifests.registrations, 'Ignore'));
    for (let index = 0; index < (options.replicas ?? 2); index++) await replicas.start();
    const { registrations } = manifests;
    await apply(plane, selfMade ? incomplete(registrations, 'Fail') : completed(registrations, authority.certificate));
    await inForce(plane);
    const kubeconfig = await plane.kubeconfigFor({ user: 'alice', groups: ['acme-developers'] });
    return {
      plane,
      manifests,
      authority,
      replicas,
      kubeconfig,
      namespaces,
      tenancy: tenancy.value,
      stop: () => replicas.stop(),
    };
  } catch (error) {
    await replicas.stop();
    throw error;
  }
}

async function createNamespaces(plane: ControlPlane, count: number): Promise<string[]> {
  const names = Array.from({ length: count }, (_, index) => `acme-${index}`);
  const left = [...names];
  async function work(): Promise<void> {
    for (let name = left.pop(); name !== undefined; name = left.pop()) {
      const metadata = { name, labels: { 'bulkhead.dev/tenant': 'acme' } };
      const { status, text } = await plane.request('POST', '/api/v1/namespaces', { metadata });
      if (status !== 201) throw new Error(`${name}: ${status} ${text}`);
    }
  }
  await Promise.all(Array.from({ length: 16 }, work));
  return names;
}

async function everybodyMayDoEverything(plane: ControlPlane): Promise<void> {
  const apiGroup = 'rbac.authorization.k8s.io';
  const binding = {
    metadata: { name: 'everybody' },
    subjects: [{ kind: 'Group', name: 'system:authenticated', apiGroup }],
    roleRef: { kind: 'ClusterRole', name: 'cluster-admin', apiGroup },
  };
  const { status, text } = await plane.request('POST', `/apis/${apiGroup}/v1/clusterrolebindings`, binding);
  if (status !== 201) throw new Error(text);
}

/** Resolves when the API server refuses what must be refused. */
export async function inForce(plane: ControlPlane): Promise<void> {
  const kubeconfig = await plane.kubeconfigFor({ user: 'carol' });
  const probe = { metadata: { name: 'registered-yet' } };
  await eventually('the API server asks the webhook', async () => {
    const { text } = await plane.request('POST', '/api/v1/namespaces?dryRun=All', probe, { kubeconfig });
    return text.includes('validate.bulkhead.dev');
  });
}
