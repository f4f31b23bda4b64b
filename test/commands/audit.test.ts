/** What `audit` finds in a cluster, without one. */
import { readFile } from 'node:fs/promises';
import t from 'tap';
import { parse } from 'yaml';
import { stampedBackstop } from '../../src/commands/backstop-age.ts';
import { auditLines, hasFindings } from '../../src/report/audit-report.ts';
import { resultJson } from '../../src/report/audit-result.ts';
import { surveyOf, tenancyOf } from './stored-cluster.ts';

const nothing = {
  ...{ readings: [], tenants: [], crossings: [], namespaces: [], outside: [], gates: [] },
  ...{ selectNothing: [], openNothing: [], layers: [], exemptions: [], unread: [] },
};
const acme = { members: [{ kind: 'User', name: 'alice' }], namespaces: { prefix: 'acme-' } };
const portal = {
  name: 'portal',
  subjects: [{ kind: 'ServiceAccount', namespace: 'portal', name: 'controller' }],
  keys: ['openshift.io/display-name'],
  tenantFrom: { annotation: 'openshift.io/requester' },
};
const namespace = (name: string, annotations: object = {}, labels: object = { 'bulkhead.dev/tenant': 'acme' }) => ({
  metadata: { name, labels, annotations },
});

t.test(
  'a tenant with a namespace of the platform by name may hold accounts that are taken for controllers',
  async (t) => {
    const controllers = [{ kind: 'ServiceAccount', namespace: 'metallb-system', name: 'controller' }];
    const { planted } = await surveyOf({
      settings: { network: { services: { controllers } } },
      tenants: { acme: { members: acme.members } },
      objects: { '/api/v1/namespaces': [namespace('acme-web'), namespace('cilium'), namespace('metallb-system')] },
    });
    t.strictSame(
      planted,
      ['cilium', 'metallb-system'].map(
        (name) => `namespace ${name} has the label of acme, and its name is reserved for the platform`,
      ),
    );
  },
);

t.test('the mark of a provisioner that no listed one can have written is planted, wherever it is', async (t) => {
  const mark = (name: string) => ({ 'bulkhead.dev/provisioner': name });
  const unlabelled = {};
  const audit = (namespaces: readonly ReturnType<typeof namespace>[], undecided = 'refuse') =>
    surveyOf({
      settings: { platform: { namespaces: ['monitoring'], provisioners: [{ ...portal, undecided }] } },
      tenants: { acme },
      objects: { '/api/v1/namespaces': [namespace('acme-web'), ...namespaces] },
    });
  const requested = { ...mark('portal'), 'openshift.io/requester': 'alice' };
  const fine = await audit([namespace('acme-lab', requested), namespace('monitoring', requested, unlabelled)]);
  t.strictSame([fine.planted, fine.rejected], [[], []]);
  t.notOk(hasFindings(fine));

  const report = await audit([
    namespace('acme-a', mark('nobody')),
    namespace('monitoring', mark('a\u001b[2Jb'), unlabelled),
    namespace('kept', mark('rancher'), unlabelled),
    namespace('acme-b', mark('portal')),
    namespace('other', mark('portal'), unlabelled),
    namespace('acme-c', {}, { 'bulkhead.dev/tenant': 'acme', ...mark('portal') }),
  ]);
  t.ok(hasFindings(report));
  const unknown = (name: string) =>
    `has the mark bulkhead.dev/provisioner: ${name}, and the settings list no such provisioner: remove the mark`;
  const unasked =
    'has the mark of provisioner portal, and no openshift.io/requester, which it always writes: remove the mark, or write the annotation';
  t.strictSame(report.planted, [
    `namespace acme-a ${unknown('"nobody"')}`,
    `namespace monitoring ${unknown('"a\\u001b[2Jb"')}`,
    `namespace kept ${unknown('"rancher"')}`,
    `namespace acme-b ${unasked}`,
    `namespace other ${unasked}`,
    'namespace acme-c has bulkhead.dev/provisioner as a label, and Bulkhead writes it as an annotation only: remove the label',
  ]);
  const undecided = await audit([namespace('other', mark('portal'), unlabelled)], 'platform');
  t.strictSame(undecided.planted, [], 'where nobody is known to have asked, such a namespace is the platform’s');
});

