/** Soft isolation narrows the namespaceSelectors of Calico, which are text. */
import fc from 'fast-check';
import t from 'tap';
import { narrowingTexts } from '../../src/admission/message.ts';
import { applyIntents, patchText } from '../../src/admission/patch.ts';
import { policyKindOf } from '../../src/kinds/policy-kind.ts';
import type { KubernetesObject } from '../../src/kubernetes/objects.ts';
import type { PolicyRequest } from '../../src/kubernetes/review.ts';
import { narrowedPeers } from '../../src/mutations/narrowed-peers.ts';
import { judgeBorder } from '../../src/reach/border.ts';
import type { Border } from '../../src/reach/violation.ts';
import { createTenancy } from '../../src/tenancy/tenancy.ts';
import type { Tenant } from '../../src/tenancy/tenant.ts';
import { cast } from '../fixtures/cast.ts';
import { applied } from '../fixtures/json-patch.ts';
import { selectors } from '../reach/expression/random-selectors.ts';
import { acme, beta, delta, label, now, settings, tenant } from '../reach/world.ts';

const soft: Tenant = { ...acme, isolation: 'soft' };
const tenancy = createTenancy(settings, [soft, beta, delta, tenant('gamma')]);
const ownerByName = () => 'none' as const;
const border: Border = { tenant: soft, namespace: 'acme-web', tenancy, now, ownerByName };
const resources = ['projectcalico.org/v3/networkpolicies', 'crd.projectcalico.org/v1/networkpolicies'] as const;
const own = `${label} == "acme"`;

type Resource = (typeof resources)[number];

function objectOf(spec: unknown): KubernetesObject {
  return JSON.parse(JSON.stringify({ kind: 'NetworkPolicy', metadata: { name: 'web', namespace: 'acme-web' }, spec }));
}

function request(spec: unknown, resource: Resource = resources[0], oldSpec?: unknown): PolicyRequest {
  const user = cast['acme developer'];
  const rest = { uid: '1', subresource: '', namespace: 'acme-web', name: 'web', user, dryRun: false } as const;
  const about = { family: 'policy', kind: 'NetworkPolicy', resource } as const;
  const oldObject = oldSpec === undefined ? undefined : objectOf(oldSpec);
  const operation = oldObject === undefined ? 'CREATE' : 'UPDATE';
  return { ...about, ...rest, operation, object: objectOf(spec), oldObject };
}

const narrowed = (asked: PolicyRequest) => narrowedPeers(asked, { owner: soft, tenancy, now, ownerByName });

function specAfter(spec: unknown, resource?: Resource): unknown {
  const asked = request(spec, resource);
  const intents = narrowed(asked);
  const patched = applied(asked.object, JSON.parse(patchText(asked.object, intents) ?? '[]'));
  const object = objectOf(spec);
  applyIntents(object, intents);
  t.strictSame(object, JSON.parse(JSON.stringify(patched)), 'the patch says what is judged');
  return JSON.parse(JSON.stringify(patched)).spec;
}

const judge = (spec: unknown) => judgeBorder(policyKindOf(request(spec)).read(objectOf(spec)), border);
/** Beside acme's gates: beta's for ingress is open on 80 and 443, and for egress on 5432 and 9000 to 9010. */
const onPort = { protocol: 'TCP', destination: { ports: [8080] } };
const from = (namespaceSelector: string, more: object = {}, rule: object = onPort) => ({
  ingress: [{ action: 'Allow', ...rule, source: { namespaceSelector, ...more } }],
});
const to = (namespaceSelector: string, more: object = {}) => ({
  egress: [{ action: 'Pass', protocol: 'TCP', destination: { namespaceSelector, ports: [8080], ...more } }],
});

t.test('a namespaceSelector that is merely too wide gets a test of the tenant label', async (t) => {
  const rows: readonly [written: string, becomes: string][] = [
    ['all()', own],
    ['  all() ', own],
    [' ', own],
    ['has(team)', `(has(team)) && ${own}`],
    ['team == "x" || has(y)', `(team == "x" || has(y)) && ${own}`],
    ['env != "prod"', `(env != "prod") && ${own}`],
    [`has(${label})`, `(has(${label})) && ${own}`],
    [`${label} != "gamma"`, `(${label} != "gamma") && ${own}`],
    [`${own} || has(y)`, `(${own} || has(y)) && ${own}`],
    ['team starts with "a"', `(team starts with "a") && ${own}`],
    ['projectcalico.org/name == "shop"', `(projectcalico.org/name == "shop") && ${own}`],
    ['projectcalico.org/name != "x"', `(projectcalico.org/name != "x") && ${own}`],
  ];
  for (const [written, becomes] of rows)
    for (const spec of [from, to])
      for (const more of [
        {},
        { selector: 'app == "web"' },
        { nets: ['10.244.0.0/16'] },
        { serviceAccounts: { names: ['a'] } },
      ])
        for (const resource of resources) {
          const wanted = spec(becomes, more);
          t.strictSame(specAfter(spec(written, more), resource), wanted, `${written} of ${resource}`);
          t.strictSame(judge(wanted), [], `${written}: and is proven to stay inside`);
          t.strictSame(specAfter(wanted, resource), wanted, `${written}: once`);
        }
});

