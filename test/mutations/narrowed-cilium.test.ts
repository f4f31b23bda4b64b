/** Soft isolation narrows the endpoint selectors of Cilium, in which labels of namespaces stand among those of pods. */
import fc from 'fast-check';
import t from 'tap';
import { narrowingTexts } from '../../src/admission/message.ts';
import { applyIntents, patchText } from '../../src/admission/patch.ts';
import { policyKindOf } from '../../src/kinds/policy-kind.ts';
import { formatPath } from '../../src/kubernetes/field-path.ts';
import type { KubernetesObject } from '../../src/kubernetes/objects.ts';
import type { PolicyRequest } from '../../src/kubernetes/review.ts';
import { narrowedPeers } from '../../src/mutations/narrowed-peers.ts';
import { judgeBorder } from '../../src/reach/border.ts';
import type { Border } from '../../src/reach/violation.ts';
import { createTenancy, type Owner } from '../../src/tenancy/tenancy.ts';
import type { Tenant } from '../../src/tenancy/tenant.ts';
import { cast } from '../fixtures/cast.ts';
import { applied } from '../fixtures/json-patch.ts';
import { acme, beta, delta, label, now, settings, tenant } from '../reach/world.ts';

const soft: Tenant = { ...acme, isolation: 'soft' };
const tenancy = createTenancy(settings, [soft, beta, delta, tenant('gamma')]);
const ownerByName = () => 'none' as const;
const border: Border = { tenant: soft, namespace: 'acme-web', tenancy, now, ownerByName };
const name = 'io.kubernetes.pod.namespace';
const tenantKey = `k8s:io.cilium.k8s.namespace.labels.${label}`;
const team = 'k8s:io.cilium.k8s.namespace.labels.team';
const own = { [tenantKey]: 'acme' };

/** What a policy says, beside its metadata. */
interface Rules {
  readonly spec?: unknown;
  readonly specs?: unknown;
}

function objectOf(rules: Rules): KubernetesObject {
  const metadata = { name: 'web', namespace: 'acme-web' };
  return JSON.parse(JSON.stringify({ kind: 'CiliumNetworkPolicy', metadata, ...rules }));
}

function request(rules: Rules, oldRules?: Rules): PolicyRequest {
  const user = cast['acme developer'];
  const rest = { uid: '1', subresource: '', namespace: 'acme-web', name: 'web', user, dryRun: false } as const;
  const resource = 'cilium.io/v2/ciliumnetworkpolicies';
  const oldObject = oldRules === undefined ? undefined : objectOf(oldRules);
  const operation = oldObject === undefined ? 'CREATE' : 'UPDATE';
  return {
    family: 'policy',
    kind: 'CiliumNetworkPolicy',
    resource,
    ...rest,
    operation,
    object: objectOf(rules),
    oldObject,
  };
}

function narrowed(rules: Rules, owner: Owner = soft, oldRules?: Rules) {
  return narrowedPeers(request(rules, oldRules), { owner, tenancy, now, ownerByName });
}

function places(rules: Rules): readonly string[] {
  return narrowed(rules).map((one) => formatPath('text' in one ? one.text : one.labels));
}

function after(rules: Rules): Rules {
  const intents = narrowed(rules);
  const object = objectOf(rules);
  const patched = applied(object, JSON.parse(patchText(object, intents) ?? '[]'));
  const judged = objectOf(rules);
  applyIntents(judged, intents);
  t.strictSame(judged, onWire(patched), 'the patch says what is judged');
  const { spec, specs }: Rules = onWire(patched) as Rules;
  return { ...(spec !== undefined && { spec }), ...(specs !== undefined && { specs }) };
}

const onWire = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const judge = (rules: Rules) => judgeBorder(policyKindOf(request(rules)).read(objectOf(rules)), border);
const says = (key: string, operator: string, ...values: string[]) => ({
  matchExpressions: [{ key, operator, ...(values.length > 0 && { values }) }],
});
/** Beside acme's gates: beta's for ingress is open on 80 and 443, and for egress on 5432 and 9000 to 9010. */
const onPort = [{ ports: [{ port: '8080', protocol: 'TCP' }] }];
const every = { endpointSelector: {} };
const from = (selector: unknown, toPorts: unknown = onPort) => ({
  ...every,
  ingress: [{ fromEndpoints: [selector], toPorts }],
});
const to = (selector: unknown, toPorts: unknown = onPort) => ({
  ...every,
  egress: [{ toEndpoints: [selector], toPorts }],
});

