import { formatPort } from '../kubernetes/port-range.ts';
import { contains, everyPort, type PortSet, rangesOf } from './port-set.ts';

/** `every port`, or `53/UDP, 8000-8080/TCP`. */
export function portsText(ports: PortSet): string {
  if (contains(ports, everyPort)) return 'every port';
  return ports.length === 0 ? 'no port' : rangesOf(ports).map(formatPort).join(', ');
}

export function sameSet(one: PortSet, other: PortSet): boolean {
  return contains(one, other) && contains(other, one);
}