t.test('the label of a tenant without reserved names is planted while it is not guarded', async (t) => {
  const audit = (enforcement: string, namespaces: object) =>
    surveyOf({
      settings: { enforcement },
      tenants: { acme: { members: acme.members, namespaces } },
      objects: { '/api/v1/namespaces': [namespace('shop')] },
    });
  const { planted } = await audit('observe', {});
  t.strictSame(planted, [
    "namespace shop has the label of acme, which has no reserved names: make sure that it is that tenant's",
  ]);
  t.strictSame((await audit('enforce', {})).planted, [], 'once the label is guarded, it can be relied on');
  t.strictSame((await audit('observe', { names: ['shop'] })).planted, [], 'and so it can with a reserved name');
});

t.test('a backstop that is older than settings, tenants and exemptions is named', async (t) => {
  const path = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies';
  const now = { tenants: { acme } };
  const { stamp } = stampedBackstop(tenancyOf(now), 'listed', Date.now());
  const policy = (stamp: object, component = 'backstop') => ({
    metadata: { name: 'bulkhead-host-path', labels: { 'app.kubernetes.io/component': component }, annotations: stamp },
  });
  const audit = (policies: readonly ReturnType<typeof policy>[], more: object = {}) =>
    surveyOf({ ...now, ...more, objects: { '/api/v1/namespaces': [namespace('acme-web')], [path]: policies } });
  const line = 'The applied backstop is older than the settings, tenants and exemptions: print and apply it again.';
  const isOlder = (report: Awaited<ReturnType<typeof audit>>, sentence: string) => {
    t.equal(report.backstop, 'older', sentence);
    t.ok(hasFindings(report), 'which is something to do');
    t.ok(auditLines(report).includes(line), 'and is printed');
  };
  const isNot = (report: Awaited<ReturnType<typeof audit>>, backstop: 'absent' | 'current', sentence: string) => {
    t.equal(report.backstop, backstop, sentence);
    t.notOk(hasFindings(report));
    t.notOk(auditLines(report).includes(line));
  };
  const current = policy({ 'bulkhead.dev/backstop': stamp });
  isNot(await audit([]), 'absent', 'there is none');
  isNot(await audit([current, policy({}, 'other')]), 'current', 'policies of others do not count');
  isOlder(await audit([current, policy({ 'bulkhead.dev/backstop': '0123456789abcdef' })]), 'one of another stamp');
  isOlder(await audit([current, policy({})]), 'one without a stamp');
  isOlder(
    await audit([current], { settings: { platform: { identities: [{ kind: 'User', name: 'root' }] } } }),
    'other settings',
  );
  const exemption = {
    ...{ tenant: 'acme', namespace: 'acme-web', checks: ['host-path'], match: { names: ['web'] } },
    ...{ reason: 'it must', owner: 'team', expires: '2090-01-01T00:00:00Z' },
  };
  isOlder(await audit([current], { exemptions: { a: exemption } }), 'another exemption');
});

t.test('a label that is for other namespaces is planted, and policies that rely on it are found (NP-24)', async (t) => {
  const key = 'example.com/role';
  const policy = {
    metadata: { name: 'from-edge', namespace: 'acme-web' },
    spec: { podSelector: {}, ingress: [{ from: [{ namespaceSelector: { matchLabels: { [key]: 'edge' } } }] }] },
  };
  const audit = (...namespaces: readonly ReturnType<typeof namespace>[]) =>
    surveyOf({
      settings: {
        sharedServices: [{ name: 'edge', direction: 'ingress', namespace: 'edge', podSelector: {} }],
        trustedNamespaceLabels: [{ key, values: [{ value: 'edge', namespaces: ['edge'] }] }],
      },
      tenants: { acme },
      objects: {
        '/api/v1/namespaces': [namespace('acme-web'), namespace('edge', {}, { [key]: 'edge' }), ...namespaces],
        '/apis/networking.k8s.io/v1/networkpolicies': [policy],
      },
    });
  const fine = await audit();
  t.strictSame([fine.planted, fine.rejected], [[], []]);
  const report = await audit(
    namespace('acme-edge', {}, { 'bulkhead.dev/tenant': 'acme', [key]: 'other' }),
    namespace('spare', {}, { [key]: 'edge' }),
  );
  t.match(report.planted, [
    /^namespace acme-edge has example\.com\/role, and the settings do not list it for that value: remove it/,
    /^namespace spare has example\.com\/role/,
  ]);
  t.match(report.rejected, [{ check: 'cross-tenant-ingress', names: ['NetworkPolicy acme-web/from-edge'] }]);
  t.strictSame(report.keys, [], 'no account can be listed for it');
});

