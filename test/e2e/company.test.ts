/**
 * A company of five teams (test/field/company), configured as the documentation says: what its people write first is refused, and is
 * admitted once it is mended as the refusal says. On a real API server, with Tenants as objects.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { clusterTest } from '../apiserver/cluster-test.ts';
import type { ControlPlane, Output } from '../apiserver/control-plane.ts';
import { eventually } from '../soak/observer.ts';
import { guard, installTenantResource, tenantObjects } from './guarded-cluster.ts';

const folder = 'test/field/company';

/** What was written first, the decisive words of its fix; beside it lies what is then written. */
const mended: Readonly<Record<string, RegExp>> = {
  '01-to-payment-providers':
    /fix: leave out 10\.0\.0\.0\/8, 169\.254\.0\.0\/16, 172\.16\.0\.0\/12 and 192\.168\.0\.0\/16 with except/,
  '02-to-https': /of addresses list what was granted: the internet \(ipBlock 0\.0\.0\.0\/0 with except\) on 443\/TCP/,
  '03-to-the-internet':
    /fix: leave out 169\.254\.0\.0\/16 with except and list only the ports that are granted, by number: 443\/TCP/,
  '04-to-dns':
    /fix: remove the rule, as bulkhead-allow-dns opens dns already; or write its peers: namespaceSelector kubernetes\.io\/metadata\.name: openshift-dns/,
  '05-to-the-api-by-port':
    /write its peers: ipBlock 172\.30\.0\.1\/32 on 443\/TCP and ipBlock 192\.168\.20\.11\/32 on 6443\/TCP, each in a rule of its own/,
  '06-to-the-api-in-one-rule':
    /list only the ports that are granted, by number: 443\/TCP[\s\S]*list only the ports that are granted, by number: 6443\/TCP/,
  '07-to-the-subnet-of-the-database': /fix: write a cidr within what was granted: 10\.131\.255\.7\/32; or ask/,
  '08-to-the-database-by-name': /fix: list only the ports that are granted, by number: 5432\/TCP; or ask/,
  '09-to-the-database-by-port': /of addresses list what was granted: ipBlock 10\.131\.255\.7\/32 on 5432\/TCP/,
  '10-metrics-from-all-of-monitoring':
    /fix: narrow it to monitoring: podSelector: \{"matchLabels":\{"app\.kubernetes\.io\/name":"prometheus"\}\}/,
  '11-metrics-from-anywhere':
    /select a shared service by kubernetes\.io\/metadata\.name: openshift-ingress or openshift-monitoring/,
  '12-metrics-from-prometheus-anywhere': /fix: add kubernetes\.io\/metadata\.name: openshift-monitoring/,
  '13-metrics-by-a-label-of-the-chart': /fix: add kubernetes\.io\/metadata\.name: openshift-monitoring/,
  '14-from-every-policy-group':
    /fix: write a listed value in matchLabels: policy-group\.network\.openshift\.io\/ingress: ""/,
  '15-from-the-router-by-its-older-label':
    /or select a shared service by kubernetes\.io\/metadata\.name: openshift-ingress or openshift-monitoring/,
  '16-from-anywhere':
    /which bulkhead-allow-within lets in already; select a shared service by kubernetes\.io\/metadata\.name: openshift-ingress/,
};

const kubeconfigs = new Map<string, Promise<string>>();

/** Applies a file as the person whom its first line names. */
async function applied(plane: ControlPlane, path: string): Promise<Output> {
  const text = readFileSync(join(folder, path), 'utf8');
  const [, user = '', groups = ''] = /^# as: (\S+) \[([^\]]*)\]/.exec(text) ?? [];
  const kubeconfig = kubeconfigs.get(user) ?? plane.kubeconfigFor({ user, groups: groups.split(', ') });
  kubeconfigs.set(user, kubeconfig);
  return plane.kubectl(await kubeconfig, ['apply', '-f', '-'], { stdin: text });
}

