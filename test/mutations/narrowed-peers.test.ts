import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { patchText } from '../../src/admission/patch.ts';
import { networkPolicyResource } from '../../src/kinds/network-policy/network-policy.ts';
import { formatPath } from '../../src/kubernetes/field-path.ts';
import type { KubernetesObject } from '../../src/kubernetes/objects.ts';
import type { NetworkPolicyRequest, Operation } from '../../src/kubernetes/review.ts';
import { narrowedPeers } from '../../src/mutations/narrowed-peers.ts';
import { createTenancy, type Owner } from '../../src/tenancy/tenancy.ts';
import type { Tenant } from '../../src/tenancy/tenant.ts';
import { cast } from '../fixtures/cast.ts';
import { applied } from '../fixtures/json-patch.ts';
import { acme, beta, delta, judge, label, nameLabel, now, outline, settings, tenant } from '../reach/world.ts';

const soft: Tenant = { ...acme, isolation: 'soft' };
const tenancy = createTenancy(settings, [soft, beta, delta, tenant('gamma')]);
const ownerByName = () => 'none' as const;
const border = { tenant: soft, namespace: 'acme-web', tenancy, now, ownerByName };

interface Asked {
  readonly operation?: Operation;
  readonly name?: string;
  readonly oldSpec?: unknown;
}

/** Objects come as they do on the wire. */
function objectOf(spec: unknown, name = 'web'): KubernetesObject {
  return JSON.parse(JSON.stringify({ kind: 'NetworkPolicy', metadata: { name }, spec }));
}

const policy = { family: 'policy', kind: 'NetworkPolicy', resource: networkPolicyResource } as const;

function request(spec: unknown, { operation = 'CREATE', name = 'web', oldSpec }: Asked = {}): NetworkPolicyRequest {
  const oldObject = oldSpec === undefined ? undefined : objectOf(oldSpec);
  const rest = { uid: '1', subresource: '', namespace: 'acme-web', user: cast['acme developer'], dryRun: false };
  return { ...policy, operation, name, object: objectOf(spec, name), oldObject, ...rest };
}

function narrowed(spec: unknown, owner: Owner = soft, asked: Asked = {}) {
  return narrowedPeers(request(spec, asked), { owner, tenancy, now, ownerByName });
}

/** The fields that get the label: `spec.ingress[0].from[0].namespaceSelector.matchLabels`. */
function places(spec: unknown, owner: Owner = soft, asked: Asked = {}): readonly string[] {
  return narrowed(spec, owner, asked).map((one) => formatPath('text' in one ? one.text : one.labels));
}

function specAfter(spec: unknown): unknown {
  const object = objectOf(spec);
  const operations = JSON.parse(patchText(object, narrowed(spec)) ?? '[]');
  return JSON.parse(JSON.stringify(applied(object, operations))).spec;
}

const from = (peer: unknown, ports?: unknown) => ({ podSelector: {}, ingress: [{ from: [peer], ports }] });
const to = (peer: unknown, ports?: unknown) => ({ policyTypes: ['Egress'], egress: [{ to: [peer], ports }] });
const says = (key: string, operator: string, ...values: string[]) => ({
  matchExpressions: [{ key, operator, ...(values.length > 0 && { values }) }],
});
const named = (...names: string[]) => ({ namespaceSelector: says(nameLabel, 'In', ...names) });

t.test('a selector that is merely too wide gets the tenant label', async (t) => {
  const own = { [label]: 'acme' };
  const rows: readonly [sentence: string, written: object, narrowed: object][] = [
    ['every namespace', {}, { matchLabels: own }],
    ['no labels in the map', { matchLabels: {} }, { matchLabels: own }],
    ['a map that is null', { matchLabels: null, matchExpressions: [] }, { matchLabels: own, matchExpressions: [] }],
    ['a label anybody may set', { matchLabels: { env: 'x' } }, { matchLabels: { env: 'x', ...own } }],
    [
      'labels that mean something to JavaScript',
      { matchLabels: { constructor: 'x', toString: 'y' } },
      { matchLabels: { constructor: 'x', toString: 'y', ...own } },
    ],
    ['any tenant', says(label, 'Exists'), { ...says(label, 'Exists'), matchLabels: own }],
    ['all tenants but one', says(label, 'NotIn', 'gamma'), { ...says(label, 'NotIn', 'gamma'), matchLabels: own }],
    ['all names but one', says(nameLabel, 'NotIn', 'x'), { ...says(nameLabel, 'NotIn', 'x'), matchLabels: own }],
    [
      'a name nobody has reserved',
      says(nameLabel, 'In', 'shop'),
      { ...says(nameLabel, 'In', 'shop'), matchLabels: own },
    ],
    [
      'such a name beside an own one',
      says(nameLabel, 'In', 'shop', 'acme-db'),
      { ...says(nameLabel, 'In', 'shop', 'acme-db'), matchLabels: own },
    ],
  ];
  for (const [sentence, namespaceSelector, wanted] of rows) {
    const peer = { namespaceSelector, podSelector: { matchLabels: { app: 'web' } } };
    // Beside acme's gates: beta's for ingress is open on 80 and 443, and for egress on 5432 and 9000 to 9010.
    for (const [direction, spec] of [
      ['ingress', (one: object) => from(one, [{ port: 8080 }])],
      ['egress', (one: object) => to(one, [{ port: 8080 }])],
    ] as const) {
      const wantedSpec = JSON.parse(JSON.stringify(spec({ ...peer, namespaceSelector: wanted })));
      t.strictSame(specAfter(spec(peer)), wantedSpec, `${sentence}, ${direction}`);
      t.strictSame(judge(wantedSpec, border), [], `${sentence}, ${direction}: and is proven to stay inside`);
      t.strictSame(places(wantedSpec), [], `${sentence}, ${direction}: once`);
    }
  }
});

