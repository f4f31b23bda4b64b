/** What the checks of Istio's kinds that lead traffic have in common. */
import { isDeepStrictEqual } from 'node:util';
import { readTraffic } from '../kinds/istio-traffic/read-traffic.ts';
import type { Traffic } from '../kinds/istio-traffic/traffic.ts';
import { valueAt } from '../kubernetes/json.ts';
import { once } from '../kubernetes/once.ts';
import type { UnreadRequest } from '../kubernetes/review.ts';
import type { IstioSettings } from '../tenancy/istio-settings.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import type { UnreadFacts } from './check.ts';
import { contentOfKind } from './unread-objects.ts';

export interface JudgedTraffic {
  readonly traffic: Traffic;
  readonly owner: Tenant;
  readonly istio: IstioSettings;
}

/** Several checks read the same request. */
const read = once((request: UnreadRequest) => ({ traffic: readTraffic(request) }));

export function trafficIn(request: UnreadRequest): Traffic | undefined {
  return read(request).traffic;
}

/** @returns undefined: of another kind, left to its author, admitted unread (network.policyKinds), or as it was before the update */
export function trafficToJudge(request: UnreadRequest, facts: UnreadFacts): JudgedTraffic | undefined {
  const traffic = trafficIn(request);
  if (traffic === undefined) return undefined;
  const content = contentOfKind(request, facts);
  if (content === undefined) return undefined;
  const { object, oldObject } = request;
  if (oldObject !== undefined && isDeepStrictEqual(valueAt(object, 'spec'), valueAt(oldObject, 'spec')))
    return undefined;
  return { traffic, ...content };
}
