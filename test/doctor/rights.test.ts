import t from 'tap';
import type { DecodedObject } from '../../src/client/decode.ts';
import { hazardsOf, rulesOf, writes } from '../../src/doctor/hazards.ts';
import { createRightsJudge } from '../../src/doctor/rights.ts';
import { whoIs } from '../../src/doctor/subjects.ts';
import { createTenancy, type Owner } from '../../src/tenancy/tenancy.ts';
import { settings, tenant } from '../reach/world.ts';

const members = (kind: 'Group' | 'User', name: string) => [{ kind, name }];
const north = { ...tenant('north'), members: members('Group', 'north-team') };
const south = { ...tenant('south'), members: members('User', 'sue') };
const west = {
  ...tenant('west'),
  members: [{ kind: 'ServiceAccount' as const, namespace: 'kube-system', name: 'deployer' }],
};
const tenancy = createTenancy(settings, [north, south, west]);
const owners = new Map<string, Owner>([
  ...(['north-web', 'north-db'] as const).map((name): [string, Owner] => [name, north]),
  ['south-web', south],
  ['kube-system', 'platform'],
  ['operators', 'platform'],
]);
const world = {
  tenancy,
  ownerOf: (name: string) => owners.get(name),
  isPlatform: (name: string) => owners.get(name) === 'platform' && tenancy.reservation(name) === 'platform',
};
const uncovered = [{ group: 'cilium.io', resource: 'ciliumnetworkpolicies' }];
const rule = (group: string, resources: string, verbs: string, names: readonly string[] = []) => ({
  apiGroups: [group],
  resources: resources.split(' '),
  verbs: verbs.split(' '),
  resourceNames: names,
});

t.test('which rules lead around Bulkhead', async (t) => {
  const rbac = 'rbac.authorization.k8s.io';
  const rows: readonly (readonly [ReturnType<typeof rule>, readonly string[]])[] = [
    [rule('*', '*', '*'), ['right-everything']],
    [rule('*', '*', 'get list watch'), ['right-proxy', 'right-portforward', 'right-secrets']],
    [rule('', '*', 'create'), ['right-wildcard']],
    [rule('cilium.io', '*', 'update'), ['right-wildcard']],
    [rule('apps', '*', '*'), []],
    [rule('', 'pods/status', 'patch'), ['right-pod-status']],
    [rule('', '*/status', 'update'), ['right-pod-status', 'right-namespaces', 'right-nodes']],
    [rule('', 'nodes', 'get list patch'), ['right-nodes']],
    [rule('', 'nodes pods persistentvolumes', 'get list watch'), []],
    // A volume of the type hostPath, which no pod of a tenant may have.
    [rule('', 'persistentvolumes', 'create'), ['right-volumes']],
    [rule('', 'pods/status', 'get'), []],
    [rule('', 'pods/*', '*'), []],
    [rule('', 'pods', '*'), []],
    [rule(rbac, 'clusterroles', 'bind', ['edit']), ['right-bind']],
    [rule(rbac, 'roles rolebindings', 'create update'), []],
    [rule('', 'serviceaccounts/token', 'create'), ['right-impersonate']],
    [rule('certificates.k8s.io', 'certificatesigningrequests/approval', 'update'), ['right-impersonate']],
    [rule('apiregistration.k8s.io', 'apiservices', 'patch'), ['right-api-extensions']],
    [rule('', 'groups', 'impersonate'), ['right-impersonate']],
    [rule('authentication.k8s.io', 'users', 'impersonate:user-info'), ['right-impersonate']],
    [rule('', 'pods/portforward', 'get'), ['right-portforward']],
    [rule('', 'services/proxy', 'create'), ['right-proxy']],
    [rule('cilium.io', 'ciliumnetworkpolicies', 'create'), ['right-uncovered-policy']],
    [rule('networking.k8s.io', 'networkpolicies', '*'), []],
    [rule('admissionregistration.k8s.io', 'mutatingadmissionpolicies', 'patch'), ['right-webhook-configurations']],
    [rule('', 'namespaces', 'create get'), []],
    [rule('', 'namespaces/finalize', 'update'), ['right-namespaces']],
    [{ ...rule('', '', ''), resources: [] }, []],
  ];
  for (const [one, ids] of rows)
    t.same(
      hazardsOf([one], uncovered)
        .map(({ id }) => id)
        .sort(),
      [...ids].sort(),
      JSON.stringify(one),
    );
  t.same(rulesOf({ rules: [null, 7, { verbs: ['get', 7], resources: 'pods' }] }).at(-1)?.verbs, ['get']);
  t.equal(writes([rule('', 'pods/exec', 'get')]), true, 'exec can be sent as GET');
  t.equal(writes([rule('', 'pods/log pods', 'get list')]), false);
  t.equal(writes([rule('', 'namespaces', 'create')]), false, 'namespaces are in none');
  t.equal(writes([rule('authorization.k8s.io', 'selfsubjectaccessreviews', 'create')]), false);
  for (const [group, resources] of [
    ['apps', 'deployments'],
    ['cilium.io', 'ciliumnetworkpolicies'],
    ['projectcalico.org', 'networkpolicies'],
    ['security.istio.io', 'authorizationpolicies'],
    ['gateway.networking.k8s.io', '*'],
    ['argoproj.io', 'workflows'],
    ['bulkhead.dev', 'gaterequests'],
    ['crd.antrea.io', 'groups'],
    ['*', 'workflows'],
    ['certificates.k8s.io', 'certificatesigningrequests podcertificaterequests'],
  ] as const)
    t.equal(writes([rule(group, resources, 'create')]), true, `${resources} of ${group}`);
  for (const [group, resources] of [
    ['bulkhead.dev', 'tenants exemptions'],
    ['gateway.networking.k8s.io', 'gatewayclasses gatewayclasses/status'],
    ['apiextensions.k8s.io', '*'],
    ['*', 'nodes events'],
    ['storage.k8s.io', 'storageclasses'],
  ] as const)
    t.equal(writes([rule(group, resources, 'create')]), false, `${resources} of ${group}`);
  t.equal(writes([rule('cilium.io', 'ciliumnetworkpolicies', 'get list watch')]), false);
});

