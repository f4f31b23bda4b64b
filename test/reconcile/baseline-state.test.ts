import t from 'tap';
import { stateOf } from '../../src/reconcile/baseline-state.ts';

const label = 'bulkhead.dev/tenant';
const metadata = { name: 'bulkhead-default-deny', labels: { [label]: 'acme' } };
const policy = { metadata, spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] } };
const quota = { metadata, spec: { hard: { pods: '500', 'requests.cpu': '1' } } };
const state = (object: Readonly<Record<string, unknown>>) => stateOf(object, label);

t.test('what the API server writes in another way is the same', async (t) => {
  const table: readonly [string, Record<string, unknown>, Record<string, unknown>][] = [
    ['the order of keys', policy, { spec: { policyTypes: ['Ingress', 'Egress'], podSelector: {} }, metadata }],
    ['an empty list of rules', policy, { metadata, spec: { ...policy.spec, ingress: [], egress: null } }],
    [
      'what the server adds',
      policy,
      { ...policy, metadata: { ...metadata, uid: 'u', managedFields: [{}], generation: 1 } },
    ],
    ['other labels', policy, { ...policy, metadata: { ...metadata, labels: { ...metadata.labels, other: 'x' } } }],
    ['no owners', policy, { ...policy, metadata: { ...metadata, ownerReferences: [] } }],
    ['no finalizers', policy, { ...policy, metadata: { ...metadata, finalizers: [], deletionTimestamp: null } }],
    ['other annotations', policy, { ...policy, metadata: { ...metadata, annotations: { other: 'x' } } }],
    ['how a quantity is written', quota, { metadata, spec: { hard: { 'requests.cpu': '1000m', pods: '0.5k' } } }],
    ['a quantity as a number', quota, { metadata, spec: { hard: { 'requests.cpu': 1, pods: 500 } } }],
    [
      'how the quantities of a LimitRange are written',
      {
        metadata,
        spec: { limits: [{ type: 'Container', defaultRequest: { cpu: '0.1' }, default: { memory: '1Gi' } }] },
      },
      {
        metadata,
        spec: { limits: [{ type: 'Container', defaultRequest: { cpu: '100m' }, default: { memory: '1024Mi' } }] },
      },
    ],
    ['the status of a quota', quota, { ...quota, status: { used: { pods: '3' } } }],
  ];
  for (const [name, one, other] of table) t.equal(state(other), state(one), name);
});

t.test('what has another effect is another state', async (t) => {
  const table: readonly [string, Record<string, unknown>, Record<string, unknown>][] = [
    ['a rule that lets everybody in', policy, { metadata, spec: { ...policy.spec, ingress: [{}] } }],
    ['fewer directions', policy, { metadata, spec: { ...policy.spec, policyTypes: ['Ingress'] } }],
    ['fewer pods', policy, { metadata, spec: { ...policy.spec, podSelector: { matchLabels: { app: 'x' } } } }],
    ['no selector at all', policy, { metadata, spec: { policyTypes: ['Ingress', 'Egress'] } }],
    [
      'an owner, with which it would be deleted',
      policy,
      { ...policy, metadata: { ...metadata, ownerReferences: [{ kind: 'ConfigMap' }] } },
    ],
    [
      'a finalizer, with which it would outstay its namespace',
      policy,
      { ...policy, metadata: { ...metadata, finalizers: ['x'] } },
    ],
    [
      'a deletion under way',
      policy,
      { ...policy, metadata: { ...metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } },
    ],
    [
      'another namespace',
      policy,
      { ...policy, metadata: { ...metadata, annotations: { 'bulkhead.dev/namespace-uid': 'x' } } },
    ],
    ['another tenant', policy, { ...policy, metadata: { ...metadata, labels: { [label]: 'beta' } } }],
    ['no tenant', policy, { ...policy, metadata: { name: metadata.name } }],
    ['another amount', quota, { metadata, spec: { hard: { pods: '501', 'requests.cpu': '1' } } }],
    ['one amount more', quota, { metadata, spec: { hard: { ...quota.spec.hard, services: '1' } } }],
    ['what is no amount', quota, { metadata, spec: { hard: { pods: 'many', 'requests.cpu': '1' } } }],
  ];
  for (const [name, one, other] of table) t.not(state(other), state(one), name);
});

t.test('the key of the tenant label is a part of it', async (t) => {
  const moved = { ...metadata, labels: { 'other.dev/tenant': 'acme' } };
  t.not(
    stateOf({ ...policy, metadata: moved }, 'other.dev/tenant'),
    state(policy),
    'a label that was right before the key was changed',
  );
  t.not(stateOf(policy, 'other.dev/tenant'), stateOf({ ...policy, metadata: moved }, 'other.dev/tenant'));
});
