/** NetworkPolicies and NetworkSets of Calico, in both of its groups, with Calico's own schema on a real API server and kubectl. */
import type { Test } from 'tap';
import { stringify } from 'yaml';
import type { Output } from '../apiserver/control-plane.ts';
import { networkKindsTest } from '../apiserver/stored-definitions.ts';
import { type GuardedCluster, guard } from './guarded-cluster.ts';

const label = 'bulkhead.dev/tenant';
const namespace = 'acme-web';

await networkKindsTest('a NetworkPolicy of Calico is judged in both groups', async (t, plane) => {
  const cluster = await guard(plane);
  t.teardown(() => cluster.stop());
  const made = await cluster.kubectl('alice', ['create', 'namespace', namespace]);
  t.equal(made.code, 0, made.stderr);
  for (const apiVersion of ['projectcalico.org/v3', 'crd.projectcalico.org/v1']) {
    await t.test(apiVersion, (t) => liveOf(t, cluster, apiVersion));
    await t.test(`a staged policy of ${apiVersion}`, (t) => stagedOf(t, cluster, apiVersion));
    await t.test(`a NetworkSet of ${apiVersion}`, (t) => setsOf(t, cluster, apiVersion));
  }
  await t.test('soft isolation narrows', async (t) => {
    const gina = await plane.kubeconfigFor({ user: 'gina', groups: ['gamma-developers'] });
    const kubectl = (words: readonly string[], object?: object): Promise<Output> =>
      plane.kubectl(gina, words, object === undefined ? {} : { stdin: JSON.stringify(object) });
    t.match(await kubectl(['create', 'namespace', 'gamma-lab']), { code: 0 });
    for (const apiVersion of ['projectcalico.org/v3', 'crd.projectcalico.org/v1']) {
      const wide = policy(apiVersion, 'wide', { namespaceSelector: 'has(team) || has(x)' }, 'gamma-lab');
      const written = await kubectl(['apply', '-f', '-'], wide);
      t.match(written, { code: 0 });
      const field = 'spec.ingress[0].source.namespaceSelector';
      t.ok(written.stderr.includes(`Warning: narrowed: ${label} == "gamma" was added to ${field}`), written.stderr);
      const path = `/apis/${apiVersion}/namespaces/gamma-lab/networkpolicies/wide`;
      t.match((await plane.request('GET', path)).body, {
        spec: { ingress: [{ source: { namespaceSelector: `(has(team) || has(x)) && ${label} == "gamma"` } }] },
      });
      const outside = policy(apiVersion, 'outside', { namespaceSelector: 'global()' }, 'gamma-lab');
      t.match(await kubectl(['apply', '-f', '-'], outside), { code: 1, stderr: /in no namespace/ });
    }
  });
  await t.test('what Calico itself would have refused is refused in the group that it does not look at', async (t) => {
    const forged = policy('crd.projectcalico.org/v1', 'forged', {
      serviceAccounts: { names: ["a' } || all() || x in {'b"] },
      namespaceSelector: 'all()',
    });
    t.match(await apply(cluster, forged), { code: 1, stderr: /is not a name of a ServiceAccount/ });
    const dropped = policy('crd.projectcalico.org/v1', 'dropped', { nets: ['010.0.0.0/8'] });
    t.match(await apply(cluster, dropped), { code: 1, stderr: /source.nets\[0\]/ });
    const ports = policy('crd.projectcalico.org/v1', 'ports', { selector: 'all()', ports: ['1:2:3'] });
    t.match(await apply(cluster, ports), { code: 1, stderr: /source.ports\[0\]/ });
    const torn = policy('crd.projectcalico.org/v1', 'torn', {
      namespaceSelector: `has(\n${label}) && ${label} == "acme"`,
    });
    t.match(await apply(cluster, torn), { code: 1, stderr: /is not a selector of Calico/ });
    const own = { selector: 'all()' };
    const inPlace = policy('crd.projectcalico.org/v1', 'knp.default.bulkhead-default-deny', own);
    t.match(await apply(cluster, inPlace), { code: 1, stderr: /metadata\.name\n.*whose place it would take/ });
  });
});

function policy(apiVersion: string, name: string, source: unknown, inside = namespace): object {
  return {
    apiVersion,
    kind: 'NetworkPolicy',
    metadata: { name, namespace: inside },
    spec: { selector: 'all()', types: ['Ingress'], ingress: [{ action: 'Allow', source }] },
  };
}

function apply(cluster: GuardedCluster, object: object, ...more: readonly string[]): Promise<Output> {
  return cluster.kubectl('alice', ['apply', ...more, '-f', '-'], stringify(object));
}