await clusterTest('a company of five teams follows what it is told', async (t, plane) => {
  await installTenantResource(plane);
  const early = await plane.kubectl(plane.adminKubeconfig, ['apply', '-f', join(folder, 'namespaces')]);
  t.match(early, { code: 0 }, 'some namespaces were there before');
  const config = join(folder, 'settings.yaml');
  const cluster = await guard(plane, tenantObjects, plane.adminKubeconfig, { config });
  t.teardown(() => cluster.stop());
  const platform = (...command: string[]) => cluster.kubectl('platform', command);
  const apply = (path: string) => applied(plane, path);
  const create = async (user: string, name: string) => {
    const kubeconfig = await plane.kubeconfigFor({ user, groups: [`${user}-developers`] });
    return plane.kubectl(kubeconfig, ['create', 'namespace', name]);
  };

  const tenants = await platform('apply', '-f', join(folder, 'tenants'));
  const others = /prefix-in-use: fix: label that namespace as the tenant's/;
  t.match(tenants, { code: 0, stderr: others }, "the namespaces that were there are nobody's yet");
  await eventually('every tenant is ready', async () => {
    const { stdout } = await platform(
      'get',
      'tenants',
      '-o=jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}',
    );
    return stdout === 'True True True True True';
  });
  t.match(await platform('label', 'namespace', 'invoices', 'ledger', 'bulkhead.dev/tenant=billing'), { code: 0 });
  for (const [team, name] of [
    ['shop', 'shop-web'],
    ['orders', 'orders-api'],
    ['batch', 'batch-jobs'],
    ['reports', 'reports-etl'],
  ] as const)
    t.match(await create(team, name), { code: 0, stderr: '' }, name);
  t.match(
    await create('billing', 'openshift-billing'),
    { code: 1, stderr: /fix: choose a name that is invoices or ledger\n/ },
    'who must use reserved names is not sent to others',
  );
  t.match(await create('shop', 'orders-of-shop'), {
    code: 1,
    stderr: /fix: choose a name that is not reserved, or one that begins with shop-\n/,
  });

  for (const [name, stderr] of Object.entries(mended)) {
    t.match(await apply(`objects/${name}-written.yaml`), { code: 1, stderr }, `${name}: refused, with a way out`);
    t.match(await apply(`objects/${name}-mended.yaml`), { code: 0, stderr: '' }, `${name}: as it says`);
  }
  t.match(await apply('objects/17-ledger-by-name-admitted.yaml'), { code: 0, stderr: '' }, 'a name that has grown');
  t.match(await apply('objects/18-containers-without-requests-admitted.yaml'), { code: 0, stderr: '' });
  await eventually('the pod has the requests that the quota counts', async () => {
    const path = '-o=jsonpath={.items[*].spec.containers[*].resources.requests.cpu}';
    return (await platform('get', 'pods', '-n', 'reports-etl', path)).stdout === '100m';
  });

  t.match(
    await apply('gate/policy-by-label.yaml'),
    { code: 1, stderr: /agree on a gate with the other tenant \(with a GateRequest of each\)/ },
    'nothing is agreed',
  );
  t.match(
    await apply('gate/request-of-shop.yaml'),
    {
      code: 0,
      stderr: /have members of orders write a GateRequest with tenant: shop and direction: ingress on 8443\/TCP/,
    },
    'one asks',
  );
  await eventually('the policy is refused for want of the mirror', async () =>
    /fix: have members of tenant "orders" write a GateRequest with tenant: shop and direction: ingress on 8443\/TCP/.test(
      (await apply('gate/policy-by-label.yaml')).stderr,
    ),
  );
  t.match(await apply('gate/request-of-orders.yaml'), { code: 0, stderr: '' }, 'the other agrees');
  await eventually('the gate is open', async () => (await apply('gate/policy-by-label.yaml')).code === 0);
  const label = (name: string) => new RegExp(`or that of a tenant with an open gate: bulkhead\\.dev/tenant: ${name}`);
  for (const [written, stderr, then] of [
    ['policy-by-name', label('orders'), 'policy-by-name-mended'],
    ['policy-to-all', label('orders'), 'policy-to-all-mended'],
    ['policy-by-port-name', /list only ports that the gate opens, by number: 8443\/TCP/, 'policy-by-label'],
    ['policy-of-orders', label('shop'), 'policy-of-orders-mended'],
  ] as const) {
    t.match(await apply(`gate/${written}.yaml`), { code: 1, stderr }, `${written}: refused, with a way out`);
    t.match(await apply(`gate/${then}.yaml`), { code: 0, stderr: '' }, `${written}: as it says`);
  }
  const reasons = '-o=jsonpath={.items[*].status.conditions[?(@.type=="GatesOpen")].reason}';
  await eventually(
    'both tenants show the gate',
    async () => (await platform('get', 'tenants', 'shop', 'orders', reasons)).stdout === 'Open Open',
  );
});
