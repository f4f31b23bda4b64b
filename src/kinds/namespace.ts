import { probeNamespace } from '../tenancy/probe.ts';
import type { OtherKind } from './kind.ts';

export const namespace: OtherKind = {
  family: 'namespace',
  kind: 'Namespace',
  group: '',
  versions: ['v1'],
  plural: 'namespaces',
  scope: 'Cluster',
  writers: 'tenants',
  reviews: [
    { phase: 'mutate', resources: ['namespaces'], operations: ['CREATE'] },
    { phase: 'validate', resources: ['namespaces'], operations: ['CREATE', 'UPDATE', 'DELETE'] },
    // Both write labels and annotations, too.
    { phase: 'validate', resources: ['namespaces/status', 'namespaces/finalize'], operations: ['UPDATE'] },
  ],
  rights: [
    {
      why: 'The owner of a namespace: followed by a watch, and read live when a namespace is not known yet.',
      resources: ['namespaces'],
      verbs: ['get', 'list', 'watch'],
    },
    {
      why: 'The probe: a dry-run that Bulkhead must refuse (docs/decisions/0020). No pods run in kube-public. The other namespace gets the tenant label.',
      resources: ['namespaces'],
      names: ['kube-public', probeNamespace],
      verbs: ['patch'],
    },
  ],
};