t.test('who stands behind a subject', async (t) => {
  for (const [kind, name, namespace, is, tenants] of [
    ['Group', 'system:masters', undefined, 'platform', []],
    ['User', 'system:kube-scheduler', undefined, 'platform', []],
    ['Group', 'north-team', undefined, 'tenant', ['north']],
    ['Group', 'North-Team', undefined, 'unlisted', []],
    ['User', 'north-team', undefined, 'unlisted', []],
    ['User', 'sue', undefined, 'tenant', ['south']],
    ['Group', 'system:authenticated', undefined, 'everybody', []],
    ['Group', 'system:serviceaccounts', undefined, 'everybody', []],
    ['User', 'system:anonymous', undefined, 'everybody', []],
    ['Group', 'system:serviceaccounts:south-web', undefined, 'tenant', ['south']],
    ['User', 'system:serviceaccount:south-web:ci', undefined, 'tenant', ['south']],
    ['ServiceAccount', 'ci', 'south-web', 'tenant', ['south']],
    ['ServiceAccount', 'system:masters', 'south-web', 'unlisted', []],
    ['ServiceAccount', 'cni', 'kube-system', 'platform', []],
    ['ServiceAccount', 'operator', 'operators', 'unlisted', []],
    ['ServiceAccount', 'gone', 'deleted', 'unlisted', []],
    // The platform runs it, and a tenant acts through it.
    ['ServiceAccount', 'deployer', 'kube-system', 'tenant', ['west']],
    ['User', 'system:serviceaccount:kube-system:deployer', undefined, 'tenant', ['west']],
  ] as const)
    t.match(whoIs({ kind, name, namespace }, world), { is, tenants }, `${kind} ${namespace ?? ''} ${name}`);
  for (const odd of [undefined, 7, {}, { kind: 'User' }]) t.equal(whoIs(odd, world), undefined);
});

const decoded = (namespace: string, name: string, object: object): DecodedObject => ({
  metadata: { namespace, name, uid: name, resourceVersion: '1' },
  object: object as DecodedObject['object'],
});
const binding = (namespace: string, name: string, kind: 'Role' | 'ClusterRole', role: string, subject: object) =>
  decoded(namespace, name, { roleRef: { kind, name: role }, subjects: [subject] });
const team = { kind: 'Group', name: 'north-team' };

function judged(...bindings: readonly DecodedObject[]) {
  const judge = createRightsJudge(world, uncovered);
  const edit = ['create', 'get', 'impersonate', 'patch'];
  judge.role(
    decoded('', 'edit', { rules: [rule('', 'pods pods/portforward pods/proxy serviceaccounts', edit.join(' '))] }),
  );
  judge.role(decoded('', 'view', { rules: [rule('', 'pods pods/log', 'get list watch')] }));
  judge.role(decoded('', 'admin', { rules: [rule('*', '*', '*')] }));
  judge.role(decoded('north-web', 'own', { rules: [rule('cilium.io', 'ciliumnetworkpolicies', 'create')] }));
  for (const one of bindings) judge.binding(one);
  return judge.judged();
}

