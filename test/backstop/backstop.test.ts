/** The documents of the backstop; test/e2e/backstop.test.ts holds what they do. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { parseAllDocuments } from 'yaml';
import { backstopOf, policyName, rules, stampAnnotation } from '../../src/backstop/backstop.ts';
import { excessOf } from '../../src/backstop/limits.ts';
import { protectsOf } from '../../src/backstop/rule.ts';
import { catalogue } from '../../src/checks/catalogue.ts';
import type { Protects } from '../../src/checks/check.ts';
import { backstop } from '../../src/commands/backstop.ts';
import { backstopAge, stampedBackstop } from '../../src/commands/backstop-age.ts';
import { byNamespace } from '../../src/exemptions/load-exemptions.ts';
import { unselectedNamespaces } from '../../src/kinds/selected-namespaces.ts';
import { defaultSettings } from '../../src/tenancy/default-settings.ts';
import type { Exemption } from '../../src/tenancy/exemption.ts';
import { createTenancy, undeclaredTenant } from '../../src/tenancy/tenancy.ts';
import { all } from '../manifests/base.ts';

interface Document {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly spec: {
    readonly failurePolicy?: string;
    readonly policyName?: string;
    readonly paramKind?: unknown;
    readonly paramRef?: unknown;
    readonly validationActions?: readonly string[];
    readonly matchConditions?: unknown;
    readonly matchConstraints?: {
      readonly namespaceSelector?: { readonly matchExpressions: readonly { readonly key: string }[] };
      readonly objectSelector?: unknown;
    };
    readonly variables?: readonly { readonly name: string; readonly expression: string }[];
    readonly validations?: readonly { readonly message: string; readonly reason: string }[];
  };
}

const acme = { ...undeclaredTenant('acme'), members: [{ kind: 'Group', name: 'acme-developers' } as const] };
const listed = backstopOf(defaultSettings, { from: 'listed', tenants: [acme] }) as Document[];
const objects = backstopOf(defaultSettings, { from: 'objects' }) as Document[];

t.test('every rule doubles a check of the catalogue, in its order', async (t) => {
  const checks = rules.map(({ check }) => check);
  t.strictSame(
    checks.toSorted((one, other) => catalogue.indexOf(one) - catalogue.indexOf(other)),
    checks,
  );
  t.equal(new Set(rules.map(policyName)).size, rules.length, 'under a name of its own');
  t.notOk(
    checks.some(({ protects }) => protects === 'intent'),
    'what only warns has no double',
  );
});

t.test('a policy and its binding for each', async (t) => {
  for (const documents of [listed, objects]) {
    t.equal(documents.length, 2 * rules.length);
    for (const [index, rule] of rules.entries()) {
      const { check } = rule;
      const [policy, binding] = documents.slice(2 * index);
      t.match(policy, {
        kind: 'ValidatingAdmissionPolicy',
        metadata: { name: policyName(rule) },
        spec: { failurePolicy: 'Fail', matchConditions: undefined, matchConstraints: { objectSelector: undefined } },
      });
      t.match(binding, {
        kind: 'ValidatingAdmissionPolicyBinding',
        spec: { policyName: policy?.metadata.name, validationActions: ['Deny'] },
      });
      const message = policy?.spec.validations?.[0]?.message ?? '';
      t.ok(message.includes(`${check.headline} (${check.id}, docs/checks/${check.id}.md)`), message);
      t.notMatch(message, '\n', 'the API server takes no line breaks');
      for (const { metadata } of [policy, binding].filter((one) => one !== undefined))
        t.equal(metadata.labels['app.kubernetes.io/name'], 'bulkhead', 'the command that removes everything finds it');
    }
  }
});

t.test('a refusal links to the page where the settings say that it is published', async (t) => {
  const settings = { ...defaultSettings, docsURL: 'https://wiki.example/bulkhead' };
  const printed = backstopOf(settings, { from: 'objects' }) as Document[];
  const policy = printed.find(({ metadata }) => metadata.name === 'bulkhead-foreign-namespace');
  t.match(
    policy?.spec.validations?.[0]?.message,
    /\(foreign-namespace, https:\/\/wiki\.example\/bulkhead\/checks\/foreign-namespace\.md\)$/,
  );
});

t.test('no label that a tenant may set exempts anything', async (t) => {
  for (const { metadata, spec } of listed) {
    // A namespace that lost its tenant label is not a tenant's any more, and only the platform can take it away.
    for (const { key } of spec.matchConstraints?.namespaceSelector?.matchExpressions ?? [])
      t.ok(['kubernetes.io/metadata.name', defaultSettings.tenantLabel].includes(key), `${metadata.name}: ${key}`);
  }
  const [webhook] = all('ValidatingWebhookConfiguration').filter(({ metadata }) => metadata.name === 'bulkhead');
  t.match(webhook?.webhooks[0].namespaceSelector, { matchExpressions: [{ values: unselectedNamespaces }] });
});

t.test('borders follow the mode of the tenant', async (t) => {
  const keeping = (what: Protects) =>
    new Set(rules.filter((rule) => protectsOf(rule) === what).map(({ check }) => check.id));
  const [border, nodes] = [keeping('border'), keeping('node')];
  const variablesOf = (documents: readonly Document[], checks: ReadonlySet<string>) =>
    documents.flatMap(({ metadata, spec }) =>
      checks.has(metadata.name.slice('bulkhead-'.length)) ? (spec.variables ?? []) : [],
    );
  const enforcedBy = (documents: readonly Document[]) => variablesOf(documents, border);
  for (const { expression } of enforcedBy(listed)) t.match(expression, 'in ["acme"]', 'as it was read');
  for (const { expression } of enforcedBy(objects)) t.match(expression, 'params.spec.?mode', 'as the object says now');
  t.strictSame(
    [...nodes].sort(),
    ['ephemeral-containers', 'host-namespaces', 'host-network', 'host-path', 'network-capabilities'],
    'what reaches nodes does not',
  );
  for (const documents of [listed, objects]) {
    const variables = variablesOf(documents, nodes);
    t.equal(variables.length, nodes.size);
    for (const { expression } of variables)
      t.equal(expression, 'namespaceObject.metadata.?labels[?"bulkhead.dev/tenant"].orValue("") != "bulkhead_probe"');
  }
  t.equal(listed.filter(({ spec }) => spec.paramKind ?? spec.paramRef).length, 0, 'files need no Tenant objects');
  t.equal(
    objects.filter(({ spec }) => spec.paramKind ?? spec.paramRef).length,
    2 * (border.size + 1),
    'and the members',
  );
});

t.test('names are taken literally', async (t) => {
  const hostile = 'a"] || true || "x" in ["\\\n\u2028';
  const identities = [{ kind: 'Group', name: hostile } as const];
  const settings = { ...defaultSettings, platform: { ...defaultSettings.platform, identities } };
  const [policy] = backstopOf(settings, { from: 'objects' }) as Document[];
  const expression = policy?.spec.variables?.[0]?.expression ?? '';
  t.ok(expression.includes(`group in ${JSON.stringify([hostile])}`), 'quotes and line breaks stay inside the string');
});

t.test('what is printed', async (t) => {
  const files = { config: 'manifests/overlays/example/bulkhead.yaml', tenants: 'manifests/overlays/example/tenants' };
  const file = readFileSync('manifests/examples/backstop.yaml', 'utf8');
  t.equal(file, await backstop(files), 'manifests/examples/backstop.yaml is what the examples give: npm run backstop');
  const parsed = parseAllDocuments(file).map((one) => one.toJS());
  t.strictSame(parsed.length, 2 * rules.length);
  await t.rejects(backstop({ config: 'manifests/examples/objects/pod-web.yaml', tenants: undefined }), {
    message: /apiVersion: is "v1"/,
  });
});

t.test('while the settings say observe every binding warns, and denies nothing', async (t) => {
  const actions = (enforcement: 'observe' | 'enforce') =>
    (backstopOf({ ...defaultSettings, enforcement }, { from: 'objects' }) as Document[])
      .filter(({ kind }) => kind === 'ValidatingAdmissionPolicyBinding')
      .map(({ spec }) => spec.validationActions);
  t.strictSame(actions('observe'), Array(rules.length).fill(['Warn']));
  t.strictSame(actions('enforce'), Array(rules.length).fill(['Deny']));
});

const exemption: Exemption = {
  name: 'vpn',
  tenant: 'acme',
  namespace: 'acme-web',
  checks: new Set(['network-capabilities']),
  match: {
    kinds: undefined,
    names: undefined,
    owner: { kind: 'Deployment', group: undefined, name: 'vpn' },
    serviceAccounts: undefined,
    images: ['registry.example.com/vpn', 'vpn:1.4'],
    requesters: undefined,
  },
  expires: 1_000,
};

t.test('an exemption is honoured by the rule of its check alone', async (t) => {
  const documents = backstopOf(defaultSettings, { from: 'objects' }, [exemption]) as Document[];
  for (const { metadata, spec } of documents) {
    const names = (spec.variables ?? []).map(({ name }) => name);
    const isMeant = metadata.name === 'bulkhead-network-capabilities' && spec.policyName === undefined;
    t.equal(names.includes('exempted'), isMeant, metadata.name);
  }
  const policy = documents.find(({ metadata }) => metadata.name === 'bulkhead-network-capabilities');
  const text = (name: string) => policy?.spec.variables?.find((one) => one.name === name)?.expression ?? '';
  t.equal(
    text('exemptions0'),
    String.raw`{"acme/acme-web":["\n\n\n\nDeployment/vpn\nregistry.example.com/vpn\tvpn:1.4"]}`,
    'as data: no text of it is a pattern',
  );
  t.match(text('owners'), 'one.name.matches(".-[bcdfghjklmnpqrstvwxz2456789]{1,10}$")', 'names are whole');
});

t.test('exemptions cost their own texts, in expressions that CEL reads', async (t) => {
  const sizeOf = (count: number): number => {
    const many = Array.from({ length: count }, (_, index) => ({
      ...exemption,
      namespace: `acme-${index % 50}`,
      match: { ...exemption.match, serviceAccounts: new Set([`account-${index}`]) },
    }));
    const documents = backstopOf(defaultSettings, { from: 'objects' }, many) as Document[];
    const policy = documents.find(({ metadata }) => metadata.name === 'bulkhead-network-capabilities');
    const variables = policy?.spec.variables ?? [];
    t.ok(Math.max(...variables.map(({ expression }) => expression.length)) < 100_000, `${count}: the limit of CEL`);
    const rows = variables.flatMap(({ name, expression }) =>
      /^exemptions\d/.test(name) ? Object.values(JSON.parse(expression) as Record<string, string[]>).flat() : [],
    );
    t.equal(rows.length, count, `${count}: none is lost`);
    return JSON.stringify(policy).length;
  };
  const each = (sizeOf(2_000) - sizeOf(1_000)) / 1_000;
  t.ok(each < 100, `${each} bytes for each`);
  const twice = backstopOf(defaultSettings, { from: 'objects' }, [exemption, { ...exemption, name: 'again' }]);
  t.strictSame(twice, backstopOf(defaultSettings, { from: 'objects' }, [exemption]), 'what is equal is there once');
});

t.test('what the API server would not take is refused, with a fix', async (t) => {
  const excessWith = (exemptions: readonly Exemption[]) =>
    excessOf(backstopOf(defaultSettings, { from: 'objects' }, exemptions), exemptions);
  const many = (count: number, namespaces: number): Exemption[] =>
    Array.from({ length: count }, (_, index) => ({
      ...exemption,
      namespace: `acme-${index % namespaces}`,
      match: { ...exemption.match, images: [`registry.example.com/${index}/${'x'.repeat(100)}`] },
    }));
  t.strictSame(excessWith(many(3_000, 1)), []);
  t.match(excessWith(many(4_000, 1)), [
    /^acme\/acme-0 has 4000 exemptions of network-capabilities, more than .* for one pod; join those that differ in one of/,
  ]);
  t.match(excessWith(many(9_000, 4_000)), [
    /^the policy bulkhead-network-capabilities has \d+ bytes, and the API server stores at most 1450000; list fewer/,
  ]);
});

t.test('the backstop tells from what it was made', async (t) => {
  const tenancy = { ...createTenancy(defaultSettings, [acme]), exemptions: byNamespace([exemption]) };
  const { stamp, documents } = stampedBackstop(tenancy, 'listed', 0);
  for (const { metadata } of documents as Document[]) t.match(metadata, { annotations: { [stampAnnotation]: stamp } });
  const later = stampedBackstop(tenancy, 'listed', 1_000).stamp;
  t.equal(backstopAge([stamp, stamp], stampedBackstop(tenancy, 'listed', 999).stamp), 'current');
  t.equal(backstopAge([stamp], later), 'older', 'an exemption that has expired since is still in it');
  t.equal(later, stampedBackstop(createTenancy(defaultSettings, [acme]), 'listed', 0).stamp, 'and not in the next');
  t.equal(backstopAge([stamp, undefined], stamp), 'older', 'a policy without the annotation is of another version');
  t.equal(backstopAge([], stamp), 'absent');
});
