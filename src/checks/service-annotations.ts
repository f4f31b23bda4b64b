import type { Tenancy } from '../tenancy/tenancy.ts';

/**
 * Annotations by which controllers of load balancers take addresses, several behind commas: MetalLB, kube-vip, Cilium, Calico (a list in
 * JSON), PureLB, Azure.
 */
export const addressAnnotations: ReadonlySet<string> = new Set([
  'metallb.io/loadBalancerIPs',
  'metallb.universe.tf/loadBalancerIPs',
  'kube-vip.io/loadbalancerIPs',
  'lbipam.cilium.io/ips',
  'io.cilium/lb-ipam-ips',
  'projectcalico.org/loadBalancerIPs',
  'purelb.io/addresses',
  'service.beta.kubernetes.io/azure-load-balancer-ipv4',
  'service.beta.kubernetes.io/azure-load-balancer-ipv6',
]);

/** Whether a check of Services reads the annotation: service-addresses or reserved-labels. */
export function isJudgedOnServices(key: string, { reserved }: Pick<Tenancy, 'reserved'>): boolean {
  return addressAnnotations.has(key) || reserved.serviceKeys.reserving(key) !== undefined;
}
