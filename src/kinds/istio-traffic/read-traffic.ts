/** The kinds of networking.istio.io that lead traffic, by resource. */

import { fieldOf } from '../../kubernetes/json.ts';
import type { UnreadRequest } from '../../kubernetes/review.ts';
import { readDestinationRule } from './destination-rule.ts';
import { readServiceEntry } from './service-entry.ts';
import type { Traffic } from './traffic.ts';
import { readVirtualService } from './virtual-service.ts';

type Reader = (spec: unknown, namespace: string) => Traffic;

const group = 'networking.istio.io';

const readers: Readonly<Record<string, Reader>> = {
  virtualservices: readVirtualService,
  destinationrules: readDestinationRule,
  serviceentries: readServiceEntry,
};

/** `virtualservices.networking.istio.io` and so on. */
export const trafficResources: readonly string[] = Object.keys(readers).map((plural) => `${plural}.${group}`);

/** Undefined: of another kind. Total: reads the object as untrusted data. */
export function readTraffic({
  group: written,
  resource,
  object,
  namespace,
}: Pick<UnreadRequest, 'group' | 'resource' | 'object' | 'namespace'>): Traffic | undefined {
  if (written !== group || !Object.hasOwn(readers, resource)) return undefined;
  return readers[resource]?.(fieldOf(object, 'spec'), namespace);
}
