/** Roles and RoleBindings of tenants on a real API server with a real kubectl: their authors are warned, and nothing is refused. */
import type { Test } from 'tap';
import type { GuardedCluster } from './guarded-cluster.ts';

const namespace = 'acme-web';
const access = (kind: string, name: string, fields: object) => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind,
  metadata: { name, namespace },
  ...fields,
});
const role = (name: string, rule: object) => access('Role', name, { rules: [rule] });
const binding = (name: string, ...subjects: readonly object[]) =>
  access('RoleBinding', name, {
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' },
    subjects,
  });
const group = (name: string) => ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name });
const account = (inNamespace: string, name: string) => ({ kind: 'ServiceAccount', namespace: inNamespace, name });
const reads = { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] };

/** In a namespace of acme that is there. */
export async function authorsAreWarned(t: Test, { kubectl }: GuardedCluster): Promise<void> {
  const create = (object: object) => kubectl('alice', ['create', '-f', '-'], JSON.stringify(object));

  await t.test('ordinary Roles and RoleBindings are admitted without a warning', async (t) => {
    const ordinary = [
      role('reader', reads),
      role('leader', { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['*'] }),
      role('secrets', { ...reads, resources: ['secrets'], resourceNames: ['tls'] }),
      role('custom', { apiGroups: ['example.com'], resources: ['*'], verbs: ['*'] }),
      role('lists', { apiGroups: [''], resources: ['*'], verbs: ['list', 'watch'] }),
      role('scale', { apiGroups: ['apps'], resources: ['deployments/scale'], verbs: ['update'] }),
      role('autoscaler', { apiGroups: ['*'], resources: ['*/scale'], verbs: ['get', 'update', 'patch'] }),
      binding('developers', group('acme-developers')),
      binding('web', account(namespace, 'web')),
      binding('database', account('acme-db', 'database')),
      binding('deployer', account('argocd', 'acme-deployer')),
      binding('metrics', account('monitoring', 'prometheus')),
    ];
    t.match(await create({ apiVersion: 'v1', kind: 'List', items: ordinary }), { code: 0, stderr: '' });
  });

  await t.test('what leads around every policy is warned of, and admitted', async (t) => {
    const warned = async (object: object, ...texts: readonly string[]) => {
      const { code, stderr } = await create(object);
      t.equal(code, 0, stderr);
      for (const text of texts) t.match(stderr, text);
    };
    await warned(
      role('everything', { apiGroups: ['*'], resources: ['*'], verbs: ['*'] }),
      'Warning: wildcard-role: rules[0].resources[0] includes subresources such as pods/portforward',
      'Warning: wildcard-role: fix: list the resources that are needed',
    );
    await warned(
      role('runs', { apiGroups: ['*'], resources: ['*/scale', '*/exec'], verbs: ['create'] }),
      'Warning: wildcard-role: rules[0].resources[1] includes subresources',
    );
    await warned(
      binding('theirs', group('acme-developers'), group('beta-developers'), account('beta-data', 'db')),
      'Warning: foreign-subject: subjects[1] "beta-developers" acts for another tenant, and gets rights here',
      'Warning: foreign-subject: subjects[2] "db" acts for another tenant',
    );
    await warned(binding('open', group('system:authenticated')), '"system:authenticated" stands for every account');
  });
}

/** @param cluster whose Bulkhead is stopped */
export async function nothingWaits(t: Test, { kubectl }: GuardedCluster): Promise<void> {
  const written = JSON.stringify(binding('later', group('beta-developers')));
  t.match(await kubectl('alice', ['create', '-f', '-'], written), { code: 0 });
}
