/** Sets of ports in words, for reports. */
import { formatPort } from '../kubernetes/port-range.ts';
import { everyPort, type PortSet, rangesOf } from './port-set.ts';

/** `5432/TCP, 53/UDP`, or `every port`. */
export function portText(set: PortSet): string {
  if (set.length === everyPort.length && set.every((number, index) => number === everyPort[index])) return 'every port';
  return rangesOf(set).map(formatPort).join(', ');
}
