import type { Gathered } from '../checks/check.ts';
import { narrowedPeers } from '../mutations/narrowed-peers.ts';
import { provisionerAnnotation, tenantLabel } from '../mutations/tenant-label.ts';

/** The labels that an object is to get, and the mark of a provisioner. */
export function intentsOf(gathered: Gathered) {
  const { request, facts } = gathered;
  const narrowed = narrowedPeers(request, facts);
  const marked =
    gathered.family === 'namespace' ? provisionerAnnotation(gathered.request, gathered.facts.grant) : undefined;
  const labelled = tenantLabel(request, facts);
  const all = labelled === undefined ? narrowed : [labelled, ...narrowed];
  return { narrowed, all: marked === undefined ? all : [marked, ...all] };
}
