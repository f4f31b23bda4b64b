import t from 'tap';
import { baselineOf } from '../../src/baseline/baseline.ts';
import { parseCidr } from '../../src/kubernetes/ip-range.ts';
import type { LabelSelector } from '../../src/kubernetes/label-selector.ts';
import type { PortRange } from '../../src/kubernetes/port-range.ts';
import type { Settings, SharedService } from '../../src/tenancy/settings.ts';
import type { Tenant } from '../../src/tenancy/tenant.ts';
import { settings, tenant } from './samples.ts';

const dns: SharedService = {
  name: 'dns',
  direction: 'egress',
  namespace: 'kube-system',
  podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
  ports: [
    { protocol: 'UDP', first: 53, last: 53 },
    { protocol: 'TCP', first: 53, last: 53 },
  ],
  addresses: [],
};

/** The specs by name, in order. */
function specs(of: Tenant, withSettings: Settings): Record<string, unknown> {
  return Object.fromEntries(
    baselineOf('acme-web', of, withSettings).map(({ metadata, spec }) => [metadata.name, spec]),
  );
}

const denied = { podSelector: {}, policyTypes: ['Ingress', 'Egress'] };

t.test('a tenant that opens nothing inside has the closed door and what the platform shares', async (t) => {
  t.same(specs(tenant({ within: 'none' }), settings([dns])), {
    'bulkhead-default-deny': denied,
    'bulkhead-allow-dns': {
      podSelector: {},
      policyTypes: ['Egress'],
      egress: [
        {
          to: [
            {
              namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } },
              podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
            },
          ],
          ports: [
            { protocol: 'UDP', port: 53 },
            { protocol: 'TCP', port: 53 },
          ],
        },
      ],
    },
  });
});

t.test('what is open inside the tenant, in both directions', async (t) => {
  const table: readonly [Tenant['network']['within'], unknown][] = [
    ['none', undefined],
    ['namespace', { podSelector: {} }],
    ['tenant', { namespaceSelector: { matchLabels: { 'bulkhead.dev/tenant': 'acme' } } }],
  ];
  for (const [within, peer] of table) {
    t.same(
      specs(tenant({ within }), settings([])),
      {
        'bulkhead-default-deny': denied,
        ...(peer === undefined
          ? {}
          : {
              'bulkhead-allow-within': {
                podSelector: {},
                policyTypes: ['Ingress', 'Egress'],
                ingress: [{ from: [peer] }],
                egress: [{ to: [peer] }],
              },
            }),
      },
      `within: ${within}`,
    );
  }
});

t.test('ports are written as the API stores them', async (t) => {
  const table: readonly [string, readonly PortRange[], unknown][] = [
    ['none given is every port', [], undefined],
    ['one', [{ protocol: 'TCP', first: 80, last: 80 }], [{ protocol: 'TCP', port: 80 }]],
    ['a range', [{ protocol: 'TCP', first: 80, last: 90 }], [{ protocol: 'TCP', port: 80, endPort: 90 }]],
    ['all of a protocol', [{ protocol: 'SCTP', first: 1, last: 65535 }], [{ protocol: 'SCTP' }]],
  ];
  for (const [name, ports, expected] of table) {
    const spec = specs(tenant({ within: 'none' }), settings([{ ...dns, ports }]))['bulkhead-allow-dns'];
    t.match(spec, { egress: [{ ports: expected }] }, name);
  }
});

t.test('a service that reaches tenants is let in', async (t) => {
  const monitoring: SharedService = {
    ...dns,
    name: 'monitoring',
    direction: 'ingress',
    namespace: 'monitoring',
    ports: [],
  };
  t.same(specs(tenant({ within: 'none' }), settings([monitoring]))['bulkhead-allow-monitoring'], {
    podSelector: {},
    policyTypes: ['Ingress'],
    ingress: [
      {
        from: [
          {
            namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } },
            podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
          },
        ],
      },
    ],
  });
});

t.test('a service is also reached at its addresses', async (t) => {
  const addresses = ['169.254.20.10/32', 'fd00::10/128'].flatMap((text) => {
    const parsed = parseCidr(text);
    return parsed.ok ? [parsed.value] : [];
  });
  t.match(specs(tenant({ within: 'none' }), settings([{ ...dns, addresses }]))['bulkhead-allow-dns'], {
    egress: [{ to: [{}, { ipBlock: { cidr: '169.254.20.10/32' } }, { ipBlock: { cidr: 'fd00::10/128' } }] }],
  });
});