t.test('rules of a direction that policyTypes leaves out are narrowed too', async (t) => {
  const spec = { policyTypes: ['Egress'], ingress: [{ from: [{ namespaceSelector: {} }], ports: [{ port: 8080 }] }] };
  const after = specAfter(spec);
  t.match(after, { ingress: [{ from: [{ namespaceSelector: { matchLabels: { [label]: 'acme' } } }] }] });
  t.match(judge(after, border), [{ verdict: 'nothing', path: 'spec.ingress' }], 'only the hint is left');
});

t.test('what can be meant otherwise is left alone, and refused as under hard isolation', async (t) => {
  const rows: readonly [sentence: string, spec: object][] = [
    ['no peers', { ingress: [{}] }],
    ['an empty list of peers', { ingress: [{ from: [] }] }],
    ['addresses', from({ ipBlock: { cidr: '0.0.0.0/0' } })],
    ['another tenant', from({ namespaceSelector: { matchLabels: { [label]: 'gamma' } } }, [{ port: 8080 }])],
    ['the own tenant and another', from({ namespaceSelector: says(label, 'In', 'acme', 'gamma') }, [{ port: 8080 }])],
    ['all tenants but the own', from({ namespaceSelector: says(label, 'NotIn', 'acme') }, [{ port: 8080 }])],
    ['the namespaces of the platform', from({ namespaceSelector: says(label, 'DoesNotExist') }, [{ port: 8080 }])],
    ['a namespace of the platform', to(named('kube-system'))],
    ['a namespace of the platform beside a free name', to(named('kube-system', 'shop'), [{ port: 8080 }])],
    ['a name that is reserved to another tenant', from(named('beta-db'), [{ port: 8080 }])],
    ['what an open gate would let in', from({ namespaceSelector: {} }, [{ port: 443 }])],
    ['a range that has a port of an open gate', from({ namespaceSelector: {} }, [{ port: 1, endPort: 80 }])],
    ['a named port, which a gate may open', from({ namespaceSelector: {} }, [{ port: 'http' }])],
    ['every port', to({ namespaceSelector: {} })],
    [
      'the pods of a shared service, wherever they are',
      to({ namespaceSelector: {}, podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } } }, [{ port: 53 }]),
    ],
    [
      'pods that Cilium takes for those of other namespaces',
      from({ namespaceSelector: {}, podSelector: { matchLabels: { 'io.kubernetes.pod.namespace': 'x' } } }, [
        { port: 8080 },
      ]),
    ],
    [
      'keys that are no labels',
      JSON.parse(JSON.stringify(from({ namespaceSelector: { matchLabels: 0 } })).replace('0', '{"__proto__":"x"}')),
    ],
    ['a selector that is none', from({ namespaceSelector: 7 })],
    ['a spec that is none', [] as object],
  ];
  for (const [sentence, spec] of rows) {
    t.strictSame(places(spec), [], sentence);
    t.not(judge(spec, border).length, 0, `${sentence}: is refused`);
  }
});

t.test('what is contained already is untouched', async (t) => {
  const rows: readonly [sentence: string, spec: object][] = [
    ['nothing', {}],
    ['the own namespace', from({ podSelector: {} })],
    ['the own tenant', from({ namespaceSelector: { matchLabels: { [label]: 'acme' } } })],
    ['names that are reserved to the tenant', from(named('acme-web', 'acme-db'))],
    ['an agreed gate', to({ namespaceSelector: { matchLabels: { [label]: 'beta' } } }, [{ port: 5432 }])],
    [
      'a shared service',
      to({ ...named('kube-system'), podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } } }, [{ port: 53 }]),
    ],
    [
      'a peer that matches nothing',
      from({
        namespaceSelector: says(label, 'NotIn', 'acme'),
        podSelector: { matchLabels: { app: 'x' }, matchExpressions: [{ key: 'app', operator: 'DoesNotExist' }] },
      }),
    ],
  ];
  for (const [sentence, spec] of rows) {
    t.strictSame(places(spec), [], sentence);
    t.strictSame(
      judge(spec, border)
        .filter(({ verdict }) => verdict !== 'nothing')
        .map(outline),
      [],
      `${sentence}: is admitted`,
    );
  }
});

