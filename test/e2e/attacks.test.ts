/** Attacks that must be blocked and that no other test shows with a real API server (attack-rows.ts), and what stays possible beside them. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import { clusterTest } from '../apiserver/cluster-test.ts';
import type { ControlPlane } from '../apiserver/control-plane.ts';
import { everybody, labelled, policies, policy, sendRows, stageAdmitted, stageOlder } from './attack-rows.ts';
import { guard, people } from './guarded-cluster.ts';

await clusterTest(
  'attacks that the API server lets through are refused',
  async (t, plane) => {
    const { status, text } = await plane.request('POST', '/api/v1/namespaces', {
      metadata: { name: 'beta-data', labels: { 'bulkhead.dev/tenant': 'beta' } },
    });
    t.equal(status, 201, 'a namespace of beta is there', { text });
    await stageOlder(plane);
    const cluster = await guard(plane);
    t.teardown(() => cluster.stop());
    await stageAdmitted(plane);
    await sendRows(t, plane, people.bob);

    const kubeconfig = await cluster.kubeconfig('bob');
    const send = async (method: string, path: string, body?: object) => {
      const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
      const { status, body: answer } = await plane.request(method, path, body, { contentType, kubeconfig });
      return { status, message: (answer as { message?: string }).message };
    };
    t.equal(
      (await send('PATCH', `${policies}/legacy`, labelled({ team: 'web' }))).status,
      200,
      'ADM-22: what was too wide before can still be labelled',
    );
    t.equal(
      (await send('DELETE', `${policies}/bulkhead-legacy`)).status,
      200,
      'TEN-10: and the owner may delete its own',
    );

    const refusals = new Set<string | undefined>();
    for (const name of ['acme-q', 'gamma-q', 'kube-q', 'bulkhead-q', 'ingress-nginx']) {
      const { status, message } = await send('POST', '/api/v1/namespaces?dryRun=All', { metadata: { name } });
      t.equal(status, 403, name);
      refusals.add(message?.replaceAll(name, 'NAME'));
    }
    t.match(
      [...refusals],
      [/or one that begins with beta-\n/],
      'TEN-24: the refusal is one text for all reserved names',
    );
    t.equal(refusals.size, 1);

    await t.test('a resource of the same name in another group is not taken for the real one (TEN-14)', (t) =>
      isNotTakenForTheRealOne(t, plane),
    );
  },
  { controllers: false },
);

async function isNotTakenForTheRealOne(t: Test, plane: ControlPlane): Promise<void> {
  const names = { plural: 'networkpolicies', singular: 'networkpolicy', kind: 'NetworkPolicy' };
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  const made = await plane.request('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
    metadata: { name: 'networkpolicies.example.com' },
    spec: {
      group: 'example.com',
      names,
      scope: 'Namespaced',
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  });
  t.equal(made.status, 201, made.text);
  const object = { apiVersion: 'example.com/v1', kind: 'NetworkPolicy', ...policy('theirs', everybody) };
  const path = '/apis/example.com/v1/namespaces/default/networkpolicies';
  let answer = await plane.request('POST', path, object);
  for (let attempt = 0; answer.status === 404 && attempt < 100; attempt++) {
    await sleep(100);
    answer = await plane.request('POST', path, object);
  }
  t.equal(answer.status, 201, answer.text);
  t.notMatch(answer.text, 'bulkhead.dev/tenant', 'it is neither refused nor labelled');
}
