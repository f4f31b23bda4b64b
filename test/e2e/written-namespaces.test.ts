/**
 * Namespaces that others write, on a real API server: what platforms write on them (test/checks/written-namespaces.ts), with kubectl, as
 * their accounts, against the webhook and the backstop together, and then against the backstop alone.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { backstopOf } from '../../src/backstop/backstop.ts';
import { loadTenancy } from '../../src/tenancy/load-tenancy.ts';
import { unlined } from '../../src/tenancy/problem.ts';
import { clusterTest } from '../apiserver/cluster-test.ts';
import type { ControlPlane, Output } from '../apiserver/control-plane.ts';
import { allBlocks, type Metadata, ownerUid, tenants, type Written, written } from '../checks/written-namespaces.ts';
import { eventually } from '../soak/observer.ts';
import { guard } from './guarded-cluster.ts';

const located = (value: unknown) => ({ value, locate: unlined('test') });

/** Groups of a service account, as the API server gives them. */
function groupsOf(user: string): readonly string[] {
  const [, home] = /^system:serviceaccount:([^:]+):/.exec(user) ?? [];
  return home === undefined ? [] : ['system:serviceaccounts', `system:serviceaccounts:${home}`];
}

/** Of the owner that the rows name: one that is not there is taken as gone, and the namespace with it. */
let uid = ownerUid;

function object(name: string, metadata: Metadata): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, ...metadata } }).replaceAll(
    ownerUid,
    uid,
  );
}

async function write(plane: ControlPlane, { by, name, stored, after }: Written, dryRun = false): Promise<Output> {
  const kubeconfig = await plane.kubeconfigFor({ user: by, groups: groupsOf(by) });
  const dry = dryRun ? ['--dry-run=server'] : [];
  if (after === 'deleted') return plane.kubectl(kubeconfig, ['delete', 'namespace', name, '--wait=false', ...dry]);
  const verb = stored === undefined ? 'create' : 'replace';
  // What the API server itself writes on a namespace stays.
  const labels = { 'kubernetes.io/metadata.name': name, ...after.labels };
  return plane.kubectl(kubeconfig, [verb, '-f', '-', ...dry], { stdin: object(name, { ...after, labels }) });
}