async function stagedOf(t: Test, cluster: GuardedCluster, apiVersion: string): Promise<void> {
  const wide = { ...policy(apiVersion, 'later', { namespaceSelector: 'all()' }), kind: 'StagedNetworkPolicy' };
  const written = await apply(cluster, wide);
  t.match(written, { code: 0 }, 'it opens nothing yet');
  t.match(written.stderr, /Warning: cross-tenant-ingress: .*namespaceSelector when enforced: matches namespaces/);
  t.match(written.stderr, /Warning: cross-tenant-ingress: fix: add bulkhead\.dev\/tenant == "acme"/);
  const unread = { ...policy(apiVersion, 'unread', { selector: 'a=' }), kind: 'StagedNetworkPolicy' };
  t.match(await apply(cluster, unread), { code: 1, stderr: /is not a selector of Calico/ });
  const ofKubernetes = {
    ...{ apiVersion, kind: 'StagedKubernetesNetworkPolicy', metadata: { name: 'later', namespace } },
    spec: { stagedAction: 'Set', podSelector: {}, ingress: [{ from: [{ namespaceSelector: {} }] }] },
  };
  const admitted = await apply(cluster, ofKubernetes);
  t.match(admitted, { code: 0, stderr: /Warning: cross-tenant-ingress: .*namespaceSelector when enforced: matches/ });
  const removed = { ...wide, metadata: { name: 'gone', namespace }, spec: { stagedAction: 'Delete' } };
  t.match(await apply(cluster, removed), { code: 0, stderr: '' }, 'what is to be deleted opens nothing');
  const enforced = await apply(cluster, { ...wide, kind: 'NetworkPolicy' });
  t.match(enforced, { code: 1, stderr: /source\.namespaceSelector/ }, 'what it becomes is refused');

  const [, fix = ''] = /fix: add (.*) to its namespaceSelector/.exec(written.stderr) ?? [];
  const inside = { namespaceSelector: fix };
  const mended = { ...policy(apiVersion, 'later', inside), kind: 'StagedNetworkPolicy' };
  t.match(await apply(cluster, mended), { code: 0, stderr: '' }, 'with its fix there is no warning');
  t.match(await apply(cluster, { ...mended, kind: 'NetworkPolicy' }), { code: 0, stderr: '' }, 'nor a refusal');
  const mendedOfKubernetes = {
    ...ofKubernetes,
    spec: { ...ofKubernetes.spec, ingress: [{ from: [{ namespaceSelector: { matchLabels: { [label]: 'acme' } } }] }] },
  };
  t.match(await apply(cluster, mendedOfKubernetes), { code: 0, stderr: '' }, 'as that of Kubernetes');

  const group = apiVersion.split('/')[0];
  const serverSide = ['--server-side', '--force-conflicts'];
  for (const [plural, one, unread, path] of [
    ['stagednetworkpolicies', wide, { ingress: [{ action: 'Allow', source: { selector: 'a=' } }] }, /source\.selector/],
    ['stagedkubernetesnetworkpolicies', ofKubernetes, { podSelector: { matchLabels: { 'a b': 'x' } } }, /podSelector/],
  ] as const) {
    const resource = `${plural}.${group}`;
    const asks = ['-n', namespace, resource, 'later'];
    const patch = (spec: object) =>
      cluster.kubectl('alice', ['patch', ...asks, '--type=merge', '-p', JSON.stringify({ spec })]);
    t.match(await patch(unread), { code: 1, stderr: path }, `${plural}: an update that cannot be read is refused`);
    const again = await apply(cluster, one, ...serverSide);
    t.match(again, { code: 0, stderr: /Warning: cross-tenant-ingress: .*when enforced: / }, 'server-side apply warns');
    const moved = await cluster.kubectl('alice', ['label', ...asks, `${label}=beta`, '--overwrite']);
    t.match(moved, { code: 1, stderr: /policy-tenant-label/ }, `${plural}: the label of the tenant stays`);
    const noted = await cluster.kubectl('alice', ['label', ...asks, 'note=read']);
    t.match(noted, { code: 0 }, `${plural}: another label is written`);
    t.match(await cluster.kubectl('alice', ['delete', ...asks]), { code: 0 }, `${plural}: it can be deleted`);
  }
  const live = `networkpolicies.${group}`;
  t.match(await cluster.kubectl('alice', ['delete', '-n', namespace, live, 'later']), { code: 0 });
}

