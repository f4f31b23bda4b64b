/** A good installation on a real API server, and what `doctor` says of it after one thing was made wrong. */
import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import { parse } from 'yaml';
import { runCommandLine } from '../../src/commands/command-line.ts';
import type { DoctorReport } from '../../src/report/doctor-report.ts';
import type { ControlPlane } from '../apiserver/control-plane.ts';
import { eventually } from '../soak/observer.ts';
import { guard, installTenantResource } from './guarded-cluster.ts';

export const rbac = '/apis/rbac.authorization.k8s.io/v1';
export const apps = '/apis/apps/v1/namespaces';
export const admission = '/apis/admissionregistration.k8s.io/v1';
const subjectOf = (kind: string, name: string) => ({ kind, name, apiGroup: 'rbac.authorization.k8s.io' });

export type Json = Record<string, unknown>;

/** Settings of a change of them; anything below `spec`. */
export type SettingsChange = (spec: { network?: Json; istio?: Json; sharedServices?: Json[] }) => void;

export interface DoctoredCluster {
  readonly plane: ControlPlane;
  /** @param settings undefined: the right ones */
  doctor(flags?: readonly string[], settings?: SettingsChange): Promise<{ code: number; text: string }>;
  report(flags?: readonly string[], settings?: SettingsChange): Promise<DoctorReport & { hasFindings: boolean }>;
  /** Creates objects. @returns what removes them again */
  made(...objects: readonly (readonly [path: string, object: Json])[]): Promise<() => Promise<void>>;
  /** Changes an object, its status too. @returns what changes it back */
  changed(path: string, change: (object: never) => void): Promise<() => Promise<void>>;
  /** @returns what creates it again */
  removed(path: string): Promise<() => Promise<void>>;
  /** Binds a ClusterRole with this rule to a subject in the whole cluster. @returns what removes both */
  granted(rule: Json, subject: Json, namespace?: string): Promise<() => Promise<void>>;
}

export const daemonSet = (name: string, image: string, more: Json = {}): Json => ({
  metadata: { name },
  spec: {
    selector: { matchLabels: { name } },
    template: { metadata: { labels: { name } }, spec: { containers: [{ name: 'agent', image }] } },
  },
  ...more,
});

/** Among flags of `doctor`: Tenants are read from the API server. */
export const fromObjects = 'Tenant objects';

/** Seeds add nodes. */
const everywhere = { currentNumberScheduled: 3, desiredNumberScheduled: 3, numberReady: 3, numberMisscheduled: 0 };

