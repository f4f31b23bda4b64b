/** Policies that name the port of a Service in place of the port of its pods. */
import { formatPath } from '../../kubernetes/field-path.ts';
import type { Port, PortRange } from '../../kubernetes/port-range.ts';
import { listed } from '../../reach/listed.ts';
import type { PodClass } from '../parties.ts';
import { refText, type SnapshotService } from '../snapshot.ts';
import { type LayerContext, mostRules, opening } from './context.ts';

/** A port of a Service in place of the port on which its pods listen. */
export function wrongPorts({ pods, own, services, worlds, report }: LayerContext): void {
  const look = (object: string, path: string, ports: readonly Port[]): void => {
    for (const port of ports) {
      if ('name' in port || port.first !== port.last) continue;
      const service = services.find((one) => misnames(one, port, pods, services));
      if (service === undefined) continue;
      const targets = service.ports
        .filter((one) => one.port === port.first)
        .flatMap(({ targetPort }) => targetsOf(targetPort, pods).map(String));
      const other = `Service ${service.namespace}/${service.name}`;
      const otherPath = `spec.ports[${service.ports.findIndex((one) => one.port === port.first)}].targetPort`;
      report({
        ...{ check: 'port-mismatch', object, path, other, otherObject: other, otherPath },
        reason: `is about port ${port.first}, which is the port of Service ${service.name}; policies see the port of the pods, which is ${listed(targets)}`,
        fix: `write port ${listed(targets)} in place of ${port.first}`,
      });
    }
  };
  for (const { ref, opens } of own)
    for (const rule of opens.slice(0, mostRules)) look(refText(ref), formatPath(rule.path), rule.ports);
  for (const { policy, rule } of opening(pods, worlds))
    if (policy.ref.namespace === pods.namespace.name) look(refText(policy.ref), formatPath(rule.path), rule.ports);
}

/** Not so where a name has no port: nothing says then which one is meant. Clients of a headless Service choose the port themselves. */
function misnames(service: SnapshotService, port: PortRange, pods: PodClass, all: readonly SnapshotService[]): boolean {
  const isTarget = ({ ports }: SnapshotService): boolean =>
    ports.some((one) => targetsOf(one.targetPort, pods).includes(port.first));
  const named = service.ports.filter((one) => one.port === port.first && one.protocol === port.protocol);
  if (service.isHeadless || !named.some(({ targetPort }) => targetsOf(targetPort, pods).length > 0)) return false;
  return !all.some(isTarget) && !pods.ports.some((one) => one.port === port.first);
}

function targetsOf(target: number | string, { ports }: PodClass): readonly number[] {
  return typeof target === 'number' ? [target] : ports.filter(({ name }) => name === target).map(({ port }) => port);
}