t.test('what a member may do in its own namespace is not reported, and abroad it is', async (t) => {
  t.same(judged(binding('north-web', 'team', 'ClusterRole', 'edit', team)), []);
  t.same(judged(binding('north-web', 'team', 'ClusterRole', 'view', { kind: 'User', name: 'sue' })), []);
  const ids = (...bindings: readonly DecodedObject[]) =>
    judged(...bindings)
      .map(([id]) => id)
      .sort();
  const all = ['right-impersonate', 'right-portforward', 'right-proxy'];
  t.same(ids(binding('', 'team', 'ClusterRole', 'edit', team)), all);
  t.same(ids(binding('south-web', 'team', 'ClusterRole', 'edit', team)), [...all, 'right-in-foreign-namespace'].sort());
  t.same(
    ids(binding('kube-system', 'team', 'ClusterRole', 'edit', team)),
    [...all, 'right-in-foreign-namespace'].sort(),
  );
  t.same(ids(binding('north-web', 'own', 'Role', 'own', team)), ['right-uncovered-policy']);
  t.same(ids(binding('south-web', 'own', 'Role', 'own', team)), [], 'a Role counts in its own namespace alone');
  t.match(judged(binding('north-web', 'a', 'ClusterRole', 'admin', team)), [
    ['right-everything', { severity: 'warning' }],
  ]);
  t.same(judged(binding('', 'a', 'ClusterRole', 'admin', { kind: 'Group', name: 'system:masters' })), []);
  t.same(judged(binding('', 'a', 'ClusterRole', 'nothing', team), decoded('', 'b', {})), []);
});

t.test('a policy kind that Bulkhead judges counts abroad, as every kind does', async (t) => {
  const found = (namespace: string, subject: object, group: string, resources: string) => {
    const judge = createRightsJudge({ ...world, isPlatform: () => false }, []);
    judge.role(decoded('', 'writer', { rules: [rule(group, resources, '*')] }));
    judge.binding(binding(namespace, 'b', 'ClusterRole', 'writer', subject));
    return judge.judged().map(([id, { severity }]) => `${id} ${severity ?? ''}`.trim());
  };
  const abroad = 'right-in-foreign-namespace';
  const carol = { kind: 'User', name: 'carol' };
  for (const [group, resources] of [
    ['cilium.io', 'ciliumnetworkpolicies'],
    ['crd.projectcalico.org', 'networkpolicies'],
    ['security.istio.io', 'authorizationpolicies'],
    ['gateway.networking.k8s.io', '*'],
    ['argoproj.io', 'workflows'],
  ] as const) {
    t.same(found('north-db', team, group, resources), [], `${group}: in a namespace of its own tenant`);
    for (const namespace of ['south-web', 'kube-system', 'bulkhead-system'])
      t.same(found(namespace, team, group, resources), [abroad], `${group} in ${namespace}`);
    t.same(found('bulkhead-system', carol, group, resources), [abroad], `${group}: an account of no tenant`);
    t.same(found('', carol, group, resources), [`${abroad} warning`], `${group}: an account of no tenant, everywhere`);
    t.same(found('', { kind: 'Group', name: 'system:authenticated' }, group, resources), [abroad], group);
  }
});

t.test('a right to bind counts by the roles that it names, as its fix says', async (t) => {
  const rbac = 'rbac.authorization.k8s.io';
  const named = (namespace: string, verbs: string, ...names: readonly string[]) => {
    const judge = createRightsJudge(world, uncovered);
    judge.role(decoded('', 'view', { rules: [rule('', 'pods', 'get list')] }));
    judge.role(decoded('', 'edit', { rules: [rule('', 'pods pods/portforward', 'create get')] }));
    judge.role(decoded('', 'root', { rules: [rule('*', '*', '*')] }));
    judge.role(decoded('', 'granter', { rules: [rule(rbac, 'clusterroles', verbs, names)] }));
    judge.binding(binding(namespace, 'g', 'ClusterRole', 'granter', team));
    return judge.judged().map(([id]) => id);
  };
  t.same(named('', 'bind', 'view'), []);
  t.same(named('', 'bind', 'unknown'), [], 'and to make it takes escalate');
  t.same(named('', 'bind', 'view', 'edit'), ['right-bind'], 'edit, in every namespace');
  t.same(named('south-web', 'bind', 'edit'), ['right-bind'], 'edit, in a namespace of others');
  t.same(named('north-web', 'bind', 'edit'), [], 'edit in its own namespace is what members have');
  t.same(named('north-web', 'bind', 'edit', 'root'), ['right-bind']);
  t.same(named('', 'bind escalate', 'view'), ['right-bind']);
  const roles = hazardsOf([rule(rbac, 'roles clusterroles', 'bind', ['view'])], []);
  t.match(roles, [{ id: 'right-bind', binds: undefined }], 'a Role may have this name, too');
  t.same(named('', '*', 'view'), ['right-bind']);
  t.same(named('', 'bind'), ['right-bind']);
  const [any, one] = [rule(rbac, 'clusterroles', 'bind'), rule(rbac, 'clusterroles', 'bind', ['view'])];
  for (const rules of [
    [any, one],
    [one, any],
  ])
    t.equal(hazardsOf(rules, []).find(({ id }) => id === 'right-bind')?.binds, undefined, 'the wider rule counts');
  const both = hazardsOf([one, rule(rbac, 'clusterroles', 'bind', ['edit'])], []);
  t.match(both, [{ id: 'right-bind', binds: ['view', 'edit'] }], 'of two rules the names of both');
});

