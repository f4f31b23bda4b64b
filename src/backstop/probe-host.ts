import { actions, probeHost as check, hooks, probes } from '../checks/probe-host.ts';
import { allOf } from './expressions.ts';
import { podCreations, type Rule } from './rule.ts';

const handlers = [...probes, ...hooks.map((hook) => `lifecycle.?${hook}`)];
const named = handlers
  .flatMap((handler) => actions.map((action) => `one.?${handler}.?${action}.?host.orValue("") != ""`))
  .join(' || ');

function namesNoHost(list: string): string {
  return `!object.spec.?${list}.orValue([]).exists(one, ${named})`;
}

/** The kubelet sends the probes and hooks of a tenant's pod to that pod alone. The whole check: a pod is created without ephemeral containers. */
export const probeHost: Rule = {
  check,
  kind: 'Pod',
  on: [podCreations],
  admits: () => allOf(namesNoHost('containers'), namesNoHost('initContainers')),
};