t.test('services of one name share a policy', async (t) => {
  const both = settings([
    { ...dns, name: 'within', namespace: 'a' },
    { ...dns, name: 'mesh', namespace: 'b' },
    { ...dns, name: 'mesh', namespace: 'c', direction: 'ingress' },
  ]);
  const objects = specs(tenant({ within: 'namespace' }), both);
  t.same(Object.keys(objects), ['bulkhead-default-deny', 'bulkhead-allow-within', 'bulkhead-allow-mesh']);
  t.match(objects['bulkhead-allow-mesh'], {
    policyTypes: ['Ingress', 'Egress'],
    ingress: [{ from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'c' } } }] }],
    egress: [{ to: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'b' } } }] }],
  });
  t.match(objects['bulkhead-allow-within'], {
    ingress: [{ from: [{ podSelector: {} }] }],
    egress: [{ to: [{ namespaceSelector: {} }] }, { to: [{ podSelector: {} }] }],
  });
});

t.test('parts of a selector that the API server would drop are left out', async (t) => {
  const table: readonly [LabelSelector, LabelSelector][] = [
    [{ matchLabels: {}, matchExpressions: [] }, {}],
    [{ matchLabels: null, matchExpressions: null }, {}],
    [
      { matchExpressions: [{ key: 'app', operator: 'Exists', values: [] }] },
      { matchExpressions: [{ key: 'app', operator: 'Exists' }] },
    ],
    [
      { matchExpressions: [{ key: 'app', operator: 'In', values: ['a'] }] },
      { matchExpressions: [{ key: 'app', operator: 'In', values: ['a'] }] },
    ],
  ];
  for (const [podSelector, expected] of table) {
    const [, policy] = baselineOf('acme-web', tenant({ within: 'none' }), settings([{ ...dns, podSelector }]));
    t.same(
      policy?.kind === 'NetworkPolicy' && policy.spec.egress?.[0]?.to?.[0]?.podSelector,
      expected,
      JSON.stringify(podSelector),
    );
  }
});

t.test('the quota of the tenant comes last, as it is', async (t) => {
  const hard = { pods: '500', 'requests.cpu': '40' };
  const objects = baselineOf('acme-web', tenant({ within: 'tenant', resourceQuota: { hard } }), settings([]));
  t.same(objects.at(-1), {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: {
      name: 'bulkhead-quota',
      namespace: 'acme-web',
      labels: { 'app.kubernetes.io/managed-by': 'bulkhead', 'bulkhead.dev/tenant': 'acme' },
      annotations: { 'kubernetes.io/description': 'What tenant acme may use in this namespace.' },
    },
    spec: { hard },
  });
});

t.test('the defaults of containers are a LimitRange, after the quota', async (t) => {
  const limitRange = { limits: [{ type: 'Container', defaultRequest: { cpu: '100m' } }] } as const;
  const objects = baselineOf('acme-web', tenant({ within: 'none', resourceQuota: {}, limitRange }), settings([]));
  t.match(objects.at(-2), { kind: 'ResourceQuota' });
  t.match(objects.at(-1), { apiVersion: 'v1', kind: 'LimitRange', metadata: { name: 'bulkhead-defaults' } });
  t.same(objects.at(-1)?.spec, limitRange);
});

t.test('every object says what it is for', async (t) => {
  const said = (within: Tenant['network']['within'], services: readonly SharedService[]) =>
    Object.fromEntries(
      baselineOf('acme-web', tenant({ within }), settings(services)).map(({ metadata }) => [
        metadata.name,
        metadata.annotations['kubernetes.io/description'],
      ]),
    );
  t.same(said('tenant', [dns, { ...dns, name: 'proxy', direction: 'ingress' }]), {
    'bulkhead-default-deny':
      'Denies all traffic of all pods here. The other policies of this namespace allow what is wanted.',
    'bulkhead-allow-dns': 'Shared service dns: allows all pods here to reach it.',
    'bulkhead-allow-proxy': 'Shared service proxy: allows it to reach all pods here.',
    'bulkhead-allow-within': 'Allows all pods of tenant acme to reach each other.',
  });
  t.match(said('namespace', []), { 'bulkhead-allow-within': 'Allows all pods of this namespace to reach each other.' });
});

t.test('every object says whose it is', async (t) => {
  const custom = { ...settings([dns]), tenantLabel: 'example.com/team' };
  for (const { metadata } of baselineOf('acme-web', tenant({ within: 'tenant', resourceQuota: {} }), custom)) {
    t.same(
      metadata.labels,
      { 'app.kubernetes.io/managed-by': 'bulkhead', 'example.com/team': 'acme' },
      `${metadata.name} carries both labels`,
    );
    t.equal(metadata.namespace, 'acme-web');
  }
});

t.test('the same input gives the same text', async (t) => {
  const once = () => JSON.stringify(baselineOf('acme-web', tenant({ within: 'tenant' }), settings([dns])));
  t.equal(once(), once());
});