t.test('a selector that is merely too wide gets the label of the tenant, in every place of a policy', (t) => {
  const rows: readonly [sentence: string, written: object, becomes: object][] = [
    ['every namespace', says(name, 'Exists'), { ...says(name, 'Exists'), matchLabels: own }],
    ['the same, with a source', says(`k8s:${name}`, 'Exists'), { ...says(`k8s:${name}`, 'Exists'), matchLabels: own }],
    ['all names but one', says(name, 'NotIn', 'x'), { ...says(name, 'NotIn', 'x'), matchLabels: own }],
    ['a name nobody has reserved', { matchLabels: { [name]: 'shop' } }, { matchLabels: { [name]: 'shop', ...own } }],
    [
      'namespaces with a label anybody may set',
      { matchLabels: { [team]: 'x', 'k8s:app': 'web' } },
      { matchLabels: { [team]: 'x', 'k8s:app': 'web', ...own } },
    ],
    ['any tenant', says(tenantKey, 'Exists'), { ...says(tenantKey, 'Exists'), matchLabels: own }],
    [
      'all tenants but one',
      says(tenantKey, 'NotIn', 'gamma'),
      { ...says(tenantKey, 'NotIn', 'gamma'), matchLabels: own },
    ],
  ];
  for (const [sentence, written, becomes] of rows)
    for (const spec of [from, to])
      for (const [where, place] of [
        ['spec', (one: unknown): Rules => ({ spec: one })],
        ['specs', (one: unknown): Rules => ({ specs: [{ ...every, ingress: [{}] }, one] })],
        ['specs beside a spec', (one: unknown): Rules => ({ spec: from({}), specs: [one] })],
      ] as const) {
        const wanted = place(spec(becomes));
        t.strictSame(after(place(spec(written))), wanted, `${sentence}, ${where}`);
        t.strictSame(
          judge(wanted).filter(({ verdict }) => verdict !== 'nothing'),
          [],
          `${sentence}: and stays inside`,
        );
        t.strictSame(narrowed(wanted), [], `${sentence}: once`);
      }
  t.end();
});

t.test('each selector of a rule that is too wide is narrowed, and no other', (t) => {
  const wide = says(name, 'Exists');
  t.strictSame(
    places({
      spec: {
        ...every,
        ingress: [{ fromEndpoints: [wide, {}, { matchLabels: { app: 'x' } }, wide], toPorts: onPort }],
      },
    }),
    ['spec.ingress[0].fromEndpoints[0].matchLabels', 'spec.ingress[0].fromEndpoints[3].matchLabels'],
  );
  t.end();
});

t.test('what can be meant otherwise is left alone, and refused as under hard isolation', (t) => {
  const rows: readonly [sentence: string, spec: object][] = [
    ['no peers', { ...every, ingress: [{ toPorts: onPort }] }],
    ['an entity', { ...every, ingress: [{ fromEntities: ['cluster'] }] }],
    ['addresses', { ...every, egress: [{ toCIDR: ['0.0.0.0/0'] }] }],
    ['another tenant', from({ matchLabels: { [tenantKey]: 'gamma' } })],
    ['the own tenant and another', from(says(tenantKey, 'In', 'acme', 'gamma'))],
    ['all tenants but the own', from(says(tenantKey, 'NotIn', 'acme'))],
    ['the namespaces of the platform', from(says(tenantKey, 'DoesNotExist'))],
    ['a namespace of the platform', to({ matchLabels: { [name]: 'kube-system' } })],
    ['a name that is reserved to another tenant', from({ matchLabels: { [name]: 'beta-db' } })],
    ['a reserved label', from({ matchLabels: { 'reserved:host': '' } })],
    ['pods of another cluster', from({ matchLabels: { 'io.cilium.k8s.policy.cluster': 'west', [name]: 'x' } })],
    ['a label written with and without its source', from({ matchLabels: { app: 'x', 'any:app': 'y', [name]: 'x' } })],
    ['a selector that is none', from(7)],
    ['a field that is not known', { ...from(says(name, 'Exists')), fromNowhere: [] }],
    [
      'one of two rules that cannot be narrowed',
      { ...every, ingress: [from(says(name, 'Exists')).ingress[0], { toPorts: onPort }] },
    ],
  ];
  for (const [sentence, spec] of rows) {
    t.strictSame(narrowed({ spec }), [], sentence);
    t.not(judge({ spec }).length, 0, `${sentence}: is refused`);
  }
  t.end();
});

