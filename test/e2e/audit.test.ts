/** What `audit` says of a cluster in use, and that it is what the baselines do. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Test } from 'tap';
import { runCommandLine } from '../../src/commands/command-line.ts';
import { clusterTest } from '../apiserver/cluster-test.ts';
import type { ControlPlane } from '../apiserver/control-plane.ts';
import { withoutControllers } from '../soak/crowd.ts';
import { eventually } from '../soak/observer.ts';
import { guard, installTenantResource } from './guarded-cluster.ts';

const config = 'manifests/examples/bulkhead.yaml';
const modes = { acme: 'audit', beta: 'warn', gamma: 'enforce' } as const;
type Modes = Readonly<Record<string, string>>;

await clusterTest(
  'audit says which pods of a cluster in use the baselines would cut off, and changes nothing',
  async (t, plane) => {
    const reader = await someoneWhoMayOnlyList(plane);
    const tenants = await tenantsIn(plane, 'staged', modes);
    const says = (from: string | undefined = tenants) => linesOf({ tenants: from, config, kubeconfig: reader });
    const nobody = await plane.kubeconfigFor({ user: 'nobody' });
    await t.rejects(linesOf({ tenants, config, kubeconfig: nobody }), {
      message: /^\/api\/v1\/namespaces cannot be listed: 403 .*"nobody" cannot list resource "namespaces"/,
    });

    t.same(await says(), [
      'No pod would be cut off: policies isolate every pod of the 0 namespaces with the label bulkhead.dev/tenant in both directions.',
      '',
      'No stored policy would be rejected today.',
    ]);
    await fill(t, plane);
    const told = [
      '',
      '2 stored policies would be rejected today. They stay in force; docs/checks says how to correct what each check finds.',
    ];
    const expected = [
      'NAMESPACE  TENANT  MODE     PODS  INGRESS  EGRESS  WHICH',
      'acme-shop  acme    audit    6     5        6       db, web-1, web-2 and 3 more',
      'beta-data  beta    warn     1     0        1       db',
      'gamma-job  gamma   enforce  1     1        1       job',
      'nobodys    ghost   unknown  1     1        1       lost',
      '',
      '4 of the 6 namespaces with the label bulkhead.dev/tenant. INGRESS, EGRESS: pods that no policy isolates in that direction today.',
      'In mode enforce the baseline isolates them. What it leaves open, beside what other policies open:',
      '  acme: bulkhead-allow-dns (egress), bulkhead-allow-ingress (ingress), bulkhead-allow-within (ingress and egress)',
      '  beta: bulkhead-allow-dns (egress), bulkhead-allow-ingress (ingress)',
      '  gamma: bulkhead-allow-dns (egress), bulkhead-allow-ingress (ingress), bulkhead-allow-within (ingress and egress)',
      '  ghost: bulkhead-allow-dns (egress), bulkhead-allow-ingress (ingress), bulkhead-allow-within (ingress and egress)',
      '',
      'NAMESPACE  TENANT  MODE   KIND           NAME  CHECK                 WHERE',
      'acme-shop  acme    audit  NetworkPolicy  db    cross-tenant-ingress  spec.ingress[0]',
      'beta-data  beta    warn   NetworkPolicy  all   cross-tenant-egress   spec.egress[0]',
      ...told,
    ];
    t.same(await says(), expected, 'by the tenants of files');
    await t.rejects(linesOf({ tenants: undefined, config, kubeconfig: reader }), {
      message: /^\/apis\/bulkhead\.dev\/v1alpha1\/tenants cannot be listed: 404 /,
    });
    await installTenantResource(plane);
    for (const name of ['acme', 'beta', 'gamma'] as const)
      await made(t, plane, '/apis/bulkhead.dev/v1alpha1/tenants', tenantOf(name, modes));
    t.same(await linesOf({ tenants: undefined, config, kubeconfig: reader }), expected, 'and by those of the cluster');

    const verbs = (await plane.auditEvents()).filter(({ user }) => user.username === 'rita').map(({ verb }) => verb);
    t.same([...new Set(verbs)], ['list'], 'it has done nothing but list');

    await t.test('and once they are in place, nothing is left to cut off', async (t) => {
      const all = { acme: 'enforce', beta: 'enforce', gamma: 'enforce', ghost: 'enforce' };
      const enforced = await tenantsIn(plane, 'enforced', all);
      const cluster = await guard(plane, enforced);
      t.teardown(() => cluster.stop());
      const nothing =
        'No pod would be cut off: policies isolate every pod of the 6 namespaces with the label bulkhead.dev/tenant in both directions.';
      await eventually('it says so', async () => (await says(enforced))[0] === nothing, 20);
      t.same(await says(enforced), [
        nothing,
        '',
        'NAMESPACE  TENANT  MODE     KIND           NAME  CHECK                 WHERE',
        'acme-shop  acme    enforce  NetworkPolicy  db    cross-tenant-ingress  spec.ingress[0]',
        'beta-data  beta    enforce  NetworkPolicy  all   cross-tenant-egress   spec.egress[0]',
        ...told,
      ]);
    });
  },
  withoutControllers,
);

async function linesOf(options: {
  readonly tenants: string | undefined;
  readonly config: string;
  readonly kubeconfig: string;
}): Promise<string[]> {
  const lines: string[] = [];
  const flags = Object.entries(options).flatMap(([flag, value]) => (value === undefined ? [] : [`--${flag}`, value]));
  await runCommandLine(['audit', ...flags], { print: (line) => lines.push(line), environment: {} });
  return lines;
}

function tenantOf(name: keyof Modes, to: Modes): object {
  const network = name === 'beta' ? { network: { within: 'none' } } : {};
  const spec = { mode: to[name], members: [{ kind: 'Group', name: `${name}-developers` }], ...network };
  return { apiVersion: 'bulkhead.dev/v1alpha1', kind: 'Tenant', metadata: { name }, spec };
}

async function tenantsIn(plane: ControlPlane, folder: string, to: Modes): Promise<string> {
  const path = join(plane.directory, folder);
  await mkdir(path);
  for (const name of Object.keys(to)) await writeFile(join(path, `${name}.yaml`), JSON.stringify(tenantOf(name, to)));
  return path;
}

/** Pods of every kind, before there is any Bulkhead. */
async function fill(t: Test, plane: ControlPlane): Promise<void> {
  const namespace = (name: string, tenant?: string) =>
    made(t, plane, '/api/v1/namespaces', {
      metadata: { name, labels: tenant === undefined ? {} : { 'bulkhead.dev/tenant': tenant } },
    });
  const pod = (home: string, name: string, app: string, spec: object = {}) =>
    made(t, plane, `/api/v1/namespaces/${home}/pods`, {
      metadata: { name, labels: { app } },
      spec: { containers: [{ name: 'main', image: 'example.org/main' }], ...spec },
    });
  const policy = (home: string, name: string, spec: object) =>
    made(t, plane, `/apis/networking.k8s.io/v1/namespaces/${home}/networkpolicies`, { metadata: { name }, spec });

  await namespace('acme-shop', 'acme');
  for (const name of ['web-1', 'web-2', 'web-3', 'web-4', 'web-5']) await pod('acme-shop', name, 'web');
  await pod('acme-shop', 'db', 'db');
  await policy('acme-shop', 'db', { podSelector: { matchLabels: { app: 'db' } }, ingress: [{}] });
  await pod('acme-shop', 'agent', 'web', { hostNetwork: true });
  await pod('acme-shop', 'done', 'web');
  const status = { status: { phase: 'Succeeded' } };
  const merge = { contentType: 'application/merge-patch+json' };
  const ended = await plane.request('PATCH', '/api/v1/namespaces/acme-shop/pods/done/status', status, merge);
  t.equal(ended.status, 200);

  await namespace('acme-empty', 'acme');
  await namespace('beta-data', 'beta');
  await pod('beta-data', 'db', 'db');
  // Some network plugins enforce these egress rules, so they are judged; others leave egress open, so the pods are not isolated (NP-21).
  await policy('beta-data', 'all', { podSelector: {}, policyTypes: ['Ingress'], egress: [{}] });
  // Of another namespace: it isolates nobody here.
  await namespace('beta-closed', 'beta');
  await policy('beta-closed', 'all', { podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
  await pod('beta-closed', 'db', 'db');
  await namespace('gamma-job', 'gamma');
  await pod('gamma-job', 'job', 'job');
  await namespace('nobodys', 'ghost');
  await pod('nobodys', 'lost', 'lost');
  await namespace('monitoring');
  await pod('monitoring', 'prometheus', 'prometheus');
}

async function made(t: Test, plane: ControlPlane, path: string, body: object): Promise<void> {
  const answer = await plane.request('POST', path, body);
  if (answer.status !== 201) t.fail(`${path}: ${JSON.stringify(answer.body)}`);
}

/** All that `audit` needs. */
async function someoneWhoMayOnlyList(plane: ControlPlane): Promise<string> {
  const api = '/apis/rbac.authorization.k8s.io/v1';
  const rules = [
    { apiGroups: [''], resources: ['namespaces', 'pods'], verbs: ['list'] },
    { apiGroups: ['networking.k8s.io'], resources: ['networkpolicies'], verbs: ['list'] },
    { apiGroups: ['bulkhead.dev'], resources: ['tenants'], verbs: ['list'] },
  ];
  await plane.request('POST', `${api}/clusterroles`, { metadata: { name: 'audit' }, rules });
  await plane.request('POST', `${api}/clusterrolebindings`, {
    metadata: { name: 'audit' },
    subjects: [{ kind: 'User', name: 'rita', apiGroup: 'rbac.authorization.k8s.io' }],
    roleRef: { kind: 'ClusterRole', name: 'audit', apiGroup: 'rbac.authorization.k8s.io' },
  });
  return plane.kubeconfigFor({ user: 'rita' });
}
