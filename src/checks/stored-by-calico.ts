import type { PolicyRequest } from '../kubernetes/review.ts';

/**
 * What Calico's own API server adds to the policies that it stores: the metadata that it shows, in an annotation, and the tier. Both may be
 * written by every user: neither changes what a policy does, and of a NetworkSet the check cross-tenant-ingress reads the metadata.
 */
export function isStoredByCalico(
  map: 'labels' | 'annotations',
  key: string,
  { resource }: Pick<PolicyRequest, 'resource'>,
): boolean {
  if (map === 'labels') return key === 'projectcalico.org/tier' && /^(?:crd\.)?projectcalico\.org\//.test(resource);
  return key === 'projectcalico.org/metadata' && resource.startsWith('crd.projectcalico.org/');
}
