/** NP-23: policies that name many namespaces, all at once, do not stop other tenants. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import { systemClock } from '../../src/client/clock.ts';
import { trustedFor } from '../../src/client/freshness.ts';
import { propagationDelay } from '../../src/facts/reservations.ts';
import { clusterTest } from '../apiserver/cluster-test.ts';
import { eventually } from '../soak/observer.ts';
import { type GuardedCluster, guard } from './guarded-cluster.ts';

const [policies, pods] = [100, 30];
const web = '/api/v1/namespaces/acme-web';
const data = '/api/v1/namespaces/beta-data';
const policiesOfWeb = '/apis/networking.k8s.io/v1/namespaces/acme-web/networkpolicies?dryRun=All';
const resources = { requests: { cpu: '10m', memory: '16Mi' } };
const pod = {
  metadata: { generateName: 'data-' },
  spec: { containers: [{ name: 'main', image: 'example.org/data', resources }] },
};

/** Fifty names that no namespace has. */
function policyOf(crowd: string): object {
  const values = Array.from({ length: 50 }, (_, index) => `acme-${crowd}-${index}`);
  const matchExpressions = [{ key: 'kubernetes.io/metadata.name', operator: 'In', values }];
  return {
    metadata: { generateName: 'crowd-' },
    spec: {
      podSelector: {},
      policyTypes: ['Ingress'],
      ingress: [{ from: [{ namespaceSelector: { matchExpressions } }] }],
    },
  };
}

await clusterTest('a crowd of policies with many names does not hold up other tenants', async (t, plane) => {
  let later = 0;
  const clock = { ...systemClock, now: () => systemClock.now() + later };
  const cluster = await guard(plane, undefined, undefined, { clock });
  t.teardown(() => cluster.stop());
  const [alice, bob] = [await cluster.kubeconfig('alice'), await cluster.kubeconfig('bob')];
  for (const [name, kubeconfig] of [
    ['acme-web', alice],
    ['beta-data', bob],
  ] as const)
    t.match(await plane.request('POST', '/api/v1/namespaces', { metadata: { name } }, { kubeconfig }), { status: 201 });
  for (const path of [`${web}/serviceaccounts/default`, `${data}/serviceaccounts/default`])
    await eventually(`${path} is there`, async () => (await plane.request('GET', path)).status === 200);

  const asked = async (crowd: string): Promise<number> =>
    (await plane.auditEvents()).filter(
      ({ verb, objectRef }) => verb === 'get' && objectRef?.name?.startsWith(`acme-${crowd}-`),
    ).length;

  await t.test('while the reservation is new, each name costs a GET, and equal ones are joined', async (t) => {
    await bothSent(t, cluster, alice, bob, 'new');
    await eventually('the audit log has it', async () => (await asked('new')) >= 50);
    const [all, counted] = [await asked('new'), await cluster.metrics()];
    t.ok(all < (policies * 50) / 4, `${all} GETs instead of ${policies * 50}`);
    const joined = Number(/bulkhead_live_requests_total\{result="joined"\} (\d+)/.exec(counted)?.[1]);
    t.ok(joined > 0, `${joined} joined`);
  });

  await t.test(
    'when the watch was heard after it had propagated, no GET is sent, however quiet the watch is since',
    async (t) => {
      later = propagationDelay.files + trustedFor;
      const annotations = { heard: 'now' };
      const change = await plane.request(
        'PATCH',
        '/api/v1/namespaces/default',
        { metadata: { annotations } },
        { contentType: 'application/merge-patch+json' },
      );
      t.equal(change.status, 200);
      await sleep(1_000);
      later += 10 * trustedFor;
      await bothSent(t, cluster, alice, bob, 'settled');
      t.equal(await asked('settled'), 0, 'no GET in the audit log');
      const { status, text } = await plane.request(
        'POST',
        policiesOfWeb,
        { metadata: { name: 'foreign' }, spec: { podSelector: {}, ingress: [{ from: [named('beta-data')] }] } },
        { kubeconfig: alice },
      );
      t.equal(status, 403, 'a name that another tenant has is refused all the same', { text });
    },
  );
});

function named(name: string): object {
  return { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } } };
}

/** The crowd of policies, and pods of another tenant meanwhile. */
async function bothSent(t: Test, { plane }: GuardedCluster, alice: string, bob: string, crowd: string): Promise<void> {
  const body = policyOf(crowd);
  const sent = Array.from({ length: policies }, () =>
    plane.request('POST', policiesOfWeb, body, { kubeconfig: alice }),
  );
  const statuses: number[] = [];
  for (let index = 0; index < pods; index++)
    statuses.push((await plane.request('POST', `${data}/pods?dryRun=All`, pod, { kubeconfig: bob })).status);
  t.strictSame(new Set(statuses), new Set([201]), `${pods} pods of another tenant`);
  const answers = await Promise.all(sent);
  const failed = answers.filter(({ status }) => status !== 201).map(({ text }) => text.slice(0, 500));
  t.strictSame(failed, [], `${policies} policies`);
}
