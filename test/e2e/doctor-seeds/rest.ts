import { admission, apps, type Json } from '../doctored-cluster.ts';
import type { Seed } from './seed.ts';

const deployment = `${apps}/bulkhead-system/deployments/bulkhead`;

export const rest: readonly Seed[] = [
  {
    wrong: 'one replica',
    ids: ['replicas-too-few'],
    make: (cluster) => cluster.changed(deployment, ({ spec }: { spec: Json }) => Object.assign(spec, { replicas: 1 })),
  },
  {
    wrong: 'replicas that are not ready',
    ids: ['replicas-not-ready'],
    says: /"severity":"error"/,
    make: (cluster) =>
      cluster.changed(`${deployment}/status`, ({ status }: { status: Json }) =>
        Object.assign(status, { readyReplicas: 0, availableReplicas: 0 }),
      ),
  },
  { wrong: 'no Deployment', ids: ['replicas-missing'], make: (cluster) => cluster.removed(deployment) },
  {
    wrong: 'no disruption budget',
    ids: ['disruption-budget-missing'],
    make: (cluster) => cluster.removed('/apis/policy/v1/namespaces/bulkhead-system/poddisruptionbudgets/bulkhead'),
  },
  {
    wrong: 'a namespace without an owner',
    ids: ['namespace-without-owner'],
    make: (cluster) => cluster.made(['/api/v1/namespaces', { metadata: { name: 'nobodys' } }]),
  },
  {
    wrong: 'a namespace with the label of a tenant, and a name that is not reserved for it',
    ids: ['namespace-doubtful'],
    make: (cluster) =>
      cluster.made(['/api/v1/namespaces', { metadata: { name: 'shop', labels: { 'bulkhead.dev/tenant': 'acme' } } }]),
  },
  {
    wrong: 'a backstop of other settings',
    ids: ['backstop-older'],
    make: (cluster) =>
      cluster.made([
        `${admission}/validatingadmissionpolicies`,
        {
          metadata: {
            name: 'bulkhead-host-network',
            labels: { 'app.kubernetes.io/component': 'backstop' },
            annotations: { 'bulkhead.dev/backstop': 'older' },
          },
          spec: {
            matchConstraints: {
              resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], operations: ['CREATE'] }],
            },
            validations: [{ expression: 'true' }],
          },
        },
      ]),
  },
  {
    wrong: 'settings that only observe',
    ids: ['settings-observe'],
    settings: (spec) => Object.assign(spec, { enforcement: 'observe' }),
  },
  {
    wrong: 'settings that leave out ranges',
    ids: ['configuration-doubtful', 'range-family-missing'],
    says: /so every IPv4 ipBlock of a tenant is rejected/,
    settings: ({ network }) => {
      delete network?.nodeCIDRs;
    },
  },
];