export async function goodInstallation(t: Test, plane: ControlPlane): Promise<DoctoredCluster> {
  await installTenantResource(plane);
  const right = `${plane.directory}/doctor-settings.json`;
  const settings = parse(await readFile('manifests/overlays/example/bulkhead.yaml', 'utf8'));
  // The range of Services of the test API server.
  settings.spec.network.serviceCIDRs.push('10.0.0.0/24');
  await writeFile(right, JSON.stringify(settings));
  const bulkhead = await guard(plane, undefined, undefined, { config: right });
  t.teardown(() => bulkhead.stop());

  const send = async (method: string, path: string, body?: unknown): Promise<Json> => {
    const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    // For a moment the API server may call a webhook as a case before this one had it.
    for (let attempt = 1; ; attempt++) {
      const { status, text, body: answer } = await plane.request(method, path, body, { contentType });
      if (status < 300) return answer as Json;
      if (attempt === 100 || !text.includes('failed calling webhook'))
        throw new Error(`${method} ${path}: ${text.slice(0, 500)}`);
      await sleep(100);
    }
  };
  const remove = async (path: string): Promise<void> => {
    await send('DELETE', path);
    // Nothing here removes finalizers.
    const left = await plane.request('GET', path);
    if (left.status === 200) await plane.request('PATCH', path, { metadata: { finalizers: null } }, mergePatch);
  };
  const cluster: DoctoredCluster = {
    plane,
    async doctor(flags = [], change) {
      const file = change === undefined ? right : `${plane.directory}/doctor-wrong-settings.json`;
      if (change !== undefined) {
        const wrong = structuredClone(settings);
        change(wrong.spec);
        await writeFile(file, JSON.stringify(wrong));
      }
      const lines: string[] = [];
      const tenants = flags.includes(fromObjects) ? [] : ['--tenants', 'manifests/overlays/example/tenants'];
      const given = [...tenants, '--config', file, ...flags.filter((one) => one !== fromObjects)];
      const environment = { KUBECONFIG: doctorKubeconfig };
      const code = await runCommandLine(['doctor', ...given], { print: (line) => lines.push(line), environment });
      return { code: Number(code), text: lines.join('\n') };
    },
    async report(flags = [], change) {
      return JSON.parse((await cluster.doctor(['-o', 'json', ...flags], change)).text);
    },
    async made(...objects) {
      for (const [path, object] of objects) await send('POST', path, object);
      return async () => {
        for (const [path, { metadata }] of objects.toReversed()) await remove(`${path}/${(metadata as Json).name}`);
      };
    },
    async changed(path, change) {
      const before = await send('GET', path);
      const after = structuredClone(before);
      change(after as never);
      await send('PUT', path, after);
      return async () => {
        const { metadata } = await send('GET', path);
        const { resourceVersion } = metadata as Json;
        await send('PUT', path, { ...before, metadata: { ...(before.metadata as Json), resourceVersion } });
      };
    },
    async removed(path) {
      const { status, ...object } = await send('GET', path);
      await remove(path);
      const { resourceVersion: _, uid: __, managedFields: ___, ...metadata } = object.metadata as Json;
      return async () => {
        await send('POST', path.slice(0, path.lastIndexOf('/')), { ...object, metadata });
        if (status !== undefined) await plane.request('PATCH', `${path}/status`, { status }, mergePatch);
      };
    },
    granted(rule, subject, namespace) {
      const home = namespace === undefined ? '' : `/namespaces/${namespace}`;
      const kind = namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding';
      const roleRef = { kind: 'ClusterRole', name: 'seeded', apiGroup: 'rbac.authorization.k8s.io' };
      return cluster.made(
        [`${rbac}/clusterroles`, { metadata: { name: 'seeded' }, rules: [rule] }],
        [
          `${rbac}${home}/${kind.toLowerCase()}s`,
          { metadata: { name: 'seeded' }, subjects: [{ apiGroup: 'rbac.authorization.k8s.io', ...subject }], roleRef },
        ],
      );
    },
  };

  await send('DELETE', `${rbac}/clusterrolebindings/everybody`);
  const namespace = (name: string, labels: Json = {}) =>
    send('POST', '/api/v1/namespaces', { metadata: { name, labels } });
  await namespace('bulkhead-system');
  await namespace('istio-system');
  await namespace('acme-web', { 'bulkhead.dev/tenant': 'acme' });
  await namespace('beta-data', { 'bulkhead.dev/tenant': 'beta' });
  // Its isolation is soft.
  await namespace('gamma-jobs', { 'bulkhead.dev/tenant': 'gamma' });
  for (const file of ['base/deployment.yaml', 'components/roles/doctor.yaml']) {
    const { code, stderr } = await plane.kubectl(plane.adminKubeconfig, ['apply', '-f', `manifests/${file}`]);
    t.equal(code, 0, file, { stderr });
  }
  await send('PATCH', `${apps}/bulkhead-system/deployments/bulkhead/status`, {
    status: { replicas: 2, readyReplicas: 2, availableReplicas: 2 },
  });
  await send('POST', '/api/v1/nodes', {
    metadata: { name: 'one' },
    spec: { podCIDR: '10.244.0.0/24', podCIDRs: ['10.244.0.0/24'] },
    status: { addresses: [{ type: 'InternalIP', address: '192.168.0.10' }] },
  });
  await send('POST', '/api/v1/namespaces/kube-system/pods', {
    metadata: { name: 'coredns', labels: { 'k8s-app': 'kube-dns' } },
    spec: { containers: [{ name: 'coredns', image: 'registry.k8s.io/coredns/coredns:v1.13.1' }] },
  });
  const cilium = daemonSet('cilium', 'quay.io/cilium/cilium:v1.19.6@sha256:0000');
  await send('POST', `${apps}/kube-system/daemonsets`, cilium);
  await send('PATCH', `${apps}/kube-system/daemonsets/cilium/status`, { status: everywhere });
  // What a tenant has under these names and labels hides nothing.
  const labels = { 'k8s-app': 'kube-dns', 'app.kubernetes.io/name': 'bulkhead' };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'example.org/main' }] } };
  await send('POST', '/api/v1/namespaces/acme-web/pods', { ...template, metadata: { name: 'coredns', labels } });
  await send('POST', `${apps}/acme-web/deployments`, {
    metadata: { name: 'bulkhead', labels },
    spec: { replicas: 2, selector: { matchLabels: labels }, template },
  });
  await send('POST', '/apis/policy/v1/namespaces/acme-web/poddisruptionbudgets', {
    metadata: { name: 'bulkhead' },
    spec: { minAvailable: 1, selector: {} },
  });
  // A doctor belongs to the platform; members have what they need.
  await send('POST', `${rbac}/clusterroles`, {
    metadata: { name: 'self-test' },
    rules: [
      { apiGroups: [''], resources: ['users'], resourceNames: ['alice'], verbs: ['impersonate'] },
      { apiGroups: [''], resources: ['groups'], resourceNames: ['acme-developers'], verbs: ['impersonate'] },
    ],
  });
  for (const name of ['bulkhead-doctor', 'self-test'])
    await send('POST', `${rbac}/clusterrolebindings`, {
      metadata: { name },
      subjects: [subjectOf('Group', 'platform-team')],
      roleRef: { kind: 'ClusterRole', name, apiGroup: 'rbac.authorization.k8s.io' },
    });
  await send('POST', `${rbac}/namespaces/acme-web/roles`, {
    metadata: { name: 'member' },
    rules: [
      { apiGroups: [''], resources: ['pods', 'pods/portforward'], verbs: ['create', 'get', 'patch'] },
      { apiGroups: ['networking.k8s.io'], resources: ['networkpolicies'], verbs: ['create', 'get', 'patch'] },
    ],
  });
  await send('POST', `${rbac}/namespaces/acme-web/rolebindings`, {
    metadata: { name: 'members' },
    subjects: [subjectOf('Group', 'acme-developers')],
    roleRef: { kind: 'Role', name: 'member', apiGroup: 'rbac.authorization.k8s.io' },
  });
  const doctorKubeconfig = await plane.kubeconfigFor({ user: 'rita', groups: ['platform-team'] });
  for (const name of ['acme-web', 'gamma-jobs']) {
    const deny = `/apis/networking.k8s.io/v1/namespaces/${name}/networkpolicies/bulkhead-default-deny`;
    await eventually(`the baseline of ${name}`, async () => (await plane.request('GET', deny)).status === 200);
  }
  // RBAC follows a moment later.
  await eventually('the doctor may read everything', async () =>
    cluster.report().then(
      ({ notLookedAt }) => notLookedAt.length === 0,
      () => false,
    ),
  );
  return cluster;
}

const mergePatch = { contentType: 'application/merge-patch+json' };
