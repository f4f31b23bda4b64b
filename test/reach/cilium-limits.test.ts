/** The cost of a CiliumNetworkPolicy is bounded, however many items its lists have: the API server sends bodies of 3 MB. */
import t from 'tap';
import { readCiliumPolicy } from '../../src/reach/dialects/cilium/policy.ts';

const many = (item: unknown) => Array.from({ length: 20_000 }, () => item);
const onPort = (more: object) => ({ ports: [{ port: '80' }], ...more });
const deadSpec = {
  endpointSelector: {
    matchExpressions: [
      { key: 'a', operator: 'Exists' },
      { key: 'a', operator: 'DoesNotExist' },
    ],
  },
  ingress: Array.from({ length: 4000 }, () => 7),
};
const spec = (fields: object) => ({ spec: { endpointSelector: {}, egress: [{}], ...fields } });
const policies: readonly [says: string, fields: object][] = [
  ['specs', { specs: many({}) }],
  ['specs for no pod', { specs: Array.from({ length: 5 }, () => deadSpec) }],
  ['rules', spec({ ingress: many(7) })],
  ['deny rules', spec({ ingressDeny: many({ toPorts: 7 }) })],
  ['labels', spec({ labels: many({}) })],
  ['ports', spec({ ingress: [{ fromEndpoints: [{}], toPorts: many(7) }] })],
  ['ICMP', spec({ ingress: [{ fromEndpoints: [{}], icmps: many(7) }] })],
  ['peers', spec({ ingress: [{ fromEndpoints: many(7) }] })],
  [
    'rules of HTTP',
    spec({
      ingress: [
        { fromEndpoints: [{}], toPorts: [onPort({ rules: { http: many({ headerMatches: [{ secret: {} }] }) } })] },
      ],
    }),
  ],
  [
    'headers',
    spec({
      ingress: [
        { fromEndpoints: [{}], toPorts: [onPort({ rules: { http: [{ headerMatches: many({ secret: {} }) }] } })] },
      ],
    }),
  ],
];

for (const [says, fields] of policies) {
  t.test(`too many ${says} are refused, and are not one finding each`, async (t) => {
    const { diagnostics } = readCiliumPolicy({
      ...{ apiVersion: 'cilium.io/v2', kind: 'CiliumNetworkPolicy', metadata: { name: 'a', namespace: 'acme-web' } },
      ...fields,
    });
    t.ok(diagnostics.length < 10_000, `${diagnostics.length} findings`);
    t.ok(diagnostics.some(({ verdict }) => verdict === 'unproven' || verdict === 'invalid'));
  });
}
