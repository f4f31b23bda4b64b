/** `doctor` finds nothing in a good installation, and each of many misconfigurations by its id, on a real API server. */
import type { Test } from 'tap';
import { findingKinds } from '../../src/doctor/checks.ts';
import type { AttackOutcome, TriedAttack } from '../../src/report/doctor-report.ts';
import { clusterTest } from '../apiserver/cluster-test.ts';
import type { ControlPlane } from '../apiserver/control-plane.ts';
import { attacks } from '../attacks/catalogue.ts';
import { withoutControllers } from '../soak/crowd.ts';
import { eventually } from '../soak/observer.ts';
import { seeds } from './doctor-seeds/seeds.ts';
import { admission, type DoctoredCluster, fromObjects, goodInstallation, rbac } from './doctored-cluster.ts';

/** Ids that no object of a cluster shows: test/doctor has them. */
const elsewhere = ['clock-skew'];
/** More than one page of a list. */
const many = 600;
const unprintable = /[\p{Cc}\p{Cf}]/u;

await clusterTest(
  'doctor finds nothing in a good installation, and each seeded misconfiguration by its id',
  async (t, plane) => {
    const cluster = await goodInstallation(t, plane);
    const good = await cluster.report();
    t.strictSame([good.findings, good.notLookedAt], [[], []], 'a good installation');
    t.match(await cluster.doctor(), { code: 0, text: /^Nothing found\.$/ });

    for (const { wrong, ids, make, settings, says } of seeds) {
      const undo = await make?.(cluster);
      const { findings, notLookedAt } = await cluster.report([], settings);
      t.strictSame([...new Set(findings.map(({ id }) => id))].sort(), [...ids].sort(), wrong, { findings });
      t.strictSame(notLookedAt, [], `${wrong}: everything was looked at`);
      if (says !== undefined) t.match(JSON.stringify(findings), says, wrong);
      for (const text of findings.flatMap(({ where, why, fix }) => [where, why, fix]))
        t.notMatch(text, unprintable, `${wrong}: nothing moves the cursor`);
      await undo?.();
    }
    const found = new Set([...elsewhere, ...seeds.flatMap(({ ids }) => ids)]);
    t.strictSame(
      [...findingKinds().keys()].filter((id) => !found.has(id)),
      [],
      'every id is seeded',
    );
    t.ok(seeds.length >= 20, `${seeds.length} misconfigurations`);
    t.strictSame((await cluster.report()).findings, [], 'and in the end all is well again');
    await t.test('a tenant with many RoleBindings hides nothing', (t) => findsBehindMany(t, cluster));
    await t.test('tenants as objects', (t) => readsObjects(t, cluster));
    await t.test('the self-test', (t) => triesAttacks(t, cluster));
    await t.test('what the caller may not read', (t) => saysWhatItDidNotLookAt(t, cluster));
  },
  withoutControllers,
);

async function triesAttacks(t: Test, cluster: DoctoredCluster): Promise<void> {
  const { plane } = cluster;
  const flags = ['--self-test', '--as', 'alice', '--as-group', 'acme-developers', '--namespace', 'acme-web'];
  const before = await stored(plane);
  await attacksOnce(cluster, flags, 'NP-01', 'refused');
  const { selfTest, hasFindings } = await cluster.report(flags);
  t.equal(hasFindings, false);
  t.strictSame(
    selfTest?.attacks.map(({ id, outcome }) => `${id} ${outcome}`),
    ['NP-01', 'NP-06', 'NP-07', 'NP-21', 'NP-12', 'POD-05', 'POD-06', 'POD-07', 'POD-09', 'POD-24'].map(
      (id) => `${id} refused`,
    ),
  );
  t.ok(
    selfTest?.attacks.every(({ id }) => Object.hasOwn(attacks, id)),
    'each is in the catalogue of attacks',
  );
  t.match(await cluster.doctor(flags), {
    code: 0,
    text: /\n10 of 10 attacks were refused by Bulkhead\.\n\nNothing found\.$/,
  });
  t.equal(await stored(plane), before, 'nothing was written');

  // What can be narrowed is narrowed in a tenant with soft isolation, and not refused.
  const soft = ['--as', 'greta', '--as-group', 'gamma-developers', '--namespace', 'gamma-jobs'];
  const everything = { apiGroups: ['', 'networking.k8s.io'], resources: ['pods', 'networkpolicies'], verbs: ['*'] };
  const allowed = await cluster.granted(everything, { kind: 'Group', name: 'gamma-developers' }, 'gamma-jobs');
  const admin = ['--kubeconfig', plane.adminKubeconfig];
  const inSoft = await attacksOnce(cluster, ['--self-test', ...soft, ...admin], 'NP-01', 'refused');
  t.strictSame(
    inSoft.map(({ outcome }) => outcome),
    Array(10).fill('refused'),
  );
  await allowed();
  const account = ['--as', 'system:serviceaccount:acme-web:ci', '--namespace', 'acme-web'];
  t.match((await cluster.report(['--self-test', ...account, ...admin])).selfTest, {
    tenant: 'acme',
    attacks: [{ outcome: 'untried', answer: /User "system:serviceaccount:acme-web:ci" cannot create/ }],
  });

  const revoked = `${rbac}/namespaces/acme-web/rolebindings/members`;
  const again = await cluster.removed(revoked);
  const unbound = await attacksOnce(cluster, flags, 'NP-01', 'untried');
  t.strictSame(
    unbound.map(({ outcome }) => outcome),
    Array(10).fill('untried'),
    'what RBAC refuses says nothing about Bulkhead',
  );
  t.match(unbound[0]?.answer, /something else answered: 403 .*User "alice" cannot create/);
  t.equal((await cluster.report(flags)).hasFindings, true);
  await again();

  const ignored = await cluster.changed(
    `${admission}/validatingwebhookconfigurations/bulkhead`,
    ({ webhooks }: { webhooks: { rules: unknown[] }[] }) => {
      for (const webhook of webhooks) webhook.rules = webhook.rules.slice(-1);
    },
  );
  await attacksOnce(cluster, flags, 'NP-01', 'admitted');
  t.match(await cluster.doctor(flags), { code: 1, text: /NP-01 {2}ADMITTED: a policy lets in everybody/ });
  await ignored();

  for (const [given, message] of [
    [['--as', 'bob', '--as-group', 'beta-developers', '--namespace', 'acme-web'], /bob is no member of tenant acme/],
    [['--as', 'paul', '--as-group', 'platform-team', '--namespace', 'acme-web'], /paul is the platform/],
    [['--as', 'alice', '--namespace', 'kube-system'], /kube-system belongs to no tenant/],
    [['--as', 'alice', '--namespace', 'nowhere'], /there is no namespace nowhere/],
  ] as const)
    await t.rejects(cluster.doctor(['--self-test', ...given]), { message });
}

