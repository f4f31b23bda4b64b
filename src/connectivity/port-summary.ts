/** Sets of ports in words, for reports. */
import { formatPort, type PortRange } from '../kubernetes/port-range.ts';
import { differenceOf, everyPort, type PortSet, rangesOf } from './port-set.ts';

/** `5432/TCP, 53/UDP`, `every port`, `every port but 53`; empty for no port. */
export function portSummary(set: PortSet): string {
  const missing = differenceOf(everyPort, set);
  if (missing.length === 0) return 'every port';
  const isMost = set.length > 0 && missing.length <= set.length;
  return isMost ? `every port but ${listed(rangesOf(missing))}` : listed(rangesOf(set));
}

/** Without the protocol where all three have the same ports. */
function listed(ranges: readonly PortRange[]): string {
  const of = (protocol: PortRange['protocol']): readonly string[] =>
    ranges.flatMap((one) => (one.protocol === protocol ? formatPort(one).replace(`/${protocol}`, '') : []));
  const [tcp, udp, sctp] = [of('TCP'), of('UDP'), of('SCTP')];
  const isSame = tcp.join() === udp.join() && tcp.join() === sctp.join() && !tcp.includes('all');
  return (isSame ? tcp : ranges.map(formatPort)).join(', ');
}
