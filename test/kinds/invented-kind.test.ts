/** Who adds a policy kind writes one file and one line of src/kinds/kinds.ts: the rest of the house is loaded with that line added. */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { parseAllDocuments } from 'yaml';
import { createConnection } from '../../src/client/connection.ts';
import { parseExemption as parseExemptionToday } from '../../src/exemptions/parse-exemption.ts';
import { kinds } from '../../src/kinds/kinds.ts';
import { listedPolicyKinds } from '../../src/kinds/policy-kind.ts';
import type { KubernetesObject } from '../../src/kubernetes/objects.ts';
import { createNamespaceEvents } from '../../src/reconcile/namespace-events.ts';
import { startFakeApiServer } from '../client/fake-api-server.ts';
import { fakeClock, until } from '../client/fake-clock.ts';
import { cast } from '../fixtures/cast.ts';
import { findingsIn } from '../fixtures/denial.ts';
import { applied, operationsOf } from '../fixtures/json-patch.ts';
import { bytesOf, farDeadline, type Response, responseOf, uid } from '../fixtures/review.ts';
import { createWorld, tenantLabel } from '../fixtures/world.ts';
import { admitted } from '../server/serving.ts';
import { documentIn } from '../tenancy/documents.ts';
import { chatPolicy } from './invented/chat-policy.ts';

const table = { '../../src/kinds/kinds.ts': { kinds: [...kinds, chatPolicy] } };
const { createAdmission } = await t.mockImport<typeof import('../../src/admission/admission.ts')>(
  '../../src/admission/admission.ts',
  table,
);
const { createMetrics } = await t.mockImport<typeof import('../../src/server/metrics.ts')>(
  '../../src/server/metrics.ts',
  table,
);
const { expectedRules, optionalResources } = await t.mockImport<
  typeof import('../../src/configuration/expected-rules.ts')
>('../../src/configuration/expected-rules.ts', table);
const { generatedFiles } = await t.mockImport<typeof import('../../manifests/base/generated-files.ts')>(
  '../../manifests/base/generated-files.ts',
  table,
);

const { createStoredPolicies } = await t.mockImport<typeof import('../../src/reconcile/stored-policies.ts')>(
  '../../src/reconcile/stored-policies.ts',
  table,
);
const { runCommandLine } = await t.mockImport<typeof import('../../src/commands/command-line.ts')>(
  '../../src/commands/command-line.ts',
  table,
);

const { tenancy, namespaces } = createWorld();
const review = createAdmission({
  tenancy: () => tenancy,
  namespaces,
  onDefect(error) {
    throw error;
  },
});

const own = { talksTo: { matchLabels: { [tenantLabel]: 'acme' } } };
const everyone = { talksTo: {} };

function chat(fields: { spec?: unknown; specs?: unknown }, metadata: object = {}): KubernetesObject {
  const labels = { [tenantLabel]: 'acme' };
  const all = { name: 'chat', namespace: 'acme-web', labels, ...metadata };
  return Object.assign({ apiVersion: 'chat.example.org/v1', kind: 'ChatPolicy', metadata: all }, fields);
}

type Asked = readonly [
  operation: 'CREATE' | 'UPDATE' | 'DELETE',
  object: KubernetesObject | undefined,
  oldObject?: KubernetesObject,
];

async function asked(phase: 'mutate' | 'validate', [operation, object, oldObject]: Asked): Promise<Response> {
  const [group, version] = ['chat.example.org', 'v1'];
  const request = {
    ...{ uid, operation, userInfo: cast['acme developer'], namespace: 'acme-web' },
    kind: { group, version, kind: 'ChatPolicy' },
    resource: { group, version, resource: 'chatpolicies' },
    object: object ?? null,
    oldObject: oldObject ?? null,
  };
  const body = bytesOf({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request });
  return responseOf((await review(phase, body, farDeadline())).body);
}

