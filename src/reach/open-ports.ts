import { allPorts, containsPort, type Port, type PortRange } from '../kubernetes/port-range.ts';

/** A half of a gate, or a shared service: no ports means every port. */
interface Door {
  readonly ports: readonly PortRange[];
}

/** The first port that none of the doors opens; undefined when together they open all of them. */
export function shutPort(doors: readonly Door[], ports: readonly Port[]): Port | undefined {
  const open = doors.flatMap((door) => (door.ports.length === 0 ? allPorts : door.ports));
  return ports.find((port) => !containsPort(open, port));
}