t.test('a reserved key on a namespace is a finding, unless an account is listed for it there', async (t) => {
  const keys = { 'field.cattle.io/projectId': 'p-1', 'pod-security.kubernetes.io/enforce': 'privileged' };
  const audit = (platform: object, annotations: object = keys, mode = 'enforce') =>
    surveyOf({
      settings: { platform, mesh: 'istio' },
      tenants: { acme: { ...acme, mode } },
      objects: { '/api/v1/namespaces': [namespace('acme-web', annotations), namespace('acme-db', annotations)] },
    });
  const none = await audit({});
  t.ok(hasFindings(none));
  t.match(none.rejected, [
    {
      check: 'reserved-labels',
      always: true,
      count: 2,
      names: ['Namespace acme-web', 'Namespace acme-db'],
      path: 'metadata.annotations[field.cattle.io/projectId]',
      fix: /^remove the key, or list the account of the platform that writes it in platform\.namespaceWriters or /,
    },
  ]);
  t.match(none.keys, [
    { key: 'field.cattle.io/', listed: false, count: 2, names: ['acme-web', 'acme-db'] },
    { key: 'pod-security.kubernetes.io/', listed: false, count: 2, names: ['acme-web', 'acme-db'] },
  ]);
  const text = auditLines(none).join('\n');
  t.match(text, /^field\.cattle\.io\/ +no +2 +acme-web, acme-db/m);
  t.match(text, /^ {2}reserved-labels: remove the key, or list the account/m);

  const rancher = { kind: 'ServiceAccount', namespace: 'cattle-system', name: 'rancher' };
  const team = { kind: 'Group', name: 'platform-team' };
  const listed = await audit({
    identities: [team],
    namespaceWriters: [
      { subjects: [rancher], keys: ['field.cattle.io/projectId'] },
      { subjects: [team], keys: ['pod-security.kubernetes.io/'] },
    ],
  });
  t.strictSame(listed.rejected, []);
  t.notOk(hasFindings(listed), 'a platform identity can be listed, too');
  t.match(auditLines(listed).join('\n'), /^Beside the reserved keys below, nothing that is stored would be rejected/m);

  const there = { subjects: [rancher], keys: ['field.cattle.io/projectId'], namespaces: ['acme-web'] };
  const projects = { 'field.cattle.io/projectId': 'p-1' };
  t.match((await audit({ namespaceWriters: [there] }, projects)).rejected, [
    { count: 1, names: ['Namespace acme-db'] },
  ]);

  const display = { 'openshift.io/display-name': 'x', 'openshift.io/requester': 'alice' };
  const unmarked = await audit({ provisioners: [portal] }, display);
  t.match(unmarked.rejected, [{ count: 2 }], 'the keys of a provisioner count on namespaces with its mark alone');
  const marked = await audit({ provisioners: [portal] }, { ...display, 'bulkhead.dev/provisioner': 'portal' });
  t.notOk(hasFindings(marked));

  const inMesh = await audit({}, { 'istio.io/rev': 'canary' }, 'audit');
  t.match(inMesh.rejected, [{ always: false, count: 2 }], 'a key of the tenant’s own protection follows its mode');
});

t.test('a pod of a tenant in mode audit is listed before Bulkhead is installed (test/field/audit-mode)', async (t) => {
  const read = async (file: string) => parse(await readFile(`test/field/audit-mode/${file}`, 'utf8'));
  const settings = (await read('settings.yaml')).spec;
  const north = (await read('tenants/north.yaml')).spec;
  const broker = await read('objects/01-broker-comes-back-after-a-drain.yaml');
  const audit = (pod: { metadata: object; spec: object }) => {
    const scheduled = { ...pod, spec: { ...pod.spec, nodeName: 'node-1' } };
    return surveyOf({
      settings,
      tenants: { north },
      objects: {
        '/api/v1/namespaces': [namespace('north-web', {}, { 'bulkhead.dev/tenant': 'north' })],
        '/api/v1/pods': [scheduled],
      },
    });
  };
  const joining = await audit(broker);
  t.strictSame(joining.rejected, [], 'joining a mesh is no finding');
  t.match(joining.cutOff, [{ namespace: 'north-web', names: ['broker-0'] }], 'it is not isolated');

  const annotations = { 'sidecar.istio.io/inject': 'false' };
  const leaving = await audit({ ...broker, metadata: { ...broker.metadata, annotations } });
  t.match(leaving.rejected, [
    {
      check: 'reserved-labels',
      tenant: 'north',
      mode: 'audit',
      always: false,
      names: ['Pod north-web/broker-0'],
      path: 'metadata.annotations[sidecar.istio.io/inject]',
    },
  ]);
  t.match(auditLines(leaving).join('\n'), /reserved-labels +north +audit +in mode enforce +.*Pod north-web\/broker-0/);
});