t.test('it is judged', async (t) => {
  const managed = {
    name: 'bulkhead-chat',
    labels: { [tenantLabel]: 'acme', 'app.kubernetes.io/managed-by': 'bulkhead' },
  };
  const rows: readonly [says: string, asked: Asked, findings: readonly string[]][] = [
    ['inside the tenant', ['CREATE', chat({ spec: own })], []],
    ['to every namespace', ['CREATE', chat({ spec: everyone })], ['cross-tenant-egress spec.talksTo']],
    [
      'in the second of its specs',
      ['CREATE', chat({ specs: [own, everyone] })],
      ['cross-tenant-egress specs[1].talksTo'],
    ],
    [
      'not understood',
      ['CREATE', chat({ spec: { talksTo: { matchLabels: 7 } } })],
      ['cross-tenant-egress spec.talksTo'],
    ],
    [
      'an update of its specs beside a spec that stays',
      ['UPDATE', chat({ spec: own, specs: [everyone] }), chat({ spec: own, specs: [own] })],
      ['cross-tenant-egress specs[0].talksTo'],
    ],
    [
      'an update of labels alone, of one that was open before',
      ['UPDATE', chat({ specs: [everyone] }, { annotations: { note: 'to be mended' } }), chat({ specs: [everyone] })],
      [],
    ],
    [
      'the label of another tenant',
      ['CREATE', chat({ spec: own }, { labels: { [tenantLabel]: 'beta' } })],
      [`policy-tenant-label metadata.labels[${tenantLabel}]`],
    ],
    ['a managed name', ['CREATE', chat({ spec: own }, managed)], ['managed-policy metadata.name']],
    ['its deletion', ['DELETE', undefined, chat({ spec: everyone })], []],
  ];
  for (const [says, request, findings] of rows) {
    const { allowed, status } = await asked('validate', request);
    t.equal(allowed, findings.length === 0, `${says}: ${status?.message}`);
    t.strictSame(
      findingsIn(status?.message ?? '').map(({ check, path }) => `${check} ${path}`),
      findings,
      says,
    );
  }
});

t.test('it gets the label of the tenant', async (t) => {
  const object = chat({ spec: own }, { labels: {} });
  const { patch = '' } = await asked('mutate', ['CREATE', object]);
  t.strictSame(applied(object, operationsOf(patch)).metadata?.labels, { [tenantLabel]: 'acme' });
});

t.test('it is counted by its name', async (t) => {
  const metrics = createMetrics();
  metrics.reviewed({ ...admitted, kind: 'ChatPolicy' }, 0.001);
  t.match(await metrics.registry.metrics(), /bulkhead_reviews_total\{[^}]*kind="ChatPolicy"/);
});

t.test('it is registered, and Bulkhead expects that', async (t) => {
  const inside = textOf('webhooks-inside-namespaces.yaml');
  const [mutating, validating] = parseAllDocuments(inside).map((document) => document.toJS());
  const operationsIn = ({ webhooks }: { webhooks: readonly { name: string; rules: readonly Rule[] }[] }) =>
    webhooks.flatMap(({ name, rules }) =>
      rules
        .filter(({ apiGroups }) => apiGroups.includes('chat.example.org'))
        .map(({ apiVersions, resources, operations }) => `${name} ${apiVersions} ${resources} ${operations}`),
    );
  t.strictSame(operationsIn(mutating), ['mutate.bulkhead.dev v2,v1 chatpolicies CREATE,UPDATE']);
  t.strictSame(operationsIn(validating), [
    'validate.bulkhead.dev v2,v1 chatpolicies CREATE,UPDATE',
    'validate.filtered.bulkhead.dev v2,v1 chatpolicies DELETE',
  ]);
  for (const version of ['v1', 'v2']) {
    const resource = `chat.example.org/${version}/chatpolicies`;
    const rule = { resource, scope: 'Namespaced', operations: ['CREATE', 'UPDATE', 'DELETE'] };
    t.strictSame(
      expectedRules['validating/bulkhead'].find((one) => one.resource === resource),
      rule,
    );
    t.ok(optionalResources.has(resource), 'a cluster without it lacks nothing');
  }
});

/** A cluster with one chat that is open to every namespace, and one inside the tenant. */
async function withChats(t: Test) {
  const server = await startFakeApiServer();
  const labels = { [tenantLabel]: 'acme' };
  server.put('namespaces', { metadata: { name: 'acme-web', labels } });
  server.put('chatpolicies', {
    ...chat({ specs: [own, everyone] }),
    metadata: { name: 'open', namespace: 'acme-web' },
  });
  server.put('chatpolicies', { ...chat({ spec: own }), metadata: { name: 'own', namespace: 'acme-web' } });
  t.teardown(() => server.stop());
  return server;
}