t.test('of a role in all namespaces the gravest finding is said', async (t) => {
  const abroad = 'right-in-foreign-namespace';
  const found = (subject: object, ...rules: readonly ReturnType<typeof rule>[]) => {
    const judge = createRightsJudge(world, uncovered);
    judge.role(decoded('', 'seen', { rules }));
    judge.binding(binding('', 'b', 'ClusterRole', 'seen', subject));
    return judge.judged().map(([id, { severity }]) => `${id} ${severity ?? ''}`.trim());
  };
  const writesPods = rule('', 'pods', 'create');
  const bindsView = rule('rbac.authorization.k8s.io', 'clusterroles', 'bind', ['view']);
  const carol = { kind: 'User', name: 'carol' };
  t.same(found(team, writesPods, bindsView), [abroad], 'what is harmless hides nothing');
  t.same(found(team, writesPods, rule('', 'pods/status', 'patch')), ['right-pod-status', abroad], 'nor does a warning');
  t.same(found(team, writesPods, rule('', 'secrets', 'get')), ['right-secrets']);
  t.same(found(carol, rule('apps', 'deployments', 'patch')), [`${abroad} warning`], 'that of Bulkhead is among them');
  t.same(found(carol, writesPods, bindsView), [`${abroad} warning`]);
  t.same(found(carol, writesPods, rule('', 'secrets', 'get')), ['right-secrets warning']);
  t.same(found(carol, rule('', 'events', 'create patch')), [], 'events change nothing');
});

t.test('what a tenant plants comes after what is graver', async (t) => {
  const judge = createRightsJudge(world, uncovered);
  for (let index = 0; index < 3; index++) {
    judge.role(decoded('', `r${index}`, { rules: [rule('', 'pods/portforward', 'create')] }));
    judge.binding(binding('north-web', 'b', 'ClusterRole', `r${index}`, { kind: 'User', name: 'carol' }));
  }
  judge.binding(binding('', 'b', 'ClusterRole', 'r0', team));
  t.same(
    judge.judged().map(([, { severity }]) => severity),
    [undefined, 'warning', 'warning', 'warning'],
    'of one id only the first are listed',
  );
});

t.test('100,000 RoleBindings of one tenant neither fill the memory nor hide those of others', async (t) => {
  const judge = createRightsJudge(world, uncovered);
  judge.role(decoded('', 'admin', { rules: [rule('*', '*', '*')] }));
  const before = process.memoryUsage().heapUsed;
  const began = Date.now();
  for (let index = 0; index < 100_000; index++) {
    judge.role(decoded('north-web', `r${index}`, { rules: [rule('*', '*', '*')] }));
    const subject = { kind: 'User', name: `${'x'.repeat(200)}${index}` };
    judge.binding(binding('north-web', `b${index}`, 'Role', `r${index}`, subject));
    judge.binding(binding('north-web', `c${index}`, 'Role', `r${index}`, team));
  }
  judge.binding(binding('', 'hidden', 'ClusterRole', 'admin', { kind: 'User', name: 'sue' }));
  const found = judge.judged();
  t.equal(found.length, 3, 'one for its own accounts, one for others, one for the hole');
  t.match(found, [
    ['right-everything', { where: 'User sue, by ClusterRoleBinding hidden' }],
    [/./, { where: /^100000 bindings, 5 of them: / }],
    [/./, { where: /^100000 bindings, 5 of them: / }],
  ]);
  const megabytes = (process.memoryUsage().heapUsed - before) / 2 ** 20;
  t.ok(megabytes < 150, `${Math.round(megabytes)} MB more, in ${Date.now() - began} ms`);
});
