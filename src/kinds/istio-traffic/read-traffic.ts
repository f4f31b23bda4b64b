/** The kinds of networking.istio.io that lead traffic, by resource. */

import { fieldOf } from '../../kubernetes/json.ts';
import type { UnreadRequest } from '../../kubernetes/review.ts';
import { destinationRuleShape, readDestinationRule } from './destination-rule.ts';
import { gatewayShape, readGateway } from './gateway.ts';
import { readServiceEntry, serviceEntryShape } from './service-entry.ts';
import type { Shape } from './shape.ts';
import { readSidecar, sidecarShape } from './sidecar.ts';
import type { Traffic } from './traffic.ts';
import { workloadEntryShape } from './values.ts';
import { readVirtualService, virtualServiceShape } from './virtual-service.ts';
import { readWorkloadEntry } from './workload-entry.ts';

type Reader = (spec: unknown, namespace: string) => Traffic;

const group = 'networking.istio.io';

/** A WorkloadGroup is not among them: by one, programs of its namespace have istiod write entries for whichever address they say. */
const readers: Readonly<Record<string, Reader>> = {
  virtualservices: readVirtualService,
  destinationrules: readDestinationRule,
  serviceentries: readServiceEntry,
  gateways: readGateway,
  sidecars: readSidecar,
  workloadentries: readWorkloadEntry,
};

/** The fields that are understood, by resource. */
export const trafficShapes: Readonly<Record<string, Shape>> = {
  virtualservices: virtualServiceShape,
  destinationrules: destinationRuleShape,
  serviceentries: serviceEntryShape,
  gateways: gatewayShape,
  sidecars: sidecarShape,
  workloadentries: workloadEntryShape,
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
