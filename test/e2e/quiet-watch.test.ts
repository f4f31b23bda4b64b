/** In a quiet cluster, requests keep memory current by a second watch, and cost no GETs. */
import { setTimeout as sleep } from 'node:timers/promises';
import { trustedFor } from '../../src/client/freshness.ts';
import { clusterTest } from '../apiserver/cluster-test.ts';
import { eventually } from '../soak/observer.ts';
import { guard } from './guarded-cluster.ts';

const namespaces = ['acme-one', 'acme-two', 'acme-three'];
const resources = { requests: { cpu: '10m', memory: '16Mi' } };
const pod = {
  metadata: { generateName: 'web-' },
  spec: { containers: [{ name: 'main', image: 'example.org/web', resources }] },
};

await clusterTest('requests keep memory current while nothing changes', async (t, plane) => {
  const cluster = await guard(plane);
  t.teardown(() => cluster.stop());
  const alice = { kubeconfig: await cluster.kubeconfig('alice') };
  for (const name of namespaces) {
    const { status } = await plane.request('POST', '/api/v1/namespaces', { metadata: { name } }, alice);
    t.equal(status, 201);
    const account = `/api/v1/namespaces/${name}/serviceaccounts/default`;
    await eventually(`${name} has its account`, async () => (await plane.request('GET', account)).status === 200);
  }
  const sent = async () =>
    Number(/bulkhead_live_requests_total\{result="sent"\} (\d+)/.exec(await cluster.metrics())?.[1] ?? Number.NaN);
  const createForSeconds = async (seconds: number): Promise<Set<number>> => {
    const statuses = new Set<number>();
    const end = performance.now() + seconds * 1000;
    for (let index = 0; performance.now() < end; index++) {
      const path = `/api/v1/namespaces/${namespaces[index % namespaces.length]}/pods?dryRun=All`;
      statuses.add((await plane.request('POST', path, pod, alice)).status);
      await sleep(100);
    }
    return statuses;
  };
  await sleep(trustedFor + 2_000);
  t.strictSame(await createForSeconds(4), new Set([201]), 'until the first check, each name may cost a GET');
  // A check that fails on a busy machine is repeated after ten seconds.
  const counts: number[] = [];
  while (counts.at(-1) !== 0 && counts.length < 8) {
    const before = await sent();
    t.strictSame(await createForSeconds(6), new Set([201]));
    counts.push((await sent()) - before);
  }
  t.equal(counts.at(-1), 0, `GETs in six seconds: ${counts}`);
  const checks = (await plane.auditEvents()).filter(({ requestURI }) => requestURI.includes('timeoutSeconds=5'));
  t.ok(checks.length > 0 && checks.length <= 200, `${checks.length} lines of the audit log about second watches`);
});
