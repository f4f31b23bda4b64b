/** Cases from the field (test/field), applied to a real API server: the right answer to each object. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { parse } from 'yaml';
import { parseSettings } from '../../src/tenancy/parse-settings.ts';
import { unlined } from '../../src/tenancy/problem.ts';
import { clusterTest } from '../apiserver/cluster-test.ts';
import type { ControlPlane } from '../apiserver/control-plane.ts';
import { eventually } from '../soak/observer.ts';
import { type GuardedCluster, guard } from './guarded-cluster.ts';

interface Applied {
  readonly code: number | null;
  readonly stderr: string;
}

/** Applies the objects of a case, each as the person that its first line names. File name -> what kubectl said. */
async function applyCase(plane: ControlPlane, folder: string): Promise<ReadonlyMap<string, Applied>> {
  const applied = new Map<string, Applied>();
  for (const file of readdirSync(join(folder, 'objects')).sort()) {
    const text = readFileSync(join(folder, 'objects', file), 'utf8');
    const [, user = '', groups = ''] = /^# as: (\S+) \[([^\]]*)\]/.exec(text) ?? [];
    const kubeconfig = await plane.kubeconfigFor({ user, groups: groups.split(', ') });
    applied.set(file, await plane.kubectl(kubeconfig, ['apply', '-f', '-'], { stdin: text }));
  }
  return applied;
}

/** A Bulkhead with the settings and tenants of a case, and its namespaces. Those of other cases stay. */
async function stage(t: Test, plane: ControlPlane, folder: string): Promise<GuardedCluster> {
  const config = join(folder, 'settings.yaml');
  const cluster = await guard(plane, join(folder, 'tenants'), plane.adminKubeconfig, { config });
  t.teardown(() => cluster.stop());
  const namespaces = ['apply', '-f', join(folder, 'namespaces')];
  t.match(await cluster.kubectl('platform', namespaces), { code: 0 }, 'the namespaces are there');
  return cluster;
}

