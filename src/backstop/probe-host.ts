import { actions, probeHost as check, hooks, probes } from '../checks/probe-host.ts';
import { imagesOf, noContainer } from './expressions.ts';
import { podCreations, type Rule } from './rule.ts';

const handlers = [...probes, ...hooks.map((hook) => `lifecycle.?${hook}`)];
const named = handlers
  .flatMap((handler) => actions.map((action) => `one.?${handler}.?${action}.?host.orValue("") != ""`))
  .join(' || ');

/** The kubelet sends the probes and hooks of a tenant's pod to that pod alone. All of new pods: a pod is created without ephemeral containers. */
export const probeHost: Rule = {
  check,
  kind: 'Pod',
  on: [podCreations],
  admits: () => noContainer(named),
  images: imagesOf(named),
};
