/** A policy that was admitted under a gate, on a real API server: reported when the gate is shut, and left as it is. */
import { clusterTest } from '../apiserver/cluster-test.ts';
import { withoutControllers } from '../soak/crowd.ts';
import { eventually } from '../soak/observer.ts';
import { guard, installTenantResource, tenantObjects } from './guarded-cluster.ts';

const tenants = '/apis/bulkhead.dev/v1alpha1/tenants';
const policies = '/apis/networking.k8s.io/v1/namespaces/acme-web/networkpolicies';
const label = 'bulkhead.dev/tenant';

function toBeta(port: number): object {
  return { to: [{ namespaceSelector: { matchLabels: { [label]: 'beta' } } }], ports: [{ port }] };
}

function tenant(name: string, gate?: object): object {
  const network = gate === undefined ? {} : { network: { gates: [{ ...gate, ports: [{ port: 5432 }] }] } };
  return { apiVersion: 'bulkhead.dev/v1alpha1', kind: 'Tenant', metadata: { name }, spec: network };
}

await clusterTest(
  'a policy that was admitted under a gate is reported when the gate is shut, and left as it is',
  async (t, plane) => {
    await installTenantResource(plane);
    const apply = async (object: object, path: string): Promise<void> => {
      const contentType = 'application/apply-patch+yaml';
      const { status, body } = await plane.request('PATCH', `${path}?fieldManager=platform&force=true`, object, {
        contentType,
      });
      if (status !== 200 && status !== 201) throw new Error(JSON.stringify(body));
    };
    const agree = (gate?: object) => apply(tenant('beta', gate), `${tenants}/beta`);
    await apply(tenant('acme', { tenant: 'beta', direction: 'egress' }), `${tenants}/acme`);
    const half = { tenant: 'acme', direction: 'ingress' };
    await agree(half);

    await apply(tenant('gamma'), `${tenants}/gamma`);
    const cluster = await guard(plane, tenantObjects);
    t.teardown(() => cluster.stop());
    const metadata = { name: 'acme-web', labels: { [label]: 'acme' } };
    await apply({ apiVersion: 'v1', kind: 'Namespace', metadata }, '/api/v1/namespaces/acme-web');
    const policy = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' };
    const write = (name: string, egress: readonly object[]) => {
      const spec = { podSelector: {}, policyTypes: ['Egress'], egress };
      const object = { ...policy, metadata: { name, namespace: 'acme-web' }, spec };
      return cluster.kubectl('alice', ['apply', '-f', '-'], JSON.stringify(object));
    };
    const within = { namespaceSelector: { matchLabels: { [label]: 'acme' } } };
    t.match(await write('database', [toBeta(5432)]), { code: 0 }, 'it is admitted under the gate');
    t.match(await write('within', [{ to: [within] }]), { code: 0 }, 'and one inside the tenant');

    const nonCompliant = async (): Promise<number> =>
      Number(/^bulkhead_policies_noncompliant\{mode="enforce"\} (\d+)$/m.exec(await cluster.metrics())?.[1]);
    // After a reading Bulkhead rests for some hundred times as long, which on a busy machine is half a minute.
    const becomes = (count: number) =>
      eventually(`${count} are non-compliant`, async () => (await nonCompliant()) === count);
    await becomes(0);
    const before = await plane.request('GET', `${policies}/database`);

    const figure = async (series: string): Promise<number> =>
      Number(
        (await cluster.metrics())
          .split('\n')
          .find((line) => line.startsWith(`${series} `))
          ?.slice(series.length),
      );
    const shows = (series: string, count: number) =>
      eventually(`${series} is ${count}`, async () => (await figure(series)) === count);
    await shows('bulkhead_tenant_namespaces{isolation="both"}', 1);
    await shows('bulkhead_gates{state="Open"}', 2);
    await shows('bulkhead_policies_crossing{direction="egress"}', 0);

    await agree();
    await becomes(1);
    await shows('bulkhead_policies_crossing{direction="egress"}', 1);
    await shows('bulkhead_gates{state="HalfOpen"}', 1);
    await shows('bulkhead_tenants{mode="enforce"}', 3);
    t.match(
      await write('another', [toBeta(5432)]),
      { code: 1, stderr: /cross-tenant-egress/ },
      'the same is not admitted any more',
    );
    const event = '/api/v1/namespaces/acme-web/events/bulkhead.policynoncompliant.networkpolicies';
    await eventually('the Event is there', async () => (await plane.request('GET', event)).status === 200);
    t.match((await plane.request('GET', event)).body, {
      reason: 'PolicyNonCompliant',
      type: 'Warning',
      involvedObject: { kind: 'Namespace', name: 'acme-web' },
      message: /^NetworkPolicy database would be rejected today: .*5432\/TCP.*\(cross-tenant-egress\)$/,
    });

    await agree(half);
    await becomes(0);

    const expires = Date.now() + 8_000;
    await agree({ ...half, expires: new Date(expires).toISOString() });
    await becomes(1);
    t.ok(Date.now() >= expires, 'a gate that expires is open until then');
    t.same(
      (await plane.request('GET', `${policies}/database`)).body,
      before.body,
      'and nothing of it has touched the policy',
    );

    await agree(half);
    await becomes(0);
    const given = { ...metadata, labels: { [label]: 'gamma' } };
    await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: given }, '/api/v1/namespaces/acme-web');
    await becomes(2);
    t.pass('NP-17: what was proven for one tenant is judged again when its namespace is given to another');
  },
  withoutControllers,
);
