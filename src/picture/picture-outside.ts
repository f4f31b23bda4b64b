/** What pods of a picture open to and from addresses outside of the cluster, by tenant. */

import { createExposure, exposureKey } from '../connectivity/exposure.ts';
import { type Group, groupOf } from '../connectivity/matrix.ts';
import type { PodClass } from '../connectivity/parties.ts';
import { portSummary } from '../connectivity/port-summary.ts';
import type { World } from '../connectivity/world.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import { whoIs } from './picture-crossings.ts';

export interface PictureOutside {
  readonly tenant: Group;
  readonly direction: 'ingress' | 'egress';
  readonly addresses: string;
  readonly ports: string;
  readonly state: 'granted' | 'not granted' | 'not proven';
  readonly namespaces: number;
  readonly example: string;
}

/** @param now milliseconds since the epoch */
export function outsideOf(
  worlds: readonly World[],
  classes: readonly PodClass[],
  tenancy: Tenancy,
  now: number,
): readonly PictureOutside[] {
  const outside = new Map<string, PictureOutside & { readonly spaces: Set<string> }>();
  for (const world of worlds) {
    const exposed = createExposure(world, tenancy, now);
    for (const pods of classes) {
      const tenant = groupOf(pods);
      for (const one of exposed(pods)) {
        const key = `${tenant} ${exposureKey(one)}`;
        const known = outside.get(key);
        if (known !== undefined) known.spaces.add(pods.namespace.name);
        else {
          const spaces = new Set([pods.namespace.name]);
          const { direction, addresses, ports, state } = one;
          outside.set(key, {
            ...{ tenant, direction, addresses, ports: portSummary(ports), state, namespaces: 0 },
            ...{ example: whoIs(pods), spaces },
          });
        }
      }
    }
  }
  return [...outside.values()]
    .map(({ spaces, ...one }): PictureOutside => ({ ...one, namespaces: spaces.size }))
    .toSorted((one, other) => (one.tenant < other.tenant ? -1 : one.tenant > other.tenant ? 1 : 0));
}