await clusterTest('cases from the field', async (t, plane) => {
  await t.test('a family that the settings do not list is unproven (IP-01)', async (t) => {
    const folder = 'test/field/ipv6-not-listed';
    const config = join(folder, 'settings.yaml');
    const loaded = parseSettings({ value: parse(readFileSync(config, 'utf8')), locate: unlined(config) });
    t.match(
      loaded,
      { ok: true, warnings: [{ path: 'spec.network', reason: /^lists no IPv6 range/ }] },
      'loading warns',
    );
    await stage(t, plane, folder);

    const refused = await applyCase(plane, folder);
    t.equal(refused.size, 2);
    for (const [file, { code, stderr }] of refused) {
      t.equal(code, 1, file);
      t.match(stderr, /do not list its IPv6 pod, service and node ranges/, `${file}: says why`);
    }
  });

  await t.test('one tenant has the internet, and nothing private', async (t) => {
    const folder = 'test/field/internet-egress';
    await stage(t, plane, folder);
    const applied = await applyCase(plane, folder);
    const fix = /fix: leave out 169\.254\.0\.0\/16 with except/;
    t.match(
      Object.fromEntries(applied),
      {
        '01-private-and-link-local-left-out.yaml': { code: 0 },
        '02-one-metadata-address-left-out.yaml': { code: 1, stderr: fix },
        '03-private-left-out.yaml': { code: 1, stderr: fix },
        '04-from-the-internet.yaml': { code: 0 },
      },
      'as it is right',
    );
  });

  await t.test('the Kubernetes API is for the workload that needs it', async (t) => {
    const folder = 'test/field/kubernetes-api-for-one-tenant';
    const cluster = await stage(t, plane, folder);
    const applied = await applyCase(plane, folder);
    t.match(applied.get('01-addresses.yaml'), { code: 0 }, 'its addresses');
    const fix =
      /for kubernetes-api write its peers: ipBlock 10\.96\.0\.1\/32 on 443\/TCP and ipBlock 192\.168\.20\.11\/32 and 192\.168\.20\.12\/32 on 6443\/TCP/;
    t.match(applied.get('02-ports-only.yaml'), { code: 1, stderr: fix }, 'not every pod on its port');
    const theirs = readFileSync(join(folder, 'objects/01-addresses.yaml'), 'utf8').replace('north-web', 'south-data');
    const south = await plane.kubeconfigFor({ user: 'sam', groups: ['south-developers'] });
    const refused = await plane.kubectl(south, ['apply', '-f', '-'], { stdin: theirs });
    t.match(
      refused,
      { code: 1, stderr: /covers addresses of the service network/ },
      'another tenant has nothing of it',
    );
    const { stdout } = await cluster.kubectl('platform', ['get', 'networkpolicies', '-A', '-o', 'name']);
    t.notMatch(stdout, 'bulkhead-allow-kubernetes-api', 'no baseline opens it');
  });

  await t.test('a rule for the ports of DNS is told that names resolve already', async (t) => {
    const folder = 'test/field/rules-by-port-alone';
    await stage(t, plane, folder);
    const applied = await applyCase(plane, folder);
    t.equal(applied.size, 5);
    for (const [file, { code, stderr }] of applied) {
      t.equal(code, 1, file);
      const fix = file.includes('dns')
        ? /fix: remove the rule, as bulkhead-allow-dns opens dns already; or write its peers: namespaceSelector .*kube-system/
        : /fix: remove the rule if it is for pods of the tenant, which bulkhead-allow-within lets in already/;
      t.match(stderr, fix, `${file}: the fix is followed at once`);
    }
  });

  await t.test('a tenant in mode audit keeps its StatefulSet when a node is drained', async (t) => {
    const folder = 'test/field/audit-mode';
    const cluster = await stage(t, plane, folder);
    const labels = { app: 'broker', cluster: 'events' };
    const set = {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'broker', namespace: 'north-web' },
      spec: {
        serviceName: 'broker',
        selector: { matchLabels: { app: 'broker' } },
        template: {
          metadata: { labels, annotations: { 'sidecar.istio.io/inject': 'false' } },
          spec: {
            terminationGracePeriodSeconds: 0,
            containers: [{ name: 'broker', image: 'registry.example/broker' }],
          },
        },
      },
    };
    const kubeconfig = await plane.kubeconfigFor({ user: 'nina', groups: ['north-developers'] });
    const created = await plane.kubectl(kubeconfig, ['create', '-f', '-'], { stdin: JSON.stringify(set) });
    t.match(created, { code: 0, stderr: '' }, 'it is admitted without a warning');
    const uidOf = async () => {
      const path = ['get', 'pod', 'broker-0', '-n', 'north-web', '-o', 'jsonpath={.metadata.uid}'];
      return (await plane.kubectl(kubeconfig, path)).stdout;
    };
    let first = '';
    await eventually('its pod is there', async () => {
      first = await uidOf();
      return first !== '';
    });
    const found = /^bulkhead_findings_total\{check="reserved-labels",mode="audit"\} (\d+)$/m;
    const findings = async () => Number(found.exec(await cluster.metrics())?.[1] ?? 0);
    const before = await findings();
    t.ok(before > 0, 'the finding is recorded');
    t.match(await plane.kubectl(kubeconfig, ['delete', 'pod', 'broker-0', '-n', 'north-web']), { code: 0 }, 'a drain');
    await eventually('the pod comes back', async () => !['', first].includes(await uidOf()));
    t.ok((await findings()) > before, 'and again');
    t.pass('a label of its own, and leaving the mesh, stop no pod');
  });

  await t.test('names that have grown are reserved to a tenant whole', async (t) => {
    const folder = 'test/field/names-without-a-prefix';
    await stage(t, plane, folder);
    const applied = await applyCase(plane, folder);
    t.match(applied.get('01.yaml'), { code: 0, stderr: '' }, 'its charts select by name');

    const policy = readFileSync(join(folder, 'objects/01.yaml'), 'utf8');
    const south = await plane.kubeconfigFor({ user: 'sam', groups: ['south-developers'] });
    const retail = await plane.kubeconfigFor({ user: 'rosa', groups: ['retail-developers'] });
    const send = (kubeconfig: string, verb: string, stdin: string) =>
      plane.kubectl(kubeconfig, [verb, '-f', '-'], { stdin });
    const theirs = policy.replace('namespace: payments', 'namespace: south-data');
    t.match(await send(south, 'apply', theirs), { code: 1, stderr: /not reserved for south/ }, 'not those of others');
    t.match(await plane.kubectl(retail, ['delete', 'namespace', 'checkout']), { code: 0 }, 'one goes');
    const checkout = 'apiVersion: v1\nkind: Namespace\nmetadata: { name: checkout }\n';
    await eventually('it is gone', async () => {
      const { stderr } = await plane.kubectl(retail, ['get', 'namespace', 'checkout']);
      return stderr.includes('NotFound');
    });
    const taken = await send(south, 'create', checkout);
    t.match(
      taken,
      { code: 1, stderr: /checkout is reserved for another tenant or for the platform/ },
      'nobody takes it',
    );
    const generated = checkout.replace('name: checkout', 'generateName: checkout');
    t.match(await send(south, 'create', generated), { code: 0 }, 'a longer name is not reserved');
    t.match(await send(retail, 'create', checkout), { code: 0 }, 'the tenant may');
    t.match(await send(retail, 'apply', policy), { code: 0, stderr: '' }, 'and selects it as before');
  });

  await t.test('pods of the platform start while every replica is down, and those of tenants do not', async (t) => {
    const folder = 'test/field/platform-pods-while-down';
    const cluster = await stage(t, plane, folder);
    for (const name of ['monitoring', 'north-web'])
      await eventually(`${name} has its account`, async () => {
        const { status } = await plane.request('GET', `/api/v1/namespaces/${name}/serviceaccounts/default`);
        return status === 200;
      });
    await cluster.stop();
    const applied = await applyCase(plane, folder);
    t.match([...applied.values()], [{ code: 0 }], 'the pod of the platform is created');
    const pod = { metadata: { name: 'web' }, spec: { containers: [{ name: 'main', image: 'registry.example/web' }] } };
    const { status, text } = await plane.request('POST', '/api/v1/namespaces/north-web/pods', pod);
    t.equal(status, 500);
    t.match(text, 'failed calling webhook', 'that of the tenant is not');
  });
});
