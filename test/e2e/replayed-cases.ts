/** Which cases of test/fixtures are sent to a real API server, and where. */
import { catalogue } from '../../src/checks/catalogue.ts';
import { type Case, isReplayed, loadCases } from '../fixtures/cases.ts';
import { resourceOf } from '../fixtures/review.ts';

const collections: Readonly<Record<string, string>> = {
  Namespace: '/api/v1/namespaces',
  Pod: '/api/v1/namespaces/NAMESPACE/pods',
  NetworkPolicy: '/apis/networking.k8s.io/v1/namespaces/NAMESPACE/networkpolicies',
  CiliumNetworkPolicy: '/apis/cilium.io/v2/namespaces/NAMESPACE/ciliumnetworkpolicies',
  ResourceQuota: '/api/v1/namespaces/NAMESPACE/resourcequotas',
  Tenant: '/apis/bulkhead.dev/v1alpha1/tenants',
  Exemption: '/apis/bulkhead.dev/v1alpha1/exemptions',
  CiliumLocalRedirectPolicy: '/apis/cilium.io/v2/namespaces/NAMESPACE/ciliumlocalredirectpolicies',
  CiliumEnvoyConfig: '/apis/cilium.io/v2/namespaces/NAMESPACE/ciliumenvoyconfigs',
  CiliumEndpoint: '/apis/cilium.io/v2/namespaces/NAMESPACE/ciliumendpoints',
  CiliumClusterwideNetworkPolicy: '/apis/cilium.io/v2/ciliumclusterwidenetworkpolicies',
  CiliumNode: '/apis/cilium.io/v2/ciliumnodes',
  GlobalNetworkPolicy: '/apis/crd.projectcalico.org/v1/globalnetworkpolicies',
  ClusterNetworkPolicy: '/apis/policy.networking.k8s.io/v1alpha2/clusternetworkpolicies',
  AdminNetworkPolicy: '/apis/policy.networking.k8s.io/v1alpha1/adminnetworkpolicies',
  BaselineAdminNetworkPolicy: '/apis/policy.networking.k8s.io/v1alpha1/baselineadminnetworkpolicies',
  VirtualService: '/apis/networking.istio.io/v1/namespaces/NAMESPACE/virtualservices',
  AuthorizationPolicy: '/apis/security.istio.io/v1/namespaces/NAMESPACE/authorizationpolicies',
  NetworkAttachmentDefinition: '/apis/k8s.cni.cncf.io/v1/namespaces/NAMESPACE/network-attachment-definitions',
  EgressFirewall: '/apis/k8s.ovn.org/v1/namespaces/NAMESPACE/egressfirewalls',
  ClusterEgressRule: '/apis/k8s.ovn.org/v1/clusteregressrules',
};

/** Checks that never refuse. */
export const intent: ReadonlySet<string> = new Set(
  catalogue.filter(({ protects }) => protects === 'intent').map(({ id }) => id),
);

export const replayed: readonly Case[] = loadCases().filter(isReplayed);

const ofThePlatform: readonly (string | undefined)[] = ['default', 'ingress-nginx', 'kube-system'];

/** Such requests are sent in observe alone (docs/decisions/0030). */
export function inNamespaceOfThePlatform({ object }: Case): boolean {
  return ofThePlatform.includes(object?.metadata?.namespace);
}

export function pathOf({ object }: Case): string {
  const { group, version, resource } = resourceOf(object ?? {});
  const ofCalico = `/apis/${group}/${version}/namespaces/NAMESPACE/${resource}`;
  const path = ['networkpolicies', 'networksets'].includes(resource) ? ofCalico : collections[object?.kind ?? ''];
  if (path === undefined) throw new Error(`no case creates a ${object?.kind}`);
  return path.replace('NAMESPACE', object?.metadata?.namespace ?? '');
}
