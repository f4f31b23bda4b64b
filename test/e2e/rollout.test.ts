/** Bulkhead comes to a cluster that is in use: what it does to the namespaces it finds, by the mode of their tenant. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { clusterTest } from '../apiserver/cluster-test.ts';
import type { ControlPlane } from '../apiserver/control-plane.ts';
import { withoutControllers } from '../soak/crowd.ts';
import { eventually } from '../soak/observer.ts';
import { guard } from './guarded-cluster.ts';

const modes = ['audit', 'warn', 'enforce'] as const;
const baseline = ['bulkhead-allow-dns', 'bulkhead-allow-ingress', 'bulkhead-allow-within', 'bulkhead-default-deny'];
const containers = [{ name: 'main', image: 'example.org/web' }];

const tenant = (name: string, mode: string) => `apiVersion: bulkhead.dev/v1alpha1
kind: Tenant
metadata: { name: ${name} }
spec:
  mode: ${mode}
  namespaces: { prefix: ${name}- }
`;

await clusterTest(
  'a cluster that is full of namespaces is closed tenant by tenant',
  async (t, plane) => {
    const folder = join(plane.directory, 'tenants');
    await mkdir(folder);
    for (const mode of modes) {
      await writeFile(join(folder, `${mode}.yaml`), tenant(mode, mode));
      for (let index = 0; index < 10; index++) {
        const metadata = { name: `${mode}-${index}`, labels: { 'bulkhead.dev/tenant': mode } };
        t.match(await plane.request('POST', '/api/v1/namespaces', { metadata }), { status: 201 });
      }
    }
    t.match(await plane.request('POST', '/api/v1/namespaces', { metadata: { name: 'nobodys' } }), { status: 201 });

    let cluster = await guard(plane, folder);
    await eventually('mode enforce has its baselines', async () => (await policiesOf(plane, 'enforce-9')).length === 4);
    for (let index = 0; index < 10; index++) {
      await eventually(
        `enforce-${index} is closed`,
        async () => (await policiesOf(plane, `enforce-${index}`)).length === 4,
      );
      t.same(await policiesOf(plane, `enforce-${index}`), baseline);
      t.same(await policiesOf(plane, `warn-${index}`), [], 'mode warn puts nothing in place');
      t.same(await policiesOf(plane, `audit-${index}`), [], 'mode audit neither');
    }
    t.same(await policiesOf(plane, 'nobodys'), []);
    await eventually('the warning is there', async () => (await eventsOf(plane, 'warn-3')).length > 0);
    const objects = baseline.toReversed().sort((one) => (one === 'bulkhead-default-deny' ? -1 : 0));
    t.match(await eventsOf(plane, 'warn-3'), [
      { reason: 'BaselineWithheld', message: /^not isolated while tenant warn is in mode warn/ },
    ]);
    for (const name of objects) t.match((await eventsOf(plane, 'warn-3'))[0]?.message, name, 'it says what will come');
    t.same(await eventsOf(plane, 'audit-3'), [], 'mode audit is seen in the log alone');
    for (const mode of modes) {
      const pod = { metadata: { name: 'web' }, spec: { containers } };
      const { status } = await plane.request('POST', `/api/v1/namespaces/${mode}-0/pods`, pod);
      t.equal(status, 201, `a pod starts in mode ${mode}`);
    }

    await t.test('a mode that is eased opens nothing', async (t) => {
      await cluster.stop();
      await writeFile(join(folder, 'enforce.yaml'), tenant('enforce', 'audit'));
      await writeFile(join(folder, 'warn.yaml'), tenant('warn', 'enforce'));
      cluster = await guard(plane, folder);
      t.teardown(() => cluster.stop());
      await eventually('warn is enforced now', async () => (await policiesOf(plane, 'warn-9')).length === 4);
      t.same(await policiesOf(plane, 'enforce-5'), baseline, 'what was closed stays closed');
      await plane.request(
        'DELETE',
        '/apis/networking.k8s.io/v1/namespaces/enforce-5/networkpolicies/bulkhead-allow-dns',
      );
      await eventually('it is healed', async () => (await policiesOf(plane, 'enforce-5')).length === 4);
      await plane.request(
        'DELETE',
        '/apis/networking.k8s.io/v1/namespaces/enforce-5/networkpolicies/bulkhead-default-deny',
      );
      await eventually('the platform has opened it', async () => (await policiesOf(plane, 'enforce-5')).length === 0);
      t.same(await policiesOf(plane, 'enforce-6'), baseline, 'it alone');
    });
  },
  withoutControllers,
);

async function policiesOf(plane: ControlPlane, namespace: string): Promise<string[]> {
  const { body } = await plane.request('GET', `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`);
  return (body as { items: { metadata: { name: string } }[] }).items.map(({ metadata }) => metadata.name);
}

async function eventsOf(plane: ControlPlane, namespace: string): Promise<{ reason: string; message: string }[]> {
  const { body } = await plane.request('GET', `/api/v1/namespaces/${namespace}/events`);
  return (body as { items: { reason: string; message: string }[] }).items;
}
