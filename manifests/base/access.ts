/** What Bulkhead may do, from the table of kinds, as the file that people apply. */
import { Document, isScalar, visit } from 'yaml';
import type { Right } from '../../src/kinds/kind.ts';
import { kinds } from '../../src/kinds/kinds.ts';
import { comment, wrapped } from './webhook-configurations.ts';

const registrations = 'admissionregistration.k8s.io';

/** Rights on what Bulkhead is not asked about. */
const otherRights: readonly (Right & { readonly group: string })[] = [
  {
    why: 'Events on the namespace: what was put back, and what could not be.',
    group: '',
    resources: ['events'],
    verbs: ['create', 'patch'],
  },
  {
    why: 'The LimitRange of the baseline.',
    group: '',
    resources: ['limitranges'],
    verbs: ['list', 'watch', 'create', 'patch', 'update', 'delete'],
  },
  {
    why: 'Beside a policy that is written: contradictions between layers 4 and 7, where the settings have a section istio.',
    group: 'security.istio.io',
    resources: ['peerauthentications', 'requestauthentications'],
    verbs: ['list'],
  },
  {
    why: 'For these, which port of a Service leads to which port of its pods.',
    group: '',
    resources: ['services'],
    verbs: ['list'],
  },
  {
    why: 'Beside a policy of the platform: others of its priority.',
    group: 'policy.networking.k8s.io',
    resources: ['clusternetworkpolicies', 'adminnetworkpolicies'],
    verbs: ['list'],
  },
  {
    why: 'The webhook configurations: followed, given a CA bundle, and set to failurePolicy Fail. Not created, so that a deleted one stays deleted.',
    group: registrations,
    resources: ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'],
    verbs: ['list', 'watch'],
  },
  {
    why: '',
    group: registrations,
    resources: ['mutatingwebhookconfigurations'],
    names: ['bulkhead', 'bulkhead-namespaces'],
    verbs: ['patch'],
  },
  {
    why: '',
    group: registrations,
    resources: ['validatingwebhookconfigurations'],
    names: ['bulkhead', 'bulkhead-namespaces', 'bulkhead-workloads'],
    verbs: ['patch'],
  },
];

const about = `Made from src/kinds/ by generate.ts.

What Bulkhead may do: read namespaces and tenants, count pods, manage the policies and quotas of the baseline, and complete its own webhook
configurations. No Secrets (except one of its own namespace, in the overlay for that), no writes of pods, and nothing that gives Bulkhead
more rights. test/e2e/rights.test.ts holds that each is used.`;

/** The text of access.yaml. */
export function accessText(): string {
  const rights = [
    ...kinds.flatMap(({ group, rights }) => rights.map((right) => ({ ...right, group }))),
    ...otherRights,
  ];
  const role = new Document(
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'bulkhead' },
      rules: rights.map(({ group, resources, names, verbs }) => ({
        apiGroups: [group],
        resources,
        ...(names && { resourceNames: names }),
        verbs,
      })),
    },
    { aliasDuplicateObjects: false },
  );
  visit(role, {
    Seq(_, list) {
      if (list.items.every(isScalar)) list.flow = true;
    },
  });
  for (const [index, { why }] of rights.entries()) {
    const rule = role.getIn(['rules', index]);
    if (why !== '' && typeof rule === 'object' && rule !== null) Object.assign(rule, { commentBefore: wrapped(why) });
  }
  const roleText = role.toString({ lineWidth: 0, flowCollectionPadding: false });
  return `${comment(about)}${serviceAccount}---\n${roleText}---\n${binding}`;
}

const serviceAccount = `apiVersion: v1
kind: ServiceAccount
metadata:
  name: bulkhead
  namespace: bulkhead-system
`;

const binding = `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: bulkhead
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: bulkhead
subjects:
  - { kind: ServiceAccount, namespace: bulkhead-system, name: bulkhead }
`;