t.test('what can be meant otherwise is left alone, and refused as under hard isolation', async (t) => {
  const rows: readonly [sentence: string, spec: object][] = [
    ['no peers', { ingress: [{ action: 'Allow', ...onPort }] }],
    ['addresses', { egress: [{ action: 'Allow', destination: { nets: ['0.0.0.0/0'] } }] }],
    ['what is in no namespace', from('global()')],
    ['the same', from('!all()')],
    ['another tenant', from(`${label} == "gamma"`)],
    ['another tenant beside any team', from(`${label} == "gamma" || has(team)`)],
    ['the own tenant and another', from(`${label} in {"acme", "gamma"}`)],
    ['all tenants but the own', from(`${label} != "acme"`)],
    ['tenants by the beginning of their names', from(`${label} starts with "ac"`)],
    ['the namespaces of the platform', from(`!has(${label})`)],
    ['a namespace of the platform', to('projectcalico.org/name == "kube-system"')],
    ['the same beside others', to('kubernetes.io/metadata.name == "kube-system" || has(team)')],
    ['names by their beginning', to('projectcalico.org/name starts with "kube"')],
    [
      'another tenant, by a label of the namespace in the selector',
      from('all()', { selector: `pcns.${label} == "gamma"` }),
    ],
    ['what an open gate would let in', from('has(team)', {}, { protocol: 'TCP', destination: { ports: [443] } })],
    ['every port, which a gate may open', from('has(team)', {}, {})],
    ['the pods of a shared service, wherever they are', to('all()', { selector: 'k8s-app == "kube-dns"' })],
    ['the same beside others', to('all()', { selector: 'k8s-app == "kube-dns" || has(x)' })],
    [
      'a text that would be too long',
      from(`has(${'a'.repeat(300)}) || has(${'b'.repeat(300)}) || has(${'c'.repeat(300)}) || x == "${'d'.repeat(80)}"`),
    ],
    ['a selector that is none', from('has(')],
    ['another tier', { tier: 'platform', ...from('has(team)') }],
    ['one of two rules that cannot be narrowed', { ingress: [...from('has(team)').ingress, { action: 'Allow' }] }],
  ];
  for (const [sentence, spec] of rows) {
    t.strictSame(narrowed(request(spec)), [], sentence);
    t.not(judge(spec).length, 0, `${sentence}: is refused`);
  }
});

t.test('what is contained, denied or unchanged stays as it is', async (t) => {
  for (const spec of [from(own), from('all()', {}, { action: 'Deny' }), { selector: 'all()' }, { ingress: [] }])
    t.strictSame(narrowed(request(spec)), []);
  const wide = from('has(team)');
  t.strictSame(narrowed(request(wide, resources[0], wide)), [], 'of an update that keeps the spec');
});

t.test('staged policies are not narrowed, as nothing is open yet', async (t) => {
  const staged = {
    ...request(from('has(team)')),
    kind: 'StagedNetworkPolicy',
    resource: 'projectcalico.org/v3/stagednetworkpolicies',
  };
  t.strictSame(narrowed(staged), []);
});

t.test('the warning says what was added, and where', async (t) => {
  t.strictSame(narrowingTexts(narrowed(request(from('has(team)')))), [
    `narrowed: ${own} was added to spec.ingress[0].source.namespaceSelector`,
  ]);
});

t.test('whatever is narrowed is proven to stay inside then', async (t) => {
  let count = 0;
  fc.assert(
    fc.property(selectors(6), selectors(3), (namespaceSelector, selector) => {
      const spec = from(namespaceSelector, selector === '' ? {} : { selector });
      const intents = narrowed(request(spec));
      if (intents.length === 0) return true;
      count++;
      const object = objectOf(spec);
      applyIntents(object, intents);
      return judgeBorder(policyKindOf(request(spec)).read(object), border).every(
        ({ verdict }) => verdict === 'nothing',
      );
    }),
    { numRuns: 2_000 },
  );
  t.ok(count > 300, `${count} were narrowed`);
});
