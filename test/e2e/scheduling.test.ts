/** POD-09 and ADM-02: who puts pods of tenants on nodes. Everybody here has every right that RBAC can give. */
import { setTimeout as sleep } from 'node:timers/promises';
import { guardedTest } from './guarded-cluster.ts';

const pods = '/api/v1/namespaces/acme-web/pods';
const target = { apiVersion: 'v1', kind: 'Node', name: 'node-of-beta' };
const listed = {
  user: 'system:serviceaccount:batch-system:scheduler',
  groups: ['system:serviceaccounts', 'system:serviceaccounts:batch-system'],
};

await guardedTest('pods of a tenant are bound by schedulers alone', async (t, cluster) => {
  const { plane } = cluster;
  await cluster.kubectl('alice', ['create', 'namespace', 'acme-web']);
  const account = '/api/v1/namespaces/acme-web/serviceaccounts/default';
  for (let attempt = 0; attempt < 100 && (await plane.request('GET', account)).status !== 200; attempt++) {
    await sleep(100);
  }
  const resources = { requests: { cpu: '10m', memory: '16Mi' } };
  const spec = { containers: [{ name: 'web', image: 'registry.example/web:1', resources }] };
  const [alice, kubeScheduler, batch] = await Promise.all([
    cluster.kubeconfig('alice'),
    plane.kubeconfigFor({ user: 'system:kube-scheduler' }),
    plane.kubeconfigFor(listed),
  ]);
  for (const name of ['one', 'two', 'three']) {
    t.match(await plane.request('POST', pods, { metadata: { name }, spec }, { kubeconfig: alice }), { status: 201 });
  }
  const bind = async (name: string, kubeconfig: string, legacy = false) => {
    const path = legacy ? '/api/v1/namespaces/acme-web/bindings' : `${pods}/${name}/binding`;
    const { status, body } = await plane.request('POST', path, { metadata: { name }, target }, { kubeconfig });
    return { status, text: JSON.stringify(body) };
  };
  const nodeOf = async (name: string) => {
    const { body } = await plane.request('GET', `${pods}/${name}`);
    return (body as { readonly spec: { readonly nodeName?: string } }).spec.nodeName;
  };

  for (const legacy of [false, true]) {
    t.match(
      await bind('one', alice, legacy),
      {
        status: 403,
        text: /Pod acme-web\/one: is bound to a node by a requester that is not a scheduler \(tenant acme, hard isolation\).*nodeSelector.*docs\/checks\/pod-scheduler\.md/,
      },
      `a tenant does not choose the node${legacy ? ', by the older address either' : ''}, and hears how to ask for one`,
    );
  }
  t.equal(await nodeOf('one'), undefined);
  t.match(await bind('two', batch), { status: 201 }, 'a scheduler of the settings binds');
  t.equal(await nodeOf('two'), target.name);
  await cluster.stop();
  t.match(await bind('one', batch), { status: 500 }, 'and waits for Bulkhead, as it is asked');
  t.match(await bind('three', kubeScheduler), { status: 201 }, 'the scheduler of Kubernetes binds without Bulkhead');
  t.equal(await nodeOf('three'), target.name);
});