await clusterTest(
  'what platforms write on namespaces, and what is refused beside it (TEN-25, TEN-26)',
  async (t, plane) => {
    const folder = join(plane.directory, 'grants');
    mkdirSync(join(folder, 'tenants'), { recursive: true });
    writeFileSync(join(folder, 'settings.yaml'), JSON.stringify(allBlocks()));
    for (const tenant of tenants)
      writeFileSync(join(folder, 'tenants', `${tenant.metadata.name}.yaml`), JSON.stringify(tenant));
    const loaded = loadTenancy(located(allBlocks()), tenants.map(located), Date.now());
    if (!loaded.ok) throw new Error('the settings cannot be read');
    const cluster = await guard(plane, join(folder, 'tenants'), plane.adminKubeconfig, {
      config: join(folder, 'settings.yaml'),
      readOnly: true,
    });
    t.teardown(() => cluster.stop());
    const items = backstopOf(loaded.value.settings, { from: 'listed', tenants: [...loaded.value.tenants.values()] });
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
    const applied = await plane.kubectl(plane.adminKubeconfig, ['apply', '-f', '-'], { stdin: list });
    t.equal(applied.code, 0, 'the backstop can be applied', { stderr: applied.stderr });
    await plane.kubectl(plane.adminKubeconfig, ['create', '-f', '-'], {
      stdin: object('acme-web', { labels: { 'bulkhead.dev/tenant': 'acme' } }),
    });
    for (const { name, stored } of written) {
      if (stored === undefined) continue;
      const { code, stderr } = await plane.kubectl(plane.adminKubeconfig, ['create', '-f', '-'], {
        stdin: object(name, stored),
      });
      t.equal(code, 0, `${name} is there`, { stderr });
    }

    const { body } = await plane.request('GET', '/api/v1/namespaces/kube-public');
    uid = (body as { metadata: { uid: string } }).metadata.uid;

    await t.test('webhook and backstop', async (t) => {
      for (const one of written) {
        const { code, stderr } = await write(plane, one);
        t.equal(code === 0, one.refused === undefined, one.sentence, { stderr });
        if (one.refused !== undefined) {
          t.match(stderr, /denied (the )?request/, `${one.sentence}: refused by Bulkhead`);
          continue;
        }
        if (one.after === 'deleted') continue;
        const { body } = await plane.request('GET', `/api/v1/namespaces/${one.name}`);
        const { metadata } = body as { metadata: Metadata };
        t.match(metadata.annotations ?? {}, one.after.annotations ?? {}, `${one.sentence}: written`);
        if (one.stored !== undefined) continue;
        t.equal(metadata.labels?.['bulkhead.dev/tenant'], one.tenant, `${one.sentence}: its tenant`);
        t.equal(metadata.annotations?.['bulkhead.dev/provisioner'], one.mark, `${one.sentence}: its mark`);
        if (one.name === 'sandbox-1')
          t.match(stderr, /^Warning: .* makes it a namespace of the platform/m, 'never silently');
      }
    });

    await t.test('the garbage collector deletes what a provisioner has hung on an owner', async (t) => {
      const role = {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRole',
        metadata: { name: 'installation' },
      };
      const { body } = await plane.request('POST', '/apis/rbac.authorization.k8s.io/v1/clusterroles', role);
      const { metadata } = body as { metadata: { uid: string } };
      const { apiVersion, kind } = role;
      const hung = { ownerReferences: [{ apiVersion, kind, name: 'installation', uid: metadata.uid }] };
      const by = 'system:serviceaccount:tigera-operator:tigera-operator';
      t.match(await write(plane, { sentence: 'hung', by, name: 'calico-hung', after: hung }), { code: 0 });
      await plane.request('DELETE', '/apis/rbac.authorization.k8s.io/v1/clusterroles/installation');
      await eventually('it is gone', async () => {
        const { status, body } = await plane.request('GET', '/api/v1/namespaces/calico-hung');
        return status === 404 || JSON.stringify(body).includes('deletionTimestamp');
      });
      t.pass();
    });

    await t.test('server-side apply takes over no other field', async (t) => {
      const user = 'system:serviceaccount:openshift-infra:namespace-security-allocation-controller';
      const kubeconfig = await plane.kubeconfigFor({ user, groups: groupsOf(user) });
      const apply = (metadata: Metadata) =>
        plane.kubectl(
          kubeconfig,
          ['apply', '--server-side', '--force-conflicts', '--field-manager=allocator', '-f', '-'],
          { stdin: object('acme-web', metadata) },
        );
      const annotations = { 'openshift.io/sa.scc.mcs': 's0:c1,c0' };
      t.match(await apply({ annotations }), { code: 0 }, 'its own key');
      const taken = await apply({ annotations, labels: { 'bulkhead.dev/tenant': 'acme' } });
      t.match(taken.stderr, /metadata\.managedFields/, 'the tenant label, unchanged');
      t.match(await apply({}), { code: 0 }, 'its own key, given up');
    });

    await t.test('the tenant works in what was provisioned for it, and nobody else does', async (t) => {
      const alice = await plane.kubeconfigFor({ user: 'alice', groups: [] });
      const bob = await plane.kubeconfigFor({ user: 'bob', groups: [] });
      t.match(await plane.kubectl(alice, ['label', 'namespace', 'shop', 'team=shop']), { code: 0 });
      t.match(
        (await plane.kubectl(bob, ['label', 'namespace', 'shop', 'team=beta', '--overwrite'])).stderr,
        /foreign-namespace/,
      );
      const unmarked = await plane.kubectl(alice, ['annotate', 'namespace', 'shop', 'bulkhead.dev/provisioner-']);
      t.match(unmarked.stderr, /reserved-labels/, 'the mark is frozen');
    });

    await t.test('a user is judged as whom it impersonates', async (t) => {
      const alice = await plane.kubeconfigFor({ user: 'alice', groups: [] });
      const account = 'system:serviceaccount:openshift-apiserver:openshift-apiserver-sa';
      const { code } = await plane.kubectl(alice, ['create', 'namespace', 'acme-imp', '--as', account]);
      t.not(code, 0, 'a right to impersonate is the right to be that account; here it names no requester');
    });

    await t.test('the backstop alone refuses nothing that is granted', async (t) => {
      await plane.kubectl(plane.adminKubeconfig, [
        'delete',
        'validatingwebhookconfigurations,mutatingwebhookconfigurations',
        '--all',
      ]);
      const refusedByBackstop = written.filter(({ name }) =>
        ['tools-more', 'acme-new', 'nobodys', 'owned'].includes(name),
      );
      await eventually('the webhooks are gone', async () => {
        const kubeconfig = await plane.kubeconfigFor({ user: 'carol', groups: [] });
        const { stderr } = await plane.kubectl(kubeconfig, ['create', 'namespace', 'x', '--dry-run=server']);
        return stderr.includes('ValidatingAdmissionPolicy');
      });
      for (const one of written.filter(({ stored, refused }) => stored !== undefined && refused === undefined)) {
        if (one.after === 'deleted') continue;
        // Back and forth: it is written already.
        const back = { ...one, after: one.stored ?? {}, stored: one.after };
        t.match(await write(plane, back, true), { code: 0 }, `${one.sentence}: back`);
      }
      for (const one of refusedByBackstop)
        t.match(
          (await write(plane, one, true)).stderr,
          /ValidatingAdmissionPolicy 'bulkhead-/,
          `${one.sentence}: refused`,
        );
      const unmarked = written.find(({ name }) => name === 'sandbox-1');
      if (unmarked === undefined) throw new Error('it is there');
      t.match(
        (await write(plane, { ...unmarked, name: 'sandbox-3' }, true)).stderr,
        /bulkhead-new-namespace/,
        'without the webhook a provisioner creates nothing: it would be nobody’s',
      );
    });
  },
);
