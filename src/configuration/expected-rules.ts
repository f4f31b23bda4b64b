/** What the API server must ask about: the rules of manifests/base, as a test holds them, for comparison with those of the cluster. */
import type { ConfigurationName } from './webhook-configuration.ts';

export interface ExpectedRule {
  /** API version, plural resource and subresource: `networking.k8s.io/v1/networkpolicies`. */
  readonly resource: string;
  readonly scope: 'Cluster' | 'Namespaced';
  readonly operations: readonly ('CREATE' | 'UPDATE' | 'DELETE')[];
}

/** Not every cluster serves these: tenants may come as files, and `resize` is served since Kubernetes 1.33. */
export const optionalResources: ReadonlySet<string> = new Set([
  'bulkhead.dev/v1alpha1/tenants',
  'bulkhead.dev/v1alpha1/tenants/status',
  'v1/pods/resize',
]);

const [create, update] = [['CREATE'], ['UPDATE']] as const;
const write = ['CREATE', 'UPDATE'] as const;
const all = ['CREATE', 'UPDATE', 'DELETE'] as const;

export const expectedRules: Readonly<Record<ConfigurationName, readonly ExpectedRule[]>> = {
  'mutating/bulkhead': [namespaced('v1/pods', write), namespaced('networking.k8s.io/v1/networkpolicies', write)],
  'mutating/bulkhead-namespaces': [cluster('v1/namespaces', create)],
  'validating/bulkhead': [
    namespaced('v1/pods', write),
    namespaced('v1/pods/status', update),
    namespaced('v1/pods/ephemeralcontainers', update),
    namespaced('v1/pods/resize', update),
    namespaced('v1/pods/binding', create),
    namespaced('v1/bindings', create),
    namespaced('networking.k8s.io/v1/networkpolicies', all),
    namespaced('v1/resourcequotas', all),
    namespaced('v1/resourcequotas/status', update),
  ],
  'validating/bulkhead-namespaces': [
    cluster('v1/namespaces', all),
    cluster('v1/namespaces/status', update),
    cluster('v1/namespaces/finalize', update),
    cluster('bulkhead.dev/v1alpha1/tenants', all),
    cluster('bulkhead.dev/v1alpha1/tenants/status', update),
  ],
  'validating/bulkhead-workloads': [
    namespaced('apps/v1/deployments', write),
    namespaced('apps/v1/statefulsets', write),
    namespaced('apps/v1/daemonsets', write),
    namespaced('apps/v1/replicasets', write),
    namespaced('batch/v1/jobs', write),
    namespaced('batch/v1/cronjobs', write),
    namespaced('v1/replicationcontrollers', write),
  ],
};

function namespaced(resource: string, operations: ExpectedRule['operations']): ExpectedRule {
  return { resource, scope: 'Namespaced', operations };
}

function cluster(resource: string, operations: ExpectedRule['operations']): ExpectedRule {
  return { resource, scope: 'Cluster', operations };
}