t.test('objects with a name or label of Bulkhead count as its own only where the baseline has them', async (t) => {
  const tenant = { ...acme, namespaces: { ...acme.namespaces, resourceQuota: { hard: { pods: '10000' } } } };
  const mark = { 'app.kubernetes.io/managed-by': 'bulkhead' };
  // The client chooses the name of its manager.
  const managedFields = [{ manager: 'bulkhead', operation: 'Apply' }];
  const object = (name: string, spec: object, labels: object = mark) => ({
    metadata: { name, namespace: 'acme-web', labels, managedFields },
    spec,
  });
  const audit = (policies: readonly ReturnType<typeof object>[], quotas: readonly ReturnType<typeof object>[] = []) =>
    surveyOf({
      settings: { enforcement: 'observe' },
      tenants: { acme: tenant },
      objects: {
        '/api/v1/namespaces': [namespace('acme-web')],
        '/apis/networking.k8s.io/v1/networkpolicies': policies,
        '/api/v1/resourcequotas': quotas,
      },
    });
  const both = ['Ingress', 'Egress'];
  const peer = { namespaceSelector: { matchLabels: { 'bulkhead.dev/tenant': 'acme' } } };
  const within = { podSelector: {}, policyTypes: both, ingress: [{ from: [peer] }], egress: [{ to: [peer] }] };
  const own = await audit(
    [
      object('bulkhead-default-deny', { policyTypes: both, podSelector: {}, ingress: [] }),
      object('bulkhead-allow-within', within),
    ],
    [object('bulkhead-quota', { hard: { pods: '10k' } })],
  );
  t.strictSame([own.planted, own.rejected], [[], []], 'as the API server stores it, whoever manages the fields');

  const none = { 'count/networkpolicies.networking.k8s.io': '0' };
  const planted = await audit(
    [
      object('bulkhead-default-deny', { podSelector: { matchLabels: { none: 'x' } }, policyTypes: ['Ingress'] }),
      object('bulkhead-allow-within', within, {}),
      object('bulkhead-allow-all', { podSelector: {}, ingress: [{ from: [peer] }] }, {}),
      object('web', { podSelector: {}, ingress: [{ from: [peer] }] }),
      object('db', { podSelector: {}, ingress: [{ from: [peer] }] }, {}),
    ],
    [object('bulkhead-quota', { hard: none })],
  );
  const foreign =
    'has a name or a label of Bulkhead, and is not of its baseline: unless another version of Bulkhead keeps it, remove it or rename it';
  const other =
    'has the name of an object of the baseline, and another spec: have audit read the settings that are in force, with their version of Bulkhead; otherwise remove it';
  t.strictSame(planted.planted, [
    `NetworkPolicy acme-web/bulkhead-default-deny ${other}`,
    `NetworkPolicy acme-web/bulkhead-allow-within ${foreign}`,
    `NetworkPolicy acme-web/bulkhead-allow-all ${foreign}`,
    `NetworkPolicy acme-web/web ${foreign}`,
    `ResourceQuota acme-web/bulkhead-quota ${other}`,
  ]);
  const [quota] = planted.rejected.filter(({ check }) => check === 'quota-on-baseline');
  t.match(quota, { names: ['ResourceQuota acme-web/bulkhead-quota'] }, 'its mark does not hide it');
});