async function setsOf(t: Test, cluster: GuardedCluster, apiVersion: string): Promise<void> {
  const set = (nets: readonly string[], metadata: object = {}) => ({
    ...{ apiVersion, kind: 'NetworkSet', metadata: { name: 'partner', namespace, ...metadata } },
    spec: { nets },
  });
  t.match(await apply(cluster, set([])), { code: 0 }, 'a set of no addresses is admitted');
  const everyone = await apply(cluster, set(['0.0.0.0/0']));
  t.match(everyone, { code: 1, stderr: /spec\.nets/ }, 'everybody is not granted');
  const [, granted = ''] = /granted: (203\.0\.113\.[\d./]+)/.exec(everyone.stderr) ?? [];
  t.match(await apply(cluster, set([granted])), { code: 0, stderr: '' }, everyone.stderr);
  const serverSide = ['--server-side', '--force-conflicts'];
  t.match(await apply(cluster, set(['203.0.113.0/24']), ...serverSide), { code: 0 }, 'by server-side apply, too');
  const wider = await apply(cluster, set(['203.0.113.0/24', '10.96.0.0/12']), ...serverSide);
  t.match(wider, { code: 1, stderr: /spec\.nets/ }, 'which is judged');
  const forged = { [`pcns.${label}`]: 'beta' };
  t.match(await apply(cluster, set([], { labels: forged })), { code: 1, stderr: /pods of another namespace/ });
  const annotations = { 'projectcalico.org/metadata': JSON.stringify({ labels: forged }) };
  t.match(await apply(cluster, set([], { annotations })), { code: 1, stderr: /pods of another namespace/ });
  const capital = { 'projectcalico.org/metadata': JSON.stringify({ LABELS: forged }) };
  t.match(await apply(cluster, set([], { annotations: capital })), { code: 1, stderr: /as Calico writes it/ });
  const resource = `networksets.${apiVersion.split('/')[0]}`;
  const written = await cluster.kubectl('alice', ['label', resource, 'partner', '-n', namespace, `pcns.${label}=beta`]);
  t.match(written, { code: 1, stderr: /pods of another namespace/ }, 'nor is the label written later');
  const asks = ['-n', namespace, resource, 'partner'];
  const more = JSON.stringify([{ op: 'add', path: '/spec/nets/-', value: '0.0.0.0/0' }]);
  const patched = await cluster.kubectl('alice', ['patch', ...asks, '--type=json', '-p', more]);
  t.match(patched, { code: 1, stderr: /spec\.nets/ }, 'nor are nets added');
  const moved = await cluster.kubectl('alice', ['label', ...asks, `${label}=beta`, '--overwrite']);
  t.match(moved, { code: 1, stderr: /policy-tenant-label/ }, 'the label of the tenant stays');
  t.match(await cluster.kubectl('alice', ['label', ...asks, 'partner=bank']), { code: 0 }, 'others are written');
  t.match(await cluster.kubectl('alice', ['delete', ...asks]), { code: 0 }, 'it can be deleted');
}

async function liveOf(t: Test, cluster: GuardedCluster, apiVersion: string): Promise<void> {
  const resource = `networkpolicies.${apiVersion.split('/')[0]}`;
  const own = policy(apiVersion, 'web', { selector: 'app == "web"' });
  t.match(await apply(cluster, own), { code: 0 }, 'inside the namespace it is admitted');
  const shown = await cluster.kubectl('alice', ['get', resource, 'web', '-n', namespace, '-o', 'json']);
  t.equal(JSON.parse(shown.stdout).metadata.labels[label], 'acme', 'and labelled');

  const first = policy(apiVersion, 'platform.first', { selector: 'app == "web"' }) as { spec: object };
  const tiered = { ...first, spec: { ...first.spec, tier: 'platform' } };
  t.match(await apply(cluster, tiered), { code: 1, stderr: /spec\.tier\n/ }, 'a tier of the platform is refused');

  const wide = await apply(cluster, policy(apiVersion, 'wide', { namespaceSelector: 'has(team)' }));
  t.match(wide, { code: 1 }, 'of every namespace it is refused');
  t.match(wide.stderr, /spec\.ingress\[0\]\.source\.namespaceSelector/);
  t.match(wide.stderr, /for example a namespace with the labels bulkhead\.dev\/tenant=not-acme, team=any/);
  const [, fix = ''] = /fix: add (.*) to its namespaceSelector with &&/.exec(wide.stderr) ?? [];
  t.equal(fix, `${label} == "acme"`);
  t.match(
    await apply(cluster, policy(apiVersion, 'wide', { namespaceSelector: `has(team) && ${fix}` })),
    { code: 0 },
    'with its fix it is admitted',
  );

  t.match(
    await apply(cluster, policy(apiVersion, 'web', {})),
    { code: 1, stderr: /lists no peers/ },
    'an update is judged',
  );
  t.match(
    await apply(cluster, policy(apiVersion, 'side', { namespaceSelector: '!all()' }), '--server-side'),
    { code: 1, stderr: /in no namespace/ },
    'so is server-side apply',
  );
  t.match(
    await cluster.kubectl('alice', ['label', resource, 'web', '-n', namespace, `${label}=beta`, '--overwrite']),
    { code: 1, stderr: /policy-tenant-label/ },
    'the label of the tenant stays',
  );
  t.match(
    await cluster.kubectl('alice', ['delete', resource, 'web', 'wide', '-n', namespace]),
    { code: 0 },
    'it can be deleted',
  );
}
