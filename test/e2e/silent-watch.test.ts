/** Connections that are dead without a word: what was known before does not count for what came after (POD-16). */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { trustedFor } from '../../src/client/freshness.ts';
import { clusterTest } from '../apiserver/cluster-test.ts';
import type { ControlPlane } from '../apiserver/control-plane.ts';
import { type FaultProxy, startFaultProxy } from '../soak/fault-proxy.ts';
import { eventually } from '../soak/observer.ts';
import { guard } from './guarded-cluster.ts';

const path = '/api/v1/namespaces/acme-web';
const doorPath = '/apis/networking.k8s.io/v1/namespaces/acme-web/networkpolicies';
const namespace = { metadata: { name: 'acme-web' } };
const resources = { requests: { cpu: '100m', memory: '64Mi' } };
const pod = {
  metadata: { generateName: 'web-' },
  spec: { containers: [{ name: 'main', image: 'example.org/web', resources }] },
};

await clusterTest(
  'the closed door of a deleted namespace does not count for the next one of its name',
  async (t, plane) => {
    const proxy = await startFaultProxy(plane);
    const cluster = await guard(plane, undefined, await kubeconfigOf(plane, proxy));
    t.teardown(async () => {
      await cluster.stop();
      await proxy.stop();
    });
    const alice = { kubeconfig: await cluster.kubeconfig('alice') };
    const platform = { kubeconfig: await cluster.kubeconfig('platform') };
    const status = async (to: string) => (await plane.request('GET', to)).status;
    const create = () => plane.request('POST', `${path}/pods?dryRun=All`, pod, alice);

    t.match(await plane.request('POST', '/api/v1/namespaces', namespace, alice), { status: 201 });
    await eventually('it has its account', async () => (await status(`${path}/serviceaccounts/default`)) === 200);
    t.match(await create(), { status: 201 }, 'a pod is admitted');

    t.ok(silence(proxy) >= 3, 'every watch falls silent');
    await sleep(trustedFor + 100);
    proxy.inflict('busy', 0);
    t.match(
      await create(),
      { status: 503, body: { message: /cannot be judged now: the API server could not be asked/ } },
      'SRV-18: what mutate cannot find out is refused for now, not for good by validate',
    );
    t.equal(proxy.inflicted.busy, 1, 'one question failed');
    t.match(await create(), { status: 201 }, 'the next try is admitted');
    t.match(await plane.request('DELETE', path, undefined, alice), { status: 200 });
    await eventually('the namespace controller may empty it all the same', async () => (await status(path)) === 404);
    const again = await plane.request('POST', '/api/v1/namespaces', namespace, alice);
    t.equal(again.status, 201, 'the next one of its name');
    await eventually('it has its account', async () => (await status(`${path}/serviceaccounts/default`)) === 200);
    t.equal(await status(`${doorPath}/bulkhead-default-deny`), 404, 'nobody has heard of it, and nobody has closed it');
    t.match(await create(), { status: 503, body: { message: /namespace acme-web has no default-deny policy yet/ } });

    const { uid } = (again.body as { readonly metadata: { readonly uid: string } }).metadata;
    const door = {
      metadata: {
        name: 'bulkhead-default-deny',
        labels: { 'app.kubernetes.io/managed-by': 'bulkhead' },
        annotations: { 'bulkhead.dev/namespace-uid': uid },
      },
      spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] },
    };
    t.match(await plane.request('POST', doorPath, door, platform), { status: 201 }, 'somebody else closes it');
    t.match(await create(), { status: 201 }, 'the API server itself is asked, and the pod is admitted');
  },
);

/** Bulkhead speaks plain HTTP to the proxy, which is somebody there. */
async function kubeconfigOf(plane: ControlPlane, { url }: FaultProxy): Promise<string> {
  const file = join(plane.directory, 'through-the-proxy');
  const kubeconfig = {
    clusters: [{ name: 'proxy', cluster: { server: url, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'nobody', user: {} }],
    contexts: [{ name: 'proxy', context: { cluster: 'proxy', user: 'nobody' } }],
    'current-context': 'proxy',
  };
  await writeFile(file, JSON.stringify(kubeconfig));
  return file;
}

/** @returns how many watches nothing arrives on any more */
function silence(proxy: FaultProxy): number {
  for (let muted = 0; ; muted++) {
    proxy.inflict('silence', 0);
    if (proxy.inflicted.silence === muted) return muted;
  }
}