t.test('a policy that would be refused all the same is left as it was written', async (t) => {
  const wide = { namespaceSelector: {} };
  const ports = [{ port: 8080 }];
  t.strictSame(places({ ingress: [{ from: [wide, { podSelector: {} }, wide], ports }] }), [
    'spec.ingress[0].from[0].namespaceSelector.matchLabels',
    'spec.ingress[0].from[2].namespaceSelector.matchLabels',
  ]);
  for (const [sentence, other] of [
    ['a rule for everybody', {}],
    ['another tenant', { from: [{ namespaceSelector: { matchLabels: { [label]: 'gamma' } } }] }],
    ['what is not understood', { from: [{ podSelector: {} }], ports: [{ port: 0 }] }],
    ['addresses of the cluster', { from: [{ ipBlock: { cidr: '10.244.0.0/16' } }] }],
  ] as const) {
    t.strictSame(places({ ingress: [{ from: [wide], ports }, other] }), [], `${sentence} beside it`);
  }
});

t.test('only a soft tenant that is enforced is narrowed, when the policy itself is written', async (t) => {
  const wide = from({ namespaceSelector: {} }, [{ port: 8080 }]);
  const place = ['spec.ingress[0].from[0].namespaceSelector.matchLabels'];
  const label = { metadata: { labels: { app: 'web' } } };
  const rows: readonly [sentence: string, owner: Owner, asked: Asked, wanted: readonly string[]][] = [
    ['created', soft, {}, place],
    ['updated', soft, { operation: 'UPDATE', oldSpec: {} }, place],
    ['an update that leaves the spec as it was', soft, { operation: 'UPDATE', oldSpec: wide, ...label }, []],
    ['deleted', soft, { operation: 'DELETE' }, []],
    ['hard isolation', acme, {}, []],
    ['mode warn, in which nothing is changed', { ...soft, mode: 'warn' }, {}, []],
    ['mode audit, in which nothing is changed', { ...soft, mode: 'audit' }, {}, []],
    ['a namespace of the platform', 'platform', {}, []],
    ['a policy that Bulkhead manages', soft, { name: 'bulkhead-allow-within' }, []],
  ];
  for (const [sentence, owner, asked, wanted] of rows) t.strictSame(places(wide, owner, asked), wanted, sentence);
});

t.test('whatever is written, narrowing proves it, adds nothing but the label, and is done at once', async (t) => {
  const values = fc.subarray(['acme', 'beta', 'gamma', 'x'], { minLength: 1 });
  const requirement = fc.record({
    key: fc.constantFrom(label, nameLabel, 'env'),
    operator: fc.constantFrom('In', 'NotIn', 'NotIn', 'NotIn', 'Exists', 'DoesNotExist'),
    values: fc.option(values, { nil: undefined }),
  });
  const matchLabels = fc.option(
    fc.dictionary(fc.constantFrom('env', 'constructor', nameLabel), fc.constantFrom('x', 'acme-db'), { maxKeys: 2 }),
  );
  const namespaceSelector = fc.record(
    { matchLabels, matchExpressions: fc.array(requirement, { maxLength: 2 }) },
    { requiredKeys: [] },
  );
  const peer = fc.record({ namespaceSelector, podSelector: fc.constant({}) }, { requiredKeys: ['namespaceSelector'] });
  const ports = fc.constantFrom([{ port: 8080 }], [{ port: 443 }], [{ port: 5432 }, { port: 1 }]);
  const spec = fc.record({
    ingress: fc.array(fc.record({ from: fc.array(peer, { minLength: 1, maxLength: 2 }), ports }), { maxLength: 2 }),
  });
  let count = 0;
  fc.assert(
    fc.property(spec, (written) => {
      const intents = narrowed(written);
      const after = specAfter(written);
      if (intents.length === 0) return isDeepStrictEqual(after, onWire(written));
      count++;
      const refused = judge(after, border).filter(({ verdict }) => verdict !== 'nothing');
      const without = onWire(after, (key, value) => (key === label && value === 'acme' ? undefined : value));
      const kept = isDeepStrictEqual(bare(without), bare(written));
      return refused.length === 0 && places(after).length === 0 && kept;
    }),
    { numRuns: 2000 },
  );
  t.ok(count > 200, `${count} policies were narrowed`);
});

function onWire(spec: unknown, replace?: (key: string, value: unknown) => unknown): unknown {
  return JSON.parse(JSON.stringify(spec, replace));
}

/** Without maps of labels that are empty, as the one that was missing is once its label is taken off. */
function bare(spec: unknown): unknown {
  return onWire(spec, (key, value) =>
    key === 'matchLabels' && Object.keys(value ?? {}).length === 0 ? undefined : value,
  );
}
