/** Who works with the cluster of `npm run cluster`, with the rights that a platform gives such people. */
import type { ControlPlane, User } from '../apiserver/control-plane.ts';

export const people: readonly (User & { readonly is: string })[] = [
  { user: 'admin', groups: ['system:masters'], is: 'administrator of the cluster' },
  { user: 'paul', groups: ['platform-team'], is: 'of the platform team' },
  { user: 'alice', groups: ['acme-developers'], is: 'a member of tenant acme' },
  { user: 'bob', groups: ['beta-developers'], is: 'a member of tenant beta' },
  { user: 'dana', groups: ['delta-developers'], is: 'a member of tenant delta, which you may declare' },
];

const rbac = '/apis/rbac.authorization.k8s.io/v1';
const apiGroup = 'rbac.authorization.k8s.io';
const creator = 'example-namespace-creator';
const members = 'example-members';

/** Everybody creates namespaces, and the platform may do all. */
export async function grantRights(plane: ControlPlane): Promise<void> {
  await post(plane, `${rbac}/clusterroles`, {
    metadata: { name: creator },
    rules: [{ apiGroups: [''], resources: ['namespaces'], verbs: ['create', 'get', 'list'] }],
  });
  await bind(plane, `${rbac}/clusterrolebindings`, creator, creator, 'system:authenticated');
  await bind(plane, `${rbac}/clusterrolebindings`, 'example-platform', 'cluster-admin', 'platform-team');
}

/** In a namespace NAME-anything, whose name says whose it is to be, the group NAME-developers may edit. */
export async function grantMembers(plane: ControlPlane, namespace: string): Promise<void> {
  const [tenant, rest] = namespace.split('-');
  if (!people.some(({ groups = [] }) => groups.includes(`${tenant}-developers`)) || rest === undefined) return;
  await bind(plane, `${rbac}/namespaces/${namespace}/rolebindings`, members, 'edit', `${tenant}-developers`);
}

async function bind(plane: ControlPlane, path: string, name: string, role: string, group: string): Promise<void> {
  const roleRef = { kind: 'ClusterRole', name: role, apiGroup };
  await post(plane, path, { metadata: { name }, subjects: [{ kind: 'Group', name: group, apiGroup }], roleRef });
}

async function post(plane: ControlPlane, path: string, body: object): Promise<void> {
  const { status, text } = await plane.request('POST', path, body);
  // Somebody else may have made it, or the namespace may have gone.
  if (status !== 201 && status !== 409 && status !== 404) throw new Error(text);
}