t.test('stored ones are judged again, in a cluster that has them', async (t) => {
  const server = await withChats(t);
  const clock = fakeClock();
  const authentication = { credentials: async () => ({ server: server.url, headers: {}, tls: {} }), refused() {} };
  const connection = createConnection(authentication, clock);
  const logged: { readonly fields: object; readonly message: string }[] = [];
  const log = (fields: object, message: string) => void logged.push({ fields, message });
  const storedPolicies = createStoredPolicies({
    ...{ connection, clock, log: { info: log, warn: log, error: log }, wallClock: Date.now },
    ...{
      tenancy: () => tenancy,
      namespaces,
      events: createNamespaceEvents(connection, clock),
      hasDefaultDeny: () => false,
    },
  });
  t.teardown(async () => {
    await storedPolicies.stop();
    connection.close();
  });
  const asked = () => server.requests.filter(({ path }) => path.endsWith('/chatpolicies')).map(({ path }) => path);
  for (const _ of ['v2', 'v1'])
    server.failNext({ kind: 'status', code: 404 }, ({ path }) => path.endsWith('/chatpolicies'));
  storedPolicies.begin();
  const others = listedPolicyKinds.length;
  await until('all kinds are planned', () => clock.waits().length === others + 1);
  clock.advance(2_000);
  await until('all were asked for', () => asked().length === 2 && clock.waits().length === others + 1);
  t.strictSame(asked(), ['/apis/chat.example.org/v2/chatpolicies', '/apis/chat.example.org/v1/chatpolicies']);
  t.match(storedPolicies.counters(), {
    nonCompliant: { enforce: 0, warn: 0, audit: 0 },
    readings: { completed: others, failed: 0 },
  });

  clock.advance(600_000);
  await until('the Event is written', () => server.list('events').length > 0);
  t.match(storedPolicies.counters(), { nonCompliant: { enforce: 1 }, readings: { completed: others + 1, failed: 0 } });
  t.match(
    logged.filter(({ fields }) => 'policy' in fields),
    [{ fields: { kind: 'ChatPolicy', policy: 'open', path: 'specs[1].talksTo' } }],
  );
  t.match(server.list('events'), [
    {
      metadata: { name: 'bulkhead.policynoncompliant.chatpolicies' },
      message:
        /^ChatPolicy open would be rejected today: specs\[1\]\.talksTo .*fix: talk to the namespaces of your own tenant/,
    },
  ]);
});

t.test('audit lists stored ones', async (t) => {
  const server = await withChats(t);
  const folder = t.testdir({
    kubeconfig: JSON.stringify({
      clusters: [{ name: 'fake', cluster: { server: server.url, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'auditor', user: {} }],
      contexts: [{ name: 'fake', context: { cluster: 'fake', user: 'auditor' } }],
      'current-context': 'fake',
    }),
  });
  const lines: string[] = [];
  const files = [
    '--config',
    'manifests/overlays/example/bulkhead.yaml',
    '--tenants',
    'manifests/overlays/example/tenants',
  ];
  const flags = ['audit', '--kubeconfig', join(folder, 'kubeconfig'), ...files];
  await runCommandLine(flags, { print: (line) => lines.push(line), environment: {} });
  t.match(
    lines.join('\n'),
    /^cross-tenant-egress +acme +enforce +in mode enforce +1 +ChatPolicy acme-web\/open +specs\[1\]\.talksTo$/m,
  );
});

t.test('an Exemption may name it, in a file and in the API server', async (t) => {
  const folder = t.testdir({ 'table-of-kinds.ts': textOf('table-of-kinds.ts') });
  const made = { '../../src/tenancy/table-of-kinds.ts': await import(join(folder, 'table-of-kinds.ts')) };
  const { parseExemption } = await t.mockImport<typeof import('../../src/exemptions/parse-exemption.ts')>(
    '../../src/exemptions/parse-exemption.ts',
    made,
  );
  const spec = {
    ...{ tenant: 'acme', namespace: 'acme-web', checks: ['cross-tenant-egress'] },
    match: { kinds: ['ChatPolicy'], names: ['chat'] },
    ...{ reason: 'chats with beta', owner: 'chat team', expires: '2099-01-01T00:00:00Z' },
  };
  const exemption = { apiVersion: 'bulkhead.dev/v1alpha1', kind: 'Exemption', metadata: { name: 'chat' }, spec };
  const written = documentIn(JSON.stringify(exemption));
  t.match(parseExemption(written), { ok: true });
  t.match(parseExemptionToday(written), { ok: false }, 'not before npm run manifests');
  const { definitionFiles } = await t.mockImport<typeof import('../../manifests/crds/definition-files.ts')>(
    '../../manifests/crds/definition-files.ts',
    made,
  );
  const definition = definitionFiles().find(({ file }) => file.endsWith('exemptions.bulkhead.dev.yaml'))?.text;
  t.match(definition, /^ +- ChatPolicy$/m);
});

t.test('it is documented', async (t) => {
  const page = textOf('kinds.md');
  t.match(
    page,
    '| ChatPolicy | chat.example.org/v2, chat.example.org/v1 | tenants | changed: chatpolicies CREATE, UPDATE; judged: chatpolicies CREATE, UPDATE, DELETE | chatpolicies list, watch |\n',
  );
});

t.test('Bulkhead may read it', async (t) => {
  const role = parseAllDocuments(textOf('access.yaml'))[1]?.toJS();
  t.strictSame(
    role.rules.find(({ apiGroups }: Rule) => apiGroups.includes('chat.example.org')),
    { apiGroups: ['chat.example.org'], resources: ['chatpolicies'], verbs: ['list', 'watch'] },
  );
});

interface Rule {
  readonly apiGroups: readonly string[];
  readonly apiVersions: readonly string[];
  readonly resources: readonly string[];
  readonly operations: readonly string[];
}

function textOf(name: string): string {
  return generatedFiles().find(({ file }) => file.endsWith(`/${name}`))?.text ?? '';
}
