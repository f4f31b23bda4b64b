/**
 * The border in ClusterNetworkPolicies, with the real definition on a real API server, and with the rights of the manifests alone: put in
 * place, healed, changed with gates and services, split, kept back, and removed.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { parse, parseAllDocuments } from 'yaml';
import type { ClusterPolicy } from '../../src/baseline/cluster-policy.ts';
import { clusterTest } from '../apiserver/cluster-test.ts';
import { clusterPolicyDefinitions, installDefinitions } from '../apiserver/network-definitions.ts';
import { eventually } from '../soak/observer.ts';
import { applyConfigurations, installTenantResource, people, startBulkhead } from './guarded-cluster.ts';

const account = 'system:serviceaccount:bulkhead-system:bulkhead';
const path = '/apis/policy.networking.k8s.io/v1alpha2/clusternetworkpolicies';
const tenantsPath = '/apis/bulkhead.dev/v1alpha1/tenants';
const mergePatch = 'application/merge-patch+json';

type Stored = ClusterPolicy & { metadata: { uid: string; resourceVersion: string } };

await clusterTest('the border in ClusterNetworkPolicies', async (t, plane) => {
  const admin = (...words: string[]) => plane.kubectl(plane.adminKubeconfig, words);
  const apply = async (object: object) => {
    const { code, stderr } = await plane.kubectl(plane.adminKubeconfig, ['apply', '-f', '-'], {
      stdin: JSON.stringify(object),
    });
    if (code !== 0) throw new Error(stderr);
  };
  const patch = (of: string, body: object) => plane.request('PATCH', of, body, { contentType: mergePatch });
  const policies = async (): Promise<readonly Stored[]> => {
    const { body } = await plane.request('GET', path);
    return (body as { items?: Stored[] }).items ?? [];
  };
  const named = async (prefix: string) =>
    (await policies())
      .map(({ metadata }) => metadata.name)
      .filter((name) => name.startsWith(prefix))
      .sort();
  const one = async (name: string) => (await policies()).find(({ metadata }) => metadata.name === name);
  const condition = async (tenant: string) => {
    const { body } = await plane.request('GET', `${tenantsPath}/${tenant}`);
    const { status } = body as { status?: { conditions?: { type: string; status: string; reason: string }[] } };
    const found = status?.conditions?.find(({ type }) => type === 'BorderInNetwork');
    return found && `${found.status} ${found.reason}`;
  };
  const has = (what: string, tenant: string, says: string | undefined) =>
    eventually(what, async () => (await condition(tenant)) === says, 30);

  for (const name of ['bulkhead-system', 'acme-web'])
    await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  await installTenantResource(plane);
  await apply({
    apiVersion: 'v1',
    kind: 'List',
    items: await Promise.all(
      ['acme', 'beta', 'gamma'].map(async (name) =>
        parse(await readFile(`manifests/overlays/example/tenants/${name}.yaml`, 'utf8')),
      ),
    ),
  });
  for (const file of ['base', 'components/cluster-policy'])
    t.match(await admin('apply', '-f', `manifests/${file}/access.yaml`), { code: 0 });
  const config = `${plane.directory}/settings.json`;
  const settings = parse(await readFile('manifests/overlays/example/bulkhead.yaml', 'utf8'));
  const configure = async (network: object, sharedServices = settings.spec.sharedServices) => {
    const spec = { ...settings.spec, sharedServices, network: { ...settings.spec.network, ...network } };
    await writeFile(config, JSON.stringify({ ...settings, spec }));
  };
  await configure({ clusterPolicy: true });
  const kubeconfig = await plane.kubeconfigFor({ user: account });
  const start = async (file = config) => {
    const running = await startBulkhead(plane, kubeconfig, { tenants: undefined, config: file });
    t.teardown(() => running.stop());
    return running;
  };
  const running = await start();
  const metric = async (name: string) => {
    const text = await (await fetch(`http://127.0.0.1:${running.ports.metrics}/metrics`)).text();
    return Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`bulkhead_${name} `))
        ?.split(' ')[1],
    );
  };
  await applyConfigurations(plane, running.ports.webhook, `${plane.directory}/certificates/ca.crt`);

  await t.test('without the definition, the status and an Event say so', async (t) => {
    await has('acme says that the kind is missing', 'acme', 'False NotServed');
    t.equal(await metric('border_tenants{state="NotServed"}'), 3);
    const events = await admin('get', 'events', '-n', 'bulkhead-system', '-o', 'jsonpath={.items[*].message}');
    t.match(events.stdout, /network\.clusterPolicy has no effect: the API server does not serve ClusterNetworkPolicy/);
  });

  await installDefinitions(plane, await clusterPolicyDefinitions());

  await t.test('put in place, what passes first', async (t) => {
    await has('the border of acme is in place', 'acme', 'True InPlace');
    const acme = ['bulkhead-acme.deny', 'bulkhead-acme.gate.beta', 'bulkhead-acme.service.dns'];
    t.strictSame(
      (await named('bulkhead-acme.')).filter((name) => !name.includes('.service.') || name.endsWith('dns')),
      [...acme, 'bulkhead-acme.within'],
    );
    const all = await policies();
    for (const tenant of ['acme', 'beta', 'gamma']) {
      const own = all.filter(({ metadata }) => metadata.name.startsWith(`bulkhead-${tenant}.`));
      const [deny] = own.filter(({ metadata }) => metadata.name.endsWith('.deny'));
      const last = Math.max(
        ...own.filter((one) => one !== deny).map(({ metadata }) => Number(metadata.resourceVersion)),
      );
      t.ok(Number(deny?.metadata.resourceVersion) > last, `${tenant} denies once everything passes`);
      t.ok(own.every(({ spec }) => spec.priority === (spec === deny?.spec ? 99 : 98)));
    }
    t.match(await one('bulkhead-acme.gate.beta'), {
      metadata: { labels: { 'app.kubernetes.io/managed-by': 'bulkhead', 'bulkhead.dev/tenant': 'acme' } },
      spec: {
        tier: 'Admin',
        subject: { namespaces: { matchLabels: { 'bulkhead.dev/tenant': 'acme' } } },
        egress: [{ action: 'Pass', protocols: [{ tcp: { destinationPort: { number: 5432 } } }] }],
      },
    });
  });

  await t.test('deleted or changed, it is put back', async (t) => {
    const before = await one('bulkhead-acme.deny');
    await plane.request('DELETE', `${path}/bulkhead-acme.deny`);
    await eventually('it is there again', async () => {
      const now = await one('bulkhead-acme.deny');
      return now !== undefined && now.metadata.uid !== before?.metadata.uid;
    });
    const drifts: readonly (readonly [says: string, patch: object])[] = [
      ['another priority', { spec: { priority: 1 } }],
      ['other rules', { spec: { ingress: [{ action: 'Accept', from: [{ namespaces: {} }] }] } }],
      ['another subject', { spec: { subject: { namespaces: { matchLabels: { a: 'b' } } } } }],
      ['without its label', { metadata: { labels: { 'app.kubernetes.io/managed-by': null } } }],
      [
        'with an owner',
        { metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'Namespace', name: 'x', uid: 'y' }] } },
      ],
    ];
    for (const [says, change] of drifts) {
      t.match(await patch(`${path}/bulkhead-beta.within`, change), { status: 200 });
      await eventually(`${says} is undone`, async () => {
        const now = await one('bulkhead-beta.within');
        const labels = now?.metadata.labels['app.kubernetes.io/managed-by'];
        const owners = (now?.metadata as { ownerReferences?: unknown } | undefined)?.ownerReferences;
        return (
          now?.spec.priority === 98 &&
          now.spec.ingress?.[0]?.action === 'Pass' &&
          now.spec.subject.namespaces.matchLabels?.['bulkhead.dev/tenant'] === 'beta' &&
          labels === 'bulkhead' &&
          owners === undefined
        );
      });
      t.pass(`${says} is undone`);
    }
    const healed = await metric('border_objects_total{result="healed"}');
    t.ok(healed >= 5, `${healed} were healed`);
    t.ok((await metric('border_conflicting_objects')) > 0, 'and the metric shows the conflict');
  });

  await t.test('a tenant cannot write one, with the name and label of a border or without', async (t) => {
    await apply({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'too-much' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'Group', name: 'acme-developers', apiGroup: 'rbac.authorization.k8s.io' }],
    });
    const alice = await plane.kubeconfigFor(people.alice);
    const open = {
      tier: 'Admin',
      priority: 0,
      subject: { namespaces: {} },
      ingress: [{ action: 'Accept', from: [{ namespaces: {} }] }],
    };
    for (const [name, labels] of [
      ['open', {}],
      ['bulkhead-acme.gate.gamma', { 'app.kubernetes.io/managed-by': 'bulkhead', 'bulkhead.dev/tenant': 'acme' }],
    ] as const) {
      const object = {
        apiVersion: 'policy.networking.k8s.io/v1alpha2',
        kind: 'ClusterNetworkPolicy',
        metadata: { name, labels },
        spec: open,
      };
      const { stderr } = await plane.kubectl(alice, ['create', '-f', '-'], { stdin: JSON.stringify(object) });
      t.match(stderr, /denied the request: [\s\S]*platform-kinds/, `${name} is refused`);
    }
    const words = [
      'patch',
      'clusternetworkpolicies.policy.networking.k8s.io',
      'bulkhead-acme.deny',
      '--type=merge',
      '-p',
      '{"spec":{"priority":999}}',
    ];
    t.match((await plane.kubectl(alice, words)).stderr, /platform-kinds/, 'nor is one changed');
  });

  await t.test('a gate that one tenant takes back is closed on both sides', async (t) => {
    const took = Date.now();
    await patch(`${tenantsPath}/beta`, { spec: { network: { gates: [] } } });
    await eventually(
      'no gate passes',
      async () => (await named('bulkhead-')).every((name) => !name.includes('.gate.')),
      10,
    );
    t.comment(`after ${Date.now() - took} ms`);
    t.match(await named('bulkhead-acme.'), ['bulkhead-acme.deny'], 'and the rest stays');
    const gates = [
      {
        tenant: 'acme',
        direction: 'ingress',
        ports: [{ port: 5432 }],
        expires: new Date(Date.now() + 6_000).toISOString(),
      },
    ];
    await patch(`${tenantsPath}/beta`, { spec: { network: { gates } } });
    await eventually('the gate passes again', async () => (await one('bulkhead-beta.gate.acme')) !== undefined, 5);
    await eventually('its end closes it', async () => (await one('bulkhead-beta.gate.acme')) === undefined, 15);
    t.pass('until its end');
  });

  await t.test('more than an object may hold is split', async (t) => {
    const endpoints = Array.from({ length: 60 }, (_, index) => ({
      cidr: `198.51.100.${index}/32`,
      ports: [{ port: 8000 + index }],
    }));
    const addresses = Array.from({ length: 30 }, (_, index) => `203.0.${index * 2}.0/24`);
    await configure({ clusterPolicy: true }, [
      ...settings.spec.sharedServices,
      { name: 'wide', direction: 'egress', endpoints },
      { name: 'long', direction: 'egress', addresses, ports: [{ port: 443 }] },
    ]);
    const wide = ['', '.2', '.3'].map((part) => `bulkhead-gamma.service.wide${part}`);
    await eventually('three objects', async () => (await named('bulkhead-gamma.service.wide')).length === 3);
    t.strictSame(await named('bulkhead-gamma.service.wide'), wide);
    const rules = await Promise.all(wide.map(async (name) => (await one(name))?.spec.egress?.length));
    t.strictSame(rules, [25, 25, 10]);
    t.match((await one('bulkhead-gamma.service.long'))?.spec.egress?.[0]?.to, [{ networks: /./ }, { networks: /./ }]);
    await has('all of it is in place', 'gamma', 'True InPlace');
    await configure({ clusterPolicy: true });
    await eventually('they are gone', async () => (await named('bulkhead-gamma.service.wide')).length === 0);
  });

  let last: Awaited<ReturnType<typeof start>> | undefined;
  const tenant = (name: string, spec: object = {}) => ({
    apiVersion: 'bulkhead.dev/v1alpha1',
    kind: 'Tenant',
    metadata: { name },
    spec,
  });

  await t.test('an object of another author is left as it is, and reported', async (t) => {
    const taken = {
      apiVersion: 'policy.networking.k8s.io/v1alpha2',
      kind: 'ClusterNetworkPolicy',
      metadata: { name: 'bulkhead-delta.within' },
      spec: { tier: 'Baseline', priority: 7, subject: { namespaces: { matchLabels: { a: 'b' } } } },
    };
    await apply(taken);
    await apply(tenant('delta'));
    await has('the status says so', 'delta', 'False NameTaken');
    t.match(await one('bulkhead-delta.within'), { spec: { tier: 'Baseline', priority: 7 } });
    t.equal(await one('bulkhead-delta.deny'), undefined, 'nothing is denied while a part is missing that passes');
    await plane.request('DELETE', `${path}/bulkhead-delta.within`);
    await has('once it is gone the border is in place', 'delta', 'True InPlace');
  });

  await t.test('a tenant that leaves enforce loses it, and is told what it would be', async (t) => {
    await patch(`${tenantsPath}/delta`, { spec: { mode: 'audit' } });
    await has('kept back', 'delta', 'False Withheld');
    await eventually('all of it is gone', async () => (await named('bulkhead-delta.')).length === 0);
    await plane.request('DELETE', `${tenantsPath}/delta`);
    t.pass();
  });

  await t.test('what the API server refuses holds the denies back', async (t) => {
    await apply({
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name: 'no-within' },
      spec: {
        matchConstraints: {
          resourceRules: [
            { apiGroups: ['policy.networking.k8s.io'], apiVersions: ['*'], operations: ['CREATE'], resources: ['*'] },
          ],
        },
        validations: [{ expression: "object.metadata.name != 'bulkhead-epsilon.within'" }],
      },
    });
    await apply({
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name: 'no-within' },
      spec: { policyName: 'no-within', validationActions: ['Deny'] },
    });
    await eventually('it is in force', async () => {
      const { status } = await plane.request('POST', `${path}?dryRun=All`, {
        apiVersion: 'policy.networking.k8s.io/v1alpha2',
        kind: 'ClusterNetworkPolicy',
        metadata: { name: 'bulkhead-epsilon.within' },
        spec: { tier: 'Admin', priority: 1, subject: { namespaces: {} } },
      });
      return status === 422;
    });
    await apply(tenant('epsilon'));
    await has('the status says so', 'epsilon', 'False Failed');
    t.strictSame(await named('bulkhead-epsilon.deny'), []);
    t.ok((await named('bulkhead-epsilon.service.')).length > 0, 'the others pass already');
    await admin('delete', 'validatingadmissionpolicybinding', 'no-within');
    await has('then it is in place', 'epsilon', 'True InPlace');
  });

  await t.test('two replicas agree', async (t) => {
    const contested = await metric('border_conflicting_objects');
    const other = await start();
    const denied = (await policies()).filter(({ metadata }) => metadata.name.endsWith('.deny'));
    await Promise.all(denied.map(({ metadata }) => plane.request('DELETE', `${path}/${metadata.name}`)));
    await eventually(
      'all are back',
      async () => (await named('bulkhead-')).filter((name) => name.endsWith('.deny')).length === denied.length,
    );
    await has('acme is fine', 'acme', 'True InPlace');
    t.equal(await metric('border_conflicting_objects'), contested, 'neither undoes what the other does');
    await other.stop();
  });

  await t.test('a tenant that is deleted keeps its border while it has namespaces', async (t) => {
    await patch('/api/v1/namespaces/acme-web', { metadata: { labels: { 'bulkhead.dev/tenant': 'acme' } } });
    await plane.request('DELETE', `${tenantsPath}/epsilon`);
    await eventually('one without namespaces loses it', async () => (await named('bulkhead-epsilon.')).length === 0);
    // Bulkhead refuses that (check tenant-in-use), unless it is down.
    await admin('delete', 'validatingwebhookconfigurations', '--all');
    t.match(await plane.request('DELETE', `${tenantsPath}/acme`), { status: 200 });
    await plane.request('DELETE', `${path}/bulkhead-acme.deny`);
    await eventually('it is healed', async () => (await one('bulkhead-acme.deny')) !== undefined);
    await patch('/api/v1/namespaces/acme-web', { metadata: { labels: { 'bulkhead.dev/tenant': null } } });
    await eventually('the last namespace is gone', async () => (await named('bulkhead-acme.')).length === 0);
    t.pass();
  });

  await t.test('without the setting, all of it is removed, also by a replica that never had it', async (t) => {
    const gamma = (await named('bulkhead-gamma.')).length;
    await configure({});
    await eventually('nothing is left', async () => (await named('bulkhead-')).length === 0);
    await has('the status says nothing of it', 'beta', undefined);
    const deletes = (await plane.auditEvents()).filter(
      ({ verb, user, objectRef }) =>
        verb === 'delete' && user.username === account && objectRef?.name?.startsWith('bulkhead-gamma.'),
    );
    const order = deletes.map(({ objectRef }) => objectRef?.name ?? '').slice(-gamma);
    t.match(order[0], /\.deny$/, 'what denies goes first');
    await running.stop();
    await apply({
      apiVersion: 'policy.networking.k8s.io/v1alpha2',
      kind: 'ClusterNetworkPolicy',
      metadata: { name: 'bulkhead-gone.deny', labels: { 'app.kubernetes.io/managed-by': 'bulkhead' } },
      spec: { tier: 'Admin', priority: 99, subject: { namespaces: { matchLabels: { a: 'b' } } } },
    });
    last = await start();
    await eventually('what was left behind is removed', async () => (await named('bulkhead-')).length === 0);
  });

  await t.test(
    'without Bulkhead, the command of docs/outage.md removes borders, and of each its deny first',
    async (t) => {
      await configure({ clusterPolicy: true });
      await has('the border of beta is in place', 'beta', 'True InPlace');
      await has('the border of gamma is in place', 'gamma', 'True InPlace');
      await last?.stop();
      const page = await readFile('docs/outage.md', 'utf8');
      const [command = ''] = page
        .split('\n')
        .filter((line) => line.startsWith('kubectl delete clusternetworkpolicies'));
      const before = await named('bulkhead-');
      t.ok(before.includes('bulkhead-beta.deny') && before.includes('bulkhead-gamma.within'), before.join());
      const since = (await plane.auditEvents()).length;
      const { code, stderr } = await admin(...command.split(' ').slice(1));
      t.equal(code, 0, command, { stderr });
      t.strictSame(await named('bulkhead-'), [], 'nothing is left that denies');
      const gone = (await plane.auditEvents())
        .slice(since)
        .filter(({ verb, objectRef }) => verb === 'delete' && objectRef?.resource === 'clusternetworkpolicies')
        .map(({ objectRef }) => objectRef?.name ?? '');
      for (const tenant of ['beta', 'gamma'])
        t.equal(
          gone.find((name) => name.startsWith(`bulkhead-${tenant}.`)),
          `bulkhead-${tenant}.deny`,
        );
    },
  );

  await t.test('all rights are used, and no other is asked for', async (t) => {
    const events = (await plane.auditEvents()).filter(
      ({ user, objectRef }) => user.username === account && objectRef?.resource === 'clusternetworkpolicies',
    );
    const [role] = parseAllDocuments(await readFile('manifests/components/cluster-policy/access.yaml', 'utf8'));
    const granted: string[] = role?.toJS().rules[0].verbs;
    const used = new Set(events.map(({ verb }) => verb));
    // A GET follows where two replicas create one object at once; a watch is logged when it has ended.
    for (const verb of granted.filter((verb) => verb !== 'get')) t.ok(used.has(verb), `${verb} is used`);
    for (const verb of used) t.ok(granted.includes(verb), `${verb} is granted`);
    t.notOk(
      events.some(({ responseStatus }) => responseStatus?.code === 403),
      'nothing is forbidden',
    );
  });
});
