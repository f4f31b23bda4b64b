/** What can be wrong around Bulkhead: one thing each, and the ids by which `doctor` must find it. */
import { certificates } from './certificates.ts';
import { clusterPolicy } from './cluster-policy.ts';
import { mesh } from './mesh.ts';
import { network, plugins } from './network.ts';
import { rest } from './rest.ts';
import { rights } from './rights.ts';
import type { Seed } from './seed.ts';
import { webhooks } from './webhooks.ts';

export const seeds: readonly Seed[] = [
  ...plugins,
  ...webhooks,
  ...certificates,
  ...network,
  ...clusterPolicy,
  ...mesh,
  ...rights,
  ...rest,
];
