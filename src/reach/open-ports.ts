import { containsPort, orAllPorts, type Port, type PortRange } from '../kubernetes/port-range.ts';

/** A half of a gate, or a shared service: no ports means every port. */
interface PortGrant {
  readonly ports: readonly PortRange[];
}

/** The ports that none of the grants opens. */
export function shutPorts(grants: readonly PortGrant[], ports: readonly Port[]): readonly Port[] {
  const open = opened(grants);
  return ports.filter((port) => !containsPort(open, port));
}

/** Whether one of the ports is opened on both sides; a name may stand for any port. */
export function sharePort(own: readonly PortGrant[], theirs: readonly PortGrant[], ports: readonly Port[]): boolean {
  return opened(own).some((one) =>
    opened(theirs).some((other) => {
      const first = Math.max(one.first, other.first);
      const last = Math.min(one.last, other.last);
      if (one.protocol !== other.protocol || first > last) return false;
      return ports.some(
        (port) => port.protocol === one.protocol && ('name' in port || (port.first <= last && first <= port.last)),
      );
    }),
  );
}

function opened(grants: readonly PortGrant[]): readonly PortRange[] {
  return grants.flatMap((grant) => orAllPorts(grant.ports));
}