/** RBAC and webhook configurations are followed a moment later: the attacks, once one of them has this outcome. */
async function attacksOnce(cluster: DoctoredCluster, flags: readonly string[], one: string, outcome: AttackOutcome) {
  let tried: readonly TriedAttack[] = [];
  await eventually(`${one} is ${outcome}`, async () => {
    tried = (await cluster.report(flags)).selfTest?.attacks ?? [];
    return tried.some((attack) => attack.id === one && attack.outcome === outcome);
  });
  return tried;
}

/** Everything in the namespace, with its versions. */
async function stored(plane: ControlPlane): Promise<string> {
  const paths = ['/apis/networking.k8s.io/v1/namespaces/acme-web/networkpolicies', '/api/v1/namespaces/acme-web/pods'];
  const answers = await Promise.all(paths.map((path) => plane.request('GET', path)));
  return answers.map(({ body }) => JSON.stringify((body as { items: unknown }).items)).join();
}

async function saysWhatItDidNotLookAt(t: Test, cluster: DoctoredCluster): Promise<void> {
  const role = `${rbac}/clusterroles/bulkhead-doctor`;
  const undo = await cluster.changed(role, (object: { rules: { resources: string[] }[] }) => {
    for (const rule of object.rules)
      rule.resources = rule.resources.filter((one) => !['rolebindings', 'nodes', 'pods'].includes(one));
  });
  await eventually('RBAC goes by it', async () => (await cluster.report()).notLookedAt.length > 3);
  const { findings, notLookedAt, hasFindings } = await cluster.report();
  t.strictSame(findings, []);
  t.equal(hasFindings, true, 'what was not looked at is not well');
  const parts = notLookedAt.map(({ what, why }) => `${what}: ${why}`).join('\n');
  for (const part of [/^rights: .*rolebindings cannot be listed: 403/m, /^network plugin: .*nodes/m, /^DNS: .*pods/m])
    t.match(parts, part);
  t.match(await cluster.doctor(), {
    code: 1,
    text: /^not looked at: address ranges: \/api\/v1\/nodes cannot be listed/m,
  });
  await undo();
  const nobody = await cluster.plane.kubeconfigFor({ user: 'nobody' });
  await t.rejects(cluster.doctor(['--kubeconfig', nobody]), { message: /namespaces cannot be listed: 403/ });
}

async function findsBehindMany(t: Test, cluster: DoctoredCluster): Promise<void> {
  const { plane } = cluster;
  const roleRef = { kind: 'Role', name: 'member', apiGroup: 'rbac.authorization.k8s.io' };
  const subjects = [{ kind: 'Group', name: 'system:authenticated', apiGroup: 'rbac.authorization.k8s.io' }];
  const path = `${rbac}/namespaces/acme-web/rolebindings`;
  const at = (index: number) => plane.request('POST', path, { metadata: { name: `m${index}` }, subjects, roleRef });
  for (let begun = 0; begun < many; begun += 50)
    await Promise.all(Array.from({ length: 50 }, (_, index) => at(begun + index)));
  const undo = await cluster.granted(
    { apiGroups: [''], resources: ['configmaps'], verbs: ['create'] },
    { kind: 'Group', name: 'acme-developers' },
    'beta-data',
  );
  const { findings } = await cluster.report();
  const abroad = findings.filter(({ id }) => id === 'right-in-foreign-namespace').map(({ where }) => where);
  t.match(abroad.sort(), [
    /^600 bindings, 5 of them: Group system:authenticated, by RoleBinding acme-web\/m/,
    'Group acme-developers, by RoleBinding beta-data/seeded',
  ]);
  await undo();
  await plane.request('DELETE', `${path}?fieldSelector=metadata.name!=members`);
}

async function readsObjects(t: Test, cluster: DoctoredCluster): Promise<void> {
  const { plane } = cluster;
  t.match(await cluster.report([fromObjects]), {
    findings: [{ id: 'namespace-doubtful' }, { id: 'namespace-doubtful' }],
  });
  const apply = ['apply', '-f', 'manifests/overlays/example/tenants'];
  t.match(await plane.kubectl(plane.adminKubeconfig, apply), { code: 0 });
  t.strictSame((await cluster.report([fromObjects])).findings, [], 'with the Tenants all is well');
}