t.test('a gate and a shared service are kept', (t) => {
  const port = (port: string, protocol = 'TCP') => [{ ports: [{ port, protocol }] }];
  const wide = says(name, 'Exists');
  const beta = { matchLabels: { [tenantKey]: 'beta' } };
  const dns = { matchLabels: { 'k8s-app': 'kube-dns' } };
  for (const [sentence, spec] of [
    ['what an open gate would let in', from(wide, port('443'))],
    ['a range that has a port of an open gate', from(wide, [{ ports: [{ port: '1', endPort: 80, protocol: 'TCP' }] }])],
    ['a named port, which a gate may open', from(wide, port('http'))],
    ['every port', { ...every, egress: [{ toEndpoints: [wide] }] }],
    ['a port without a protocol', to(wide, [{ ports: [{ port: '5432' }] }])],
    ['the pods of a shared service, wherever they are', to({ ...wide, ...dns }, port('53', 'UDP'))],
  ] as const) {
    t.strictSame(narrowed({ spec }), [], sentence);
    t.not(judge({ spec }).length, 0, `${sentence}: is refused, so that it is written as it is meant`);
  }
  for (const [sentence, spec] of [
    ['a gate', to(beta, port('5432'))],
    ['a shared service', to({ matchLabels: { [name]: 'kube-system', 'k8s-app': 'kube-dns' } }, port('53', 'ANY'))],
  ] as const) {
    t.strictSame(judge({ spec }), [], `${sentence} is admitted`);
    t.strictSame(narrowed({ spec }), [], `${sentence} is not cut`);
    const both = { spec: { ...spec, ...from(wide) } };
    t.strictSame(
      places(both),
      ['spec.ingress[0].fromEndpoints[0].matchLabels'],
      `${sentence}, beside what is too wide`,
    );
  }
  t.end();
});

t.test('only a soft tenant that is enforced is narrowed, when the rules themselves are written', (t) => {
  const wide: Rules = { spec: from(says(name, 'Exists')) };
  const labelled: Rules = { ...wide, specs: [from({})] };
  t.equal(narrowed(wide, soft, { spec: every }).length, 1, 'updated');
  t.strictSame(narrowed(wide, soft, wide), [], 'an update that leaves the rules as they were');
  t.equal(narrowed(labelled, soft, wide).length, 1, 'an update of specs alone');
  t.strictSame(narrowed(wide, acme), [], 'hard isolation');
  for (const mode of ['warn', 'audit'] as const) t.strictSame(narrowed(wide, { ...soft, mode }), [], `mode ${mode}`);
  t.strictSame(narrowed(wide, 'platform'), [], 'a namespace of the platform');
  t.end();
});

t.test('the warning says what was added, and where', (t) => {
  t.strictSame(narrowingTexts(narrowed({ specs: [from(says(name, 'Exists'))] })), [
    `narrowed: ${tenantKey}: acme was added to specs[0].ingress[0].fromEndpoints[0].matchLabels`,
  ]);
  t.end();
});

t.test('whatever is narrowed is proven to stay inside then', (t) => {
  const keys = fc.constantFrom(name, `k8s:${name}`, tenantKey, team, 'app', 'any:app', 'reserved:host');
  const values = fc.subarray(['acme', 'gamma', 'x', 'acme-db'], { minLength: 1 });
  const requirement = fc.record({
    key: keys,
    operator: fc.constantFrom('In', 'NotIn', 'NotIn', 'Exists', 'Exists', 'DoesNotExist'),
    values: fc.option(values, { nil: undefined }),
  });
  const selector = fc.record(
    {
      matchLabels: fc.dictionary(keys, fc.constantFrom('x', 'acme', 'acme-db'), { maxKeys: 2 }),
      matchExpressions: fc.array(requirement, { maxLength: 2 }),
    },
    { requiredKeys: [] },
  );
  let count = 0;
  fc.assert(
    fc.property(fc.array(selector, { minLength: 1, maxLength: 2 }), fc.boolean(), (selectors, isIngress) => {
      const rule = isIngress
        ? { fromEndpoints: selectors, toPorts: onPort }
        : { toEndpoints: selectors, toPorts: onPort };
      const rules: Rules = { spec: { ...every, [isIngress ? 'ingress' : 'egress']: [rule] } };
      const intents = narrowed(rules);
      if (intents.length === 0) return true;
      count++;
      const object = objectOf(rules);
      applyIntents(object, intents);
      return judgeBorder(policyKindOf(request(rules)).read(object), border).every(
        ({ verdict }) => verdict === 'nothing',
      );
    }),
    { numRuns: 3_000 },
  );
  t.ok(count > 200, `${count} were narrowed`);
  t.end();
});
