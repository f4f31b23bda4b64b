import { excerpt } from '../kubernetes/json.ts';
import type { Container, Handler } from '../kubernetes/objects.ts';
import { type Check, type Finding, nothing } from './check.ts';
import { containersOf } from './containers.ts';

/** The fields of a container with a probe, in the order of the API reference. */
export const probes = ['livenessProbe', 'readinessProbe', 'startupProbe'] as const;
/** The fields of `lifecycle` with a hook. */
export const hooks = ['postStart', 'preStop'] as const;
/** The actions that have a host. */
export const actions = ['httpGet', 'tcpSocket'] as const;

/**
 * The kubelet sends the probes and hooks of a tenant's pod to that pod alone.
 * Reads    spec.{containers,initContainers,ephemeralContainers}[*].{livenessProbe,readinessProbe,startupProbe,lifecycle.postStart,
 *          lifecycle.preStop}.{httpGet,tcpSocket}.host, on CREATE, and when containers change
 *          (changed-containers.ts); the check ephemeral-containers reads those that are added later
 * Allowed  missing or empty: the address of the pod. Not 127.0.0.1, which is the loopback of the node
 * Why      the kubelet connects from the node, past every policy of the pod, and the probe's result shows what answered (POD-21,
 *          KEP-4940; Pod Security's baseline since Kubernetes 1.34)
 */
export const probeHost: Check = {
  id: 'probe-host',
  headline: 'makes the kubelet connect to another host',
  protects: 'border',
  sharedByContainers: true,
  pod(request, facts) {
    if (facts.owner === 'platform' || request.operation !== 'CREATE') return nothing;
    const findings: Finding[] = [];
    for (const { container, path } of containersOf(request.object.spec)) hostsOf(container, path, findings);
    return findings;
  },
};

/**
 * Adds a finding for each host in the probes and hooks of a container.
 *
 * @param path of the container, such as `spec.containers[0]`
 */
export function hostsOf(container: Container, path: string, findings: Finding[]): void {
  for (const probe of probes) hostOf(container[probe], `${path}.${probe}`, findings);
  for (const hook of hooks) hostOf(container.lifecycle?.[hook], `${path}.lifecycle.${hook}`, findings);
}

function hostOf(handler: Handler | null | undefined, path: string, findings: Finding[]): void {
  for (const action of actions) {
    const host = handler?.[action]?.host;
    if (!host) continue;
    findings.push({
      path: `${path}.${action}.host`,
      reason: `is ${excerpt(host)}: the kubelet would connect there from the node, past every network policy`,
      fix: 'remove host, so that the kubelet connects to the pod',
    });
  }
}