t.test('an exemption that exempts no stored object is named, with the checks', async (t) => {
  const now = Date.now();
  const in30Days = new Date(now + 30 * 86_400_000).toISOString();
  const exemption = (checks: readonly string[], match: object, more: object = {}) => ({
    ...{ tenant: 'acme', namespace: 'acme-web', checks, match, reason: 'it must', owner: 'network team' },
    ...{ expires: in30Days, ...more },
  });
  const vpn = {
    containers: [
      { name: 'vpn', image: 'registry.example.com/vpn:1', securityContext: { capabilities: { add: ['NET_ADMIN'] } } },
    ],
  };
  const controller = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'vpn-5d4f8c7b9d', uid: 'b', controller: true };
  const pod = (name: string, spec: object, metadata: object = {}) => ({
    metadata: { name, namespace: 'acme-web', ...metadata },
    spec: { nodeName: 'node-1', ...spec },
  });
  const policy = {
    metadata: { name: 'open', namespace: 'acme-web' },
    spec: { podSelector: {}, ingress: [{ from: [{ namespaceSelector: {} }] }] },
  };
  const objects = {
    '/api/v1/namespaces': [namespace('acme-web'), namespace('acme-db')],
    '/api/v1/pods': [pod('vpn-5d4f8c7b9d-x', vpn, { ownerReferences: [controller] }), pod('web', { containers: [] })],
    '/apis/networking.k8s.io/v1/networkpolicies': [policy],
  };
  const audit = async (exemptions: Readonly<Record<string, object>>, stored: typeof objects = objects) =>
    surveyOf({ tenants: { acme }, exemptions, objects: stored });

  const needed = await audit({
    owner: exemption(['network-capabilities'], { owner: 'Deployment/vpn' }),
    policy: exemption(['cross-tenant-ingress'], { kinds: ['NetworkPolicy'], names: ['open'] }),
  });
  t.strictSame([needed.exemptions, needed.rejected], [[], []]);

  const checks = ['network-capabilities', 'host-path'];
  const report = await audit({
    ...{ a: exemption(checks, { images: ['registry.example.com/vpn'] }) },
    ...{ b: exemption(['network-capabilities'], { owner: 'Deployment/other' }) },
    ...{ c: exemption(['network-capabilities'], { images: ['registry.example.com/vpn:2'] }) },
    ...{ d: exemption(['network-capabilities'], { serviceAccounts: ['vpn'] }) },
    ...{ e: exemption(['cross-tenant-ingress'], { names: ['other'] }) },
    // A second one for the same pod.
    ...{ f: exemption(['network-capabilities'], { images: ['registry.example.com/vpn:1'] }) },
    ...{ g: exemption(['network-capabilities'], { names: ['vpn'] }, { expires: '2020-01-01T00:00:00Z' }) },
    ...{ h: exemption(['network-capabilities'], { names: ['vpn'] }, { namespace: 'acme-gone' }) },
    ...{ i: exemption(['host-path'], { names: ['web'] }, { expires: new Date(now + 86_400_000).toISOString() }) },
  });
  const unused = (check: string, what = 'the exemption') =>
    `exempts no stored object in acme-web from ${check}; remove ${what}, or correct spec.match`;
  t.strictSame(
    report.exemptions.map(({ name, reason }) => `${name}: ${reason}`),
    [
      `a: ${unused('host-path', 'these checks')}`,
      ...['b', 'c', 'd'].map((name) => `${name}: ${unused('network-capabilities')}`),
      `e: ${unused('cross-tenant-ingress')}`,
      `f: ${unused('network-capabilities')}`,
      'g: spec.expires has passed, so nothing is exempted; remove the exemption, or set a later time',
      'h: spec.namespace there is no namespace acme-gone; name a namespace of tenant acme',
      'i: spec.expires is within a week; from then on what it exempts is rejected; set a later time, or change the workload',
      `i: ${unused('host-path')}`,
    ],
  );
  t.match(
    auditLines(report).join('\n'),
    /^Exemptions to look at:\n {2}a: exempts no stored object in acme-web from host-path; /m,
  );

  const unseen = await audit({
    requesters: exemption(['host-path'], { requesters: [{ kind: 'User', name: 'alice' }] }),
    debug: exemption(['ephemeral-containers'], { images: ['netshoot'] }),
    node: exemption(['chosen-node'], { names: ['web'] }),
  });
  t.strictSame(unseen.exemptions, [], 'what stored objects do not show is not claimed');
  t.notOk(
    hasFindings(
      await audit(
        { i: exemption(['host-path'], { names: ['web'] }) },
        { ...objects, '/api/v1/pods': [], '/apis/networking.k8s.io/v1/networkpolicies': [] },
      ),
    ),
    'it alone is no finding',
  );

  const leaving = { metadata: { ...namespace('acme-web').metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
  const ending = await audit(
    { b: exemption(['host-path'], { names: ['web'] }) },
    { ...objects, '/api/v1/namespaces': [leaving as ReturnType<typeof namespace>] },
  );
  t.strictSame(ending.exemptions, [], 'what is not judged is not claimed either');
});

t.test('where a part could not be read, nothing is claimed of exemptions', async (t) => {
  const exemption = {
    ...{ tenant: 'acme', namespace: 'acme-web', checks: ['host-path'], match: { names: ['web'] } },
    ...{ reason: 'it must', owner: 'team', expires: new Date(Date.now() + 30 * 86_400_000).toISOString() },
  };
  const stored = {
    tenants: { acme },
    exemptions: { a: exemption },
    objects: { '/api/v1/namespaces': [namespace('acme-web')] },
  };
  t.equal((await surveyOf(stored)).exemptions.length, 1);
  const partly = await surveyOf({ ...stored, unreadable: ['/apis/batch/v1/jobs'] });
  t.strictSame(partly.exemptions, []);
  t.match(partly.unread, [/jobs cannot be listed/]);
});

t.test('the JSON has the fields of its page, each of them, and no other', async (t) => {
  const report = await surveyOf({
    tenants: { acme: { ...acme, mode: 'audit' } },
    exemptions: {
      a: {
        ...{ tenant: 'acme', namespace: 'gone', checks: ['host-path'], match: { names: ['web'] } },
        ...{ reason: 'it must', owner: 'team', expires: '2090-01-01T00:00:00Z' },
      },
    },
    objects: {
      '/api/v1/namespaces': [namespace('acme-web', { 'field.cattle.io/projectId': 'p' })],
      '/api/v1/pods': [...Array(5).keys()].map((index) => ({
        metadata: { name: `web-${index}`, namespace: 'acme-web' },
        spec: { hostPID: true, containers: [] },
      })),
    },
  });
  const scope = { namespace: 'acme-web', selector: 'app=web' };
  const document = JSON.parse(resultJson({ report, problems: [], connectivity: nothing, scope }));
  t.match(document, { apiVersion: 'bulkhead.dev/v1alpha1', kind: 'AuditReport', hasFindings: true, namespaces: 1 });
  const pods = [0, 1, 2, 3, 4].map((index) => `Pod acme-web/web-${index}`);
  const [group] = document.rejected.filter(({ check }: { check: string }) => check === 'host-namespaces');
  t.match(group, { always: true, count: 5, names: pods }, 'all names are there, and a node is guarded in every mode');
  t.match(auditLines(report).join('\n'), /Pod acme-web\/web-2 and 2 more/, 'the table has some of them');
  const fields = (value: unknown, path: string): string[] =>
    Array.isArray(value)
      ? value.flatMap((one) => fields(one, `${path}[]`))
      : typeof value === 'object' && value !== null
        ? Object.entries(value).flatMap(([key, inner]) => {
            const own = path === '' ? key : `${path}.${key}`;
            return [own, ...fields(inner, own)];
          })
        : [];
  const page = await readFile('docs/audit-report.md', 'utf8');
  const rows = page.split('\n').filter((line) => line.startsWith('| `'));
  const documented = rows.flatMap((line) =>
    [...(line.split(' | ')[0] ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name),
  );
  // Those of `connectivity` are compared in test/picture/.
  const own = (names: readonly (string | undefined)[]) =>
    names.filter((one) => !one?.startsWith('connectivity.')).sort();
  t.strictSame(own([...new Set(fields(document, ''))]), own(documented));
});

t.test('an Event that somebody else has written cannot command a terminal', async (t) => {
  const event = {
    metadata: { name: 'a', namespace: 'bulkhead-system' },
    reason: 'ReservedKeyWritten',
    message: 'a\u001b[2Jb\nc',
  };
  const { accounts } = await surveyOf({
    tenants: { acme },
    objects: { '/api/v1/namespaces': [namespace('acme-web')], '/api/v1/namespaces/bulkhead-system/events': [event] },
  });
  t.strictSame(accounts, ['a\uFFFD[2Jb\uFFFDc']);
});
